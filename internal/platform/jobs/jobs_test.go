package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

const patience = 15 * time.Second

// task is the job of these tests.
type task struct {
	Tenant id.Tenant `json:"tenant"`
	Key    string    `json:"key"`
	Unique string    `json:"unique"`
	N      int       `json:"n"`
}

func (t *task) JobKind() string      { return "test.task" }
func (t *task) JobTenant() id.Tenant { return t.Tenant }
func (t *task) OrderKey() string     { return t.Key }
func (t *task) UniqueKey() string    { return t.Unique }

func newTask() events.Job { return &task{} }

func quick(int) time.Duration { return time.Millisecond }

func newQueue(db *sqlkit.DB) *jobs.Queue { return newQueueWith(db, 20*time.Second) }

func newQueueWith(db *sqlkit.DB, lease time.Duration) *jobs.Queue {
	return jobs.NewWithOptions(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler), jobs.Options{Lease: lease, Workers: 8, Grace: 300 * time.Millisecond})
}

// processes gives the queues of two processes, of one on SQLite: an embedded database has no more.
func processes(db *sqlkit.DB, lease time.Duration) []*jobs.Queue {
	if db.Dialect() == sqlkit.SQLite {
		return []*jobs.Queue{newQueueWith(db, lease)}
	}
	return []*jobs.Queue{newQueueWith(db, lease), newQueueWith(db, lease)}
}

// start runs the queue until stop is called or the test ends.
func start(t *testing.T, q *jobs.Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

func enqueue(t *testing.T, q *jobs.Queue, db *sqlkit.DB, at time.Time, tasks ...*task) {
	t.Helper()
	err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		for _, job := range tasks {
			if err := q.Enqueue(ctx, h, job, at); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
}

// seen collects what a handler did.
type seen struct {
	mu    sync.Mutex
	tasks []task
	runs  []jobs.Run
}

func (s *seen) add(job events.Job, run jobs.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = append(s.tasks, *job.(*task))
	s.runs = append(s.runs, run)
}

func (s *seen) all() []task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]task(nil), s.tasks...)
}

func (s *seen) waitFor(t *testing.T, n int) []task {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.all()) >= n }, patience, 2*time.Millisecond, "want %d jobs", n)
	return s.all()
}

func (s *seen) handle(_ context.Context, job events.Job, run jobs.Run) error {
	s.add(job, run)
	return nil
}

func stats(t *testing.T, q *jobs.Queue) jobs.Stats {
	t.Helper()
	s, err := q.Stats(t.Context())
	require.NoError(t, err)
	return s
}

func waitEmpty(t *testing.T, q *jobs.Queue) {
	t.Helper()
	require.Eventually(t, func() bool { s := stats(t, q); return s == jobs.Stats{} }, patience, 2*time.Millisecond)
}

func TestAJobRunsOnceAfterItsTransactionCommits(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		q.Register("test.task", newTask, got.handle)
		start(t, q)
		tenant := id.NewTenant()
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			require.NoError(t, q.Enqueue(ctx, h, &task{Tenant: tenant, N: 1}, time.Time{}))
			return errors.New("no")
		})
		require.Error(t, err)
		enqueue(t, q, db, time.Time{}, &task{Tenant: tenant, N: 2}, &task{N: 3})
		require.ElementsMatch(t, []task{{Tenant: tenant, N: 2}, {N: 3}}, got.waitFor(t, 2))
		waitEmpty(t, q)
		require.Len(t, got.all(), 2)
		require.Equal(t, 1, got.runs[0].Attempt)
	})
}

func TestAJobWaitsForItsTime(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		ran := make(chan time.Time, 1)
		q.Register("test.task", newTask, func(context.Context, events.Job, jobs.Run) error { ran <- time.Now(); return nil })
		start(t, q)
		at := time.Now().Add(300 * time.Millisecond)
		enqueue(t, q, db, at, &task{N: 1})
		enqueue(t, q, db, at.Add(time.Hour), &task{N: 2})
		late := (<-ran).Sub(at)
		require.GreaterOrEqual(t, late, -time.Millisecond)
		t.Logf("late by %v", late)
		require.Eventually(t, func() bool { s := stats(t, q); return s == jobs.Stats{Scheduled: 1} }, patience, 2*time.Millisecond)
	})
}

func TestOneUnfinishedJobPerUniqueKeyOfAKindAndTenant(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		q.Register("test.task", newTask, got.handle)
		a, b := id.NewTenant(), id.NewTenant()
		enqueue(t, q, db, time.Time{}, &task{Tenant: a, Unique: "k", N: 1}, &task{Tenant: a, Unique: "k", N: 2}, &task{Tenant: b, Unique: "k", N: 3}, &task{Tenant: a, Unique: "K", N: 4})
		start(t, q)
		got.waitFor(t, 3)
		waitEmpty(t, q)
		require.ElementsMatch(t, []int{1, 3, 4}, numbers(got.all()))
		enqueue(t, q, db, time.Time{}, &task{Tenant: a, Unique: "k", N: 5})
		require.Equal(t, 5, got.waitFor(t, 4)[3].N, "a finished job frees its key")
	})
}

func numbers(tasks []task) []int {
	out := make([]int, len(tasks))
	for i := range tasks {
		out[i] = tasks[i].N
	}
	return out
}

func TestJobsOfOneKeyRunInOrderOneAtATime(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		const keys, each = 6, 20
		queues := processes(db, 20*time.Second)
		tenant := id.NewTenant()
		var mu sync.Mutex
		running, failed, done := map[string]bool{}, map[string]bool{}, map[string][]int{}
		most := 0
		together := make(chan struct{}) // closed when two keys run at once
		meet := sync.OnceFunc(func() { close(together) })
		handle := func(ctx context.Context, job events.Job, _ jobs.Run) error {
			j := job.(*task)
			mu.Lock()
			if running[j.Key] {
				mu.Unlock()
				panic("two at once for one key")
			}
			running[j.Key] = true
			if most = max(most, len(running)); most > 1 {
				meet()
			}
			mu.Unlock()
			select {
			case <-together:
			case <-ctx.Done():
			}
			mu.Lock()
			defer mu.Unlock()
			delete(running, j.Key)
			if once := fmt.Sprint(j.Key, j.N); j.N%5 == 2 && !failed[once] {
				failed[once] = true
				return errors.New("not yet")
			}
			done[j.Key] = append(done[j.Key], j.N)
			return nil
		}
		for _, q := range queues {
			q.Register("test.task", newTask, handle, jobs.Backoff(quick))
			start(t, q)
		}
		for n := range each {
			var batch []*task
			for k := range keys {
				batch = append(batch, &task{Tenant: tenant, Key: fmt.Sprint("key", k), N: n})
			}
			enqueue(t, queues[0], db, time.Time{}, batch...)
		}
		waitEmpty(t, queues[0])
		for k := range keys {
			require.Len(t, done[fmt.Sprint("key", k)], each)
			for n := range each {
				require.Equal(t, n, done[fmt.Sprint("key", k)][n])
			}
		}
		require.Greater(t, most, 1, "keys run beside each other")
	})
}

func TestOrderIsByRunTimeAndALaterOneDoesNotBlock(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		q.Register("test.task", newTask, got.handle)
		now := time.Now()
		enqueue(t, q, db, now.Add(time.Hour), &task{Key: "k", N: 9})
		enqueue(t, q, db, time.Time{}, &task{Key: "k", N: 1}, &task{Key: "k", N: 2})
		start(t, q)
		require.Equal(t, []int{1, 2}, numbers(got.waitFor(t, 2)))
		require.Eventually(t, func() bool { return stats(t, q) == jobs.Stats{Scheduled: 1} }, patience, 2*time.Millisecond)
	})
}

func TestWhatIsToRunAtOnceDoesSoWhateverTheClockOfTheProcessThatWantsIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} { // with SQLite there is one process
		for _, skew := range []time.Duration{time.Hour, -time.Hour} {
			t.Run(fmt.Sprint(name, skew), func(t *testing.T) {
				t.Parallel()
				db := sqltest.Fresh(t, name)
				skewed := func() time.Time { return time.Now().Add(skew) }
				other := jobs.New(db, bus.NewMemory(), skewed, slog.New(slog.DiscardHandler))
				enqueue(t, other, db, time.Time{}, &task{Key: "k", N: 1}, &task{Key: "k", N: 2}, &task{N: 9})
				q := newQueue(db)
				enqueue(t, q, db, time.Time{}, &task{Key: "k", N: 3})
				enqueue(t, q, db, time.Now().Add(30*time.Minute), &task{Key: "k", N: 4})
				var got seen
				q.Register("test.task", newTask, got.handle)
				start(t, q)
				ran := numbers(got.waitFor(t, 4))
				require.Contains(t, ran, 9)
				require.Equal(t, []int{1, 2, 3}, slices.DeleteFunc(ran, func(n int) bool { return n == 9 }))
				require.Eventually(t, func() bool { return stats(t, q) == jobs.Stats{Scheduled: 1} }, patience, 2*time.Millisecond)
			})
		}
	}
}

func TestABacklogOfOneKeyDoesNotHoldBackTheOthers(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		stuck := make(chan struct{})
		q.Register("test.task", newTask, func(ctx context.Context, job events.Job, run jobs.Run) error {
			if job.(*task).N == 0 {
				select {
				case <-stuck:
				case <-ctx.Done():
				}
			}
			return got.handle(ctx, job, run)
		})
		tenant, other := id.NewTenant(), id.NewTenant()
		for n := 0; n < 300; n += 100 {
			batch := make([]*task, 100)
			for i := range batch {
				batch[i] = &task{Tenant: tenant, Key: "k", N: n + i}
			}
			enqueue(t, q, db, time.Time{}, batch...)
		}
		start(t, q)
		enqueue(t, q, db, time.Time{}, &task{Tenant: other, Key: "k", N: 1000}, &task{Tenant: tenant, N: 1001})
		require.ElementsMatch(t, []int{1000, 1001}, numbers(got.waitFor(t, 2)), "neither another tenant with the same key nor a job without one")
		require.Eventually(t, func() bool { s := stats(t, q); return s.Waiting == 299 && s.Due == 0 }, patience, 5*time.Millisecond, "the backlog is out of the way")
		close(stuck)
		all := got.waitFor(t, 302)[2:]
		for i, job := range all {
			require.Equal(t, i, job.N)
		}
		waitEmpty(t, q)
	})
}

func TestAFailingJobIsTriedAgainAndThenDead(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		var mu sync.Mutex
		attempts, healed := 0, false
		q.Register("test.task", newTask, func(ctx context.Context, job events.Job, run jobs.Run) error {
			mu.Lock()
			defer mu.Unlock()
			if job.(*task).N == 1 && !healed {
				if attempts++; attempts == 2 {
					panic("boom")
				}
				return errors.New("refused\x00\xff")
			}
			return got.handle(ctx, job, run)
		}, jobs.MaxAttempts(3), jobs.Backoff(quick))
		start(t, q)
		tenant := id.NewTenant()
		enqueue(t, q, db, time.Time{}, &task{Tenant: tenant, Key: "k", Unique: "u", N: 1}, &task{Tenant: tenant, Key: "k", N: 2})
		require.Equal(t, []int{2}, numbers(got.waitFor(t, 1)), "a dead job blocks its key no longer")
		gone, err := q.Dead(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, gone, 1)
		require.Equal(t, "test.task", gone[0].Kind)
		require.Equal(t, tenant.String(), gone[0].Tenant)
		require.EqualValues(t, 3, gone[0].Attempts)
		require.Equal(t, "refused", gone[0].LastError)
		require.WithinDuration(t, time.Now(), gone[0].DiedAt, time.Minute)
		mu.Lock()
		require.Equal(t, 3, attempts)
		mu.Unlock()

		enqueue(t, q, db, time.Now().Add(time.Hour), &task{Tenant: tenant, Unique: "u", N: 3})
		require.Equal(t, jobs.Stats{Scheduled: 1, Dead: 1}, settled(t, q), "a dead job does not hold its unique key")
		err = q.Retry(t.Context(), gone[0].ID)
		require.True(t, fault.HasReason(err, "job_planned_again"), err)
		removed, err := q.Cancel(t.Context(), db.Handle(), "test.task", tenant, "u")
		require.NoError(t, err)
		require.True(t, removed)
		mu.Lock()
		healed = true
		mu.Unlock()
		require.NoError(t, q.Retry(t.Context(), gone[0].ID))
		require.Equal(t, []int{2, 1}, numbers(got.waitFor(t, 2)))
		waitEmpty(t, q)
		require.True(t, fault.Is(q.Retry(t.Context(), gone[0].ID), fault.NotFound))
	})
}

// settled gives the counts once nothing is due or running.
func settled(t *testing.T, q *jobs.Queue) jobs.Stats {
	t.Helper()
	var s jobs.Stats
	require.Eventually(t, func() bool { s = stats(t, q); return s.Due == 0 && s.Running == 0 }, patience, 2*time.Millisecond)
	return s
}

func TestWhatCannotSucceedIsDeadAtOnce(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		q.Register("test.task", newTask, func(context.Context, events.Job, jobs.Run) error {
			return fmt.Errorf("give up: %w", jobs.Permanent(errors.New("no such thing")))
		})
		start(t, q)
		enqueue(t, q, db, time.Time{}, &task{N: 1})
		require.Eventually(t, func() bool { return stats(t, q).Dead == 1 }, patience, 2*time.Millisecond)
		gone, err := q.Dead(t.Context(), 1)
		require.NoError(t, err)
		require.EqualValues(t, 1, gone[0].Attempts)
		require.Equal(t, "give up: no such thing", gone[0].LastError)
	})
}

func TestACancelledJobDoesNotRunAndItsKeyGoesOn(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		begun, finish := make(chan struct{}), make(chan struct{})
		q.Register("test.task", newTask, func(ctx context.Context, job events.Job, run jobs.Run) error {
			if job.(*task).N == 1 {
				close(begun)
				<-finish
				err := run.CompleteIn(ctx, db.Handle())
				if err == nil {
					return got.handle(ctx, job, run)
				}
				return err
			}
			return got.handle(ctx, job, run)
		}, jobs.Backoff(quick))
		tenant := id.NewTenant()
		enqueue(t, q, db, time.Time{}, &task{Tenant: tenant, Key: "k", Unique: "a", N: 1}, &task{Tenant: tenant, Key: "k", Unique: "b", N: 2}, &task{Tenant: tenant, Key: "k", Unique: "c", N: 3})
		start(t, q)
		<-begun
		cancel := func(key string) bool {
			removed, err := q.Cancel(t.Context(), db.Handle(), "test.task", tenant, key)
			require.NoError(t, err)
			return removed
		}
		require.True(t, cancel("b"))
		require.False(t, cancel("b"))
		require.False(t, cancel("C"), "keys differ in letter case")
		removed, err := q.Cancel(t.Context(), db.Handle(), "test.task", id.NewTenant(), "c")
		require.NoError(t, err)
		require.False(t, removed, "another tenant's")
		err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			removed, err := q.Cancel(ctx, h, "test.task", tenant, "c")
			require.True(t, removed)
			return errors.Join(err, errors.New("no"))
		})
		require.Error(t, err)
		require.True(t, cancel("a"), "its run is under way and will not be able to complete")
		close(finish)
		require.Equal(t, []int{3}, numbers(got.waitFor(t, 1)))
		waitEmpty(t, q)
		require.Len(t, got.all(), 1)
	})
}

func TestAJobAndItsEffectCommitTogether(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		_, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE effects (n BIGINT NOT NULL)")
		require.NoError(t, err)
		q := newQueue(db)
		attempts := make(chan int, 10)
		q.Register("test.task", newTask, func(ctx context.Context, job events.Job, run jobs.Run) error {
			attempts <- run.Attempt
			mine, ok := jobs.FromContext(ctx)
			if !ok || mine.ID != run.ID {
				return errors.New("the context does not know its run")
			}
			return db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
				if _, err := h.Write().NewRaw("INSERT INTO effects (n) VALUES (?)", job.(*task).N).Exec(ctx); err != nil {
					return err
				}
				if err := mine.CompleteIn(ctx, h); err != nil {
					return err
				}
				if run.Attempt < 3 {
					return errors.New("rolled back")
				}
				return nil
			})
		}, jobs.Backoff(quick))
		start(t, q)
		enqueue(t, q, db, time.Time{}, &task{N: 7})
		waitEmpty(t, q)
		require.Len(t, attempts, 3)
		var effects []int
		require.NoError(t, db.Handle().Read().NewRaw("SELECT n FROM effects").Scan(t.Context(), &effects))
		require.Equal(t, []int{7}, effects)
	})
}

func TestJobsOfACrashedWorkerAreRescued(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		mine, err := sqlkit.Open(t.Context(), db.URL(), 4)
		require.NoError(t, err)
		first, second := newQueueWith(mine, time.Second), newQueueWith(db, time.Second)
		var got seen
		begun := make(chan jobs.Run, 1)
		stopped := make(chan struct{})
		first.Register("test.task", newTask, func(ctx context.Context, _ events.Job, run jobs.Run) error {
			begun <- run
			<-ctx.Done() // the lease is lost: the run is told to stop
			close(stopped)
			return ctx.Err()
		})
		second.Register("test.task", newTask, got.handle)
		start(t, first)
		enqueue(t, second, db, time.Time{}, &task{Key: "k", N: 1}, &task{Key: "k", N: 2})
		lost := <-begun
		require.NoError(t, mine.Close()) // cut off, not stopped
		start(t, second)
		require.Equal(t, []int{1, 2}, numbers(got.waitFor(t, 2)))
		require.Equal(t, 2, got.runs[0].Attempt)
		<-stopped
		err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error { return lost.CompleteIn(ctx, h) })
		require.ErrorContains(t, err, "no longer held")
		waitEmpty(t, second)
	})
}

func TestAWaitingJobWhoseWorkerDiedBeforeWakingItIsFound(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		q.Register("test.task", newTask, got.handle)
		enqueue(t, q, db, time.Time{}, &task{Key: "k", N: 1}, &task{Key: "k", N: 2})
		_, err := db.SQL().ExecContext(t.Context(), "UPDATE jobs SET state = 'waiting'")
		require.NoError(t, err)
		enqueue(t, q, db, time.Now().Add(time.Hour), &task{Key: "k", N: 3})
		start(t, q)
		require.Equal(t, []int{1, 2}, numbers(got.waitFor(t, 2)))
	})
}

func TestALongJobKeepsItsLease(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		queues := processes(db, 2*time.Second)
		finish := make(chan struct{})
		var got seen
		handle := func(ctx context.Context, job events.Job, run jobs.Run) error {
			got.add(job, run)
			select {
			case <-finish:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for _, q := range queues {
			q.Register("test.task", newTask, handle)
			start(t, q)
		}
		enqueue(t, queues[0], db, time.Time{}, &task{N: 1})
		got.waitFor(t, 1)
		var until int64
		read := func() int64 {
			require.NoError(t, db.Handle().Read().NewRaw("SELECT locked_until FROM jobs").Scan(t.Context(), &until))
			return until
		}
		begin := read()
		require.Eventually(t, func() bool { return read() > begin+3*time.Second.Microseconds() }, patience, 10*time.Millisecond, "renewed past the end of the first lease")
		close(finish)
		waitEmpty(t, queues[0])
		require.Len(t, got.all(), 1)
	})
}

func TestStoppingWaitsForJobsAndPutsBackWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		begun := make(chan struct{})
		finish := make(chan struct{})
		q.Register("test.task", newTask, func(ctx context.Context, job events.Job, _ jobs.Run) error {
			begun <- struct{}{}
			if job.(*task).N == 1 {
				<-finish
				return ctx.Err()
			}
			<-ctx.Done()
			return ctx.Err()
		})
		stop := start(t, q)
		enqueue(t, q, db, time.Time{}, &task{N: 1}, &task{N: 2})
		<-begun
		<-begun
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		close(finish)
		<-stopped
		require.Equal(t, jobs.Stats{Due: 1}, zeroAge(stats(t, q)))
		var attempts int
		require.NoError(t, db.Handle().Read().NewRaw("SELECT attempts FROM jobs").Scan(t.Context(), &attempts))
		require.Zero(t, attempts, "an attempt cut short by a stop does not count")
	})
}

func zeroAge(s jobs.Stats) jobs.Stats { s.OldestDue = 0; return s }

func TestOnlyRegisteredKindsAreTaken(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		var got seen
		q.Register("test.task", newTask, got.handle)
		start(t, q)
		err := q.Enqueue(t.Context(), db.Handle(), &events.HandOffChat{Tenant: id.NewTenant(), Chat: id.NewChat()}, time.Time{})
		require.NoError(t, err)
		enqueue(t, q, db, time.Time{}, &task{N: 1})
		got.waitFor(t, 1)
		require.Eventually(t, func() bool { return zeroAge(stats(t, q)) == jobs.Stats{Due: 1} }, patience, 2*time.Millisecond)
	})
}

func TestAJobRunsWithoutWaitingForAPoll(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		q := newQueue(db)
		ran := make(chan time.Time, 1)
		q.Register("test.task", newTask, func(context.Context, events.Job, jobs.Run) error { ran <- time.Now(); return nil })
		start(t, q)
		best := time.Hour
		for n := range 25 {
			begin := time.Now()
			enqueue(t, q, db, time.Time{}, &task{Key: "k", N: n})
			best = min(best, (<-ran).Sub(begin))
		}
		t.Logf("enqueued to running, best of 25: %v", best)
		require.Less(t, best, 20*time.Millisecond)
	})
}

func TestWrongRegistrationsStopTheStart(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	nothing := func(context.Context, events.Job, jobs.Run) error { return nil }
	for want, register := range map[string]func(*jobs.Queue){
		"two handlers": func(q *jobs.Queue) {
			q.Register("test.task", newTask, nothing)
			q.Register("test.task", newTask, nothing)
		},
		"call themselves": func(q *jobs.Queue) { q.Register("other", newTask, nothing) },
	} {
		q := newQueue(db)
		register(q)
		require.ErrorContains(t, q.Run(t.Context()), want)
	}
}
