package wasim

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxLoads        = 16        // running at once, and finished ones remembered
	maxLoadRate     = 100_000   // messages a second
	maxLoadMessages = 5_000_000 // of one script
	maxLoadPhones   = 100_000
	loadWorkers     = 8       // a phone's messages are all written by the same one, in order
	loadBacklog     = 64      // messages that may wait for a worker
	maxLoadWaiting  = 200_000 // messages that devices have not acknowledged; beyond it the script falls behind its rate
	loadPatience    = time.Minute
)

// Load is a script by which phones write numbered texts to business numbers at a rate. Every phone always writes to the same number,
// so that each chat has its own order: phone i to number i modulo how many there are.
type Load struct {
	From   []string `json:"from,omitempty"`   // numbers of the phones that write, in turn
	First  string   `json:"first,omitempty"`  // or: Phones numbers from this one on
	Phones int      `json:"phones,omitempty"` // how many
	To     []string `json:"to"`               // numbers they write to

	Rate     float64 `json:"rate"`               // messages a second, all phones together
	Count    int     `json:"count,omitempty"`    // ends after so many messages
	Duration float64 `json:"duration,omitempty"` // or after so many seconds; the first of both
	// Text is what they write. {n} is the message's number in the script, {i} its number in its chat, both from 1 on. Empty: "load {n}".
	Text string `json:"text,omitempty"`
}

// States of a load script.
const (
	LoadRunning  = "running"  // writes
	LoadDraining = "draining" // has written everything and waits for acknowledgements
	LoadDone     = "done"     // everything is acknowledged
	LoadStopped  = "stopped"  // by request, or by the end of the network
	LoadOverdue  = "overdue"  // nothing was acknowledged any more for a minute: Waiting messages have not been
)

// LoadReport says how far a load script is.
type LoadReport struct {
	ID        int       `json:"id"`
	State     string    `json:"state"` // LoadRunning, …
	StartedAt time.Time `json:"startedAt"`
	Seconds   float64   `json:"seconds"` // from the first message to now, or to the last acknowledgement
	Sent      int       `json:"sent"`
	Failed    int       `json:"failed"` // could not be written
	Error     string    `json:"error,omitempty"`
	// Acknowledged messages have been taken by a linked device of the number they were written to.
	Acknowledged int `json:"acknowledged"`
	Waiting      int `json:"waiting"` // sent and not acknowledged
	// Behind is the longest time, in milliseconds, by which a message was written later than the rate wanted it.
	Behind float64 `json:"behindMs"`
	// Latency is from before a message is written to its acknowledgement, in milliseconds, within 2 %.
	Latency Quantiles `json:"latencyMs"`
	Load    Load      `json:"load"`
}

// Quantiles of a distribution.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// loads are the scripts of a network.
type loads struct {
	net    *Network
	active atomic.Int32 // so that a network without any asks nothing

	mu   sync.Mutex
	list []*loadRun
	last int
}

// Load starts a script and returns its first report. Errors: ErrInvalid, ErrNoWhatsApp, ErrTooMany, ErrClosed.
func (n *Network) Load(l Load) (LoadReport, error) {
	r := &loadRun{net: n, load: l, waiting: map[string]waitingMessage{}, changed: make(chan struct{}, 1)}
	if err := r.prepare(); err != nil {
		return LoadReport{}, err
	}
	if !n.enter() {
		return LoadReport{}, ErrClosed
	}
	ctx, cancel := context.WithCancel(n.ctx)
	r.cancel = cancel
	if err := n.loads.add(r); err != nil {
		cancel()
		n.wg.Done()
		return LoadReport{}, err
	}
	go func() {
		defer n.wg.Done()
		defer n.loads.active.Add(-1)
		defer cancel()
		r.run(ctx)
	}()
	return r.public(), nil
}

// Loads returns the reports of the scripts that run and of the last that have ended, the oldest first.
func (n *Network) Loads() []LoadReport {
	n.loads.mu.Lock()
	list := slices.Clone(n.loads.list)
	n.loads.mu.Unlock()
	reports := make([]LoadReport, 0, len(list))
	for _, r := range list {
		reports = append(reports, r.public())
	}
	return reports
}

// LoadReport returns the report of one script. Errors: ErrNotFound.
func (n *Network) LoadReport(id int) (LoadReport, error) {
	r, err := n.loads.find(id)
	if err != nil {
		return LoadReport{}, err
	}
	return r.public(), nil
}

// StopLoad ends a script; what it has written stays written. Errors: ErrNotFound.
func (n *Network) StopLoad(id int) (LoadReport, error) {
	r, err := n.loads.find(id)
	if err != nil {
		return LoadReport{}, err
	}
	r.cancel()
	r.wg.Wait()
	return r.public(), nil
}

func (l *loads) find(id int) (*loadRun, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.list {
		if r.report.ID == id {
			return r, nil
		}
	}
	return nil, ErrNotFound.because("id", "there is no load script %d", id)
}

// add numbers a script and remembers it in the place of an old one.
func (l *loads) add(r *loadRun) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active.Load() >= maxLoads {
		return ErrTooMany.because("", "%d load scripts are running", maxLoads)
	}
	if len(l.list) >= maxLoads {
		i := slices.IndexFunc(l.list, func(r *loadRun) bool { return r.isOver() })
		if i >= 0 {
			l.list = slices.Delete(l.list, i, i+1)
		}
	}
	l.active.Add(1)
	l.last++
	r.wg.Add(1)
	r.report = LoadReport{ID: l.last, State: LoadRunning, StartedAt: l.net.now().UTC(), Load: r.load}
	l.list = append(l.list, r)
	return nil
}

// acknowledged is told that a linked device has taken a message.
func (l *loads) acknowledged(d *device, id string) {
	if l.active.Load() == 0 {
		return
	}
	l.mu.Lock()
	list := slices.Clone(l.list)
	l.mu.Unlock()
	for _, r := range list {
		r.acknowledged(d, id)
	}
}
