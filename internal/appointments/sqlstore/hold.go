package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type holdRow struct {
	bun.BaseModel `bun:"table:holds,alias:h"`
	TenantID      id.Tenant   `bun:"tenant_id,pk"`
	ID            id.Hold     `bun:"id,pk"`
	LocationID    id.Location `bun:"location_id"`
	ServiceID     id.Service  `bun:"service_id"`
	StaffID       id.Staff    `bun:"staff_id"`
	StartsAt      int64       `bun:"starts_at"`
	EndsAt        int64       `bun:"ends_at"`
	OccupiedFrom  int64       `bun:"occupied_from"`
	OccupiedTo    int64       `bun:"occupied_to"`
	Origin        string      `bun:"origin"`
	HeldBy        string      `bun:"held_by"`
	CreatedAt     int64       `bun:"created_at"`
	ExpiresAt     int64       `bun:"expires_at"`
}

// CreateHold implements appointments.BookingStore.
func (s *Store) CreateHold(ctx context.Context, tenant id.Tenant, h appointments.Hold) error {
	return s.insert(ctx, "hold", &holdRow{TenantID: tenant, ID: h.ID, LocationID: h.Location.ID, ServiceID: h.Service, StaffID: h.Staff.ID,
		StartsAt: sqlkit.Micros(h.Start), EndsAt: sqlkit.Micros(h.End), OccupiedFrom: sqlkit.Micros(h.Occupied.From), OccupiedTo: sqlkit.Micros(h.Occupied.To),
		Origin: h.Origin, HeldBy: h.By, CreatedAt: sqlkit.Micros(h.CreatedAt), ExpiresAt: sqlkit.Micros(h.ExpiresAt)})
}

// FindHold implements appointments.BookingStore.
func (s *Store) FindHold(ctx context.Context, tenant id.Tenant, hold id.Hold) (appointments.Hold, error) {
	var r struct {
		holdRow
		StaffName string `bun:"staff_name"`
		PlaceName string `bun:"place_name"`
		Zone      string `bun:"zone"`
	}
	err := s.h.Read().NewSelect().Model(&r).ModelTableExpr("holds AS h").
		ColumnExpr("h.id, h.location_id, h.service_id, h.staff_id, h.starts_at, h.ends_at, h.occupied_from, h.occupied_to, h.origin, h.held_by, h.created_at, h.expires_at").
		ColumnExpr("f.name AS staff_name, l.name AS place_name, l.zone").
		Join("JOIN locations AS l ON l.tenant_id = h.tenant_id AND l.id = h.location_id").
		Join("JOIN staff AS f ON f.tenant_id = h.tenant_id AND f.id = h.staff_id").
		Where("h.tenant_id = ?", tenant).Where("h.id = ?", hold).Scan(ctx)
	if sqlkit.IsNoRows(err) {
		return appointments.Hold{}, fault.NotFoundf("hold")
	}
	if err != nil {
		return appointments.Hold{}, fmt.Errorf("find hold: %w", err)
	}
	return appointments.Hold{ID: r.ID, Location: appointments.Location{ID: r.LocationID, Name: r.PlaceName, Zone: r.Zone}, Service: r.ServiceID, Staff: appointments.Ref[id.Staff]{ID: r.StaffID, Name: r.StaffName},
		Start: sqlkit.Time(r.StartsAt), End: sqlkit.Time(r.EndsAt), Occupied: appointments.Span{From: sqlkit.Time(r.OccupiedFrom), To: sqlkit.Time(r.OccupiedTo)},
		Origin: r.Origin, By: r.HeldBy, CreatedAt: sqlkit.Time(r.CreatedAt), ExpiresAt: sqlkit.Time(r.ExpiresAt)}, nil
}

// DeleteHold implements appointments.BookingStore.
func (s *Store) DeleteHold(ctx context.Context, tenant id.Tenant, hold id.Hold) (bool, error) {
	n, err := s.delete(ctx, (*holdRow)(nil), tenant, hold.String())
	return n > 0, err
}

// DeleteExpiredHolds implements appointments.BookingStore.
func (s *Store) DeleteExpiredHolds(ctx context.Context, tenant id.Tenant, staff []id.Staff, by time.Time) error {
	keys := make([]string, len(staff))
	for i, m := range staff {
		keys[i] = m.String()
	}
	_, err := s.h.Write().NewDelete().Model((*holdRow)(nil)).Where("tenant_id = ?", tenant).Where("staff_id IN ?", bun.Tuple(keys)).
		Where("expires_at <= ?", sqlkit.Micros(by)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete expired holds: %w", err)
	}
	return nil
}
