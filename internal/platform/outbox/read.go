package outbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// Record is one numbered event of the log.
type Record struct {
	Seq      int64    // its number: rising, without gaps, never changed
	ID       id.Event // its stable ID, by which a consumer knows it again
	Tenant   string   // "" for the platform's own
	Name     string
	OrderKey string
	Event    events.Event // nil when this build does not know the event (consumers never get such a one)
	Payload  []byte       // its JSON form
	At       time.Time    // when it was appended, UTC
}

// lane names what must be handled in order: events without an order key stand alone.
func (r Record) lane() string { return lane(r.Tenant, r.OrderKey, r.ID) }

func (r *row) lane() string { return lane(r.TenantID, r.OrderKey, r.EventID) }

func lane(tenant, orderKey string, event id.Event) string {
	if orderKey == "" {
		return event.String()
	}
	return tenant + "\x00" + orderKey
}

// plain reads the row but for the event itself.
func (r *row) plain() Record {
	rec := Record{ID: r.EventID, Tenant: r.TenantID, Name: r.Name, OrderKey: r.OrderKey, Payload: []byte(r.Payload), At: sqlkit.Time(r.CreatedAt)}
	if r.Seq != nil {
		rec.Seq = *r.Seq
	}
	return rec
}

// record reads the row; the record is useful even when the event cannot be decoded.
func (r *row) record() (Record, error) {
	rec := r.plain()
	ev, err := events.Decode(r.Name, rec.Payload)
	if err == nil {
		rec.Event = ev
	}
	return rec, err
}

// After gives the tenant's events with a number above seq, lowest first, at most limit (up to 1000). An empty tenant means the platform's own.
func (l *Log) After(ctx context.Context, tenant string, seq int64, limit int) ([]Record, error) {
	return l.after(ctx, seq, limit, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("tenant_id = ?", tenant) })
}

// AfterAll is After for the events of all tenants, for whoever distributes them.
func (l *Log) AfterAll(ctx context.Context, seq int64, limit int) ([]Record, error) {
	return l.after(ctx, seq, limit, func(q *bun.SelectQuery) *bun.SelectQuery { return q })
}

func (l *Log) after(ctx context.Context, seq int64, limit int, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]Record, error) {
	var rows []row
	q := l.db.Handle().Read().NewSelect().Model(&rows).Where("seq > ?", seq).Order("seq").Limit(int64(max(1, min(limit, 1000))))
	if err := narrow(q).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	out := make([]Record, len(rows))
	for i := range rows {
		out[i], _ = rows[i].record() // an event that this build does not know goes on as JSON
	}
	return out, nil
}

// entry is a row of the log and the part it belongs to.
type entry struct {
	row
	part int
}

// next gives the rows above seq for consumers; those that none of them wants come without payload.
func (l *Log) next(ctx context.Context, seq int64, names []string, limit int64) ([]entry, error) {
	var rows []row
	q := l.db.Handle().Read().NewSelect().Model(&rows).Column("seq", "event_id", "tenant_id", "name", "order_key", "created_at")
	if names == nil {
		q = q.Column("payload")
	} else {
		q = q.ColumnExpr("CASE WHEN name IN (?) THEN payload ELSE '' END AS payload", bun.List(names))
	}
	if err := q.Where("seq > ?", seq).Order("seq").Limit(limit).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	out := make([]entry, len(rows))
	for i := range rows {
		out[i] = entry{rows[i], partOf(rows[i].lane())}
	}
	return out, nil
}

// Head gives the highest number given so far, 0 for an empty log. A listener that begins there hears what comes from now on.
func (l *Log) Head(ctx context.Context) (int64, error) { return l.seqOf(ctx, relayRow) }

// Oldest gives the number below which the log has been trimmed: a listener whose cursor is smaller has missed events.
func (l *Log) Oldest(ctx context.Context) (int64, error) { return l.seqOf(ctx, trimRow) }

func (l *Log) seqOf(ctx context.Context, name string) (int64, error) {
	var seq []int64
	if err := l.db.Handle().Read().NewSelect().Model((*cursor)(nil)).Column("seq").Where("name = ?", name).Scan(ctx, &seq); err != nil {
		return 0, fmt.Errorf("read the log's state: %w", err)
	}
	if len(seq) == 0 {
		return 0, nil
	}
	return seq[0], nil
}

// Stats tells how far the work on the log is.
type Stats struct {
	Head       int64 // highest number given
	Unnumbered int64 // committed events without a number yet
	Consumers  []ConsumerStats
}

// ConsumerStats tells how far one consumer is.
type ConsumerStats struct {
	Name   string
	Lag    int64 // events behind Head, of the part that is farthest behind
	Parked int64 // events given up
}

// Stats reads the state of the log and of all consumers that it ever had.
func (l *Log) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	var cursors []cursor
	h := l.db.Handle()
	if err := h.Read().NewSelect().Model(&cursors).Order("name").Scan(ctx); err != nil {
		return s, fmt.Errorf("read the log's state: %w", err)
	}
	var parked []struct {
		Consumer string
		N        int64
	}
	if err := h.Read().NewSelect().Model((*parkedRow)(nil)).Column("consumer").ColumnExpr("count(*) AS n").Group("consumer").Scan(ctx, &parked); err != nil {
		return s, fmt.Errorf("count parked events: %w", err)
	}
	err := h.Read().NewSelect().Model((*row)(nil)).ColumnExpr("count(*)").Where("seq IS NULL").Scan(ctx, &s.Unnumbered)
	if err != nil {
		return s, fmt.Errorf("count events without a number: %w", err)
	}
	if i := slices.IndexFunc(cursors, func(c cursor) bool { return c.Name == relayRow }); i >= 0 {
		s.Head = cursors[i].Seq
	}
	for _, c := range cursors { // ordered by name: the parts of a consumer stand together
		if c.Name == relayRow || c.Name == trimRow {
			continue
		}
		if n := len(s.Consumers); n > 0 && s.Consumers[n-1].Name == c.Name {
			s.Consumers[n-1].Lag = max(s.Consumers[n-1].Lag, s.Head-c.Seq)
			continue
		}
		cs := ConsumerStats{Name: c.Name, Lag: max(0, s.Head-c.Seq)}
		for _, p := range parked {
			if p.Consumer == c.Name {
				cs.Parked = p.N
			}
		}
		s.Consumers = append(s.Consumers, cs)
	}
	return s, nil
}
