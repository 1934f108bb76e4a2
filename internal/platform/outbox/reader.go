package outbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"turnero/internal/platform/bus"
)

// reader goes through the log for all parts that this process holds. What it reads it keeps for a while, so that parts which
// are not equally far cause one read between them.
type reader struct {
	log     *Log
	names   []string // of the events that somebody here wants; nil = all
	joins   chan *tenure
	leaves  chan *tenure
	results chan *item
	offers  chan []row  // what this process has just numbered
	missed  atomic.Bool // there was no room for some of that
	tenures []*tenure
	tail    tail
	ahead   int64 // number up to which there is something to read, as far as is known
	isStale bool  // there may be more
	reruns  int64 // number from which to go on looking for parked events
	failing bool  // the last read failed
}

func newReader(l *Log) *reader {
	r := &reader{log: l, joins: make(chan *tenure), leaves: make(chan *tenure), results: make(chan *item, 1024), offers: make(chan []row, 16), names: []string{}}
	for _, c := range l.consumers {
		if c.names == nil {
			r.names = nil
			break
		}
		r.names = append(r.names, c.names...)
	}
	return r
}

// serve works on one part of a consumer until ctx ends or the part is lost. What it has begun it may finish under work.
func (r *reader) serve(ctx, work context.Context, c *consumer, part int, holder string) error {
	seq, err := r.log.checkpoint(ctx, c.name, part, holder)
	if !errors.Is(err, errLost) {
		r.log.told.Tell(ctx, "checkpoints not read", err, "duty", c.name, "part", part)
	}
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	t := newTenure(c, part, holder, seq)
	t.begin = func(it *item) {
		go func() {
			it.aborted = !r.log.handle(ctx, work, it)
			r.results <- it
		}()
	}
	r.joins <- t
	select {
	case <-ctx.Done():
	case <-t.lost:
		stop()
	}
	r.leaves <- t
	<-t.gone
	return t.err
}

// run works until ctx ends, which is when nobody serves any more.
func (r *reader) run(ctx context.Context) {
	woken, cancel := r.log.bus.Subscribe(bus.TopicEvents)
	defer cancel()
	poll, rest, next := time.NewTicker(consumerPoll), newAlarm(checkpointRest), newAlarm(gather)
	defer poll.Stop()
	defer rest.stop()
	defer next.stop()
	for {
		if r.isBehind() {
			next.soon()
		}
		if r.isDirty() {
			rest.later()
		}
		select {
		case <-ctx.Done():
			return
		case t := <-r.joins:
			r.tenures = append(r.tenures, t)
			r.isStale = true
			next.soon()
		case t := <-r.leaves:
			t.leaving = true
			r.settle(ctx)
		case it := <-r.results:
			r.finish(ctx, it)
		case batch := <-r.offers:
			r.accept(batch)
		case <-woken:
			r.isStale = true
			next.soon()
		case <-next.rings():
			next.rang()
			r.read(ctx)
		case <-poll.C:
			r.failing, r.isStale = false, true
			r.read(ctx)
			r.readParked(ctx)
		case <-rest.rings():
			rest.rang()
			r.save(ctx)
		}
	}
}

// finish settles what has come back, as much of it as is there.
func (r *reader) finish(ctx context.Context, it *item) {
	for {
		it.t.finish(it)
		select {
		case it = <-r.results:
			continue
		default:
		}
		r.settle(ctx)
		return
	}
}

// isBehind reports whether there may be more to read, and there is room for it. After a failure the poll comes first.
func (r *reader) isBehind() bool {
	return !r.failing && slices.ContainsFunc(r.tenures, func(t *tenure) bool { return t.isHungry() && r.hasMore(t.read) })
}

// hasMore reports whether there may be something to read after a number.
func (r *reader) hasMore(seq int64) bool { return r.isStale || seq < r.ahead }

func (r *reader) isDirty() bool {
	return slices.ContainsFunc(r.tenures, func(t *tenure) bool { return t.done() > t.saved })
}

// read gives every part that has room some of what follows on what it has read: from memory, as far as that reaches, and then
// from the database, where parts that are equally far share a batch.
func (r *reader) read(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var hungry []*tenure
	for _, t := range r.tenures {
		if t.isHungry() {
			t.feed(r.tail.after(t.read))
		}
		if t.isHungry() {
			hungry = append(hungry, t)
		}
	}
	slices.SortFunc(hungry, func(a, b *tenure) int { return cmp.Compare(a.read, b.read) })
	var batch span
	for _, t := range hungry {
		if len(batch.after(t.read)) == 0 && r.hasMore(t.read) {
			var err error
			batch, err = r.fetch(ctx, t.read)
			r.log.told.Tell(ctx, "events not read", err)
			if err != nil {
				r.failing = true
				return
			}
		}
		t.feed(batch.after(t.read))
	}
}

// offer gives the reader events that were just numbered. It never blocks: what is not accepted is read.
func (r *reader) offer(batch []row) {
	select {
	case r.offers <- batch:
	default:
		r.missed.Store(true)
	}
}

// accept takes events that follow on what is kept. They are the newest, as far as is known: if others have numbered more in the same
// moment, having taken over, the poll finds it.
func (r *reader) accept(batch []row) {
	s := span{from: *batch[0].Seq - 1, entries: make([]entry, len(batch))}
	if len(r.tenures) == 0 || s.from != r.tail.to() {
		return
	}
	for i, e := range batch {
		if r.names != nil && !slices.Contains(r.names, e.Name) {
			e.Payload = ""
		}
		s.entries[i] = entry{e, partOf(e.lane())}
	}
	r.tail.add(s)
	if s.to() >= r.ahead {
		r.ahead, r.isStale = s.to(), r.missed.Load()
	}
}

// fetch reads a batch of what follows on a number.
func (r *reader) fetch(ctx context.Context, seq int64) (span, error) {
	missed := r.missed.Swap(false)
	entries, err := r.log.next(ctx, seq, r.names, readBatch)
	if err != nil {
		r.missed.Store(true)
		return span{}, err
	}
	batch := span{seq, entries}
	r.tail.add(batch)
	switch last := batch.to(); {
	case len(entries) < readBatch:
		r.ahead, r.isStale = last, false
	case last >= r.ahead:
		r.ahead, r.isStale = last+1, false
	case missed:
		r.missed.Store(true)
	}
	return batch, nil
}

// settle ends the tenures that leave and have nothing under way any more.
func (r *reader) settle(ctx context.Context) {
	isOver := func(t *tenure) bool { return t.leaving && t.flying == 0 }
	if !slices.ContainsFunc(r.tenures, isOver) {
		return
	}
	r.save(ctx) // others may then go on where this ended
	r.tenures = slices.DeleteFunc(r.tenures, func(t *tenure) bool {
		if isOver(t) {
			close(t.gone)
			return true
		}
		return false
	})
	if len(r.tenures) == 0 {
		r.tail = tail{}
	}
}

// alarm is a timer that rings once after it was set, however often that was.
type alarm struct {
	timer *time.Timer
	rest  time.Duration
	isSet bool
	last  time.Time
}

func newAlarm(rest time.Duration) *alarm {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &alarm{timer: timer, rest: rest}
}

// later has it ring a rest from now.
func (a *alarm) later() { a.set(a.rest) }

// soon has it ring a rest after it last rang, which is now when that is long ago.
func (a *alarm) soon() { a.set(max(0, a.rest-time.Since(a.last))) }

func (a *alarm) set(d time.Duration) {
	if !a.isSet {
		a.isSet = true
		a.timer.Reset(d)
	}
}

func (a *alarm) rings() <-chan time.Time { return a.timer.C }

func (a *alarm) rang() { a.isSet, a.last = false, time.Now() }

func (a *alarm) stop() { a.timer.Stop() }
