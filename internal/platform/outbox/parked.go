package outbox

import (
	"context"
	"fmt"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// Parked is an event that a consumer has given up.
type Parked struct {
	Consumer  string
	Event     id.Event
	Seq       int64
	Tenant    string
	Attempts  int64
	LastError string
	At        time.Time // when it was parked, UTC
}

type parkedRow struct {
	bun.BaseModel `bun:"table:outbox_parked"`
	Consumer      string   `bun:"consumer,pk"`
	EventID       id.Event `bun:"event_id,pk"`
	Seq           int64    `bun:"seq"`
	TenantID      string   `bun:"tenant_id"`
	Attempts      int64    `bun:"attempts"`
	LastError     string   `bun:"last_error"`
	ParkedAt      int64    `bun:"parked_at"`
	RunAgain      int64    `bun:"run_again"` // 1 = somebody asked for it
}

// Parked lists the events that consumers have given up, oldest first, at most limit.
func (l *Log) Parked(ctx context.Context, limit int) ([]Parked, error) {
	var rows []parkedRow
	err := l.db.Handle().Read().NewSelect().Model(&rows).Order("parked_at", "consumer", "event_id").Limit(int64(max(1, min(limit, 1000)))).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list parked events: %w", err)
	}
	out := make([]Parked, len(rows))
	for i, r := range rows {
		out[i] = Parked{r.Consumer, r.EventID, r.Seq, r.TenantID, r.Attempts, r.LastError, sqlkit.Time(r.ParkedAt)}
	}
	return out, nil
}

// Unpark has the consumer run the event again soon, behind what is under way for the same order key. A fault (NotFound)
// says that no such event is parked. It leaves the list when it succeeds.
func (l *Log) Unpark(ctx context.Context, consumer string, event id.Event) error {
	h := l.db.Handle()
	n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*parkedRow)(nil)).Set("run_again = 1").
		Where("consumer = ?", consumer).Where("event_id = ?", event).Exec(ctx))
	if err != nil {
		return fmt.Errorf("unpark event: %w", err)
	}
	if n == 0 {
		return fault.NotFoundf("parked event")
	}
	l.bus.Wake(bus.TopicEvents)
	return nil
}

// park gives up an event for the consumer, so that those behind it go on.
func (l *Log) park(ctx context.Context, c *consumer, it *item, attempts int, cause error) error {
	r := &parkedRow{Consumer: c.name, EventID: it.rec.ID, Seq: it.rec.Seq, TenantID: it.rec.Tenant, Attempts: it.again + int64(attempts),
		LastError: sqlkit.Text(cause.Error(), maxErrorLength), ParkedAt: sqlkit.Micros(l.now())}
	err := l.db.Handle().Upsert(ctx, r, []string{"consumer", "event_id"}, []string{"attempts", "last_error", "parked_at", "run_again"})
	attrs := []any{"consumer", c.name, "event", it.rec.Name, "event_id", it.rec.ID.String(), "attempts", r.Attempts, "error", cause.Error()}
	if err != nil {
		l.logger.ErrorContext(ctx, "event not handled and not parked", append(attrs, "park_error", err.Error())...)
		return fmt.Errorf("park event: %w", err)
	}
	l.logger.ErrorContext(ctx, "event parked", attrs...)
	return nil
}

// forgetParked takes an event off the list after it succeeded. When that fails it is run once more, as any event may be.
func (l *Log) forgetParked(ctx context.Context, c *consumer, rec Record) {
	_, err := l.db.Handle().Write().NewDelete().Model((*parkedRow)(nil)).Where("consumer = ?", c.name).Where("event_id = ?", rec.ID).Exec(ctx)
	if err != nil {
		l.logger.WarnContext(ctx, "event handled and still listed as parked", "consumer", c.name, "event_id", rec.ID.String(), "error", err.Error())
	}
}

// readParked takes the parked events that are to run again into work.
func (t *tenure) readParked(ctx, work context.Context) error {
	var asked []parkedRow
	h := t.log.db.Handle()
	err := h.Read().NewSelect().Model(&asked).Where("consumer = ?", t.c.name).Where("run_again = 1").Order("seq").Limit(readBatch / 2).Scan(ctx)
	if err != nil {
		return fmt.Errorf("read parked events: %w", err)
	}
	for _, p := range asked {
		if t.reruns[p.EventID] || len(t.reruns) >= readBatch/2 {
			continue
		}
		var r row
		if err := h.Read().NewSelect().Model(&r).Where("event_id = ?", p.EventID).Scan(ctx); err != nil {
			return fmt.Errorf("read parked event: %w", err)
		}
		it := &item{again: p.Attempts}
		it.rec, it.bad = r.record()
		t.reruns[p.EventID] = true
		t.queue(ctx, work, it)
	}
	return nil
}
