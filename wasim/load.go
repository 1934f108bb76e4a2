package wasim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// loadRun is one script at work.
type loadRun struct {
	net    *Network
	load   Load
	from   []*account
	to     []*account
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	report   LoadReport
	lastSign time.Time // of life: a message written or acknowledged
	waiting  map[string]waitingMessage
	latency  histogram
	changed  chan struct{} // holds one signal when something was acknowledged
}

type waitingMessage struct {
	to *account
	at time.Time
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

// prepare checks a script and finds its phones.
func (r *loadRun) prepare() error {
	l := &r.load
	switch {
	case l.Rate <= 0 || l.Rate > maxLoadRate:
		return invalid("rate", fmt.Sprintf("must be more than 0 and at most %d messages a second", maxLoadRate))
	case l.Count < 0 || l.Count > maxLoadMessages || l.Duration < 0 || l.Duration > maxFaultDuration || l.Duration*l.Rate > maxLoadMessages && l.Count == 0:
		return invalid("count", fmt.Sprintf("a script has at most %d messages", maxLoadMessages))
	case l.Count == 0 && l.Duration == 0:
		return invalid("count", "a count or a duration is needed")
	case len(l.To) == 0:
		return invalid("to", "somebody must get the messages")
	case (len(l.From) == 0) == (l.First == ""):
		return invalid("from", "either from, or first and phones are needed")
	}
	if l.Text == "" {
		l.Text = "load {n}"
	}
	from := l.From
	if l.First != "" {
		first, err := parseNumber("first", l.First)
		if err != nil {
			return err
		}
		if l.Phones < 1 || l.Phones > maxLoadPhones {
			return invalid("phones", fmt.Sprintf("must be from 1 to %d", maxLoadPhones))
		}
		number, _ := strconv.ParseUint(first, 10, 64) // at most 15 digits
		for i := range l.Phones {
			from = append(from, strconv.FormatUint(number+uint64(i), 10))
		}
	}
	var err error
	if r.from, err = r.accounts("from", from); err == nil {
		r.to, err = r.accounts("to", l.To)
	}
	return err
}

func (r *loadRun) accounts(field string, numbers []string) ([]*account, error) {
	list := make([]*account, 0, len(numbers))
	for i, number := range numbers {
		a, err := r.net.phoneAt(fmt.Sprintf("%s[%d]", field, i), number)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// run writes the messages at their time and waits until they are acknowledged.
func (r *loadRun) run(ctx context.Context) {
	defer r.wg.Done()
	var workers sync.WaitGroup
	queues := make([]chan int, min(loadWorkers, len(r.from)))
	for i := range queues {
		queues[i] = make(chan int, loadBacklog)
		workers.Go(func() {
			for number := range queues[i] {
				r.write(ctx, number)
			}
		})
	}
	r.schedule(ctx, queues)
	for _, q := range queues {
		close(q)
	}
	workers.Wait()
	r.move(LoadDraining)
	r.drain(ctx)
}

// schedule hands out each message when it is due.
func (r *loadRun) schedule(ctx context.Context, queues []chan int) {
	begun := time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for number := 0; r.load.Count == 0 || number < r.load.Count; number++ {
		due := begun.Add(time.Duration(float64(number) / r.load.Rate * float64(time.Second)))
		if r.load.Duration > 0 && due.Sub(begun) >= seconds(r.load.Duration) {
			return
		}
		if wait := time.Until(due); wait > time.Millisecond {
			pause.Reset(wait)
			select {
			case <-pause.C:
			case <-ctx.Done():
				return
			}
		}
		for r.isFull() {
			select {
			case <-r.changed:
			case <-ctx.Done():
				return
			}
		}
		select {
		case queues[number%len(r.from)%len(queues)] <- number:
		case <-ctx.Done():
			return
		}
		r.noteBehind(time.Since(due))
	}
}

// write writes one message. Numbers begin at 0.
func (r *loadRun) write(ctx context.Context, number int) {
	if ctx.Err() != nil {
		return
	}
	chat := number % len(r.from)
	from, to := r.from[chat], r.to[chat%len(r.to)]
	words := strings.NewReplacer("{n}", strconv.Itoa(number+1), "{i}", strconv.Itoa(number/len(r.from)+1)).Replace(r.load.Text)
	id := r.net.newID()
	r.mu.Lock()
	r.waiting[id] = waitingMessage{to, time.Now()}
	r.mu.Unlock()
	_, err := r.net.Write(ctx, from.number(), Draft{To: to.number(), Text: words, ID: id})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastSign = time.Now()
	if err != nil {
		delete(r.waiting, id)
		r.report.Failed++
		r.report.Error = err.Error()
		return
	}
	r.report.Sent++
}

func (r *loadRun) acknowledged(d *device, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.waiting[id]
	if !ok || w.to != d.account {
		return
	}
	delete(r.waiting, id)
	r.report.Acknowledged++
	r.lastSign = time.Now()
	r.latency.add(time.Since(w.at))
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// drain waits until everything is acknowledged, or nothing is any more.
func (r *loadRun) drain(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		r.mu.Lock()
		left, idle := len(r.waiting), time.Since(r.lastSign)
		r.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			r.move(LoadStopped)
			return
		case left == 0:
			r.move(LoadDone)
			return
		case idle > loadPatience:
			r.move(LoadOverdue)
			return
		}
		select {
		case <-r.changed:
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

func (r *loadRun) isFull() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) >= maxLoadWaiting
}

func (r *loadRun) noteBehind(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Behind = max(r.report.Behind, milliseconds(d))
}

func (r *loadRun) move(state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.State = state
	if r.isOverLocked() {
		r.report.Seconds = r.elapsed()
	}
}

func (r *loadRun) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isOverLocked()
}

func (r *loadRun) isOverLocked() bool {
	return r.report.State != LoadRunning && r.report.State != LoadDraining
}

// elapsed is how long the script has been at work, up to the last thing that happened in it. The caller holds r.mu.
func (r *loadRun) elapsed() float64 {
	if r.lastSign.IsZero() {
		return 0
	}
	return max(r.lastSign.Sub(r.report.StartedAt).Seconds(), 0)
}

func (r *loadRun) public() LoadReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := r.report
	report.Waiting = len(r.waiting)
	report.Latency = r.latency.quantiles()
	if !r.isOverLocked() {
		report.Seconds = r.elapsed()
	}
	return report
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
