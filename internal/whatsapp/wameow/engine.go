package wameow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"

	"turnero/internal/fault"
	"turnero/internal/whatsapp"
)

// dialsAtOnce bounds how many sessions connect at the same time.
const dialsAtOnce = 64

// Options say how an engine is made.
type Options struct {
	// Devices keeps the sessions' keys. Its network must be the one that RootKey names. Required.
	Devices DeviceStore
	// HTTPClient makes all connections. Nil: one of the engine's own, which reaches the real WhatsApp. Required with a RootKey, so that
	// a local network never leads outside.
	HTTPClient *http.Client
	// RootKey is the root of the Noise certificates to trust. Nil: WhatsApp's. A process can have one for its lifetime.
	RootKey *[32]byte
	// FetchVersion asks which version of the web client WhatsApp expects; it is called before the first connection, and a
	// failure leaves the library's version in place. Nil: asked of WhatsApp on the real network, never on another.
	FetchVersion func(ctx context.Context) (*store.WAVersionContainer, error)
	// Logger receives changes of state, and the libraries' warnings without numbers. Required.
	Logger *slog.Logger
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Engine carries sessions over whatsmeow. All methods may be called at the same time.
type Engine struct {
	devices DeviceStore
	http    *http.Client
	log     *slog.Logger
	now     func() time.Time
	pace    pace
	outage  outage
	version version
	dials   chan struct{}

	mu   sync.Mutex
	open map[whatsapp.Ref]*line // nil while its keys are being forgotten
}

var _ whatsapp.Engine = (*Engine)(nil)

// New makes an engine. It fails when the process already talks to another network, or when the device store belongs to one.
func New(o Options) (*Engine, error) {
	if o.Devices == nil || o.Logger == nil {
		return nil, errors.New("wameow: an engine needs a device store and a logger")
	}
	if o.RootKey != nil && o.HTTPClient == nil {
		return nil, errors.New("wameow: a network of its own root key needs an HTTP client that leads to it")
	}
	network := NetworkWhatsApp
	if o.RootKey != nil {
		network = NetworkSim
	}
	if kept := o.Devices.Network(); kept != network {
		return nil, fmt.Errorf("wameow: %w", wrongNetwork(kept, network))
	}
	if err := claimProcess(o.RootKey, o.Logger); err != nil {
		return nil, err
	}
	e := &Engine{devices: o.Devices, http: o.HTTPClient, log: o.Logger, now: o.Now, pace: normalPace,
		dials: make(chan struct{}, dialsAtOnce), open: map[whatsapp.Ref]*line{}}
	if e.now == nil {
		e.now = time.Now
	}
	if e.http == nil {
		e.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	e.version.fetch = o.FetchVersion
	if e.version.fetch == nil && network == NetworkWhatsApp {
		e.version.fetch = func(ctx context.Context) (*store.WAVersionContainer, error) {
			return whatsmeow.GetLatestVersion(ctx, e.http)
		}
	}
	return e, nil
}

// errOpen refuses to open, or to forget, a session that is open.
var errOpen = fault.New(fault.Conflict, "session_open", "the session is open already")

// Open implements whatsapp.Engine.
func (e *Engine) Open(ctx context.Context, t whatsapp.Term, sink whatsapp.Sink) (whatsapp.Line, error) {
	if t.Tenant.IsZero() || t.Session.IsZero() || sink == nil {
		return nil, errors.New("wameow: a term needs a tenant, a session and a sink")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := newLine(ctx, e, t, sink)
	e.mu.Lock()
	if _, taken := e.open[t.Ref]; taken {
		e.mu.Unlock()
		l.leave()
		return nil, errOpen
	}
	e.open[t.Ref] = l
	e.mu.Unlock()
	l.begin(ctx)
	return l, nil
}

// Forget implements whatsapp.Engine.
func (e *Engine) Forget(ctx context.Context, t whatsapp.Term) error {
	e.mu.Lock()
	if _, taken := e.open[t.Ref]; taken {
		e.mu.Unlock()
		return errOpen
	}
	e.open[t.Ref] = nil
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.open, t.Ref)
	}()
	return e.devices.Delete(ctx, t)
}

// release takes a closed line off the books.
func (e *Engine) release(l *line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open[l.ref] == l {
		delete(e.open, l.ref)
	}
}

func (e *Engine) openLines() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.open)
}

// transport is what connections are made with.
func (e *Engine) transport() http.RoundTripper {
	if e.http.Transport != nil {
		return e.http.Transport
	}
	return http.DefaultTransport
}

// admit waits for a place among those that connect; false when the context ended first.
func (e *Engine) admit(ctx context.Context) bool {
	select {
	case e.dials <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (e *Engine) dismiss() { <-e.dials }
