package lease_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/lease"
	"turnero/internal/platform/redisconn/redistest"
)

// The suite's locks stand for a second, so that it need not wait long; the proportions are those of the package.
const (
	ttl    = time.Second
	margin = ttl / 5
	every  = ttl / 5
	soon   = 10 * time.Second // far longer than anything takes
)

// implementations are all Locks; each call gives the sides of processes that share one set.
var implementations = map[string]func(t *testing.T) func() lease.Locks{
	"memory": func(*testing.T) func() lease.Locks {
		m := lease.NewMemory(ttl, lease.SinceBoot)
		return func() lease.Locks { return m }
	},
	"redis": func(t *testing.T) func() lease.Locks {
		conn, name := redistest.Shared(t), redistest.Name()
		return func() lease.Locks { return lease.NewRedis(conn, name, ttl) }
	},
}

// world is a set of locks with processes around it.
type world struct {
	t     *testing.T
	locks func() lease.Locks
	n     int
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	for name, locks := range implementations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, locks: locks(t)}
			w.settled()
			fn(t, w)
		})
	}
}

// settled waits until orphans may be taken.
func (w *world) settled() {
	w.t.Helper()
	h := w.holder(lease.Options{})
	eventually(w.t, func() bool { return len(acquire(w.t, h, "~settled")) == 1 })
	require.NoError(w.t, h.Release(w.t.Context(), "~settled"))
}

func (w *world) holder(o lease.Options) *lease.Holder {
	o.Every, o.Margin = every, margin
	w.n++
	return lease.New(w.locks(), lease.Owner{ID: fmt.Sprintf("process %d", w.n), Address: fmt.Sprintf("127.0.0.1:%d", w.n)}, o)
}

// running gives a holder that renews until the test ends.
func (w *world) running() *lease.Holder {
	h := w.holder(lease.Options{})
	run(w.t, h)
	return h
}

// run starts Run and gives what stops it.
func run(t *testing.T, h *lease.Holder) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

func acquire(t *testing.T, h *lease.Holder, keys ...string) []*lease.Term {
	t.Helper()
	terms, err := h.Acquire(t.Context(), keys...)
	require.NoError(t, err)
	return terms
}

func one(t *testing.T, h *lease.Holder, key string) *lease.Term {
	t.Helper()
	terms := acquire(t, h, key)
	require.Len(t, terms, 1)
	require.Equal(t, key, terms[0].Key)
	return terms[0]
}

func eventually(t *testing.T, fn func() bool) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for !fn() {
		require.True(t, time.Now().Before(deadline), "it did not come to be")
		time.Sleep(5 * time.Millisecond)
	}
}

// ends waits for the end of the term and checks its cause.
func ends(t *testing.T, term *lease.Term, cause error) {
	t.Helper()
	select {
	case <-term.Context().Done():
	case <-time.After(soon):
		require.Fail(t, "the term goes on")
	}
	require.ErrorIs(t, context.Cause(term.Context()), cause)
}

func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("ses_%04d", i)
	}
	return keys
}

func TestAKeyHasOneOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.running(), w.running()
		term := one(t, a, "x")
		require.Empty(t, acquire(t, b, "x"))
		require.True(t, a.Held("x"))
		require.False(t, b.Held("x"))
		require.NoError(t, term.Context().Err())
		require.Same(t, term, one(t, a, "x"), "what is held keeps its term")
		require.Len(t, acquire(t, b, "x", "y", "y"), 1, "what is free is won beside what is not, once")
		require.Equal(t, []string{"y"}, b.Keys())
		require.Empty(t, acquire(t, b, "X")[1:], "keys differ by letter case")
	})
}

func TestWhatIsReleasedCanBeHadAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.running(), w.running()
		term := one(t, a, "x")
		require.NoError(t, b.Release(t.Context(), "x"), "which does nothing to somebody else's lock")
		require.Empty(t, acquire(t, b, "x"))
		require.NoError(t, a.Release(t.Context(), "x", "never held"))
		ends(t, term, lease.ErrReleased)
		require.False(t, a.Held("x"))
		one(t, b, "x")
		require.NoError(t, a.Renew(t.Context()))
		require.True(t, b.Held("x"))
		owners, err := a.Owners(t.Context(), "x")
		require.NoError(t, err)
		require.Equal(t, "process 3", owners["x"].ID)
	})
}

func TestWhatCouldNotBeUnlockedIsUnlockedByTheNextRenewal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.holder(lease.Options{}), w.running()
		term := one(t, a, "x")
		over, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, a.Release(over, "x"), lease.ErrUnavailable)
		ends(t, term, lease.ErrReleased)
		require.False(t, a.Held("x"))
		require.Empty(t, acquire(t, b, "x"))
		require.NoError(t, a.Renew(t.Context()))
		one(t, b, "x")
	})
}

func TestALateReleaseLeavesANewerLockAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		locks, self := w.locks(), lease.Owner{ID: "a"}
		take := func(owner lease.Owner, seq int64) bool {
			won, err := locks.Take(t.Context(), owner, seq, []string{"x"})
			require.NoError(t, err)
			return won[0]
		}
		require.True(t, take(self, 1))
		require.True(t, take(self, 3))
		mine, err := locks.Renew(t.Context(), self, 1, []string{"x"}) // late, too
		require.NoError(t, err)
		require.True(t, mine[0])
		require.NoError(t, locks.Release(t.Context(), self, 2, []string{"x"}))
		require.False(t, take(lease.Owner{ID: "b"}, 1))
		require.NoError(t, locks.Release(t.Context(), self, 4, []string{"x"}))
		require.True(t, take(lease.Owner{ID: "b"}, 1))
	})
}

func TestARenewedLockStandsAndAForsakenOneIsFree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.holder(lease.Options{}), w.running()
		stop := run(t, a)
		term := one(t, a, "x")
		for end := time.Now().Add(2 * ttl); time.Now().Before(end); time.Sleep(every / 2) {
			require.Empty(t, acquire(t, b, "x"))
		}
		require.NoError(t, term.Context().Err())
		stop()
		ends(t, term, lease.ErrStopped)
		forsaken := time.Now()
		require.Empty(t, acquire(t, b, "x"), "it stopped without releasing")
		eventually(t, func() bool { return len(acquire(t, b, "x")) == 1 })
		require.Less(t, time.Since(forsaken), ttl+soon/5)
	})
}

func TestOwnersCanBeFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.running(), w.holder(lease.Options{})
		acquire(t, a, "ses_1", "ses_2", "key with spaces é")
		acquire(t, b, "ses_3")
		first, second := lease.Owner{ID: "process 2", Address: "127.0.0.1:2"}, lease.Owner{ID: "process 3", Address: "127.0.0.1:3"}
		owners, err := b.Owners(t.Context(), "ses_3", "nobody's", "ses_1", "key with spaces é")
		require.NoError(t, err)
		require.Equal(t, map[string]lease.Owner{"ses_1": first, "ses_3": second, "key with spaces é": first}, owners)
		listed, err := a.List(t.Context(), "ses_")
		require.NoError(t, err)
		require.Equal(t, map[string]lease.Owner{"ses_1": first, "ses_2": first, "ses_3": second}, listed)
		none, err := a.Owners(t.Context())
		require.NoError(t, err)
		require.Empty(t, none)
		eventually(t, func() bool { // b does not renew
			listed, err = a.List(t.Context(), "ses_")
			require.NoError(t, err)
			return len(listed) == 2
		})
	})
}

func TestAStalledOwnerHasLostItsTermsBeforeAnybodyCanTakeThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var leap atomic.Int64
		a := w.holder(lease.Options{Clock: func() time.Duration { return lease.SinceBoot() + time.Duration(leap.Load()) }})
		b := w.running()
		term := one(t, a, "x")
		var told atomic.Int64
		context.AfterFunc(term.Context(), func() { told.Add(1) })
		leap.Store(int64(ttl - margin)) // the machine was suspended; no timer of the process has noticed
		require.False(t, a.Held("x"))
		ends(t, term, lease.ErrExpired)
		require.Empty(t, acquire(t, b, "x"), "the lock stands a little longer than the term")
		eventually(t, func() bool { return len(acquire(t, b, "x")) == 1 })
		require.NoError(t, a.Renew(t.Context()))
		require.True(t, b.Held("x"), "the late owner's clean-up leaves the new owner alone")
		require.Empty(t, acquire(t, a, "x"))
		require.EqualValues(t, 1, told.Load())
	})
}

func TestATermEndsByItselfWhenRenewalsStop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var leap atomic.Int64
		a := w.holder(lease.Options{Clock: func() time.Duration { return lease.SinceBoot() + time.Duration(leap.Load()) }})
		run(t, a)
		term := one(t, a, "x")
		leap.Store(int64(time.Hour))
		ends(t, term, lease.ErrExpired)
		again := one(t, a, "x") // its own lock is not in its way
		require.NotSame(t, term, again)
		require.NoError(t, again.Context().Err())
	})
}

func TestAVouchedTermOutlivesSilence(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var leap atomic.Int64
		a := w.holder(lease.Options{Clock: func() time.Duration { return lease.SinceBoot() + time.Duration(leap.Load()) }})
		kept, left := one(t, a, "kept"), one(t, a, "left")
		for range 5 {
			leap.Add(int64(ttl / 2))
			a.Vouch(a.Now(), "kept", "never held")
		}
		require.True(t, a.Held("kept"))
		require.NoError(t, kept.Context().Err())
		ends(t, left, lease.ErrExpired)
		a.Vouch(a.Now(), "left")
		require.False(t, a.Held("left"), "what is lost is lost")
		require.Equal(t, []string{"kept"}, a.Keys())
		require.NoError(t, a.Renew(t.Context()))
		require.True(t, a.Held("kept"))
	})
}

func TestALostLockIsPutBackUnlessSomebodyHasIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.holder(lease.Options{}), w.holder(lease.Options{})
		back, gone := one(t, a, "back"), one(t, a, "gone")
		impostor := w.locks()
		self := lease.Owner{ID: "process 2"}
		require.NoError(t, impostor.Release(t.Context(), self, 1000, []string{"back", "gone"})) // as if they had been evicted
		one(t, b, "gone")
		require.NoError(t, a.Renew(t.Context()))
		ends(t, gone, lease.ErrTaken)
		require.NoError(t, back.Context().Err())
		require.Empty(t, acquire(t, b, "back"))
	})
}

func TestProcessesContendingForAThousandKeysNeverHoldOneTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		keys := numbered(1000)
		holders := []*lease.Holder{w.running(), w.running(), w.running()}
		var wg sync.WaitGroup
		for i, h := range holders {
			wg.Go(func() {
				for round := range 12 {
					terms, err := h.Acquire(context.Background(), keys[(i*331+round*97)%1000:]...)
					if err != nil {
						t.Errorf("acquire: %v", err)
						return
					}
					if round%3 == 2 {
						var half []string
						for _, term := range terms[:len(terms)/2] {
							half = append(half, term.Key)
						}
						if err = h.Release(context.Background(), half...); err != nil {
							t.Errorf("release: %v", err)
						}
					}
				}
			})
		}
		wg.Wait()
		owner := map[string]int{}
		for i, h := range holders {
			for _, key := range h.Keys() {
				require.NotContains(t, owner, key)
				owner[key] = i
			}
		}
		for _, h := range holders {
			acquire(t, h, keys...)
		}
		listed, err := holders[0].List(t.Context(), "ses_")
		require.NoError(t, err)
		require.Len(t, listed, 1000)
		for i, h := range holders {
			for _, key := range h.Keys() {
				require.Equal(t, fmt.Sprintf("process %d", i+2), listed[key].ID)
			}
		}
	})
}

func TestTheDefaultTimes(t *testing.T) {
	t.Parallel()
	require.Equal(t, 3*time.Second, lease.TTL)
	require.Equal(t, 750*time.Millisecond, lease.Every)
	require.Equal(t, 500*time.Millisecond, lease.Margin)
	before := lease.SinceBoot()
	eventually(t, func() bool { return lease.SinceBoot() > before })
}

func TestALockOfAProcessThatIsAloneStandsForEver(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	clock := func() time.Duration { return time.Duration(now.Load()) }
	h := lease.New(lease.NewMemory(0, clock), lease.Owner{ID: strings.Repeat("long ", 10)}, lease.Options{Clock: clock})
	term := one(t, h, "x")
	now.Store(int64(1000 * time.Hour))
	require.True(t, h.Held("x"))
	require.NoError(t, term.Context().Err())
	owners, err := h.Owners(t.Context(), "x")
	require.NoError(t, err)
	require.Len(t, owners, 1)
}
