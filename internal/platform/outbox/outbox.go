package outbox

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

// Log is the installation's event log.
type Log struct {
	db     *sqlkit.DB
	bus    bus.Bus
	now    func() time.Time
	logger *slog.Logger
}

// New makes the event log of the database.
func New(db *sqlkit.DB, b bus.Bus, now func() time.Time, logger *slog.Logger) *Log {
	return &Log{db: db, bus: b, now: now, logger: logger}
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

// Append writes the event into the transaction of h: it will be told if and only if that commits.
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
