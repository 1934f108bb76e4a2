package outbox

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

// Options sizes the work on a log. A field left zero takes its default.
type Options struct {
	Workers int           // events that one consumer handles at once; 8
	Lease   time.Duration // after how long a process that went silent is replaced; 3 s. Not used on SQLite, which has one process
	Timeout time.Duration // of one call of a consumer's function; 30 s
	Backoff func(attempt int) time.Duration
}

// Log is the installation's event log.
type Log struct {
	db     *sqlkit.DB
	bus    bus.Bus
	now    func() time.Time
	logger *slog.Logger
	told   *trouble.Teller // of what is tried again and again
	opts   Options

	consumers []*consumer
	numbered  []func([]Record)
	mistakes  []error // of registration
	running   atomic.Bool
}

// New makes the event log of the database.
func New(db *sqlkit.DB, b bus.Bus, now func() time.Time, logger *slog.Logger) *Log {
	return NewWithOptions(db, b, now, logger, Options{})
}

// NewWithOptions is New for whoever knows better than the defaults.
func NewWithOptions(db *sqlkit.DB, b bus.Bus, now func() time.Time, logger *slog.Logger, o Options) *Log {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Lease <= 0 {
		o.Lease = 3 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	return &Log{db: db, bus: b, now: now, logger: logger, told: trouble.New(logger), opts: o}
}

type row struct {
	bun.BaseModel `bun:"table:outbox"`
	Pos           int64    `bun:",pk,autoincrement"`
	Seq           *int64   `bun:"seq"`
	EventID       id.Event `bun:"event_id"`
	TenantID      string   `bun:"tenant_id"`
	Name          string   `bun:"name"`
	OrderKey      string   `bun:"order_key"`
	Payload       string   `bun:"payload"`
	CreatedAt     int64    `bun:"created_at"`
}

// Append writes the event into the transaction of h: it will be told if and only if that commits. Two transactions whose
// events share an order key are told in the order of their appends when the second appends after the first has committed,
// as transactions that lock what they change do.
func (l *Log) Append(ctx context.Context, h sqlkit.Handle, ev events.Event) error {
	payload, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", ev.EventName(), err)
	}
	r := &row{EventID: id.NewEvent(), TenantID: ev.EventTenant().String(), Name: ev.EventName(), OrderKey: ev.OrderKey(),
		Payload: string(payload), CreatedAt: sqlkit.Micros(l.now())}
	_, err = h.Write().NewInsert().Model(r).Column("event_id", "tenant_id", "name", "order_key", "payload", "created_at").Returning("NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("append event %s: %w", ev.EventName(), err)
	}
	h.AfterCommit(func() { l.bus.Wake(bus.TopicOutbox) })
	return nil
}

// OnNumbered has fn called with the events that this process numbers, in the order of their numbers and after these are
// committed; their Event is nil. fn must not block. It is not called for what other processes number, nor for a batch
// that a process numbered just before it died. Call it before Run.
func (l *Log) OnNumbered(fn func([]Record)) { l.numbered = append(l.numbered, fn) }

// Run numbers events and feeds the consumers until ctx ends; it returns when all it started has ended. Calls of consumers
// that are under way then may finish within a few seconds. It returns an error at once when a registration was wrong.
func (l *Log) Run(ctx context.Context) error {
	if l.running.Swap(true) {
		return errors.New("outbox: already running")
	}
	defer l.running.Store(false)
	if err := errors.Join(l.mistakes...); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	r := newReader(l)
	k := &keeper{log: l, duties: []*duty{{post: post{relayRow, 0}, run: func(ctx, _ context.Context, holder string) error { return l.relay(ctx, holder, r) }}}}
	for _, c := range l.consumers {
		for part := range parts {
			k.duties = append(k.duties, &duty{post: post{c.name, part}, run: func(ctx, work context.Context, holder string) error {
				return r.serve(ctx, work, c, part, holder)
			}})
		}
	}
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { r.run(reading) })
	err := k.keep(ctx)
	stopReading()
	wg.Wait()
	return err
}
