package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/migrations"
)

// servers are the databases that several processes may share.
var servers = []string{"postgres", "mariadb"}

// longLease is one that no busy machine lets run out.
const longLease = 10 * time.Second

func onServers(t *testing.T, fn func(t *testing.T, db *sqlkit.DB)) {
	t.Helper()
	for _, name := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, sqltest.Fresh(t, name))
		})
	}
}

// process is one of several on a database, with connections of its own.
type process struct {
	db   *sqlkit.DB
	got  seen
	stop func()
}

func startProcess(t *testing.T, rawURL string, lease time.Duration, books map[string]*orderBook) *process {
	t.Helper()
	db, err := sqlkit.Open(t.Context(), rawURL, 4)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	p := &process{db: db}
	l := outbox.NewWithOptions(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler), outbox.Options{Backoff: quick, Lease: lease})
	for name, book := range books {
		l.Consume(name, nil, func(_ context.Context, rec outbox.Record) error {
			p.got.add(rec)
			book.note(rec)
			return nil
		})
	}
	p.stop = start(t, l)
	return p
}

// orderBook notes what all processes together have handled for one consumer.
type orderBook struct {
	mu    sync.Mutex
	next  map[string]int
	once  int // events
	again int // handlings of events that were handled before
	wrong []string
}

func (o *orderBook) note(rec outbox.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == nil {
		o.next = map[string]int{}
	}
	switch n, next := numberOf(rec), o.next[rec.OrderKey]; {
	case n == next:
		o.next[rec.OrderKey]++
		o.once++
	case n < next:
		o.again++
	default:
		o.wrong = append(o.wrong, fmt.Sprintf("%s: %d instead of %d", rec.OrderKey, n, next))
	}
}

func (o *orderBook) read() (once, again int, wrong []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.once, o.again, slices.Clone(o.wrong)
}

// waitFor waits until the events have been handled, in order.
func (o *orderBook) waitFor(t *testing.T, events int) {
	t.Helper()
	require.Eventually(t, func() bool { once, _, _ := o.read(); return once >= events }, patience, 5*time.Millisecond, "want %d events", events)
	_, _, wrong := o.read()
	require.Empty(t, wrong)
}

func (o *orderBook) total() int {
	once, _, _ := o.read()
	return once
}

// shares tells how many parts of the consumer each holder has, fewest first.
func shares(t *testing.T, db *sqlkit.DB, consumer string) []int {
	t.Helper()
	var out []int
	require.NoError(t, db.Handle().Read().NewRaw(`SELECT count(c.part) FROM outbox_members AS m LEFT JOIN outbox_consumers AS c ON c.holder = m.holder AND c.name = ?
		GROUP BY m.holder`, consumer).Scan(t.Context(), &out))
	slices.Sort(out)
	return out
}

func requireShares(t *testing.T, db *sqlkit.DB, consumer string, want ...int) {
	t.Helper()
	require.Eventually(t, func() bool { return slices.Equal(want, shares(t, db, consumer)) }, patience, 5*time.Millisecond, "want shares %v, last %v", want, shares(t, db, consumer))
}

// traffic appends numbered events to some chats until it is stopped.
type traffic struct {
	tenant id.Tenant
	chats  []id.Chat
	sent   int // of each chat
	stop   func()
}

func startTraffic(t *testing.T, db *sqlkit.DB) *traffic {
	t.Helper()
	f := &traffic{tenant: id.NewTenant()}
	for range 40 {
		f.chats = append(f.chats, id.NewChat())
	}
	l := newLog(db, bus.NewMemory())
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-time.After(5 * time.Millisecond):
			}
			var batch []events.Event
			for _, chat := range f.chats {
				batch = append(batch, note(f.tenant, chat, f.sent))
			}
			appendAll(t, l, db, batch...)
			f.sent++
		}
	}()
	f.stop = sync.OnceFunc(func() { close(end); <-ended })
	t.Cleanup(f.stop)
	return f
}

// check waits until everything has been handled, in order.
func (f *traffic) check(t *testing.T, books map[string]*orderBook) {
	t.Helper()
	f.stop()
	for _, book := range books {
		book.waitFor(t, f.sent*len(f.chats))
	}
}

func TestProcessesShareAConsumerAndHandOverWithoutGapOrDouble(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db *sqlkit.DB) {
		f, books := startTraffic(t, db), map[string]*orderBook{"c": {}, "other": {}}
		a := startProcess(t, db.URL(), longLease, books)
		requireShares(t, db, "c", 8)
		b := startProcess(t, db.URL(), longLease, books)
		requireShares(t, db, "c", 4, 4)
		c := startProcess(t, db.URL(), longLease, books)
		requireShares(t, db, "c", 2, 3, 3)
		requireShares(t, db, "other", 2, 3, 3)
		for _, p := range []*process{a, b, c} {
			p.got.waitFor(t, len(p.got.all())+100)
		}
		begin := time.Now()
		a.stop()
		requireShares(t, db, "c", 4, 4)
		require.Less(t, time.Since(begin), 3*time.Second)
		startProcess(t, db.URL(), longLease, books)
		requireShares(t, db, "c", 2, 3, 3)
		b.stop()
		c.stop()
		requireShares(t, db, "c", 8)
		f.check(t, books)
		for name, book := range books {
			_, again, _ := book.read()
			require.Zero(t, again, "%s: who stops or gives up a part finishes what it has begun", name)
		}
	})
}

func TestOrderIsKeptWhileProcessesComeAndGo(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db *sqlkit.DB) {
		f, book := startTraffic(t, db), &orderBook{}
		books := map[string]*orderBook{"c": book}
		var running []*process
		for round := range 6 {
			running = append(running, startProcess(t, db.URL(), longLease, books))
			book.waitFor(t, book.total()+500)
			if round%2 == 1 {
				running[0].stop()
				running = running[1:]
			}
		}
		f.check(t, books)
		_, again, _ := book.read()
		require.Zero(t, again)
	})
}

func TestWhatAProcessHadThatIsCutOffGoesToTheOthers(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db *sqlkit.DB) {
		f, books := startTraffic(t, db), map[string]*orderBook{"c": {}}
		a := startProcess(t, db.URL(), time.Second, books)
		startProcess(t, db.URL(), time.Second, books)
		startProcess(t, db.URL(), time.Second, books)
		requireShares(t, db, "c", 2, 3, 3)
		a.got.waitFor(t, len(a.got.all())+100)
		begin := time.Now()
		require.NoError(t, a.db.Close()) // cut off, not stopped: nobody releases anything
		requireShares(t, db, "c", 4, 4)
		t.Logf("taken over within %v", time.Since(begin))
		require.Less(t, time.Since(begin), 5*time.Second)
		f.check(t, books)
	})
}

func TestAProcessThatDoesNotKnowAConsumerGetsNoneOfIt(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db *sqlkit.DB) {
		startProcess(t, db.URL(), longLease, map[string]*orderBook{"c": {}})
		startProcess(t, db.URL(), longLease, map[string]*orderBook{"other": {}})
		requireShares(t, db, "c", 0, 8)
		requireShares(t, db, "other", 0, 8)
	})
}

func TestAParkedEventIsRunAgainByWhoeverHasItsPart(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db *sqlkit.DB) {
		var healed atomic.Bool
		var got seen
		for range 2 {
			l := newLog(db, bus.NewMemory())
			l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error {
				if !healed.Load() {
					return errors.New("not now")
				}
				got.add(rec)
				return nil
			})
			start(t, l)
		}
		requireShares(t, db, "c", 4, 4)
		l, tenant := newLog(db, bus.NewMemory()), id.NewTenant()
		for n := range 20 {
			appendAll(t, l, db, note(tenant, id.NewChat(), n))
		}
		var parked []outbox.Parked
		require.Eventually(t, func() (ok bool) {
			var err error
			parked, err = l.Parked(t.Context(), 100)
			return err == nil && len(parked) == 20
		}, patience, 5*time.Millisecond)
		healed.Store(true)
		for _, p := range parked {
			require.NoError(t, l.Unpark(t.Context(), p.Consumer, p.Event))
		}
		got.waitFor(t, 20)
		require.Eventually(t, func() bool {
			parked, err := l.Parked(t.Context(), 100)
			return err == nil && len(parked) == 0
		}, patience, 5*time.Millisecond)
		require.Len(t, got.all(), 20)
	})
}

func TestTheDeadOfBeforeTheClockWasSetBackAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db *sqlkit.DB) {
		anHourAhead := time.Now().Add(time.Hour).UnixMicro()
		exec := func(query string, args ...any) {
			t.Helper()
			_, err := db.Handle().Write().NewRaw(query, args...).Exec(t.Context())
			require.NoError(t, err)
		}
		exec("INSERT INTO outbox_members (holder, duties, held_until) VALUES ('dead', ?, ?)", "~relay\nc", anHourAhead)
		exec("INSERT INTO outbox_consumers (name, part, seq, holder, updated_at) VALUES ('~relay', 0, 0, 'dead', 0)")
		for part := range 8 {
			exec("INSERT INTO outbox_consumers (name, part, seq, holder, updated_at) VALUES ('c', ?, 0, 'dead', 0)", part)
		}
		startProcess(t, db.URL(), time.Second, map[string]*orderBook{"c": {}})
		requireShares(t, db, "c", 8)
	})
}

func TestCheckpointsOfBeforeAreKeptByEveryPart(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		exec := func(query string, args ...any) {
			t.Helper()
			_, err := db.Handle().Write().NewRaw(query, args...).Exec(t.Context())
			require.NoError(t, err)
		}
		migrateParts(t, db, false)
		exec("INSERT INTO outbox_consumers (name, seq, holder, held_until, updated_at) VALUES ('~relay', 30, 'gone', 1, 5), ('~trimmed', 3, '', 0, 5), ('c', 20, 'gone', 99999999999999999, 5)")
		migrateParts(t, db, true)
		var rows []struct {
			Name      string
			Part, Seq int64
		}
		require.NoError(t, db.Handle().Read().NewRaw("SELECT name, part, seq FROM outbox_consumers ORDER BY name, part").Scan(t.Context(), &rows))
		require.Len(t, rows, 10)
		for i, row := range rows[:8] {
			require.Equal(t, "c", row.Name)
			require.EqualValues(t, i, row.Part)
			require.EqualValues(t, 20, row.Seq)
		}
		exec("UPDATE outbox_consumers SET seq = 17 WHERE name = 'c' AND part = 5")
		migrateParts(t, db, false)
		var seqs []int64
		require.NoError(t, db.Handle().Read().NewRaw("SELECT seq FROM outbox_consumers ORDER BY name").Scan(t.Context(), &seqs))
		require.Equal(t, []int64{17, 30, 3}, seqs, "back in one piece, nothing is skipped")
		migrateParts(t, db, true)
		l := newLog(db, bus.NewMemory())
		l.Consume("c", nil, func(context.Context, outbox.Record) error { return nil })
		start(t, l)
		require.Eventually(t, func() bool {
			s, err := l.Stats(t.Context())
			return err == nil && s.Head == 30 && s.Consumers[0].Lag == 13
		}, patience, 5*time.Millisecond)
	})
}

// migrateParts brings the schema to where consumers have parts, or back to before.
func migrateParts(t *testing.T, db *sqlkit.DB, there bool) {
	t.Helper()
	for i := range 2 {
		file := []string{"0011_outbox_consumers.sql", "0012_outbox_parts.sql"}[i]
		if !there {
			file = []string{"0012_outbox_parts.sql", "0011_outbox_consumers.sql"}[i]
		}
		text, err := migrations.Files.ReadFile(string(db.Dialect()) + "/" + file)
		require.NoError(t, err)
		up, down, _ := strings.Cut(string(text), "-- +goose Down")
		if !there {
			up = down
		}
		for statement := range strings.SplitSeq(strings.TrimSpace(strings.TrimPrefix(up, "-- +goose Up")), ";") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			_, err = db.SQL().ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
}
