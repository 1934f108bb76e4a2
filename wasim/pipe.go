package wasim

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBufferSize is how many bytes may wait in one direction of an in-process connection before its writer has to wait.
const pipeBufferSize = 64 << 10

// pipeListener accepts connections from within the process: no port, no file descriptor.
type pipeListener struct {
	pending chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{pending: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pending:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

// dial connects to the listener.
func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := newPipe()
	select {
	case l.pending <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "wasim" }

// pipeConn is one end of a buffered connection within the process.
type pipeConn struct {
	in, out *pipeHalf
}

func newPipe() (a, b *pipeConn) {
	x, y := newPipeHalf(), newPipeHalf()
	return &pipeConn{in: x, out: y}, &pipeConn{in: y, out: x}
}

func (c *pipeConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *pipeConn) LocalAddr() net.Addr         { return pipeAddr{} }
func (c *pipeConn) RemoteAddr() net.Addr        { return pipeAddr{} }

func (c *pipeConn) Close() error {
	c.in.close(true)
	c.out.close(false)
	return nil
}

func (c *pipeConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// pipeHalf is one direction of a pipe.
type pipeHalf struct {
	mu      sync.Mutex
	change  *sync.Cond
	data    []byte
	isEnded bool // the writer has closed: readers get what is left
	isDeaf  bool // the reader has closed: nothing more is read or written
	readBy  deadline
	writeBy deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func newPipeHalf() *pipeHalf {
	h := &pipeHalf{}
	h.change = sync.NewCond(&h.mu)
	return h
}

func (d *deadline) hasPassed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// setDeadline moves a deadline and wakes those who wait when it comes.
func (h *pipeHalf) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if !t.IsZero() && !h.isEnded && !h.isDeaf {
		if left := time.Until(t); left > 0 {
			d.timer = time.AfterFunc(left, func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.change.Broadcast()
			})
		}
	}
	h.change.Broadcast()
}

func (h *pipeHalf) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.isDeaf:
			return 0, io.ErrClosedPipe
		case h.readBy.hasPassed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(h.data) > 0:
			n := copy(b, h.data)
			h.data = h.data[n:]
			if len(h.data) == 0 {
				h.data = nil // an idle connection holds no buffer
			}
			h.change.Broadcast()
			return n, nil
		case h.isEnded:
			return 0, io.EOF
		}
		h.change.Wait()
	}
}

func (h *pipeHalf) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	written := 0
	for {
		switch {
		case h.isEnded || h.isDeaf:
			return written, io.ErrClosedPipe
		case h.writeBy.hasPassed():
			return written, os.ErrDeadlineExceeded
		}
		room := min(pipeBufferSize-len(h.data), len(b)-written)
		if room > 0 {
			h.data = append(h.data, b[written:written+room]...)
			written += room
			h.change.Broadcast()
		}
		if written == len(b) {
			return written, nil
		}
		h.change.Wait()
	}
}

// close ends the direction, from the reader's end or from the writer's.
func (h *pipeHalf) close(byReader bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if byReader {
		h.isDeaf = true
	} else {
		h.isEnded = true
	}
	for _, d := range []*deadline{&h.readBy, &h.writeBy} {
		if d.timer != nil {
			d.timer.Stop()
			d.timer = nil
		}
	}
	h.change.Broadcast()
}
