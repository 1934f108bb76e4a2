package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// Queue is the installation's deferred work.
type Queue struct {
	db     *sqlkit.DB
	bus    bus.Bus
	now    func() time.Time
	logger *slog.Logger
}

// New makes the queue of the database.
func New(db *sqlkit.DB, b bus.Bus, now func() time.Time, logger *slog.Logger) *Queue {
	return &Queue{db: db, bus: b, now: now, logger: logger}
}

type row struct {
	bun.BaseModel `bun:"table:jobs"`
	ID            id.Job  `bun:"id,pk"`
	Pos           int64   `bun:"pos"`
	TenantID      string  `bun:"tenant_id"`
	Kind          string  `bun:"kind"`
	OrderKey      string  `bun:"order_key"`
	UniqueKey     *string `bun:"unique_key"`
	Payload       string  `bun:"payload"`
	State         string  `bun:"state"`
	RunAt         int64   `bun:"run_at"`
	Attempts      int64   `bun:"attempts"`
	LockedUntil   int64   `bun:"locked_until"`
	LockedBy      string  `bun:"locked_by"`
	LastError     string  `bun:"last_error"`
	CreatedAt     int64   `bun:"created_at"`
}

// Enqueue writes the job into the transaction of h, to run not before at (the zero time: at once). A job whose unique key
// is that of an unfinished one is dropped silently: the work is already planned.
func (q *Queue) Enqueue(ctx context.Context, h sqlkit.Handle, job events.Job, at time.Time) error {
	payload, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("encode job %s: %w", job.JobKind(), err)
	}
	now := q.now()
	if at.Before(now) {
		at = now
	}
	r := &row{ID: id.NewJob(), Pos: now.UnixNano(), TenantID: job.JobTenant().String(), Kind: job.JobKind(), OrderKey: job.OrderKey(),
		Payload: string(payload), State: "ready", RunAt: sqlkit.Micros(at), CreatedAt: sqlkit.Micros(now)}
	if k := job.UniqueKey(); k != "" {
		r.UniqueKey = &k
	}
	if _, err = h.InsertIfAbsent(ctx, r); err != nil {
		return fmt.Errorf("enqueue job %s: %w", job.JobKind(), err)
	}
	h.AfterCommit(func() { q.bus.Wake(bus.TopicJobs) })
	return nil
}
