package outbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"turnero/internal/events"
)

const (
	maxAttempts    = 5
	maxErrorLength = 2000
)

type consumer struct {
	name  string
	names []string // nil = all
	fn    func(ctx context.Context, rec Record) error
	slots chan struct{} // one for each event that is handled at this moment
}

func (c *consumer) wants(event string) bool { return c.names == nil || slices.Contains(c.names, event) }

// Consume has fn called with every event of the named kinds (nil: all), from the oldest event kept on; name is the
// consumer's own for ever, since its checkpoints are kept under it. Call it before Run; a mistake (a name taken, a kind of
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
	case name == "" || len(name) > 64 || strings.HasPrefix(name, "~") || strings.Contains(name, "\n"):
		l.mistakes = append(l.mistakes, fmt.Errorf("%q is not a name for a consumer", name))
	case slices.ContainsFunc(l.consumers, func(c *consumer) bool { return c.name == name }):
		l.mistakes = append(l.mistakes, fmt.Errorf("there are two consumers %s", name))
	case l.running.Load():
		l.mistakes = append(l.mistakes, fmt.Errorf("consumer %s comes after the start", name))
	}
	l.consumers = append(l.consumers, &consumer{name, slices.Clone(names), fn, make(chan struct{}, l.opts.Workers)})
}

// backoff is the wait after a failed attempt: about 0.25, 1, 4 and 16 seconds.
func backoff(attempt int) time.Duration {
	d := 250 * time.Millisecond << (2 * (attempt - 1))
	return d*4/5 + rand.N(d*2/5)
}

// handle runs the consumer's function until it succeeds or the event is parked; it returns false when the process stops first.
func (l *Log) handle(ctx, work context.Context, it *item) bool {
	c := it.t.c
	for attempt := 1; ; attempt++ {
		err := it.bad
		if err == nil {
			if !it.enter(ctx, work) {
				return false
			}
			err = l.call(work, c, it.rec)
			<-c.slots
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
			if l.park(work, it, attempt, err) == nil {
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
