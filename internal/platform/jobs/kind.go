package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

// Run is one attempt at a job.
type Run struct {
	ID      id.Job
	Attempt int // 1 for the first
	claim   *claim
}

// claim is what proves that a run is the one that holds the job.
type claim struct {
	holder    string
	attempts  int64
	completed atomic.Bool
}

// CompleteIn finishes the job in the transaction of h: its effect is there if and only if the job is gone, so that it has
// exactly one. When the job is not this run's any more (cancelled, or taken by another worker) it returns an error, and the
// caller lets its transaction roll back. The handler then returns nil as usual.
func (r Run) CompleteIn(ctx context.Context, h sqlkit.Handle) error {
	n, err := sqlkit.Affected(h.Write().NewDelete().Model((*row)(nil)).Where("id = ?", r.ID).Where("state = ?", running).
		Where("locked_by = ?", r.claim.holder).Where("attempts = ?", r.claim.attempts).Exec(ctx))
	if err != nil {
		return fmt.Errorf("complete job: %w", err)
	}
	if n == 0 {
		return errLost
	}
	h.AfterCommit(func() { r.claim.completed.Store(true) })
	return nil
}

type runKey struct{}

// FromContext gives the run that a handler's context belongs to, so that a Store deep below can complete the job.
func FromContext(ctx context.Context) (Run, bool) {
	r, ok := ctx.Value(runKey{}).(Run)
	return r, ok
}

type kind struct {
	name        string
	newJob      func() events.Job
	fn          func(ctx context.Context, job events.Job, run Run) error
	maxAttempts int
	timeout     time.Duration
	backoff     func(attempt int) time.Duration
}

// Option changes how the jobs of one kind are run.
type Option func(*kind)

// MaxAttempts bounds the attempts at one job; 10 by default.
func MaxAttempts(n int) Option { return func(k *kind) { k.maxAttempts = n } }

// Timeout bounds one attempt; a minute by default.
func Timeout(d time.Duration) Option { return func(k *kind) { k.timeout = d } }

// Backoff says how long to wait after a failed attempt (1 for the first); by default 1 s, doubled each time up to 10 min,
// each a fifth more or less.
func Backoff(fn func(attempt int) time.Duration) Option { return func(k *kind) { k.backoff = fn } }

// Register has fn run the jobs of a kind; newJob makes the empty job (a pointer) that the payload is decoded into. fn's
// context ends when the attempt takes too long, when the job is lost to another worker, or a few seconds after the process
// was told to stop. Call it before Run; a mistake comes out of Run.
func (q *Queue) Register(name string, newJob func() events.Job, fn func(ctx context.Context, job events.Job, run Run) error, opts ...Option) {
	k := &kind{name: name, newJob: newJob, fn: fn, maxAttempts: 10, timeout: time.Minute, backoff: backoff}
	for _, o := range opts {
		o(k)
	}
	switch {
	case q.kinds[name] != nil:
		q.mistakes = append(q.mistakes, fmt.Errorf("there are two handlers of jobs %s", name))
	case q.started.Load():
		q.mistakes = append(q.mistakes, fmt.Errorf("the handler of jobs %s comes after the start", name))
	case newJob().JobKind() != name:
		q.mistakes = append(q.mistakes, fmt.Errorf("jobs of the handler for %s call themselves %s", name, newJob().JobKind()))
	}
	q.kinds[name] = k
}

func backoff(attempt int) time.Duration {
	d := min(time.Second<<min(attempt-1, 20), 10*time.Minute)
	return d*4/5 + rand.N(d*2/5)
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no further attempt can mend: the job is dead at once.
func Permanent(err error) error { return permanent{err} }

func isPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}
