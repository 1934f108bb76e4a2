package outbox_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
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

// BenchmarkEvents appends events in transactions of 20 and has three consumers handle them.
func BenchmarkEvents(b *testing.B) {
	for _, name := range sqltest.Databases {
		b.Run(name, func(b *testing.B) {
			db := sqltest.Fresh(b, name)
			l := outbox.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
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
			go func() { ended <- l.Run(ctx) }()
			tenant, chats := id.NewTenant(), make([]id.Chat, 500)
			for i := range chats {
				chats[i] = id.NewChat()
			}
			b.ResetTimer()
			for n := 0; n < b.N; {
				require.NoError(b, db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
					for range min(20, b.N-n) {
						if err := l.Append(ctx, h, note(tenant, chats[n%len(chats)], n)); err != nil {
							return err
						}
						n++
					}
					return nil
				}))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appended/s")
			<-done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handled/s")
			cancel()
			require.NoError(b, <-ended)
		})
	}
}
