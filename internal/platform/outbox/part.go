package outbox

import (
	"context"
	"hash/fnv"
	"sync/atomic"
	"time"

	"turnero/internal/id"
)

// parts is into how many parts a consumer's work is divided, and so the most processes that can share it. It is the same for
// every process there is and ever was: the checkpoints of the parts are kept under their numbers.
const parts = 8

// window is the most events of a part that are read and not yet done; one order key that is stuck holds back no other until then.
const window = 256

// partOf gives the part that an event belongs to; those of one lane share it.
func partOf(lane string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(lane))
	return int(h.Sum32() % parts)
}

// item is one event on its way through a part of a consumer.
type item struct {
	t       *tenure
	rec     Record
	bad     error // why it cannot be read
	again   int64 // attempts before, of an event that was parked and is run again
	done    bool
	aborted bool // the work ended before it was done
	isStuck bool // it could not even be parked, which was told
}

// enter waits for one of the consumer's slots. When ctx has ended, only events are still handled that stand before another one
// that was: otherwise the next holder, which begins with the first that is not done, would handle the latter again.
func (it *item) enter(ctx, work context.Context) bool {
	slots, reached := it.t.c.slots, &it.t.reached
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		if it.rec.Seq > reached.Load() {
			return false
		}
		select {
		case <-work.Done():
			return false
		case slots <- struct{}{}:
		}
	}
	if ctx.Err() != nil && it.rec.Seq > reached.Load() {
		<-slots
		return false
	}
	for old := reached.Load(); old < it.rec.Seq && !reached.CompareAndSwap(old, it.rec.Seq); old = reached.Load() {
	}
	return true
}

// tenure is the work on one part of a consumer while this process holds it. Only the reader touches its fields once it has joined.
type tenure struct {
	c      *consumer
	part   int
	holder string         // under which the part is held
	begin  func(it *item) // has it handled, and hands it back to the reader

	read    int64              // last number read
	saved   int64              // checkpoint as stored
	open    []*item            // read and not yet known done, in order of number
	lanes   map[string][]*item // by order key: the one being handled and those behind it
	reruns  map[id.Event]bool  // parked events being run again
	flying  int
	leaving bool // what was not reached is not begun any more; when the last is done, the tenure ends

	reached atomic.Int64 // highest number of an event that was handed to the consumer

	lost chan struct{} // closed when somebody else has the part
	gone chan struct{} // closed when the tenure has ended
	err  error         // of the end; to be read when it is gone
}

func newTenure(c *consumer, part int, holder string, seq int64) *tenure {
	return &tenure{c: c, part: part, holder: holder, read: seq, saved: seq, lanes: map[string][]*item{}, reruns: map[id.Event]bool{},
		lost: make(chan struct{}), gone: make(chan struct{})}
}

// isHungry reports whether there is room for a good number of events.
func (t *tenure) isHungry() bool { return !t.leaving && len(t.open) <= window/2 }

// feed takes what concerns the part of entries that follow on what it has read, as far as there is room.
func (t *tenure) feed(batch []entry) {
	for i := range batch {
		e := &batch[i]
		if len(t.open) >= window {
			return
		}
		t.read = *e.Seq
		if e.part != t.part || !t.c.wants(e.Name) {
			continue
		}
		it := &item{t: t}
		it.rec, it.bad = e.record()
		t.open = append(t.open, it)
		t.queue(it)
	}
}

func (t *tenure) queue(it *item) {
	lane := it.rec.lane()
	t.lanes[lane] = append(t.lanes[lane], it)
	if len(t.lanes[lane]) == 1 {
		t.flying++
		t.begin(it)
	}
}

// finish settles one event and begins the next of its lane, if there is one.
func (t *tenure) finish(it *item) {
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
		return
	}
	t.lanes[lane] = rest
	if !it.aborted && (!t.leaving || rest[0].rec.Seq <= t.reached.Load()) {
		t.flying++
		t.begin(rest[0])
	}
}

// done is the highest number up to which everything is done.
func (t *tenure) done() int64 {
	if len(t.open) > 0 {
		return t.open[0].rec.Seq - 1
	}
	return t.read
}

// lose tells whoever holds the tenure that it is over.
func (t *tenure) lose() {
	select {
	case <-t.lost:
	default:
		close(t.lost)
	}
}

// pauses of the reader.
const (
	consumerPoll   = 500 * time.Millisecond
	checkpointRest = 200 * time.Millisecond // between two writes of checkpoints
	gather         = 5 * time.Millisecond   // between two reads that were called for by wake-ups
	saveLimit      = 2 * time.Second
	callLimit      = 10 * time.Second // for reading or numbering one batch: a connection may hang while others work
	readBatch      = 256
)
