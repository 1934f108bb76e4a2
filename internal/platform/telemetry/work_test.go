package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/platform/telemetry"
)

func TestTheStateOfTheWorkIsMeasured(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		quiet := slog.New(slog.DiscardHandler)
		b := bus.NewMemory()
		log, queue := outbox.New(db, b, time.Now, quiet), jobs.New(db, b, time.Now, quiet)
		log.Consume("stubborn", nil, func(context.Context, outbox.Record) error { return errors.New("never") })
		tenant := id.NewTenant()
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			later := queue.Enqueue(ctx, h, &events.HandOffChat{Tenant: tenant, Chat: id.NewChat()}, time.Now().Add(time.Hour))
			now := queue.Enqueue(ctx, h, &events.HandOffChat{Tenant: tenant, Chat: id.NewChat()}, time.Time{})
			return errors.Join(later, now, log.Append(ctx, h, &events.SettingsChanged{Tenant: tenant}))
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- log.Run(ctx) }()
		require.Eventually(t, func() bool {
			s, err := log.Stats(t.Context())
			return err == nil && s.Head == 1 && len(s.Consumers) == 1
		}, 10*time.Second, 5*time.Millisecond)
		cancel()
		require.NoError(t, <-ended)

		m := telemetry.NewMetrics()
		m.WatchDB(db)
		m.WatchWork(log, queue)
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		require.Equal(t, http.StatusOK, w.Code)
		for _, line := range []string{`turnero_jobs{state="due"} 1`, `turnero_jobs{state="scheduled"} 1`, `turnero_jobs{state="dead"} 0`, "turnero_events_numbered_total 1",
			"turnero_events_unnumbered 0", `turnero_consumer_lag_events{consumer="stubborn"} 1`, `turnero_consumer_parked_events{consumer="stubborn"} 0`, `go_sql_open_connections{db_name="write"}`} {
			require.Contains(t, w.Body.String(), "\n"+line)
		}
		require.NotContains(t, w.Body.String(), strings.TrimPrefix(tenant.String(), "ten_"))
	})
}
