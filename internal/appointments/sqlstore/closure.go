package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type closureRow struct {
	bun.BaseModel `bun:"table:closures"`
	TenantID      id.Tenant   `bun:"tenant_id,pk"`
	ID            id.Closure  `bun:"id,pk"`
	LocationID    id.Location `bun:"location_id"`
	StaffID       id.Staff    `bun:"staff_id"`
	FirstDate     string      `bun:"first_date"` // "2026-03-26", or "" when it closes instants
	LastDate      string      `bun:"last_date"`
	FromAt        int64       `bun:"from_at"`
	ToAt          int64       `bun:"to_at"`
	Reason        string      `bun:"reason"`
	CreatedAt     int64       `bun:"created_at"`
}

func newClosureRow(tenant id.Tenant, c appointments.Closure) *closureRow {
	return &closureRow{TenantID: tenant, ID: c.ID, LocationID: c.Location, StaffID: c.Staff, FirstDate: c.First.String(), LastDate: c.Last.String(),
		FromAt: sqlkit.Micros(c.Span.From), ToAt: sqlkit.Micros(c.Span.To), Reason: c.Reason, CreatedAt: sqlkit.Micros(c.CreatedAt)}
}

func (r *closureRow) closure() appointments.Closure {
	return appointments.Closure{ID: r.ID, Location: r.LocationID, Staff: r.StaffID, First: dateOf(r.FirstDate), Last: dateOf(r.LastDate),
		Span: appointments.Span{From: sqlkit.Time(r.FromAt), To: sqlkit.Time(r.ToAt)}, Reason: r.Reason, CreatedAt: sqlkit.Time(r.CreatedAt)}
}

// dateOf reads a stored date; "" is none.
func dateOf(text string) when.Date {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return when.Date{}
	}
	return when.DateOf(t)
}

// CreateClosure implements appointments.SetupStore.
func (s *Store) CreateClosure(ctx context.Context, tenant id.Tenant, c appointments.Closure) error {
	return s.insert(ctx, "closure", newClosureRow(tenant, c))
}

// FindClosure implements appointments.SetupStore.
func (s *Store) FindClosure(ctx context.Context, tenant id.Tenant, closure id.Closure) (appointments.Closure, error) {
	var r closureRow
	if err := s.find(ctx, "closure", tenant, closure.String(), &r); err != nil {
		return appointments.Closure{}, err
	}
	return r.closure(), nil
}

// DeleteClosure implements appointments.SetupStore.
func (s *Store) DeleteClosure(ctx context.Context, tenant id.Tenant, closure id.Closure) error {
	n, err := s.delete(ctx, (*closureRow)(nil), tenant, closure.String())
	return found("closure", n, err)
}

// ListClosures implements appointments.SetupStore.
func (s *Store) ListClosures(ctx context.Context, tenant id.Tenant) ([]appointments.Closure, error) {
	var rows []*closureRow
	err := s.list(ctx, "closures", tenant, &rows)
	return collect(rows, (*closureRow).closure), err
}

// closuresIn reads the closures that may touch the span, whatever the zone of their dates.
func (s *Store) closuresIn(ctx context.Context, tenant id.Tenant, span appointments.Span) ([]appointments.Closure, error) {
	const reach = 3 * 24 * time.Hour // a zone's distance from UTC, and a shift past midnight
	first, last := span.From.Add(-reach).UTC(), span.To.Add(reach).UTC()
	var rows []*closureRow
	err := s.h.Read().NewSelect().Model(&rows).Where("tenant_id = ?", tenant).
		Where("(first_date <> '' AND last_date >= ? AND first_date <= ? OR first_date = '' AND to_at > ? AND from_at < ?)",
			first.Format(time.DateOnly), last.Format(time.DateOnly), sqlkit.Micros(first), sqlkit.Micros(last)).
		Limit(appointments.MaxSetup).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list closures: %w", err)
	}
	return collect(rows, (*closureRow).closure), nil
}

// delete removes the tenant's row with the ID and tells how many that were.
func (s *Store) delete(ctx context.Context, model any, tenant id.Tenant, key string) (int64, error) {
	n, err := sqlkit.Affected(s.h.Write().NewDelete().Model(model).Where("tenant_id = ?", tenant).Where("id = ?", key).Exec(ctx))
	if err != nil {
		return 0, fmt.Errorf("delete by ID: %w", err)
	}
	return n, nil
}
