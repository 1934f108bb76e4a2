package lease_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/platform/lease"
)

// wire is the way to the locks: slow, deaf, or late, so that a call is carried out after its caller has given up.
type wire struct {
	lease.Locks
	before, after time.Duration
	deaf          atomic.Bool
	late          []func()
}

var errWire = fmt.Errorf("%w: the wire is cut", lease.ErrUnavailable)

func (w *wire) pass(call func()) error {
	if w.deaf.Load() {
		w.late = append(w.late, call)
		return errWire
	}
	time.Sleep(w.before)
	call()
	time.Sleep(w.after)
	return nil
}

func (w *wire) Take(ctx context.Context, self lease.Owner, seq int64, keys []string) (won []bool, err error) {
	lost := w.pass(func() { won, err = w.Locks.Take(ctx, self, seq, keys) })
	return won, errors.Join(err, lost)
}

func (w *wire) Renew(ctx context.Context, self lease.Owner, seq int64, keys []string) (mine []bool, err error) {
	lost := w.pass(func() { mine, err = w.Locks.Renew(ctx, self, seq, keys) })
	return mine, errors.Join(err, lost)
}

func (w *wire) Release(ctx context.Context, self lease.Owner, seq int64, keys []string) (err error) {
	lost := w.pass(func() { err = w.Locks.Release(ctx, self, seq, keys) })
	return errors.Join(err, lost)
}

// flush carries out what is on its way.
func (w *wire) flush() {
	for _, call := range w.late {
		call()
	}
	w.late = nil
}

// unhurried hides the test's deadline, which is of no meaning in a time of its own.
type unhurried struct{ rapid.TB }

func TestHoweverSlowOrDeafTheWayAKeyNeverHasTwoHolders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		clock := func() time.Duration { return time.Since(start) }
		rapid.Check(unhurried{t}, func(t *rapid.T) {
			locks := lease.NewMemory(lease.TTL, clock)
			keys := numbered(3)
			var wires []*wire
			var holders []*lease.Holder
			for i := range 3 {
				w := &wire{Locks: locks}
				wires = append(wires, w)
				holders = append(holders, lease.New(w, lease.Owner{ID: fmt.Sprint(i)}, lease.Options{Clock: clock}))
			}
			terms := map[*lease.Term]int{}
			some := rapid.SliceOfN(rapid.SampledFrom(keys), 1, 3)
			check := func(t *rapid.T) {
				for _, key := range keys {
					var holding []int
					for i, h := range holders {
						if h.Held(key) {
							holding = append(holding, i)
						}
					}
					if len(holding) > 1 {
						t.Fatalf("%s is held by %v", key, holding)
					}
				}
				for term, i := range terms {
					if term.Context().Err() != nil {
						delete(terms, term) // a term that has ended is never given again
					} else if !holders[i].Held(term.Key) {
						t.Fatalf("the term of %s goes on although the key is not held", term.Key)
					}
				}
			}
			who := rapid.IntRange(0, 2)
			t.Repeat(map[string]func(*rapid.T){
				"acquire": func(t *rapid.T) {
					i := who.Draw(t, "who")
					got, err := holders[i].Acquire(context.Background(), some.Draw(t, "keys")...)
					if err != nil && !errors.Is(err, lease.ErrUnavailable) {
						t.Fatal(err)
					}
					for _, term := range got {
						terms[term] = i
					}
				},
				"renew": func(t *rapid.T) { _ = holders[who.Draw(t, "who")].Renew(context.Background()) },
				"release": func(t *rapid.T) {
					_ = holders[who.Draw(t, "who")].Release(context.Background(), some.Draw(t, "keys")...)
				},
				"wire": func(t *rapid.T) {
					w := wires[who.Draw(t, "who")]
					ms := rapid.IntRange(0, 3500)
					w.before, w.after = time.Duration(ms.Draw(t, "before"))*time.Millisecond, time.Duration(ms.Draw(t, "after"))*time.Millisecond
					w.deaf.Store(rapid.Bool().Draw(t, "deaf"))
				},
				"flush": func(t *rapid.T) { wires[who.Draw(t, "who")].flush() },
				"sleep": func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond) },
				"":      check,
			})
		})
	})
}

func TestRenewalsKeepATermAndItsEndComesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		clock := func() time.Duration { return time.Since(start) }
		w := &wire{Locks: lease.NewMemory(lease.TTL, clock)}
		h := lease.New(w, lease.Owner{ID: "a"}, lease.Options{Clock: clock})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }()
		terms, err := h.Acquire(ctx, "x")
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.True(t, h.Held("x"))
		require.True(t, h.Reachable())
		w.deaf.Store(true)
		cut := time.Now()
		<-terms[0].Context().Done()
		require.ErrorIs(t, context.Cause(terms[0].Context()), lease.ErrExpired)
		require.LessOrEqual(t, time.Since(cut), lease.TTL-lease.Margin+100*time.Millisecond)
		require.GreaterOrEqual(t, time.Since(cut), lease.TTL-lease.Margin-lease.Every)
		require.False(t, h.Reachable())
		cancel()
		require.NoError(t, <-done)
	})
}
