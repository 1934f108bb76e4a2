package gateway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"turnero/internal/platform/peer"
)

const (
	dialTimeout = time.Second
	idlePerHost = 64
	idleTimeout = time.Minute // less than services keep a silent connection
)

// fleet is the way to the processes that run one target. A request goes to the next in turn, and on to another one when the
// first has certainly not got it or, for a request that only reads, when it did not answer.
type fleet struct {
	turn *peer.Turn
	next *http.Transport
}

func newFleet(addresses []string, now func() time.Time) *fleet {
	return &fleet{turn: peer.NewTurn(addresses, now), next: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: idleTimeout, DisableCompression: true,
	}}
}

// RoundTrip implements http.RoundTripper.
func (f *fleet) RoundTrip(req *http.Request) (*http.Response, error) {
	body := &heldBody{ReadCloser: req.Body}
	var errs []error
	for _, address := range f.turn.Order() {
		resp, left, err := f.try(req, address, body)
		if err == nil {
			return resp, nil
		}
		errs = append(errs, err)
		if req.Context().Err() != nil {
			break
		}
		f.turn.Avoid(address)
		if body.wasRead.Load() || left && !onlyReads(req.Method) {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// try sends the request to one address. left says that it may have got there.
func (f *fleet) try(req *http.Request, address string, body *heldBody) (resp *http.Response, left bool, err error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, false, fmt.Errorf("address of a service: %w", err)
	}
	var wrote atomic.Bool
	out := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}))
	u := *req.URL
	u.Scheme, u.Host = base.Scheme, base.Host
	out.URL = &u
	if req.Body != nil && req.Body != http.NoBody {
		out.Body = body
	}
	resp, err = f.next.RoundTrip(out)
	return resp, wrote.Load(), err
}

// onlyReads reports whether the method changes nothing (RFC 9110 section 9.2.1).
func onlyReads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// heldBody is a request's body that outlives an attempt which never read it.
type heldBody struct {
	io.ReadCloser
	wasRead atomic.Bool
}

// Read implements io.Reader.
func (b *heldBody) Read(p []byte) (int, error) {
	b.wasRead.Store(true)
	return b.ReadCloser.Read(p)
}

// Close leaves the body to the server, which ends it with the request.
func (b *heldBody) Close() error { return nil }
