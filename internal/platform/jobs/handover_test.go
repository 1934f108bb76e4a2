package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// onServers runs fn on the databases that several processes may share, with connections of a second process.
func onServers(t *testing.T, fn func(t *testing.T, db, other *sqlkit.DB)) {
	t.Helper()
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sqltest.Fresh(t, name)
			other, err := sqlkit.Open(t.Context(), db.URL(), 4)
			require.NoError(t, err)
			t.Cleanup(func() { _ = other.Close() })
			fn(t, db, other)
		})
	}
}

func TestAJobOfAProcessThatIsCutOffRunsElsewhereWithinTenSeconds(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db, other *sqlkit.DB) {
		begun, taken := make(chan struct{}), make(chan struct{})
		dying := jobs.New(other, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		late := make(chan error, 1)
		dying.Register("test.task", newTask, func(ctx context.Context, _ events.Job, run jobs.Run) error {
			close(begun)
			<-ctx.Done()
			<-taken
			late <- run.CompleteIn(context.WithoutCancel(ctx), db.Handle()) // as a process does that wakes up again
			return errors.New("cut off")
		}, jobs.Timeout(time.Hour))
		start(t, dying)
		goOn := sync.OnceFunc(func() { close(taken) })
		t.Cleanup(goOn)
		var got seen
		q := jobs.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		enqueue(t, q, db, time.Time{}, &task{Tenant: id.NewTenant(), N: 1})
		<-begun
		q.Register("test.task", newTask, func(ctx context.Context, job events.Job, run jobs.Run) error {
			return db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
				if err := run.CompleteIn(ctx, h); err != nil {
					return err
				}
				h.AfterCommit(func() { got.add(job, run) })
				return nil
			})
		})
		start(t, q)
		cut := time.Now()
		require.NoError(t, other.Close())
		got.waitFor(t, 1)
		t.Logf("taken over after %v", time.Since(cut))
		require.Less(t, time.Since(cut), 10*time.Second)
		goOn()
		require.Error(t, <-late, "it was told to stop, and could not complete the job any more")
		require.Len(t, got.all(), 1)
	})
}

func TestAJobThatAStoppingProcessDoesNotFinishRunsElsewhereAtOnce(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, db, other *sqlkit.DB) {
		begun := make(chan struct{})
		stopping := jobs.NewWithOptions(other, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler), jobs.Options{Grace: 50 * time.Millisecond})
		stopping.Register("test.task", newTask, func(ctx context.Context, _ events.Job, _ jobs.Run) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		})
		stop := start(t, stopping)
		var got seen
		q := newQueue(db)
		tenant := id.NewTenant()
		enqueue(t, q, db, time.Time{}, &task{Tenant: tenant, Key: "k", N: 1}, &task{Tenant: tenant, Key: "k", N: 2})
		<-begun
		q.Register("test.task", newTask, func(_ context.Context, job events.Job, run jobs.Run) error { got.add(job, run); return nil })
		start(t, q)
		told := time.Now()
		stop()
		got.waitFor(t, 2)
		require.Less(t, time.Since(told), 3*time.Second)
		for _, run := range got.runs {
			require.Equal(t, 1, run.Attempt, "as if it had not been begun")
		}
	})
}
