package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// asked counts the statements that reach a database.
type asked struct{ atomic.Int64 }

// BeforeQuery implements bun.QueryHook.
func (a *asked) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery implements bun.QueryHook.
func (a *asked) AfterQuery(context.Context, *bun.QueryEvent) { a.Add(1) }

func TestAnIdleProcessAsksLittleHoweverManyConsumersItHas(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		processes := 3
		if db.Dialect() == sqlkit.SQLite {
			processes = 1
		}
		counts := make([]asked, processes)
		for i := range counts {
			l := outbox.New(db.Observed(&counts[i]), bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
			for _, c := range []string{"a", "b", "c", "d", "e"} {
				l.Consume(c, nil, func(context.Context, outbox.Record) error { return nil })
			}
			start(t, l)
		}
		if processes > 1 {
			requireShares(t, db, "a", 2, 3, 3)
			requireShares(t, db, "e", 2, 3, 3)
		}
		const window = 2 * time.Second
		most := func() (most float64) { // asked by any process
			for i := range counts {
				counts[i].Store(0)
			}
			<-time.After(window)
			for i := range counts {
				most = max(most, float64(counts[i].Load())/window.Seconds())
			}
			return most
		}
		rate := min(most(), most()) // the start may reach into the first window
		t.Logf("%.1f statements/s", rate)
		require.Less(t, rate, 16.0)
	})
}

// readRows counts the events that consumers are given by a database.
type readRows struct{ atomic.Int64 }

// BeforeQuery implements bun.QueryHook.
func (r *readRows) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery implements bun.QueryHook.
func (r *readRows) AfterQuery(_ context.Context, q *bun.QueryEvent) {
	if q.Err == nil && strings.Contains(q.Query, "payload") && strings.Contains(q.Query, "seq > ") {
		n, _ := q.Result.RowsAffected()
		r.Add(n)
	}
}

func TestAnEventIsReadOnceForAllPartsOfAProcess(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		const total = 2600 // more than the parts of a consumer hold undone
		var read readRows
		l := outbox.New(db.Observed(&read), bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		var quick, slow seen
		release := make(chan struct{})
		l.Consume("quick", nil, func(_ context.Context, rec outbox.Record) error { quick.add(rec); return nil })
		l.Consume("slow", nil, func(_ context.Context, rec outbox.Record) error { <-release; slow.add(rec); return nil })
		start(t, l)
		tenant := id.NewTenant()
		for n := 0; n < total; n += 100 {
			var evs []events.Event
			for i := range 100 {
				evs = append(evs, note(tenant, id.NewChat(), n+i))
			}
			appendAll(t, l, db, evs...)
			quick.waitFor(t, n+100)
		}
		require.EqualValues(t, total, read.Load())
		close(release) // its parts are at different places, and none at the end
		slow.waitFor(t, total)
		require.EqualValues(t, total, read.Load())
	})
}

// BenchmarkEvents appends events, 20 in a statement, while three consumers handle them.
func BenchmarkEvents(b *testing.B) {
	benchmark(b, func(b *testing.B, l *outbox.Log, db *sqlkit.DB, run func()) {
		run()
		b.ResetTimer()
		fill(b, l, db)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appended/s")
	})
}

// BenchmarkBacklog numbers and handles events that are there already.
func BenchmarkBacklog(b *testing.B) {
	benchmark(b, func(b *testing.B, l *outbox.Log, db *sqlkit.DB, run func()) {
		fill(b, l, db)
		b.ResetTimer()
		run()
	})
}

func benchmark(b *testing.B, begin func(b *testing.B, l *outbox.Log, db *sqlkit.DB, run func())) {
	for _, name := range sqltest.Databases {
		b.Run(name, func(b *testing.B) {
			db := sqltest.Fresh(b, name)
			l := outbox.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
			l.OnNumbered(func([]outbox.Record) {})
			left, done := atomic.Int64{}, make(chan struct{})
			left.Store(3 * int64(b.N))
			for _, c := range []string{"a", "b", "c"} {
				l.Consume(c, nil, func(context.Context, outbox.Record) error {
					if left.Add(-1) == 0 {
						close(done)
					}
					return nil
				})
			}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			begin(b, l, db, func() { go func() { ended <- l.Run(ctx) }() })
			<-done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handled/s")
			cancel()
			require.NoError(b, <-ended)
		})
	}
}

// fill appends b.N events, as a group commit does.
func fill(b *testing.B, l *outbox.Log, db *sqlkit.DB) {
	tenant, chats := id.NewTenant(), make([]id.Chat, 500)
	for i := range chats {
		chats[i] = id.NewChat()
	}
	_, err := db.SQL().Exec("CREATE TABLE bench_fences (tenant_id VARCHAR(64) NOT NULL, id VARCHAR(64) NOT NULL, fence BIGINT NOT NULL, PRIMARY KEY (tenant_id, id))")
	require.NoError(b, err)
	_, err = db.SQL().Exec("INSERT INTO bench_fences VALUES ('t', 's', 1)")
	require.NoError(b, err)
	committer := groupcommit.New(db, groupcommit.Fences{Table: "bench_fences", Stale: errStale})
	defer committer.Close()
	for n := 0; n < b.N; {
		m := &groupcommit.Member{Fence: groupcommit.Fence{Tenant: "t", ID: "s", Value: 1}}
		for range min(20, b.N-n) {
			r, err := l.Row(note(tenant, chats[n%len(chats)], n))
			require.NoError(b, err)
			m.Rows = append(m.Rows, r)
			n++
		}
		require.NoError(b, committer.Submit(b.Context(), m))
		l.Wake()
	}
}

var errStale = errors.New("stale")
