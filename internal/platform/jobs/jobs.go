package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/trouble"

	"github.com/uptrace/bun"
)

// The states of a job. A finished job has no row.
const (
	ready   = "ready"   // to be claimed when it is due
	waiting = "waiting" // due, behind another one of its order key
	running = "running" // claimed
	dead    = "dead"    // given up
)

// Options sizes the work on a queue. A field left zero takes its default.
type Options struct {
	Workers int           // jobs that this process runs at once; 16
	Lease   time.Duration // after how long the jobs of a process that went silent are claimed by another; 6 s, on SQLite 20 s
	Grace   time.Duration // that jobs under way have when the process stops; 5 s
}

// Queue is the installation's deferred work.
type Queue struct {
	db     *sqlkit.DB
	bus    bus.Bus
	now    func() time.Time
	logger *slog.Logger
	told   *trouble.Teller // of what is tried again and again
	opts   Options
	holder string

	kinds    map[string]*kind
	mistakes []error // of registration
	started  atomic.Bool

	ahead map[id.Job]sighting // of rescue alone

	mu      sync.Mutex
	lastPos int64
	stirred []lane // order keys of which a job was cancelled
}

// lane is what jobs of one order key share.
type lane struct{ tenant, key string }

// New makes the queue of the database.
func New(db *sqlkit.DB, b bus.Bus, now func() time.Time, logger *slog.Logger) *Queue {
	return NewWithOptions(db, b, now, logger, Options{})
}

// NewWithOptions is New for whoever knows better than the defaults.
func NewWithOptions(db *sqlkit.DB, b bus.Bus, now func() time.Time, logger *slog.Logger, o Options) *Queue {
	if o.Workers <= 0 {
		o.Workers = 16
	}
	if o.Lease <= 0 {
		o.Lease = 6 * time.Second
		if db.Dialect() == sqlkit.SQLite { // which has one process
			o.Lease = 20 * time.Second
		}
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	return &Queue{db: db, bus: b, now: now, logger: logger, told: trouble.New(logger), opts: o, holder: sqlkit.NewHolder(), kinds: map[string]*kind{}}
}

type row struct {
	bun.BaseModel `bun:"table:jobs"`
	ID            id.Job  `bun:"id,pk"`
	Pos           int64   `bun:"pos"` // order among jobs of one run time
	TenantID      string  `bun:"tenant_id"`
	Kind          string  `bun:"kind"`
	OrderKey      string  `bun:"order_key"`
	UniqueKey     *string `bun:"unique_key"` // nil also when dead
	Payload       string  `bun:"payload"`
	State         string  `bun:"state"`
	RunAt         int64   `bun:"run_at"`  // place in the order of its key; never changes
	NextAt        int64   `bun:"next_at"` // not to be claimed before; of a dead job: when it died
	Attempts      int64   `bun:"attempts"`
	LockedUntil   int64   `bun:"locked_until"` // by the database's clock
	LockedBy      string  `bun:"locked_by"`
	LastError     string  `bun:"last_error"`
	CreatedAt     int64   `bun:"created_at"`

	claimedAt time.Time // when this process began to claim it (monotonic)
}

func (r *row) lane() lane { return lane{r.TenantID, r.OrderKey} }

// Enqueue writes the job into the transaction of h, to run not before at (the zero time: at once). at is told by the clock of
// the process, and compared with that of the process that claims. A job whose unique key
// is that of an unfinished one of its kind and tenant is dropped silently: the work is already planned.
func (q *Queue) Enqueue(ctx context.Context, h sqlkit.Handle, job events.Job, at time.Time) error {
	payload, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("encode job %s: %w", job.JobKind(), err)
	}
	now := q.now()
	pos := q.nextPos(now)
	r := &row{ID: id.NewJob(), Pos: pos, TenantID: job.JobTenant().String(), Kind: job.JobKind(), OrderKey: job.OrderKey(), Payload: string(payload),
		State: ready, RunAt: sqlkit.Micros(at), NextAt: sqlkit.Micros(at), CreatedAt: sqlkit.Micros(now)}
	isForNow := !at.After(now)
	if isForNow {
		r.RunAt, r.NextAt = pos/1000, sqlkit.Micros(now)
	}
	if k := job.UniqueKey(); k != "" {
		r.UniqueKey = &k
	}
	if err = insert(ctx, h, r, isForNow); err != nil {
		return fmt.Errorf("enqueue job %s: %w", job.JobKind(), err)
	}
	h.AfterCommit(func() { q.bus.Wake(bus.TopicJobs) })
	return nil
}

// insert writes the row unless its unique key is taken. What is to run at once has its place by the database's clock when that says an
// earlier time: for processes that share the work it would otherwise lie in the future of one whose clock is ahead, and hold
// back the jobs of its order key until then.
func insert(ctx context.Context, h sqlkit.Handle, r *row, isForNow bool) error {
	ins := h.Write().NewInsert().Model(r)
	if isForNow && h.Dialect() != sqlkit.SQLite {
		ins = ins.Value("run_at", "LEAST(?, ?)", r.RunAt, h.Clock()).Value("next_at", "LEAST(?, ?)", r.NextAt, h.Clock())
	}
	if h.Dialect() != sqlkit.MySQL {
		ins = ins.On("CONFLICT DO NOTHING")
	}
	_, err := ins.Exec(ctx)
	if h.Dialect() == sqlkit.MySQL && sqlkit.IsUnique(err) {
		return nil
	}
	return err
}

// nextPos gives the instant in nanoseconds, or a little more: each call of this process gives more than the one before, even
// when the clock is coarse or is set back.
func (q *Queue) nextPos(now time.Time) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lastPos = max(q.lastPos+1, now.UnixNano())
	return q.lastPos
}

// Cancel removes, in the transaction of h, the unfinished job that has the unique key, and reports whether there was one.
// A run that is already under way goes on; if it completes with Run.CompleteIn, it has no effect.
func (q *Queue) Cancel(ctx context.Context, h sqlkit.Handle, kind string, tenant id.Tenant, uniqueKey string) (bool, error) {
	var found []row
	err := h.Write().NewSelect().Model(&found).Column("id", "tenant_id", "order_key").Where("tenant_id = ?", tenant.String()).
		Where("kind = ?", kind).Where("unique_key = ?", uniqueKey).Where("state <> ?", dead).Scan(ctx)
	if err != nil || len(found) == 0 {
		return false, wrap("find job", err)
	}
	n, err := sqlkit.Affected(h.Write().NewDelete().Model((*row)(nil)).Where("id = ?", found[0].ID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("cancel job: %w", err)
	}
	if found[0].OrderKey != "" {
		h.AfterCommit(func() { q.stir(found[0].lane()) })
	}
	return n > 0, nil
}

// stir asks the worker of this process to look at an order key; other processes see to it within seconds (see sweep).
func (q *Queue) stir(l lane) {
	q.mu.Lock()
	if len(q.stirred) < 1000 {
		q.stirred = append(q.stirred, l)
	}
	q.mu.Unlock()
	q.bus.Wake(bus.TopicJobs)
}

func (q *Queue) takeStirred() []lane {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.stirred
	q.stirred = nil
	return out
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// errLost means that the job was cancelled, or that another worker has it.
var errLost = errors.New("the job is no longer held by this run")
