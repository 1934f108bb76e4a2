package wasim

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// HTTPClient returns a client whose every request, whatever its host, ends in this network, without a port and without TLS.
// It can reach nothing else. Clients use it for the WebSocket as well as for media. It is the same one at each call and stops
// working when the network is closed.
func (n *Network) HTTPClient() *http.Client { return n.client }

// DialClient returns a client whose every request, whatever its host, ends at addr, where a network listens in clear. It can
// reach nothing else.
func DialClient(addr string) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return clientOf(func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) })
}

// clientOf makes a client of a way to connect. The transport is told that TLS is in place already, so https and wss go in
// clear.
func clientOf(dial func(context.Context) (net.Conn, error)) *http.Client {
	connect := func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	return &http.Client{Transport: &http.Transport{DialContext: connect, DialTLSContext: connect, IdleConnTimeout: 30 * time.Second,
		MaxIdleConnsPerHost: 4}}
}

// listenInProcess serves the in-process transport.
func (n *Network) listenInProcess() {
	n.pipes = newPipeListener()
	n.client = clientOf(n.pipes.dial)
	n.server = &http.Server{Handler: n.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelWarn)}
	n.wg.Go(func() { _ = n.server.Serve(n.pipes) }) // ends with ErrServerClosed
}
