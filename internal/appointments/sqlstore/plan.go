package sqlstore

import (
	"context"
	"fmt"

	"turnero/internal/appointments"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// LoadPlan implements appointments.BookingStore: four statements, for the service with the locations, the staff, the closures,
// and what occupies time.
func (s *Store) LoadPlan(ctx context.Context, tenant id.Tenant, q appointments.PlanQuery) (appointments.Plan, error) {
	offering, locations, err := s.serviceAndLocations(ctx, tenant, q.Service)
	if err != nil {
		return appointments.Plan{}, err
	}
	p := appointments.Plan{Offering: offering}
	if p.Location, p.Staff, err = s.whoAndWhere(ctx, tenant, q, locations); err != nil {
		return appointments.Plan{}, err
	}
	if p.Closures, err = s.closuresIn(ctx, tenant, q.Starts); err != nil {
		return appointments.Plan{}, err
	}
	met := appointments.Span{From: q.Starts.From.Add(-offering.Before), To: q.Starts.To.Add(offering.Duration + offering.After)}
	p.Busy, err = s.busy(ctx, tenant, p.Staff, met, q)
	return p, err
}

type serviceAndLocation struct {
	serviceRow
	LocationID   id.Location `bun:"l_id"`
	LocationName string      `bun:"l_name"`
	Zone         string      `bun:"l_zone"`
	Address      string      `bun:"l_address"`
	Notice       int64       `bun:"l_notice"`
	HorizonDays  int64       `bun:"l_horizon_days"`
	ClosureDates string      `bun:"l_closure_dates"`
	LocationMade int64       `bun:"l_created_at"`
}

func (r *serviceAndLocation) location() appointments.Location {
	return (&locationRow{ID: r.LocationID, Name: r.LocationName, Zone: r.Zone, Address: r.Address, Notice: r.Notice, HorizonDays: r.HorizonDays,
		ClosureDates: r.ClosureDates, CreatedAt: r.LocationMade}).location()
}

// serviceAndLocations reads the service and, beside it, every location: a business has few.
func (s *Store) serviceAndLocations(ctx context.Context, tenant id.Tenant, service id.Service) (appointments.Offering, []appointments.Location, error) {
	var rows []*serviceAndLocation
	err := s.h.Read().NewSelect().TableExpr("services AS s").Join("JOIN locations AS l ON l.tenant_id = s.tenant_id").
		ColumnExpr("s.id, s.name, s.description, s.duration, s.buffer_before, s.buffer_after, s.step, s.price_amount, s.price_currency, s.active, s.created_at").
		ColumnExpr("l.id AS l_id, l.name AS l_name, l.zone AS l_zone, l.address AS l_address, l.notice AS l_notice, l.horizon_days AS l_horizon_days").
		ColumnExpr("l.closure_dates AS l_closure_dates, l.created_at AS l_created_at").
		Where("s.tenant_id = ?", tenant).Where("s.id = ?", service).OrderExpr("l.created_at, l.id").Limit(appointments.MaxSetup).Scan(ctx, &rows)
	if err != nil {
		return appointments.Offering{}, nil, fmt.Errorf("find service: %w", err)
	}
	if len(rows) == 0 {
		return appointments.Offering{}, nil, fault.NotFoundf("service")
	}
	return rows[0].offering(), collect(rows, (*serviceAndLocation).location), nil
}

// whoAndWhere settles the location and reads the staff asked for.
func (s *Store) whoAndWhere(ctx context.Context, tenant id.Tenant, q appointments.PlanQuery, locations []appointments.Location) (appointments.Location, []appointments.Staff, error) {
	where, ok := pick(locations, q.Location)
	if !ok {
		return where, nil, fault.NotFoundf("location")
	}
	var rows []*staffRow
	sel := s.h.Read().NewSelect().Model(&rows).Where("tenant_id = ?", tenant)
	if q.Staff.IsZero() {
		sel = sel.Where("location_id = ?", where.ID).Where("active = 1").Where("services LIKE ?", `%"`+q.Service.String()+`"%`)
	} else {
		sel = sel.Where("id = ?", q.Staff)
	}
	if err := sel.Limit(appointments.MaxSetup).Scan(ctx); err != nil {
		return where, nil, fmt.Errorf("list staff: %w", err)
	}
	staff, err := staffOf(rows)
	if err != nil || q.Staff.IsZero() {
		return where, staff, err
	}
	if len(staff) == 0 {
		return where, nil, fault.NotFoundf("staff member")
	}
	if q.Location.IsZero() {
		where, _ = pick(locations, staff[0].Location)
	}
	return where, staff, nil
}

// pick finds the location; the zero ID is the first one.
func pick(locations []appointments.Location, wanted id.Location) (appointments.Location, bool) {
	for _, l := range locations {
		if wanted.IsZero() || l.ID == wanted {
			return l, true
		}
	}
	return appointments.Location{}, false
}
