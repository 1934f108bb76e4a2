package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"
)

// DeadJob is a job that was given up.
type DeadJob struct {
	ID         id.Job
	Kind       string
	Tenant     string // "" for the platform's own
	Attempts   int64
	LastError  string
	EnqueuedAt time.Time // UTC
	DiedAt     time.Time // UTC
}

// Dead lists the jobs that were given up, the latest first, at most limit (up to 1000).
func (q *Queue) Dead(ctx context.Context, limit int) ([]DeadJob, error) {
	var rows []row
	err := q.db.Handle().Read().NewSelect().Model(&rows).Where("state = ?", dead).OrderExpr("next_at DESC, pos DESC").
		Limit(int64(max(1, min(limit, 1000)))).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list dead jobs: %w", err)
	}
	out := make([]DeadJob, len(rows))
	for i, r := range rows {
		out[i] = DeadJob{r.ID, r.Kind, r.TenantID, r.Attempts, r.LastError, sqlkit.Time(r.CreatedAt), sqlkit.Time(r.NextAt)}
	}
	return out, nil
}

// Retry gives a dead job a new life, behind the jobs that its order key has now. It is a fault (NotFound) when there is no
// such dead job, and (Conflict, "job_planned_again") when another job with its unique key is unfinished.
func (q *Queue) Retry(ctx context.Context, job id.Job) error {
	h := q.db.Handle()
	var found []row
	err := h.Read().NewSelect().Model(&found).Where("id = ?", job).Where("state = ?", dead).Scan(ctx)
	if err != nil {
		return fmt.Errorf("find dead job: %w", err)
	}
	if len(found) == 0 {
		return fault.NotFoundf("dead job")
	}
	now := q.now()
	pos := q.nextPos(now)
	upd := h.Write().NewUpdate().Model((*row)(nil)).Set("state = ?", ready).Set("attempts = 0").Set("pos = ?", pos).Set("run_at = ?", pos/1000).
		Set("next_at = ?", sqlkit.Micros(now)).Where("id = ?", job).Where("state = ?", dead)
	if key := q.uniqueKeyOf(&found[0]); key != "" {
		upd = upd.Set("unique_key = ?", key)
	}
	n, err := sqlkit.Affected(upd.Exec(ctx))
	switch {
	case sqlkit.IsUnique(err):
		return fault.New(fault.Conflict, "job_planned_again", "the same work is planned by another job")
	case err != nil:
		return fmt.Errorf("retry job: %w", err)
	case n == 0:
		return fault.NotFoundf("dead job")
	}
	q.bus.Wake(bus.TopicJobs)
	return nil
}

// uniqueKeyOf reads the unique key back from the job itself: the row gave it up when it died.
func (q *Queue) uniqueKeyOf(r *row) string {
	k := q.kinds[r.Kind]
	if k == nil {
		return ""
	}
	job := k.newJob()
	if json.Unmarshal([]byte(r.Payload), job) != nil {
		return ""
	}
	return job.UniqueKey()
}

// Stats tells how much work there is.
type Stats struct {
	Due       int64 // could run now
	Scheduled int64 // ready, for a later time
	Waiting   int64 // behind another one of their order key
	Running   int64
	Dead      int64
	OldestDue time.Duration // for how long the oldest due job could have run
}

// Stats counts the jobs of all kinds.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	now := q.now()
	var rows []struct {
		State     string
		N, Due    int64
		NextAtMin int64
	}
	err := q.db.Handle().Read().NewSelect().Model((*row)(nil)).Column("state").ColumnExpr("count(*) AS n").
		ColumnExpr("sum(CASE WHEN next_at <= ? THEN 1 ELSE 0 END) AS due", sqlkit.Micros(now)).ColumnExpr("min(next_at) AS next_at_min").
		Group("state").Scan(ctx, &rows)
	if err != nil {
		return s, fmt.Errorf("count jobs: %w", err)
	}
	for _, r := range rows {
		switch r.State {
		case ready:
			s.Due, s.Scheduled = r.Due, r.N-r.Due
			if r.Due > 0 {
				s.OldestDue = now.Sub(sqlkit.Time(r.NextAtMin))
			}
		case waiting:
			s.Waiting = r.N
		case running:
			s.Running = r.N
		case dead:
			s.Dead = r.N
		}
	}
	return s, nil
}
