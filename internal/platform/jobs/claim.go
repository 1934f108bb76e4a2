package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// nextDue tells when the next job of the kinds may be claimed; the zero time means that there is none.
func (q *Queue) nextDue(ctx context.Context) (time.Time, error) {
	var at []int64
	err := q.db.Handle().Read().NewSelect().Model((*row)(nil)).ForceIndex("jobs_due").Column("next_at").Where("state = ?", ready).Where("kind IN (?)", bun.List(q.kindNames())).
		Order("next_at").Limit(1).Scan(ctx, &at)
	if err != nil || len(at) == 0 {
		return time.Time{}, wrap("look for due jobs", err)
	}
	return sqlkit.Time(at[0]), nil
}

// lookAhead is how many due jobs one claim looks at: more than it takes, so that it clears the way past a backlog of one key.
const lookAhead = 64

// claim takes up to room due jobs for this process. more reports that there may be further ones. It goes through to its end
// when the process is told to stop, so that nothing stays claimed that nobody runs.
func (q *Queue) claim(ctx context.Context, room int) (taken []row, more bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callLimit)
	defer cancel()
	begin := time.Now()
	var aside []row
	limit := max(room, lookAhead)
	err = q.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		var due []row
		sel := h.Write().NewSelect().Model(&due).ForceIndex("jobs_due").Where("state = ?", ready).Where("next_at <= ?", sqlkit.Micros(q.now())).
			Where("kind IN (?)", bun.List(q.kindNames())).Order("next_at", "pos").Limit(int64(limit))
		if err := h.ForUpdateSkipLocked(sel).Scan(ctx); err != nil {
			return fmt.Errorf("select due jobs: %w", err)
		}
		behind, err := q.behind(ctx, h, due)
		if err != nil {
			return err
		}
		taken, aside = split(due, behind)
		more = len(due) == limit || len(taken) > room
		taken = taken[:min(room, len(taken))]
		if err := setState(ctx, h, aside, "state = ?", waiting); err != nil {
			return err
		}
		return setState(ctx, h, taken, "state = ?, attempts = attempts + 1, locked_by = ?, locked_until = ? + ?", running, q.holder, h.Clock(), q.opts.Lease.Microseconds())
	})
	if err != nil {
		return nil, false, wrap("claim jobs", err)
	}
	for i := range taken {
		taken[i].Attempts++
		taken[i].LockedBy = q.holder
		taken[i].claimedAt = begin
	}
	if len(aside) > 0 {
		q.told.Tell(ctx, blind, q.lookAgain(ctx, aside))
	}
	taken, err = q.giveBackDoubles(ctx, taken)
	return taken, more, err
}

// lookAgain finds those of the jobs set aside whose job ahead ended between our look and our commit: nobody else wakes them.
func (q *Queue) lookAgain(ctx context.Context, aside []row) error {
	if len(aside) == 0 {
		return nil
	}
	still, err := q.behind(ctx, q.db.Handle(), aside)
	if err != nil {
		return err
	}
	free, _ := split(aside, still)
	for l := range lanesOf(free) {
		if err := q.unblock(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// behind gives those of the jobs that must wait for another one of their order key: for one that runs, or for an earlier one
// that is unfinished. It asks for the first of each state, which costs the same whatever the length of the backlog.
func (q *Queue) behind(ctx context.Context, h sqlkit.Handle, jobs []row) ([]string, error) {
	ordered := idsOf(jobs, func(r *row) bool { return r.OrderKey != "" })
	if len(ordered) == 0 {
		return nil, nil
	}
	byKey := q.byKey()
	first := "(SELECT e.run_at, e.pos FROM jobs AS e" + byKey + " WHERE e.tenant_id = j.tenant_id AND e.order_key = j.order_key AND e.state = ? ORDER BY e.run_at, e.pos LIMIT 1)"
	var out []string
	err := h.Write().NewRaw(`SELECT j.id FROM jobs AS j WHERE j.id IN (?) AND (
		EXISTS (SELECT 1 FROM jobs AS r`+byKey+` WHERE r.tenant_id = j.tenant_id AND r.order_key = j.order_key AND r.state = 'running' AND r.id <> j.id)
		OR (j.run_at, j.pos) > `+first+` OR (j.run_at, j.pos) > `+first+`)`, bun.List(ordered), ready, waiting).Scan(ctx, &out)
	return out, wrap("look for jobs ahead", err)
}

// byKey keeps MySQL and MariaDB to the index of order keys. Their statistics of a table that changes all the time are old, and
// then they walk over all jobs of a tenant.
func (q *Queue) byKey() string {
	if q.db.Dialect() == sqlkit.MySQL {
		return " FORCE INDEX (jobs_order)"
	}
	return ""
}

// giveBackDoubles undoes claims of jobs whose order key has another running job. Two processes can make such claims at the
// same moment, when a job was committed after a later one of its key; each looks again after its commit, so at least one
// of them sees the other. On SQLite claims come one after another.
func (q *Queue) giveBackDoubles(ctx context.Context, taken []row) ([]row, error) {
	ordered := idsOf(taken, func(r *row) bool { return r.OrderKey != "" })
	if len(ordered) == 0 || q.db.Dialect() == sqlkit.SQLite {
		return taken, nil
	}
	var doubles []string
	err := q.db.Handle().Write().NewRaw(`SELECT j.id FROM jobs AS j WHERE j.id IN (?) AND EXISTS (SELECT 1 FROM jobs AS r`+q.byKey()+`
		WHERE r.tenant_id = j.tenant_id AND r.order_key = j.order_key AND r.state = 'running' AND r.id <> j.id)`, bun.List(ordered)).Scan(ctx, &doubles)
	if err != nil {
		for _, r := range taken {
			q.release(ctx, &r)
		}
		return nil, wrap("look for running jobs", err)
	}
	keep, back := split(taken, doubles)
	for _, r := range back {
		q.release(ctx, &r)
	}
	return keep, nil
}

// unblock makes the first waiting job of the order key ready, unless another one of it is to run before. It runs outside of
// any transaction, after the change that calls for it: of two that change a key at once, the later sees both.
func (q *Queue) unblock(ctx context.Context, l lane) error {
	if l.key == "" {
		return nil
	}
	h := q.db.Handle()
	var next []row
	err := h.Write().NewSelect().Model(&next).ForceIndex("jobs_order").Column("id", "run_at", "pos").Where("tenant_id = ?", l.tenant).Where("order_key = ?", l.key).
		Where("state = ?", waiting).Order("run_at", "pos").Limit(1).Scan(ctx)
	if err != nil || len(next) == 0 {
		return wrap("look for waiting jobs", err)
	}
	ahead, err := h.Write().NewSelect().Model((*row)(nil)).ForceIndex("jobs_order").Where("tenant_id = ?", l.tenant).Where("order_key = ?", l.key).
		WhereGroup(" AND ", func(s *bun.SelectQuery) *bun.SelectQuery {
			return s.Where("state = ?", running).WhereOr("state = ? AND run_at <= ? AND (run_at < ? OR pos < ?)", ready, next[0].RunAt, next[0].RunAt, next[0].Pos)
		}).Limit(1).Exists(ctx)
	if err != nil || ahead {
		return wrap("look for jobs ahead", err)
	}
	_, err = h.Write().NewUpdate().Model((*row)(nil)).Set("state = ?", ready).Where("id = ?", next[0].ID).Where("state = ?", waiting).Exec(ctx)
	if err == nil {
		q.bus.Wake(bus.TopicJobs)
	}
	return wrap("make waiting job ready", err)
}

// sweep finds waiting jobs that nothing is ahead of: a worker died between finishing one of their key and waking the next.
func (q *Queue) sweep(ctx context.Context) error {
	var stuck []struct{ TenantID, OrderKey string }
	err := q.db.Handle().Read().NewRaw(`SELECT w.tenant_id, w.order_key FROM
		(SELECT tenant_id, order_key, MIN(run_at) AS first FROM jobs WHERE state = 'waiting' AND kind IN (?) GROUP BY tenant_id, order_key) AS w
		WHERE NOT EXISTS (SELECT 1 FROM jobs AS r`+q.byKey()+` WHERE r.tenant_id = w.tenant_id AND r.order_key = w.order_key AND r.state = 'running')
		AND NOT EXISTS (SELECT 1 FROM jobs AS e`+q.byKey()+` WHERE e.tenant_id = w.tenant_id AND e.order_key = w.order_key AND e.state = 'ready' AND e.run_at < w.first)
		LIMIT 500`, bun.List(q.kindNames())).Scan(ctx, &stuck)
	if err != nil {
		return wrap("look for stuck jobs", err)
	}
	for _, s := range stuck {
		if err := q.unblock(ctx, lane{s.TenantID, s.OrderKey}); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) kindNames() []string {
	names := make([]string, 0, len(q.kinds))
	for name := range q.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func setState(ctx context.Context, h sqlkit.Handle, jobs []row, set string, args ...any) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := h.Write().NewUpdate().Model((*row)(nil)).Set(set, args...).Where("id IN (?)", bun.List(idsOf(jobs, nil))).Exec(ctx)
	return wrap("mark jobs", err)
}

func idsOf(jobs []row, want func(*row) bool) []string {
	var out []string
	for i := range jobs {
		if want == nil || want(&jobs[i]) {
			out = append(out, jobs[i].ID.String())
		}
	}
	return out
}

func lanesOf(jobs []row) map[lane]bool {
	out := map[lane]bool{}
	for i := range jobs {
		out[jobs[i].lane()] = true
	}
	return out
}

// split parts the jobs into those that are not in the list and those that are.
func split(jobs []row, list []string) (out, in []row) {
	for _, r := range jobs {
		if slices.Contains(list, r.ID.String()) {
			in = append(in, r)
		} else {
			out = append(out, r)
		}
	}
	return out, in
}
