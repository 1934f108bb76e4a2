package wameow_test

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"

	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
)

// longestSilence is what the library's own times, before TestMain shortens them, make of the time after which a dead link is given up.
var longestSilence = wameow.SilenceLimit() + wameow.ProbeLimit

func TestDeadLinkIsNoticedWithin45Seconds(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, longestSilence, 44*time.Second, "with the library's own keep-alives")
}

// swamp is the network as a device sees it whose radio is gone: while it is on, nothing arrives, and writes are taken until
// the buffer is full, then no more.
type swamp struct {
	base http.RoundTripper

	mu    sync.Mutex
	room  int
	isOn  bool
	ended chan struct{} // closed when it is over
}

func newSwamp(n *wasim.Network) *swamp {
	return &swamp{base: n.HTTPClient().Transport, ended: make(chan struct{})}
}

func (s *swamp) flood(room int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOn, s.room = true, room
}

func (s *swamp) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOn = false
	close(s.ended)
}

func (s *swamp) isFlooded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isOn
}

// takes reports whether the buffer has room for n more bytes.
func (s *swamp) takes(n int) (isOn, hasRoom bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOn || s.room < n {
		return s.isOn, false
	}
	s.room -= n
	return true, true
}

func (s *swamp) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.isFlooded() {
		select {
		case <-s.ended:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	resp, err := s.base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	resp.Body = &swamped{rw: resp.Body.(io.ReadWriteCloser), swamp: s, closed: make(chan struct{})}
	return resp, nil
}

// swamped is one connection in the swamp; once in, it never comes out.
type swamped struct {
	rw     io.ReadWriteCloser
	swamp  *swamp
	closed chan struct{}
	once   sync.Once
}

func (c *swamped) Read(p []byte) (int, error) {
	n, err := c.rw.Read(p)
	if err == nil && c.swamp.isFlooded() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *swamped) Write(p []byte) (int, error) {
	isOn, hasRoom := c.swamp.takes(len(p))
	switch {
	case !isOn:
		return c.rw.Write(p)
	case hasRoom:
		return len(p), nil
	}
	<-c.closed
	return 0, net.ErrClosed
}

func (c *swamped) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.rw.Close()
}

func TestDeadLinkIsNoticedWhereTheSocketTakesNoMore(t *testing.T) {
	t.Parallel()
	for name, room := range map[string]int{"the socket takes everything": 1 << 30, "the socket takes nothing": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			s := newSwamp(n)
			b := newBenchWith(t, n, &http.Client{Transport: s}, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
			before := b.sink.stateCount()
			s.flood(room)
			began := time.Now()
			b.sink.await(t, "the end of the connection", func() bool {
				return slices.ContainsFunc(b.sink.states[before:], func(c whatsapp.LinkChange) bool {
					return c.State == whatsapp.LinkConnecting && c.Reason == "timeout"
				})
			})
			limit := whatsmeow.KeepAliveIntervalMax + whatsmeow.KeepAliveResponseDeadline + wameow.ProbeLimit
			require.Less(t, time.Since(began), limit+2*time.Second, "the other two are for a busy machine")
			b.write("aquí estoy")
			s.drain()
			b.sink.awaitConnectedAgain(t, before)
			b.sink.awaitTexts(t, "aquí estoy")
			b.clean()
		})
	}
}
