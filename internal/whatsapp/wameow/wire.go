package wameow

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// severLimit is how long the library's reader is given to notice that its socket is closed.
const severLimit = time.Second

// wire is the way to the network of one connection. It keeps hold of the socket, so that the connection can end it in the one
// order in which nothing of the library stays behind: socket first, then the context. The other way round the
// library's reader may wait for ever to hand over a frame that nobody takes any more.
type wire struct {
	base http.RoundTripper
	read chan struct{} // closed when the library's reader has had its last bytes

	mu        sync.Mutex
	socket    io.ReadWriteCloser
	isSevered bool
	isRead    bool
	hasSpoken bool // the library has written something: it waits for an answer
	hasHeard  bool // something has been read: the other side's answer, or the frame that stands for it
	heard     time.Time
}

// emptyFrame is a WebSocket message (RFC 6455 section 5.2: final, binary, three bytes) that carries an empty Noise frame. To a
// handshake that still waits for the first answer it is a wrong one: the library then gives up at once instead of after 20 s.
var emptyFrame = []byte{0x82, 3, 0, 0, 0}

func newWire(base http.RoundTripper) *wire { return &wire{base: base, read: make(chan struct{})} }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	socket, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		return resp, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isSevered {
		_ = socket.Close()
		return nil, context.Canceled
	}
	w.socket = socket
	resp.Body = tap{socket, w}
	return resp, nil
}

// isUsed reports whether there is, or was, a socket.
func (w *wire) isUsed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.socket != nil
}

// sever closes the socket and returns when the library's reader has noticed.
func (w *wire) sever() {
	w.mu.Lock()
	w.isSevered = true
	socket := w.socket
	if socket == nil {
		w.readAll()
	}
	w.mu.Unlock()
	if socket == nil {
		return
	}
	_ = socket.Close()
	limit := time.NewTimer(severLimit)
	defer limit.Stop()
	select {
	case <-w.read:
	case <-limit.C:
	}
}

// readAll notes that the reader is gone. The caller holds w.mu.
func (w *wire) readAll() {
	if !w.isRead {
		w.isRead = true
		close(w.read)
	}
}

// lastWord gives what the reader is told instead of the socket's error, nil when it is to have the error.
func (w *wire) lastWord() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isSevered && w.hasSpoken && !w.hasHeard {
		w.hasHeard = true
		return emptyFrame
	}
	w.readAll()
	return nil
}

// listened records that something was read.
func (w *wire) listened() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hasHeard, w.heard = true, time.Now()
}

// spoke records that something was written.
func (w *wire) spoke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hasSpoken = true
}

// silence is for how long nothing has been read.
func (w *wire) silence() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.heard)
}

// tap is the socket as the library sees it.
type tap struct {
	io.ReadWriteCloser
	wire *wire
}

// Read implements io.Reader.
func (t tap) Read(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(p)
	if err == nil || n > 0 {
		t.wire.listened()
		return n, nil
	}
	if word := t.wire.lastWord(); word != nil {
		return copy(p, word), nil
	}
	return 0, err
}

// Write implements io.Writer.
func (t tap) Write(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Write(p)
	if err == nil {
		t.wire.spoke()
	}
	return n, err
}

// lifeline is the context that the library lives on. Whoever asks learns at once that the connection is over, so that nothing is
// read, written or acknowledged any more; its channel closes only when the socket is closed and read to its end.
type lifeline struct {
	context.Context
	life context.Context
}

// Err implements context.Context.
func (l lifeline) Err() error {
	if err := l.life.Err(); err != nil {
		return err
	}
	return l.Context.Err()
}
