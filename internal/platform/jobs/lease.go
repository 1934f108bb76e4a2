package jobs

import (
	"context"
	"errors"
	"time"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// sweepEach is at how many looks for lost jobs there is one for stuck order keys, which are rarer and take longer to find.
const sweepEach = 4

var errSilent = errors.New("its worker went silent")

// keep renews the leases of the jobs under way, rescues those of workers that went silent, and looks for stuck order keys,
// until the work has ended.
func (w *worker) keep(ctx, work context.Context) {
	every := w.q.opts.Lease / 4
	tick := time.NewTicker(every)
	defer tick.Stop()
	starting := true
	for n := 0; ; n++ {
		w.renew(work, every)
		if ctx.Err() == nil {
			err := w.q.tidy(ctx, starting, n%sweepEach == 0, every)
			w.q.told.Tell(ctx, "lost jobs not looked for", err)
			starting = starting && err != nil
		}
		select {
		case <-work.Done():
			return
		case <-tick.C:
		}
	}
}

func (q *Queue) tidy(ctx context.Context, starting, sweeping bool, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := q.rescue(ctx, starting)
	if sweeping {
		err = errors.Join(err, q.sweep(ctx))
	}
	return err
}

// renew prolongs the leases. A run whose job was lost is stopped, and all are when the leases could not be prolonged in time.
func (w *worker) renew(work context.Context, limit time.Duration) {
	w.mu.Lock()
	runs := make(map[string]context.CancelFunc, len(w.flying))
	for r, cancel := range w.flying {
		runs[r.ID.String()] = cancel
	}
	w.mu.Unlock()
	if len(runs) == 0 {
		w.renewed = time.Now()
		return
	}
	start := time.Now()
	held, err := w.extend(work, runs, limit)
	w.q.told.Tell(work, "job leases not renewed", err)
	if err == nil {
		w.renewed = start
		for _, id := range held {
			delete(runs, id)
		}
	} else if time.Since(w.renewed) < w.q.opts.Lease*3/4 {
		return
	}
	for _, cancel := range runs {
		cancel() // a run that has just ended does not mind
	}
}

func (w *worker) extend(ctx context.Context, runs map[string]context.CancelFunc, limit time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ids := make([]string, 0, len(runs))
	for id := range runs {
		ids = append(ids, id)
	}
	mine := func(sel *bun.SelectQuery) *bun.SelectQuery {
		return sel.Model((*row)(nil)).Column("id").Where("id IN (?)", bun.List(ids)).Where("state = ?", running).Where("locked_by = ?", w.q.holder)
	}
	err := w.q.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		// A row that is locked belongs to a handler that is just completing it: waiting for that would cost the others
		// their leases, and nobody else can take it meanwhile.
		var free []string
		if err := h.ForUpdateSkipLocked(mine(h.Write().NewSelect())).Scan(ctx, &free); err != nil || len(free) == 0 {
			return err
		}
		_, err := h.Write().NewUpdate().Model((*row)(nil)).Set("locked_until = ? + ?", h.Clock(), w.q.opts.Lease.Microseconds()).
			Where("id IN (?)", bun.List(free)).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	var held []string
	err = mine(w.q.db.Handle().Write().NewSelect()).Scan(ctx, &held)
	return held, err
}

// rescue ends the attempts whose worker has gone silent. When the process starts on SQLite, all of them: an embedded
// database has one process, and its predecessor is gone.
func (q *Queue) rescue(ctx context.Context, starting bool) error {
	h := q.db.Handle()
	var lost []row
	sel := h.Read().NewSelect().Model(&lost).Where("state = ?", running).Where("kind IN (?)", bun.List(q.kindNames())).Order("next_at").Limit(500)
	if starting && q.db.Dialect() == sqlkit.SQLite {
		sel = sel.Where("locked_until < ? OR locked_by <> ?", h.Clock(), q.holder) // what this process has just claimed is not lost
	} else {
		sel = sel.Where("locked_until < ?", h.Clock())
	}
	if err := sel.Scan(ctx); err != nil {
		return wrap("look for lost jobs", err)
	}
	left, err := q.leftBehind(ctx)
	if err != nil {
		return err
	}
	lost = append(lost, left...)
	for i := range lost {
		if err := q.rescueOne(ctx, &lost[i]); err != nil {
			return err
		}
	}
	return nil
}

// sighting is a lease that ends later than any may.
type sighting struct {
	until int64
	since time.Time // monotonic
}

// leftBehind finds jobs whose lease was written before the database's clock was set back, and not renewed for a whole lease since: their
// worker is gone, and by the clock they would wait for all the time that it lost.
func (q *Queue) leftBehind(ctx context.Context) (lost []row, err error) {
	h := q.db.Handle()
	var far []row
	err = h.Read().NewSelect().Model(&far).Where("state = ?", running).Where("kind IN (?)", bun.List(q.kindNames())).
		Where("locked_until > ? + ?", h.Clock(), 3*q.opts.Lease.Microseconds()).Order("next_at").Limit(500).Scan(ctx)
	if err != nil {
		return nil, wrap("look for jobs left behind", err)
	}
	seen := make(map[id.Job]sighting, len(far))
	for i := range far {
		r := &far[i]
		s, ok := q.ahead[r.ID]
		if !ok || s.until != r.LockedUntil {
			s = sighting{r.LockedUntil, time.Now()}
		}
		seen[r.ID] = s
		if time.Since(s.since) > q.opts.Lease {
			lost = append(lost, *r)
		}
	}
	q.ahead = seen
	return lost, nil
}

// rescueOne ends one attempt, unless its transaction is still open somewhere and may yet complete the job.
func (q *Queue) rescueOne(ctx context.Context, r *row) error {
	found := false
	err := q.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		var still []string
		sel := h.Write().NewSelect().Model((*row)(nil)).Column("id").Where("id = ?", r.ID).Where("state = ?", running).
			Where("locked_by = ?", r.LockedBy).Where("locked_until = ?", r.LockedUntil)
		if err := h.ForUpdateSkipLocked(sel).Scan(ctx, &still); err != nil {
			return err
		}
		if found = len(still) > 0; !found {
			return nil
		}
		return q.fail(ctx, h, q.kinds[r.Kind], r, errSilent)
	})
	if err != nil || !found {
		return wrap("rescue job", err)
	}
	return q.unblock(ctx, r.lane())
}
