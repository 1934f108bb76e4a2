package wasim

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/coder/websocket"
)

const (
	frameLengthSize = 3
	frameMaxSize    = 1 << 24
	prologueSize    = 4
)

// errNotWhatsApp is what a stream that does not begin with the WhatsApp header gets.
var errNotWhatsApp = errors.New("the stream does not begin with a WhatsApp connection header")

// frameStream cuts the WebSocket's byte stream into frames, each led by its length in three big-endian bytes. The first bytes
// of a connection are its header: "WA", the protocol's number and the version of the token dictionary. Frames and WebSocket
// messages need not coincide when reading; when writing they do.
type frameStream struct {
	ws       *websocket.Conn
	prologue []byte
	buffer   []byte
}

func (f *frameStream) read(ctx context.Context) ([]byte, error) {
	for {
		frame, err := f.next()
		if frame != nil || err != nil {
			return frame, err
		}
		kind, data, err := f.ws.Read(ctx)
		if err != nil {
			return nil, err
		}
		if kind != websocket.MessageBinary {
			return nil, errors.New("text message on a binary stream")
		}
		if len(f.buffer) == 0 {
			f.buffer = data
		} else {
			f.buffer = append(f.buffer, data...)
		}
	}
}

// next takes one whole frame off the buffer, or returns nil when more bytes are needed.
func (f *frameStream) next() ([]byte, error) {
	if f.prologue == nil {
		if len(f.buffer) < prologueSize {
			return nil, nil
		}
		if f.buffer[0] != 'W' || f.buffer[1] != 'A' {
			return nil, errNotWhatsApp
		}
		f.prologue, f.buffer = bytes.Clone(f.buffer[:prologueSize]), f.buffer[prologueSize:]
	}
	if len(f.buffer) < frameLengthSize {
		return nil, nil
	}
	size := int(f.buffer[0])<<16 | int(f.buffer[1])<<8 | int(f.buffer[2])
	end := frameLengthSize + size
	if len(f.buffer) < end {
		return nil, nil
	}
	frame := f.buffer[frameLengthSize:end:end]
	f.buffer = f.buffer[end:]
	if len(f.buffer) == 0 {
		f.buffer = nil // an idle connection holds no buffer
	}
	return frame, nil
}

// write sends one frame; its first frameLengthSize bytes are room for the length.
func (f *frameStream) write(ctx context.Context, frame []byte) error {
	size := len(frame) - frameLengthSize
	if size >= frameMaxSize {
		return fmt.Errorf("frame of %d bytes is too large", size)
	}
	frame[0], frame[1], frame[2] = byte(size>>16), byte(size>>8), byte(size)
	return f.ws.Write(ctx, websocket.MessageBinary, frame)
}
