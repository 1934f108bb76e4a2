package live

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"turnero/internal/platform/outbox"
)

const (
	poll      = 500 * time.Millisecond // while there are listeners
	fillBatch = 500
	mostKept  = 2048    // events in the window
	mostBytes = 4 << 20 // of their payloads
)

// Log is the event log in SQL.
type Log interface {
	// After gives the tenant's events with a number above seq, lowest first.
	After(ctx context.Context, tenant string, seq int64, limit int) ([]outbox.Record, error)
	// AfterAll is After for all tenants.
	AfterAll(ctx context.Context, seq int64, limit int) ([]outbox.Record, error)
	// Head gives the highest number given so far.
	Head(ctx context.Context) (int64, error)
}

// Fanout passes numbered events to the listeners of an installation.
type Fanout interface {
	// Publish tells of events that have just been numbered, in the order of their numbers. It never blocks. Listeners do not depend on
	// it: what is not published they get a moment later.
	Publish(recs []outbox.Record)
	// Listen gives the tenant's events behind the number after ("": the platform's own). The caller closes the listener.
	Listen(tenant string, after int64) *Listener
	// Run feeds the listeners until ctx ends, and returns nil.
	Run(ctx context.Context) error
}

// hub is the window of one process and its listeners.
type hub struct {
	log    Log
	logger *slog.Logger
	called chan struct{} // holds a value when SQL is to be read before the next poll
	began  chan struct{} // holds a value when somebody listens after a time when nobody did

	mu        sync.Mutex
	known     bool            // whether the window is connected to the log
	window    []outbox.Record // without gaps, up to last
	bytes     int
	last      int64
	listeners map[string]map[*Listener]bool // by tenant
	count     int
}

func newHub(log Log, logger *slog.Logger) *hub {
	return &hub{log: log, logger: logger, called: make(chan struct{}, 1), began: make(chan struct{}, 1), listeners: map[string]map[*Listener]bool{}}
}

// Listen implements Fanout.
func (h *hub) Listen(tenant string, after int64) *Listener {
	l := &Listener{hub: h, tenant: tenant, cursor: after, changed: make(chan struct{}, 1)}
	l.signal()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[tenant] == nil {
		h.listeners[tenant] = map[*Listener]bool{}
	}
	h.listeners[tenant][l] = true
	if h.count++; h.count == 1 {
		h.known = false // nobody kept the window up to date
		h.call()
		select {
		case h.began <- struct{}{}:
		default:
		}
	}
	return l
}

func (h *hub) leave(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.listeners[l.tenant][l] {
		return
	}
	delete(h.listeners[l.tenant], l)
	if len(h.listeners[l.tenant]) == 0 {
		delete(h.listeners, l.tenant)
	}
	if h.count--; h.count == 0 {
		h.window, h.bytes, h.known = nil, 0, false
	}
}

func (h *hub) isHeard() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count > 0
}

func (h *hub) call() {
	select {
	case h.called <- struct{}{}:
	default:
	}
}

// end gives the number at which the window ends, if there is one.
func (h *hub) end() (last int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last, h.known
}

// reset begins the window anew behind a number up to which everything is in SQL.
func (h *hub) reset(last int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.window, h.bytes, h.last, h.known = nil, 0, last, h.count > 0
	for _, listeners := range h.listeners {
		for l := range listeners {
			l.isCaughtUp = false
			l.signal()
		}
	}
}

// add puts events behind the window and wakes those who wait for them. Events that do not follow on it are not taken: they
// call for a look into SQL.
func (h *hub) add(recs []outbox.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known || len(recs) == 0 {
		return
	}
	for len(recs) > 0 && recs[0].Seq <= h.last {
		recs = recs[1:]
	}
	for i := range recs {
		if recs[i].Seq != h.last+1 {
			h.call()
			return
		}
		h.push(&recs[i])
	}
}

func (h *hub) push(rec *outbox.Record) {
	h.window = append(h.window, *rec)
	h.bytes += len(rec.Payload)
	h.last = rec.Seq
	cut := 0
	for len(h.window)-cut > mostKept || h.bytes > mostBytes {
		h.bytes -= len(h.window[cut].Payload)
		h.window[cut] = outbox.Record{}
		cut++
	}
	h.window = h.window[cut:]
	for l := range h.listeners[rec.Tenant] {
		if l.next == 0 {
			l.next = rec.Seq
		}
		l.signal()
	}
}

// run looks into SQL at every poll and whenever it is called, while there are listeners; missed is told when there was more
// than the window had.
func (h *hub) run(ctx context.Context, missed func()) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.called:
		case <-tick.C:
		}
		if !h.isHeard() {
			continue
		}
		n, err := h.fill(ctx)
		switch {
		case err == nil:
			failing = false
		case ctx.Err() == nil && !failing:
			h.logger.WarnContext(ctx, "new events not read", "error", err.Error())
			failing = true
		}
		if n > 0 {
			missed()
		}
	}
}

// fill adds what SQL has behind the window. When that is much, the window begins anew: listeners read the rest themselves.
func (h *hub) fill(ctx context.Context) (int, error) {
	last, known := h.end()
	if known {
		recs, err := h.log.AfterAll(ctx, last, fillBatch)
		if err != nil {
			return 0, err
		}
		if len(recs) < fillBatch {
			h.add(recs)
			return len(recs), nil
		}
	}
	head, err := h.log.Head(ctx)
	if err != nil {
		return 0, err
	}
	h.reset(head)
	return 1, nil
}
