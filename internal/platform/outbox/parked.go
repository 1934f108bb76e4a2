package outbox

import (
	"context"
	"fmt"
	"slices"
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

// park gives up an event for the consumer, so that those behind it go on, if its part is still held.
func (l *Log) park(ctx context.Context, it *item, attempts int, cause error) error {
	c := it.t.c
	r := &parkedRow{Consumer: c.name, EventID: it.rec.ID, Seq: it.rec.Seq, TenantID: it.rec.Tenant, Attempts: it.again + int64(attempts),
		LastError: sqlkit.Text(cause.Error(), maxErrorLength), ParkedAt: sqlkit.Micros(l.now())}
	err := l.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		var held []string
		sel := h.Write().NewSelect().Model((*cursor)(nil)).Column("name").Where("name = ?", c.name).Where("part = ?", it.t.part).Where("holder = ?", it.t.holder)
		if err := h.ForUpdate(sel).Scan(ctx, &held); err != nil {
			return err
		}
		if len(held) == 0 {
			return errLost
		}
		return h.Upsert(ctx, r, []string{"consumer", "event_id"}, []string{"attempts", "last_error", "parked_at", "run_again"})
	})
	attrs := []any{"consumer", c.name, "event", it.rec.Name, "event_id", it.rec.ID.String(), "attempts", r.Attempts, "error", cause.Error()}
	if err != nil {
		if !it.isStuck {
			l.logger.ErrorContext(ctx, "event not handled and not parked", append(attrs, "park_error", err.Error())...)
		}
		it.isStuck = true
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

const rerunBatch = readBatch / 2

// readParked takes those of the parked events that are to run again and belong to what is held here. It goes through the
// list in turns, so that those of others hide none.
func (r *reader) readParked(ctx context.Context) {
	if len(r.tenures) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var consumers []string
	for _, t := range r.tenures {
		if !slices.Contains(consumers, t.c.name) {
			consumers = append(consumers, t.c.name)
		}
	}
	var asked []rerun
	err := r.log.db.Handle().Read().NewRaw(`SELECT p.consumer, p.attempts, p.seq AS parked_seq, o.seq, o.event_id, o.tenant_id, o.name, o.order_key, o.payload, o.created_at
		FROM outbox_parked AS p JOIN outbox AS o ON o.event_id = p.event_id
		WHERE p.consumer IN (?) AND p.run_again = 1 AND p.seq >= ? ORDER BY p.seq, p.consumer LIMIT ?`, bun.List(consumers), r.reruns, rerunBatch).Scan(ctx, &asked)
	r.log.told.Tell(ctx, "parked events not read", err)
	if err != nil {
		return
	}
	r.reruns = 0
	if len(asked) == rerunBatch {
		r.reruns = asked[rerunBatch-1].ParkedSeq
	}
	for i := range asked {
		r.runAgain(&asked[i])
	}
}

type rerun struct {
	row
	Consumer  string
	Attempts  int64
	ParkedSeq int64
}

func (r *reader) runAgain(again *rerun) {
	part := partOf(again.lane())
	i := slices.IndexFunc(r.tenures, func(t *tenure) bool { return t.c.name == again.Consumer && t.part == part && !t.leaving })
	if i < 0 {
		return
	}
	t := r.tenures[i]
	if t.reruns[again.EventID] || len(t.reruns) >= rerunBatch {
		return
	}
	it := &item{t: t, again: again.Attempts}
	it.rec, it.bad = again.record()
	t.reruns[again.EventID] = true
	t.queue(it)
}
