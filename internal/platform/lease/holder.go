package lease

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"
)

const (
	callLimit  = time.Second            // for one call to the locks, or a third of a shorter TTL: an answer that comes late on a busy machine is better than none
	watchEvery = 100 * time.Millisecond // timers stand still while the machine is suspended, so the clock is read this often
)

// Options are the times of a Holder; what is left out has the package's value.
type Options struct {
	Every  time.Duration // Every
	Margin time.Duration // Margin
	Clock  Clock         // SinceBoot
	Logger *slog.Logger  // says when the locks cannot be reached, and when they can again
}

// Term is one uninterrupted time of holding one key.
type Term struct {
	Key string

	ctx   context.Context
	end   context.CancelCauseFunc
	until time.Duration // guarded by the Holder's mu
}

// Context ends, once and for good, when the key is lost or given up; its cause is ErrExpired, ErrTaken, ErrReleased or
// ErrStopped. Everything that is done because the key is held belongs under it.
func (t *Term) Context() context.Context { return t.ctx }

// Holder is one process's side of a set of locks. It is safe for concurrent use.
type Holder struct {
	locks Locks
	self  Owner
	o     Options

	// turn is held during a call to the locks: a renewal that overtakes a release would put the released lock back.
	turn chan struct{}
	seq  int64 // of the calls; guarded by turn

	mu     sync.Mutex
	terms  map[string]*Term
	doubt  map[string]bool // keys without a term that may be locked in our name all the same
	silent bool            // the last call failed
	good   time.Duration   // start of the last renewal that succeeded; 0 before the first
}

// New makes a Holder that holds nothing yet. Terms are watched and renewed while Run runs.
func New(locks Locks, self Owner, o Options) *Holder {
	if o.Every == 0 {
		o.Every = Every
	}
	if o.Margin == 0 {
		o.Margin = Margin
	}
	if o.Clock == nil {
		o.Clock = SinceBoot
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Holder{locks: locks, self: self, o: o, turn: make(chan struct{}, 1), terms: map[string]*Term{}, doubt: map[string]bool{}}
}

// Acquire tries for the keys and gives the terms of those that are held now; a key that is held already keeps its term.
// Keys of others, and orphans that nobody may take yet, are simply not among them: try again a little later. The error
// matches ErrUnavailable.
func (h *Holder) Acquire(ctx context.Context, keys ...string) ([]*Term, error) {
	if err := h.begin(ctx); err != nil {
		return nil, err
	}
	defer h.finish()
	h.expire()
	held, free := h.split(keys)
	if len(free) == 0 {
		return held, nil
	}
	call, cancel := context.WithTimeout(ctx, h.limit())
	defer cancel()
	start := h.o.Clock()
	won, err := h.locks.Take(call, h.self, h.next(), free)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.note(ctx, err); err != nil {
		h.doubtAll(free)
		return nil, fmt.Errorf("acquire %d keys: %w", len(free), err)
	}
	until := h.deadline(start)
	late := h.o.Clock() >= until
	for i, key := range free {
		switch {
		case !won[i]:
		case late: // the answer took too long to be worth anything
			h.doubt[key] = true
		default:
			held = append(held, h.enter(key, until))
		}
	}
	return held, nil
}

// enter begins a term. The caller holds mu.
func (h *Holder) enter(key string, until time.Duration) *Term {
	t := &Term{Key: key, until: until}
	t.ctx, t.end = context.WithCancelCause(context.Background())
	h.terms[key] = t
	delete(h.doubt, key)
	return t
}

// split gives the terms of the keys that are held, and the keys that are not, each once.
func (h *Holder) split(keys []string) (held []*Term, free []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		if t := h.terms[key]; t != nil {
			held = append(held, t)
		} else {
			free = append(free, key)
		}
	}
	return held, free
}

// Renew prolongs everything that is held, in one batch. Keys that somebody else has are lost. The error matches
// ErrUnavailable; then nothing was prolonged, and nothing is lost before its deadline. Run calls it; who does not use Run must.
func (h *Holder) Renew(ctx context.Context) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	defer h.finish()
	h.expire()
	terms := h.present()
	keys := make([]string, len(terms))
	for i, t := range terms {
		keys[i] = t.Key
	}
	call, cancel := context.WithTimeout(ctx, h.limit())
	defer cancel()
	start := h.o.Clock()
	mine, err := h.locks.Renew(call, h.self, h.next(), keys)
	h.mu.Lock()
	if h.note(ctx, err); err == nil {
		h.good = start
	}
	h.mu.Unlock()
	if err != nil {
		return fmt.Errorf("renew %d keys: %w", len(keys), err)
	}
	var taken []*Term
	h.mu.Lock()
	for i, t := range terms {
		switch {
		case h.terms[t.Key] != t: // it has ended meanwhile, so the lock that was just prolonged is in the way of others
			h.doubt[t.Key] = true
		case mine[i]:
			t.until = max(t.until, h.deadline(start))
		default:
			delete(h.terms, t.Key)
			taken = append(taken, t)
		}
	}
	h.mu.Unlock()
	end(taken, ErrTaken)
	h.expire() // what was asked in time may have been answered too late
	return h.settle(call)
}

// note remembers whether the locks answer. A caller that gave up says nothing about them. The caller holds mu.
func (h *Holder) note(ctx context.Context, err error) {
	if err == nil || ctx.Err() == nil {
		h.silent = err != nil
	}
}

// settle unlocks what may be locked in our name without a term.
func (h *Holder) settle(ctx context.Context) error {
	h.mu.Lock()
	var keys []string
	for key := range h.doubt {
		if h.terms[key] == nil {
			keys = append(keys, key)
		}
	}
	clear(h.doubt)
	h.mu.Unlock()
	if len(keys) == 0 {
		return nil
	}
	if err := h.locks.Release(ctx, h.self, h.next(), keys); err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.doubtAll(keys)
		return fmt.Errorf("unlock %d keys: %w", len(keys), err)
	}
	return nil
}

// Release ends the terms of the keys and then unlocks them, so that others can have them at once. After an error that
// matches ErrUnavailable they are not held any more either, and the next renewal unlocks them.
func (h *Holder) Release(ctx context.Context, keys ...string) error {
	var ended []*Term
	h.mu.Lock()
	for _, key := range keys {
		if t := h.terms[key]; t != nil {
			delete(h.terms, key)
			ended = append(ended, t)
		}
	}
	h.doubtAll(keys)
	h.mu.Unlock()
	end(ended, ErrReleased)
	if err := h.begin(ctx); err != nil {
		return err
	}
	defer h.finish()
	ctx, cancel := context.WithTimeout(ctx, h.limit())
	defer cancel()
	return h.settle(ctx)
}

// Now reads the clock of the deadlines, for Vouch.
func (h *Holder) Now() time.Duration { return h.o.Clock() }

// Vouch prolongs the terms of the keys as a renewal that began at since (see Now) would, because of other proof that nobody
// else can own them until since + TTL, as an entry in a database that others respect. It brings nothing back that is lost.
func (h *Holder) Vouch(since time.Duration, keys ...string) {
	h.expire()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, key := range keys {
		if t := h.terms[key]; t != nil {
			t.until = max(t.until, h.deadline(since))
		}
	}
}

// Held reports whether the key is held at this very moment.
func (h *Holder) Held(key string) bool {
	h.mu.Lock()
	t := h.terms[key]
	late := t != nil && h.o.Clock() >= t.until
	h.mu.Unlock()
	if late {
		h.expire()
	}
	return t != nil && !late
}

// Keys gives the keys that are held, in order.
func (h *Holder) Keys() []string {
	h.expire()
	var keys []string
	for _, t := range h.present() {
		keys = append(keys, t.Key)
	}
	slices.Sort(keys)
	return keys
}

// Reachable reports whether the locks answered the last call, and renewals come in time. While they do not, terms need to be vouched for.
func (h *Holder) Reachable() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	isLate := h.good != 0 && h.locks.TTL() > 0 && h.o.Clock()-h.good > h.locks.TTL()*2/5
	return !h.silent && !isLate
}

// Owners gives the owners of those of the keys that are locked by anyone. The error matches ErrUnavailable.
func (h *Holder) Owners(ctx context.Context, keys ...string) (map[string]Owner, error) {
	ctx, cancel := context.WithTimeout(ctx, h.limit())
	defer cancel()
	return h.locks.Owners(ctx, keys)
}

// List gives all locked keys that begin with the prefix, and their owners. The error matches ErrUnavailable.
func (h *Holder) List(ctx context.Context, prefix string) (map[string]Owner, error) {
	ctx, cancel := context.WithTimeout(ctx, h.limit())
	defer cancel()
	return h.locks.List(ctx, prefix)
}

func (h *Holder) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

func (h *Holder) finish() { <-h.turn }

// next numbers a call to the locks.
func (h *Holder) next() int64 {
	h.seq++
	return h.seq
}

func (h *Holder) limit() time.Duration {
	if ttl := h.locks.TTL(); ttl > 0 {
		return min(callLimit, ttl/3)
	}
	return callLimit
}

// deadline is when a term ends that was good at start.
func (h *Holder) deadline(start time.Duration) time.Duration {
	if h.locks.TTL() == 0 {
		return math.MaxInt64
	}
	return start + h.locks.TTL() - h.o.Margin
}

func (h *Holder) present() []*Term {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*Term, 0, len(h.terms))
	for _, t := range h.terms {
		out = append(out, t)
	}
	return out
}

// doubtAll remembers keys that may be locked in our name. The caller holds mu.
func (h *Holder) doubtAll(keys []string) {
	for _, key := range keys {
		h.doubt[key] = true
	}
}

// expire ends the terms whose deadline has passed.
func (h *Holder) expire() {
	var late []*Term
	h.mu.Lock()
	now := h.o.Clock()
	for key, t := range h.terms {
		if now >= t.until {
			delete(h.terms, key)
			h.doubt[key] = true
			late = append(late, t)
		}
	}
	h.mu.Unlock()
	end(late, ErrExpired)
}

// end tells those who work under the terms. It is called without mu: they may ask back.
func end(terms []*Term, cause error) {
	for _, t := range terms {
		t.end(cause)
	}
}
