package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

const patience = 15 * time.Second

func quick(int) time.Duration { return time.Millisecond }

func newLog(db *sqlkit.DB, b bus.Bus) *outbox.Log {
	return outbox.NewWithOptions(db, b, time.Now, slog.New(slog.DiscardHandler), outbox.Options{Backoff: quick, Lease: 800 * time.Millisecond})
}

// start runs the log until stop is called or the test ends.
func start(t *testing.T, l *outbox.Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	return startUnder(t, l, ctx, cancel)
}

func startUnder(t *testing.T, l *outbox.Log, ctx context.Context, cancel func()) (stop func()) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

func note(tenant id.Tenant, chat id.Chat, n int) *events.ChatModeChanged {
	return &events.ChatModeChanged{Tenant: tenant, Chat: chat, Mode: "bot", Reason: strconv.Itoa(n)}
}

func numberOf(rec outbox.Record) int {
	n, err := strconv.Atoi(rec.Event.(*events.ChatModeChanged).Reason)
	if err != nil {
		panic(err)
	}
	return n
}

func appendAll(t *testing.T, l *outbox.Log, db *sqlkit.DB, evs ...events.Event) {
	t.Helper()
	err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		for _, ev := range evs {
			if err := l.Append(ctx, h, ev); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
}

// seen collects what a consumer handled.
type seen struct {
	mu   sync.Mutex
	recs []outbox.Record
}

func (s *seen) add(rec outbox.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recs = append(s.recs, rec)
}

func (s *seen) all() []outbox.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]outbox.Record(nil), s.recs...)
}

func (s *seen) waitFor(t *testing.T, n int) []outbox.Record {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.all()) >= n }, patience, 2*time.Millisecond, "want %d events", n)
	return s.all()
}

func TestEventsReachEveryConsumerThatWantsThem(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		var all, some seen
		l.Consume("all", nil, func(_ context.Context, rec outbox.Record) error { all.add(rec); return nil })
		l.Consume("some", []string{"tenant.created"}, func(_ context.Context, rec outbox.Record) error { some.add(rec); return nil })
		start(t, l)
		tenant, chat := id.NewTenant(), id.NewChat()
		made := &events.TenantCreated{Tenant: tenant, Name: "Peluquería \"Ñandú\" 💇", At: time.Now().UTC().Truncate(time.Microsecond)}
		appendAll(t, l, db, note(tenant, chat, 1), made, note(tenant, chat, 2))

		recs := all.waitFor(t, 3)
		require.Len(t, recs, 3)
		only := some.waitFor(t, 1)
		require.Len(t, only, 1)
		require.Equal(t, made, only[0].Event)
		require.Equal(t, tenant.String(), only[0].Tenant)
		require.Equal(t, "tenant.created", only[0].Name)
		require.Equal(t, tenant.String(), only[0].OrderKey)
		require.EqualValues(t, 2, only[0].Seq)
		require.WithinDuration(t, time.Now(), only[0].At, time.Minute)
		require.Eventually(t, func() bool {
			s, err := l.Stats(t.Context())
			require.NoError(t, err)
			return s.Head == 3 && s.Unnumbered == 0 && len(s.Consumers) == 2 && s.Consumers[0].Lag == 0 && s.Consumers[1].Lag == 0
		}, patience, 5*time.Millisecond, "checkpoints pass events that nobody wanted, too")
	})
}

func TestNothingIsToldOfATransactionThatRolledBack(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		var got seen
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error { got.add(rec); return nil })
		start(t, l)
		tenant, chat := id.NewTenant(), id.NewChat()
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			require.NoError(t, l.Append(ctx, h, note(tenant, chat, 1)))
			return errors.New("no")
		})
		require.Error(t, err)
		appendAll(t, l, db, note(tenant, chat, 2))
		recs := got.waitFor(t, 1)
		require.Equal(t, 2, numberOf(recs[0]))
		require.EqualValues(t, 1, recs[0].Seq, "numbers have no gaps")
	})
}

func TestACursorNeverSkipsALateCommit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} { // SQLite has one writing transaction at a time
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sqltest.Fresh(t, name)
			l := newLog(db, bus.NewMemory())
			var got seen
			l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error { got.add(rec); return nil })
			start(t, l)
			tenant := id.NewTenant()

			appended, commit := make(chan struct{}), make(chan struct{})
			ended := make(chan error, 1)
			go func() {
				ended <- db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
					err := l.Append(ctx, h, note(tenant, id.NewChat(), 1))
					close(appended)
					<-commit
					return err
				})
			}()
			<-appended
			appendAll(t, l, db, note(tenant, id.NewChat(), 2))
			first := got.waitFor(t, 1)
			require.Equal(t, 2, numberOf(first[0]), "an open transaction holds nobody back")
			cursor := first[0].Seq
			require.Eventually(t, func() bool {
				s, err := l.Stats(t.Context())
				return err == nil && len(s.Consumers) == 1 && s.Consumers[0].Lag == 0
			}, patience, 5*time.Millisecond)

			close(commit)
			require.NoError(t, <-ended)
			require.Equal(t, 1, numberOf(got.waitFor(t, 2)[1]))
			later, err := l.After(t.Context(), tenant.String(), cursor, 10)
			require.NoError(t, err)
			require.Len(t, later, 1)
			require.Equal(t, 1, numberOf(later[0]))
			require.Equal(t, cursor+1, later[0].Seq)
		})
	}
}

func TestEventsOfOneKeyStayInOrderWhileKeysRunInParallel(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		const keys, each = 12, 40
		l := newLog(db, bus.NewMemory())
		var mu sync.Mutex
		running, most := map[string]bool{}, 0
		failed := map[id.Event]bool{}
		got := map[string][]int{}
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error {
			mu.Lock()
			if running[rec.OrderKey] {
				mu.Unlock()
				panic("two at once for one key")
			}
			running[rec.OrderKey] = true
			most = max(most, len(running))
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			defer mu.Unlock()
			delete(running, rec.OrderKey)
			if numberOf(rec)%7 == 3 && !failed[rec.ID] {
				failed[rec.ID] = true
				return errors.New("not yet")
			}
			got[rec.OrderKey] = append(got[rec.OrderKey], numberOf(rec))
			return nil
		})
		start(t, l)
		tenant := id.NewTenant()
		var chats []id.Chat
		for range keys {
			chats = append(chats, id.NewChat())
		}
		for n := range each {
			batch := make([]events.Event, keys)
			for i, chat := range chats {
				batch[i] = note(tenant, chat, n)
			}
			appendAll(t, l, db, batch...)
		}
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			total := 0
			for _, ns := range got {
				total += len(ns)
			}
			return total == keys*each
		}, patience, 5*time.Millisecond)
		for _, chat := range chats {
			for n := range each {
				require.Equal(t, n, got[chat.String()][n])
			}
		}
		require.Greater(t, most, 1, "keys run beside each other")
		require.LessOrEqual(t, most, 8, "and no more than the workers allow")
	})
}

func TestAnEventThatFailsFiveTimesIsParkedAndItsKeyGoesOn(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		var got seen
		var mu sync.Mutex
		attempts, healed := 0, false
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error {
			mu.Lock()
			defer mu.Unlock()
			if numberOf(rec) == 1 && !healed {
				if attempts++; attempts%2 == 0 {
					panic("boom\x00\xff")
				}
				return errors.New("refused\x00\xff")
			}
			got.add(rec)
			return nil
		})
		stop := start(t, l)
		tenant, chat := id.NewTenant(), id.NewChat()
		appendAll(t, l, db, note(tenant, chat, 1), note(tenant, chat, 2))
		recs := got.waitFor(t, 1)
		require.Equal(t, 2, numberOf(recs[0]))
		parked, err := l.Parked(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, parked, 1)
		require.Equal(t, "c", parked[0].Consumer)
		require.Equal(t, tenant.String(), parked[0].Tenant)
		require.EqualValues(t, 1, parked[0].Seq)
		require.EqualValues(t, 5, parked[0].Attempts)
		require.Equal(t, "refused", parked[0].LastError)
		mu.Lock()
		require.Equal(t, 5, attempts)
		mu.Unlock()

		require.True(t, fault.Is(l.Unpark(t.Context(), "c", id.NewEvent()), fault.NotFound))
		require.True(t, fault.Is(l.Unpark(t.Context(), "C", parked[0].Event), fault.NotFound), "names differ in letter case")
		require.NoError(t, l.Unpark(t.Context(), "c", parked[0].Event))
		require.Eventually(t, func() bool {
			parked, err = l.Parked(t.Context(), 10)
			return err == nil && len(parked) == 1 && parked[0].Attempts == 10
		}, patience, 5*time.Millisecond, "it fails again and is parked again")

		stop()
		mu.Lock()
		healed = true
		mu.Unlock()
		require.NoError(t, l.Unpark(t.Context(), "c", parked[0].Event))
		start(t, l)
		require.Equal(t, 1, numberOf(got.waitFor(t, 2)[1]))
		require.Eventually(t, func() bool {
			parked, err = l.Parked(t.Context(), 10)
			return err == nil && len(parked) == 0
		}, patience, 5*time.Millisecond)
	})
}

func TestAnEventThatCannotBeReadIsParkedAtOnce(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		var got seen
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error { got.add(rec); return nil })
		start(t, l)
		tenant, chat := id.NewTenant(), id.NewChat()
		appendAll(t, l, db, strange{tenant}, note(tenant, chat, 2))
		require.Equal(t, 2, numberOf(got.waitFor(t, 1)[0]))
		require.Eventually(t, func() bool {
			parked, err := l.Parked(t.Context(), 10)
			require.NoError(t, err)
			return len(parked) == 1 && strings.Contains(parked[0].LastError, "unknown event")
		}, patience, 5*time.Millisecond)
		recs, err := l.After(t.Context(), tenant.String(), 0, 10)
		require.NoError(t, err)
		require.Len(t, recs, 2)
		require.Nil(t, recs[0].Event)
		require.JSONEq(t, `{"Tenant":"`+tenant.String()+`"}`, string(recs[0].Payload), "listeners still get its JSON")
	})
}

// strange is an event that no build knows.
type strange struct{ Tenant id.Tenant }

func (s strange) EventName() string      { return "strange" }
func (s strange) EventTenant() id.Tenant { return s.Tenant }
func (s strange) OrderKey() string       { return "" }

func TestAConsumerGoesOnWhereItsPredecessorEnded(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		tenant, chat := id.NewTenant(), id.NewChat()
		var got seen
		handle := func(_ context.Context, rec outbox.Record) error { got.add(rec); return nil }
		for round := range 3 {
			l := newLog(db, bus.NewMemory())
			l.Consume("c", nil, handle)
			stop := start(t, l)
			appendAll(t, l, db, note(tenant, chat, 2*round), note(tenant, chat, 2*round+1))
			got.waitFor(t, 2*round+2)
			stop()
		}
		recs := got.all()
		require.Len(t, recs, 6, "a clean stop leaves nothing to be handled twice")
		for i, rec := range recs {
			require.Equal(t, i, numberOf(rec))
			require.EqualValues(t, i+1, rec.Seq)
		}
		var late seen
		l := newLog(db, bus.NewMemory())
		l.Consume("late", nil, func(_ context.Context, rec outbox.Record) error { late.add(rec); return nil })
		start(t, l)
		late.waitFor(t, 6)
	})
}

func TestRunEndsOnlyWhenItsCallsHaveEnded(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		begun, finish := make(chan struct{}), make(chan struct{})
		var got seen
		l.Consume("c", nil, func(ctx context.Context, rec outbox.Record) error {
			if numberOf(rec) == 1 {
				close(begun)
				<-finish
			}
			got.add(rec)
			return ctx.Err()
		})
		stop := start(t, l)
		appendAll(t, l, db, note(id.NewTenant(), id.NewChat(), 0))
		require.Eventually(t, func() bool {
			s, err := l.Stats(t.Context())
			return err == nil && len(s.Consumers) == 1 && s.Head == 1 && s.Consumers[0].Lag == 0
		}, patience, 5*time.Millisecond)
		appendAll(t, l, db, note(id.NewTenant(), id.NewChat(), 1))
		<-begun
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		select {
		case <-stopped:
			t.Error("it ended before the call did")
		case <-time.After(50 * time.Millisecond):
		}
		close(finish)
		<-stopped
		require.Len(t, got.all(), 2)
		s, err := l.Stats(t.Context())
		require.NoError(t, err)
		require.Zero(t, s.Consumers[0].Lag, "what was finished while stopping counts")
	})
}

func TestTwoRelaysNeverGiveOneNumberTwice(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		const writers, each = 4, 60
		logs := []*outbox.Log{newLog(db, bus.NewMemory()), newLog(db, bus.NewMemory())}
		stops := []func(){start(t, logs[0]), start(t, logs[1])}
		tenant := id.NewTenant()
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for n := range each {
					appendAll(t, logs[w%2], db, note(tenant, id.NewChat(), n))
					if w == 0 && n%20 == 19 { // the relay changes hands
						stops[0]()
						stops[0] = start(t, logs[0])
					}
				}
			})
		}
		wg.Wait()
		require.Eventually(t, func() bool {
			head, err := logs[1].Head(t.Context())
			return err == nil && head == writers*each
		}, patience, 5*time.Millisecond)
		recs, err := logs[1].AfterAll(t.Context(), 0, 1000)
		require.NoError(t, err)
		require.Len(t, recs, writers*each)
		for i, rec := range recs {
			require.EqualValues(t, i+1, rec.Seq)
		}
	})
}

func TestReadersSeeTheirOwnTenantOnly(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		start(t, l)
		a, b := id.NewTenant(), id.NewTenant()
		for n := range 3 {
			appendAll(t, l, db, note(a, id.NewChat(), n), note(b, id.NewChat(), n), note(id.Tenant{}, id.NewChat(), n))
		}
		require.Eventually(t, func() bool { head, err := l.Head(t.Context()); return err == nil && head == 9 }, patience, 5*time.Millisecond)
		for _, tenant := range []string{a.String(), b.String(), ""} {
			recs, err := l.After(t.Context(), tenant, 0, 2)
			require.NoError(t, err)
			require.Len(t, recs, 2)
			rest, err := l.After(t.Context(), tenant, recs[1].Seq, 2)
			require.NoError(t, err)
			require.Len(t, rest, 1)
			for i, rec := range append(recs, rest...) {
				require.Equal(t, tenant, rec.Tenant)
				require.Equal(t, i, numberOf(rec))
			}
		}
		recs, err := l.After(t.Context(), strings.ToUpper(a.String()), 0, 10)
		require.NoError(t, err)
		require.Empty(t, recs)
	})
}

func TestTrimKeepsWhatSomebodyStillNeeds(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error {
			if numberOf(rec) == 1 {
				return errors.New("never")
			}
			return nil
		})
		stop := start(t, l)
		tenant := id.NewTenant()
		for n := range 5 {
			appendAll(t, l, db, note(tenant, id.NewChat(), n))
		}
		caughtUp := func() bool {
			s, err := l.Stats(t.Context())
			return err == nil && s.Head == 5 && len(s.Consumers) == 1 && s.Consumers[0].Lag == 0 && s.Consumers[0].Parked == 1
		}
		require.Eventually(t, caughtUp, patience, 5*time.Millisecond)
		stop()
		slow := newLog(db, bus.NewMemory())
		life, end := context.WithCancel(context.WithoutCancel(t.Context()))
		slow.Consume("c", nil, func(context.Context, outbox.Record) error { return nil })
		slow.Consume("slow", nil, func(_ context.Context, rec outbox.Record) error {
			if numberOf(rec) >= 3 {
				<-life.Done()
				return errors.New("stopped")
			}
			return nil
		})
		stop = startUnder(t, slow, life, end)
		require.Eventually(t, func() bool {
			s, err := l.Stats(t.Context())
			return err == nil && len(s.Consumers) == 2 && s.Consumers[1].Lag == 2
		}, patience, 5*time.Millisecond)
		n, err := l.Trim(t.Context(), time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "young events stay")
		n, err = l.Trim(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 2, n, "all of 1 to 3 but the parked one")
		oldest, err := l.Oldest(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 3, oldest)
		stop()

		require.NoError(t, l.Forget(t.Context(), "slow"))
		n, err = l.Trim(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		recs, err := l.AfterAll(t.Context(), 0, 10)
		require.NoError(t, err)
		require.Len(t, recs, 1)
		require.Equal(t, 1, numberOf(recs[0]))

		start(t, l)
		appendAll(t, l, db, note(tenant, id.NewChat(), 9))
		require.Eventually(t, func() bool { head, err := l.Head(t.Context()); return err == nil && head == 6 }, patience, 5*time.Millisecond, "numbers go on after a trim")
	})
}

func TestAnEventIsHandledWithoutWaitingForAPoll(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		l := newLog(db, bus.NewMemory())
		handled := make(chan time.Time, 1)
		l.Consume("c", nil, func(context.Context, outbox.Record) error { handled <- time.Now(); return nil })
		start(t, l)
		best := time.Hour
		for n := range 25 {
			begin := time.Now()
			appendAll(t, l, db, note(id.NewTenant(), id.NewChat(), n))
			best = min(best, (<-handled).Sub(begin))
		}
		t.Logf("append to handled, best of 25: %v", best)
		require.Less(t, best, 20*time.Millisecond)
	})
}

func TestWrongRegistrationsStopTheStart(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	nothing := func(context.Context, outbox.Record) error { return nil }
	for want, register := range map[string]func(*outbox.Log){
		"does not exist": func(l *outbox.Log) { l.Consume("c", []string{"no.such"}, nothing) },
		"two consumers":  func(l *outbox.Log) { l.Consume("c", nil, nothing); l.Consume("c", nil, nothing) },
		"not a name":     func(l *outbox.Log) { l.Consume("~relay", nil, nothing) },
	} {
		l := newLog(db, bus.NewMemory())
		register(l)
		require.ErrorContains(t, l.Run(t.Context()), want)
	}
	l := newLog(db, bus.NewMemory())
	start(t, l)
	appendAll(t, l, db, note(id.NewTenant(), id.NewChat(), 1))
	require.Eventually(t, func() bool { head, err := l.Head(t.Context()); return err == nil && head == 1 }, patience, time.Millisecond)
	require.ErrorContains(t, l.Run(t.Context()), "already running")
}
