package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/sqlkit"
)

const (
	poll           = time.Second // for jobs whose wake-up was not heard
	gather         = 5 * time.Millisecond
	callLimit      = 5 * time.Second // for one claim, or for settling a job's end
	maxErrorLength = 2000
)

// blind is what has happened when jobs behind one that ended were not woken; a sweep finds them later.
const blind = "waiting jobs not looked at"

// errStopped says that a job was claimed and not begun.
var errStopped = errors.New("not begun in time")

// worker is the running part of a queue in one process.
type worker struct {
	q       *Queue
	slots   chan struct{}
	freed   chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	flying  map[*row]context.CancelFunc
	renewed time.Time // start of the last renewal that succeeded (monotonic)
	claimed time.Time // of the feed: when it last claimed a full hand (monotonic)
}

// Run works on the registered kinds until ctx ends; it returns when all it started has ended. Jobs that are under way then
// may finish within a few seconds, and are put back uncounted if they do not. It returns an error at once when a registration was wrong.
func (q *Queue) Run(ctx context.Context) error {
	if q.started.Swap(true) {
		return errors.New("jobs: already running")
	}
	defer q.started.Store(false)
	if err := errors.Join(q.mistakes...); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	if len(q.kinds) == 0 {
		<-ctx.Done()
		return nil
	}
	work, cancel := lifecycle.Linger(ctx, q.opts.Grace)
	defer cancel()
	w := &worker{q: q, slots: make(chan struct{}, q.opts.Workers), freed: make(chan struct{}, 1), flying: map[*row]context.CancelFunc{}, renewed: time.Now()}
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		w.keep(ctx, work)
	}()
	w.feed(ctx, work)
	w.wg.Wait()
	cancel()
	<-kept
	return nil
}

// feed claims jobs until ctx ends, and starts them under work, which outlives it for a while.
func (w *worker) feed(ctx, work context.Context) {
	woken, unsubscribe := w.q.bus.Subscribe(bus.TopicJobs)
	defer unsubscribe()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait, more, err := w.startDue(ctx, work)
		w.q.told.Tell(ctx, "jobs not claimed", err)
		timer.Reset(wait)
		var freed chan struct{}
		if more {
			freed = w.freed
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-freed:
		case <-timer.C:
		}
	}
}

// startDue starts what is due and there is room for. It says when to look again, and whether a finished job is a reason to.
func (w *worker) startDue(ctx, work context.Context) (wait time.Duration, more bool, err error) {
	for _, l := range w.q.takeStirred() {
		w.q.told.Tell(ctx, blind, w.q.unblock(ctx, l))
	}
	for ctx.Err() == nil {
		room := cap(w.slots) - len(w.slots)
		if room == 0 {
			return poll, true, nil
		}
		// In a backlog, a claim for each job that ends would cost more than the jobs: wait a moment for others to end.
		if room < cap(w.slots)/4 && time.Since(w.claimed) < gather {
			return gather, true, nil
		}
		next, err := w.q.nextDue(ctx)
		if err != nil || next.IsZero() {
			return poll, false, err
		}
		if until := next.Sub(w.q.now()); until > 0 {
			return min(until, poll), false, nil
		}
		taken, full, err := w.q.claim(ctx, room)
		if err != nil {
			return poll, false, err
		}
		for i := range taken {
			w.start(work, &taken[i])
		}
		w.claimed = time.Now()
		if !full {
			w.claimed = time.Time{}
			return poll / 20, false, nil // what others hold locked at this moment, if anything, is looked at again soon
		}
	}
	return poll, false, nil
}

func (w *worker) start(work context.Context, r *row) {
	ctx, cancel := context.WithCancel(work)
	w.mu.Lock()
	w.flying[r] = cancel
	w.mu.Unlock()
	w.slots <- struct{}{}
	w.wg.Go(func() {
		defer cancel()
		w.q.run(ctx, work, r)
		w.mu.Lock()
		delete(w.flying, r)
		w.mu.Unlock()
		<-w.slots
		select {
		case w.freed <- struct{}{}:
		default:
		}
	})
}

// run makes one attempt and settles its outcome.
func (q *Queue) run(ctx, work context.Context, r *row) {
	k := q.kinds[r.Kind]
	held := &claim{holder: r.LockedBy, attempts: r.Attempts}
	err := errStopped
	if time.Since(r.claimedAt) < q.opts.Lease*3/4 { // else the process was frozen in between, and others may have the job by now
		err = q.call(ctx, k, r, Run{ID: r.ID, Attempt: int(r.Attempts), claim: held})
	}
	attrs := []any{"kind", r.Kind, "job", r.ID.String(), "attempt", r.Attempts}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	switch {
	case held.completed.Load():
		if err != nil {
			q.logger.WarnContext(ctx, "job failed after it was complete", append(attrs, "error", err.Error())...)
		}
	case err == nil:
		if err = q.complete(after, r, held); err != nil {
			q.logger.WarnContext(ctx, "job done and not completed", append(attrs, "error", err.Error())...)
		}
	case work.Err() != nil || errors.Is(err, errStopped):
		q.release(after, r)
	default:
		if err = q.fail(after, q.db.Handle(), k, r, err); err != nil {
			q.logger.WarnContext(ctx, "failed job not put back", append(attrs, "error", err.Error())...)
		}
	}
	if r.OrderKey != "" {
		q.told.Tell(after, blind, q.unblock(after, r.lane()))
	}
}

// call runs the handler once; a panic is an error.
func (q *Queue) call(ctx context.Context, k *kind, r *row, run Run) (err error) {
	job := k.newJob()
	if err := json.Unmarshal([]byte(r.Payload), job); err != nil {
		return Permanent(fmt.Errorf("decode job %s: %w", r.Kind, err))
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, runKey{}, run), k.timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return k.fn(ctx, job, run)
}

// complete deletes a job whose handler returned nil; the database may be away for a moment.
func (q *Queue) complete(ctx context.Context, r *row, held *claim) error {
	run := Run{ID: r.ID, claim: held}
	for {
		err := run.CompleteIn(ctx, q.db.Handle())
		if err == nil || errors.Is(err, errLost) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// fail ends an attempt with an error: the job is put back with a delay, or is dead after the last. The caller looks at its
// order key afterwards.
func (q *Queue) fail(ctx context.Context, h sqlkit.Handle, k *kind, r *row, cause error) error {
	attrs := []any{"kind", r.Kind, "job", r.ID.String(), "attempt", r.Attempts, "error", cause.Error()}
	upd := h.Write().NewUpdate().Model((*row)(nil)).Set("locked_by = ''").Set("locked_until = 0").
		Set("last_error = ?", sqlkit.Text(cause.Error(), maxErrorLength)).
		Where("id = ?", r.ID).Where("state = ?", running).Where("locked_by = ?", r.LockedBy).Where("attempts = ?", r.Attempts)
	died := isPermanent(cause) || int(r.Attempts) >= k.maxAttempts
	now := q.now()
	if died {
		upd = upd.Set("state = ?", dead).Set("unique_key = NULL").Set("next_at = ?", sqlkit.Micros(now))
	} else {
		delay := k.backoff(int(r.Attempts))
		if errors.Is(cause, errSilent) { // most likely the process died of something else
			delay = 0
			if r.Attempts > 1 {
				delay = k.backoff(int(r.Attempts) - 1)
			}
		}
		upd = upd.Set("state = ?", ready).Set("next_at = ?", sqlkit.Micros(now.Add(delay)))
	}
	n, err := sqlkit.Affected(upd.Exec(ctx))
	if err != nil || n == 0 {
		return wrap("put back job", err)
	}
	if died {
		q.logger.ErrorContext(ctx, "job dead", attrs...)
		return nil
	}
	q.logger.WarnContext(ctx, "job failed", attrs...)
	h.AfterCommit(func() { q.bus.Wake(bus.TopicJobs) }) // there is a new next due time
	return nil
}

// release puts a job back as if it had not been claimed.
func (q *Queue) release(ctx context.Context, r *row) {
	_, err := q.db.Handle().Write().NewUpdate().Model((*row)(nil)).Set("state = ?", ready).Set("attempts = attempts - 1").
		Set("locked_by = ''").Set("locked_until = 0").
		Where("id = ?", r.ID).Where("state = ?", running).Where("locked_by = ?", q.holder).Where("attempts = ?", r.Attempts).Exec(ctx)
	if err != nil {
		q.logger.WarnContext(ctx, "job not put back; its lease has to run out", "kind", r.Kind, "job", r.ID.String(), "error", err.Error())
		return
	}
	q.bus.Wake(bus.TopicJobs) // another process takes it at once
}
