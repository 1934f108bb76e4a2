package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"
)

const (
	maxAttempts    = 5
	readBatch      = 256
	window         = 512 // most events read and not yet done; one order key that is stuck holds back no other until then
	consumerPoll   = 500 * time.Millisecond
	checkpointRest = 200 * time.Millisecond // between two writes of a checkpoint
	maxErrorLength = 2000
)

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

type consumer struct {
	name  string
	names []string // nil = all
	fn    func(ctx context.Context, rec Record) error
}

// Consume has fn called with every event of the named kinds (nil: all), from the oldest event kept on; name is the
// consumer's own for ever, since its checkpoint is kept under it. Call it before Run; a mistake (a name taken, a kind of
// event that does not exist) comes out of Run. fn may see an event twice, and must then have no second effect; its context
// ends when the call takes too long or the process stops.
func (l *Log) Consume(name string, names []string, fn func(ctx context.Context, rec Record) error) {
	known := events.Names()
	for _, n := range names {
		if !slices.Contains(known, n) {
			l.mistakes = append(l.mistakes, fmt.Errorf("consumer %s wants an event %q that does not exist", name, n))
		}
	}
	switch {
	case name == "" || len(name) > 64 || strings.HasPrefix(name, "~"):
		l.mistakes = append(l.mistakes, fmt.Errorf("%q is not a name for a consumer", name))
	case slices.ContainsFunc(l.consumers, func(c *consumer) bool { return c.name == name }):
		l.mistakes = append(l.mistakes, fmt.Errorf("there are two consumers %s", name))
	case l.running.Load():
		l.mistakes = append(l.mistakes, fmt.Errorf("consumer %s comes after the start", name))
	}
	l.consumers = append(l.consumers, &consumer{name, slices.Clone(names), fn})
}

// backoff is the wait after a failed attempt: about 0.25, 1, 4 and 16 seconds.
func backoff(attempt int) time.Duration {
	d := 250 * time.Millisecond << (2 * (attempt - 1))
	return d*4/5 + rand.N(d*2/5)
}

// item is one event on its way through a consumer.
type item struct {
	rec     Record
	bad     error // why it cannot be read
	again   int64 // attempts before, of an event that was parked and is run again
	done    bool
	aborted bool // the work ended before it was done
}

// tenure is one consumer's work while this process holds its row. Only the loop of run touches its fields.
type tenure struct {
	log     *Log
	c       *consumer
	read    int64              // last number read
	saved   int64              // checkpoint as stored
	open    []*item            // read and not yet known done, in order of number
	lanes   map[string][]*item // by order key: the one being handled and those behind it
	reruns  map[id.Event]bool  // parked events being run again
	flying  int
	results chan *item
	slots   chan struct{}
}

func (l *Log) consume(ctx, work context.Context, c *consumer) error {
	t := &tenure{log: l, c: c, lanes: map[string][]*item{}, reruns: map[id.Event]bool{}, results: make(chan *item, window+readBatch), slots: make(chan struct{}, l.opts.Workers)}
	seq, err := l.checkpoint(ctx, c.name)
	if err != nil {
		return err
	}
	t.read, t.saved = seq, seq
	err = t.run(ctx, work)
	for t.flying > 0 { // they end with work at the latest, and what waits behind them is not begun
		t.finish(<-t.results)
	}
	if errors.Is(err, errLost) {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(work), 2*time.Second)
	defer cancel()
	return errors.Join(err, t.save(last)) // others may then go on where this ended
}

func (t *tenure) run(ctx, work context.Context) error {
	woken, cancel := t.log.bus.Subscribe(bus.TopicEvents)
	defer cancel()
	poll := time.NewTicker(consumerPoll)
	defer poll.Stop()
	rest := time.NewTimer(checkpointRest)
	defer rest.Stop()
	resting, more := true, true
	if err := t.readParked(ctx, work); err != nil {
		return err
	}
	for {
		var again chan struct{} // ready when there is more to read and room for it
		if more && len(t.open) <= window-readBatch {
			n, err := t.readLog(ctx, work)
			if err != nil {
				return err
			}
			if more = n == readBatch; more && len(t.open) <= window-readBatch {
				again = closed
			}
		}
		if !resting && t.done() > t.saved {
			rest.Reset(checkpointRest)
			resting = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case it := <-t.results:
			if next := t.finish(it); next != nil {
				t.begin(ctx, work, next)
			}
		case <-woken:
			more = true
		case <-poll.C:
			more = true
			if err := t.readParked(ctx, work); err != nil {
				return err
			}
		case <-rest.C:
			resting = false
			if err := t.save(ctx); err != nil {
				return err
			}
		}
	}
}

// readLog takes the next events into work and returns how many rows of the log it passed.
func (t *tenure) readLog(ctx, work context.Context) (int, error) {
	rows, err := t.log.next(ctx, t.read, t.c.names, readBatch)
	if err != nil {
		return 0, err
	}
	for i := range rows {
		t.read = *rows[i].Seq
		if t.c.names != nil && !slices.Contains(t.c.names, rows[i].Name) {
			continue
		}
		it := &item{}
		it.rec, it.bad = rows[i].record()
		t.open = append(t.open, it)
		t.queue(ctx, work, it)
	}
	return len(rows), nil
}

func (t *tenure) queue(ctx, work context.Context, it *item) {
	lane := it.rec.lane()
	t.lanes[lane] = append(t.lanes[lane], it)
	if len(t.lanes[lane]) == 1 {
		t.begin(ctx, work, it)
	}
}

func (t *tenure) begin(ctx, work context.Context, it *item) {
	t.flying++
	go func() {
		it.aborted = !t.log.handle(ctx, work, t.c, it, t.slots)
		t.results <- it
	}()
}

// finish settles one event and returns the next of its lane, if there is one.
func (t *tenure) finish(it *item) *item {
	t.flying--
	it.done = !it.aborted
	delete(t.reruns, it.rec.ID)
	for len(t.open) > 0 && t.open[0].done {
		t.open[0] = nil
		t.open = t.open[1:]
	}
	lane := it.rec.lane()
	rest := t.lanes[lane][1:]
	if len(rest) == 0 {
		delete(t.lanes, lane)
		return nil
	}
	t.lanes[lane] = rest
	return rest[0]
}

// done is the highest number up to which everything is done.
func (t *tenure) done() int64 {
	if len(t.open) > 0 {
		return t.open[0].rec.Seq - 1
	}
	return t.read
}

// save stores the checkpoint, if the row is still ours.
func (t *tenure) save(ctx context.Context) error {
	done := t.done()
	if done == t.saved {
		return nil
	}
	h := t.log.db.Handle()
	n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*cursor)(nil)).Set("seq = ?", done).Set("updated_at = ?", sqlkit.Micros(t.log.now())).
		Where("name = ?", t.c.name).Where("holder = ?", t.log.holder).Exec(ctx))
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	if n != 1 {
		return errLost
	}
	t.saved = done
	return nil
}

// handle runs the consumer's function until it succeeds or the event is parked; it returns false when the process stops first.
func (l *Log) handle(ctx, work context.Context, c *consumer, it *item, slots chan struct{}) bool {
	for attempt := 1; ; attempt++ {
		err := it.bad
		if err == nil {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return false
			}
			err = l.call(work, c, it.rec)
			<-slots
		}
		switch {
		case err == nil:
			if it.again > 0 {
				l.forgetParked(work, c, it.rec)
			}
			return true
		case ctx.Err() != nil:
			return false
		case it.bad != nil || attempt >= maxAttempts:
			// An event that cannot even be parked has met a broken database, not a fault of its own: it is tried again.
			if l.park(work, c, it, attempt, err) == nil {
				return true
			}
		default:
			l.logger.WarnContext(work, "event not handled", "consumer", c.name, "event", it.rec.Name, "event_id", it.rec.ID.String(),
				"attempt", attempt, "error", err.Error())
		}
		if !pause(ctx, l.opts.Backoff(min(attempt, maxAttempts-1))) {
			return false
		}
	}
}

// call runs the function once; a panic is an error.
func (l *Log) call(work context.Context, c *consumer, rec Record) (err error) {
	ctx, cancel := context.WithTimeout(work, l.opts.Timeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.fn(ctx, rec)
}

// pause waits; it returns false when the work ends first.
func pause(work context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-work.Done():
		return false
	}
}
