package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type locationRow struct {
	bun.BaseModel `bun:"table:locations"`
	TenantID      id.Tenant   `bun:"tenant_id,pk"`
	ID            id.Location `bun:"id,pk"`
	Name          string      `bun:"name"`
	Zone          string      `bun:"zone"`
	Address       string      `bun:"address"`
	Notice        int64       `bun:"notice"` // seconds
	HorizonDays   int64       `bun:"horizon_days"`
	ClosureDates  string      `bun:"closure_dates"`
	CreatedAt     int64       `bun:"created_at"`
}

func newLocationRow(tenant id.Tenant, l appointments.Location) *locationRow {
	return &locationRow{TenantID: tenant, ID: l.ID, Name: l.Name, Zone: l.Zone, Address: l.Address, Notice: int64(l.Policy.Notice / time.Second),
		HorizonDays: int64(l.Policy.HorizonDays), ClosureDates: string(l.Policy.ClosureDates), CreatedAt: sqlkit.Micros(l.CreatedAt)}
}

func (r *locationRow) location() appointments.Location {
	return appointments.Location{ID: r.ID, Name: r.Name, Zone: r.Zone, Address: r.Address, CreatedAt: sqlkit.Time(r.CreatedAt),
		Policy: appointments.Policy{Notice: time.Duration(r.Notice) * time.Second, HorizonDays: int(r.HorizonDays), ClosureDates: appointments.ClosureRule(r.ClosureDates)}}
}

// CreateLocation implements appointments.SetupStore.
func (s *Store) CreateLocation(ctx context.Context, tenant id.Tenant, l appointments.Location) (bool, error) {
	fresh, err := s.h.InsertIfAbsent(ctx, newLocationRow(tenant, l))
	if err != nil {
		return false, fmt.Errorf("create location: %w", err)
	}
	return fresh, nil
}

// UpdateLocation implements appointments.SetupStore.
func (s *Store) UpdateLocation(ctx context.Context, tenant id.Tenant, l appointments.Location) error {
	return s.update(ctx, "location", tenant, l.ID.String(), newLocationRow(tenant, l), "name", "zone", "address", "notice", "horizon_days", "closure_dates")
}

// FindLocation implements appointments.SetupStore.
func (s *Store) FindLocation(ctx context.Context, tenant id.Tenant, location id.Location) (appointments.Location, error) {
	var r locationRow
	if err := s.find(ctx, "location", tenant, location.String(), &r); err != nil {
		return appointments.Location{}, err
	}
	return r.location(), nil
}

// ListLocations implements appointments.SetupStore.
func (s *Store) ListLocations(ctx context.Context, tenant id.Tenant) ([]appointments.Location, error) {
	var rows []*locationRow
	err := s.list(ctx, "locations", tenant, &rows)
	return collect(rows, (*locationRow).location), err
}

type serviceRow struct {
	bun.BaseModel `bun:"table:services"`
	TenantID      id.Tenant  `bun:"tenant_id,pk"`
	ID            id.Service `bun:"id,pk"`
	Name          string     `bun:"name"`
	Description   string     `bun:"description"`
	Duration      int64      `bun:"duration"` // seconds, as the three behind it
	BufferBefore  int64      `bun:"buffer_before"`
	BufferAfter   int64      `bun:"buffer_after"`
	Step          int64      `bun:"step"`
	PriceAmount   int64      `bun:"price_amount"`
	PriceCurrency string     `bun:"price_currency"`
	Active        int64      `bun:"active"`
	CreatedAt     int64      `bun:"created_at"`
}

func newServiceRow(tenant id.Tenant, o appointments.Offering) *serviceRow {
	return &serviceRow{TenantID: tenant, ID: o.ID, Name: o.Name, Description: o.Description, Duration: int64(o.Duration / time.Second),
		BufferBefore: int64(o.Before / time.Second), BufferAfter: int64(o.After / time.Second), Step: int64(o.Step / time.Second),
		PriceAmount: o.Price.Amount, PriceCurrency: o.Price.Currency, Active: flag(o.Active), CreatedAt: sqlkit.Micros(o.CreatedAt)}
}

func (r *serviceRow) offering() appointments.Offering {
	return appointments.Offering{ID: r.ID, Name: r.Name, Description: r.Description, Duration: time.Duration(r.Duration) * time.Second,
		Before: time.Duration(r.BufferBefore) * time.Second, After: time.Duration(r.BufferAfter) * time.Second, Step: time.Duration(r.Step) * time.Second,
		Price: appointments.Money{Amount: r.PriceAmount, Currency: r.PriceCurrency}, Active: r.Active != 0, CreatedAt: sqlkit.Time(r.CreatedAt)}
}

// CreateOffering implements appointments.SetupStore.
func (s *Store) CreateOffering(ctx context.Context, tenant id.Tenant, o appointments.Offering) error {
	return s.insert(ctx, "service", newServiceRow(tenant, o))
}

// UpdateOffering implements appointments.SetupStore.
func (s *Store) UpdateOffering(ctx context.Context, tenant id.Tenant, o appointments.Offering) error {
	return s.update(ctx, "service", tenant, o.ID.String(), newServiceRow(tenant, o),
		"name", "description", "duration", "buffer_before", "buffer_after", "step", "price_amount", "price_currency", "active")
}

// FindOffering implements appointments.SetupStore.
func (s *Store) FindOffering(ctx context.Context, tenant id.Tenant, service id.Service) (appointments.Offering, error) {
	var r serviceRow
	if err := s.find(ctx, "service", tenant, service.String(), &r); err != nil {
		return appointments.Offering{}, err
	}
	return r.offering(), nil
}

// ListOfferings implements appointments.SetupStore.
func (s *Store) ListOfferings(ctx context.Context, tenant id.Tenant) ([]appointments.Offering, error) {
	var rows []*serviceRow
	err := s.list(ctx, "services", tenant, &rows)
	return collect(rows, (*serviceRow).offering), err
}

type staffRow struct {
	bun.BaseModel `bun:"table:staff"`
	TenantID      id.Tenant   `bun:"tenant_id,pk"`
	ID            id.Staff    `bun:"id,pk"`
	Name          string      `bun:"name"`
	LocationID    id.Location `bun:"location_id"`
	Active        int64       `bun:"active"`
	Services      string      `bun:"services"` // JSON: ["svc_…"]
	Hours         string      `bun:"hours"`    // JSON: [[weekday, from, to]], Sunday is 0, minutes after its midnight
	Breaks        string      `bun:"breaks"`   // as hours
	CreatedAt     int64       `bun:"created_at"`
}

func newStaffRow(tenant id.Tenant, m appointments.Staff) *staffRow {
	return &staffRow{TenantID: tenant, ID: m.ID, Name: m.Name, LocationID: m.Location, Active: flag(m.Active), Services: encode(m.Services),
		Hours: encode(triples(m.Hours)), Breaks: encode(triples(m.Breaks)), CreatedAt: sqlkit.Micros(m.CreatedAt)}
}

func encode[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	raw, _ := json.Marshal(list) // numbers and IDs always have a JSON form
	return string(raw)
}

func triples(shifts []appointments.Shift) [][3]int {
	out := make([][3]int, len(shifts))
	for i, s := range shifts {
		out[i] = [3]int{int(s.Day), int(s.From), int(s.To)}
	}
	return out
}

func shifts(text string) ([]appointments.Shift, error) {
	var list [][3]int
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	out := make([]appointments.Shift, len(list))
	for i, t := range list {
		out[i] = appointments.Shift{Day: time.Weekday(t[0]), From: appointments.Clock(t[1]), To: appointments.Clock(t[2])}
	}
	return out, nil
}

func (r *staffRow) staff() (m appointments.Staff, err error) {
	m = appointments.Staff{ID: r.ID, Name: r.Name, Location: r.LocationID, Active: r.Active != 0, CreatedAt: sqlkit.Time(r.CreatedAt)}
	if err = json.Unmarshal([]byte(r.Services), &m.Services); err == nil {
		m.Hours, err = shifts(r.Hours)
	}
	if err == nil {
		m.Breaks, err = shifts(r.Breaks)
	}
	if err != nil {
		return m, fmt.Errorf("read staff member %s: %w", r.ID, err)
	}
	return m, nil
}

type lockRow struct {
	bun.BaseModel `bun:"table:booking_locks"`
	TenantID      id.Tenant `bun:"tenant_id,pk"`
	ID            string    `bun:"id,pk"`
}

// CreateStaff implements appointments.SetupStore.
func (s *Store) CreateStaff(ctx context.Context, tenant id.Tenant, m appointments.Staff) error {
	return s.inTx(ctx, func(ctx context.Context, tx *Store) error {
		if err := tx.insert(ctx, "staff member", newStaffRow(tenant, m)); err != nil {
			return err
		}
		return tx.insert(ctx, "booking lock", &lockRow{TenantID: tenant, ID: m.ID.String()})
	})
}

// UpdateStaff implements appointments.SetupStore.
func (s *Store) UpdateStaff(ctx context.Context, tenant id.Tenant, m appointments.Staff) error {
	return s.update(ctx, "staff member", tenant, m.ID.String(), newStaffRow(tenant, m), "name", "location_id", "active", "services", "hours", "breaks")
}

// FindStaff implements appointments.SetupStore.
func (s *Store) FindStaff(ctx context.Context, tenant id.Tenant, staff id.Staff) (appointments.Staff, error) {
	var r staffRow
	if err := s.find(ctx, "staff member", tenant, staff.String(), &r); err != nil {
		return appointments.Staff{}, err
	}
	return r.staff()
}

// ListStaff implements appointments.SetupStore.
func (s *Store) ListStaff(ctx context.Context, tenant id.Tenant) ([]appointments.Staff, error) {
	var rows []*staffRow
	if err := s.list(ctx, "staff", tenant, &rows); err != nil {
		return nil, err
	}
	return staffOf(rows)
}

func staffOf(rows []*staffRow) ([]appointments.Staff, error) {
	out := make([]appointments.Staff, len(rows))
	for i, r := range rows {
		m, err := r.staff()
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// insert adds the row.
func (s *Store) insert(ctx context.Context, thing string, row any) error {
	if _, err := s.h.Write().NewInsert().Model(row).Exec(ctx); err != nil {
		return fmt.Errorf("create %s: %w", thing, err)
	}
	return nil
}

// update sets the columns of the tenant's row with the ID.
func (s *Store) update(ctx context.Context, thing string, tenant id.Tenant, key string, row any, columns ...string) error {
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model(row).Column(columns...).Where("tenant_id = ?", tenant).Where("id = ?", key).Exec(ctx))
	if err != nil {
		return fmt.Errorf("update %s: %w", thing, err)
	}
	return found(thing, n, nil)
}

// find reads the tenant's row with the ID.
func (s *Store) find(ctx context.Context, thing string, tenant id.Tenant, key string, row any) error {
	err := s.h.Read().NewSelect().Model(row).Where("tenant_id = ?", tenant).Where("id = ?", key).Scan(ctx)
	if sqlkit.IsNoRows(err) {
		return fault.NotFoundf(thing)
	}
	if err != nil {
		return fmt.Errorf("find %s: %w", thing, err)
	}
	return nil
}

// list reads the tenant's rows of a set-up table, in the order of creation.
func (s *Store) list(ctx context.Context, things string, tenant id.Tenant, rows any) error {
	err := s.h.Read().NewSelect().Model(rows).Where("tenant_id = ?", tenant).Order("created_at", "id").Limit(appointments.MaxSetup).Scan(ctx)
	if err != nil {
		return fmt.Errorf("list %s: %w", things, err)
	}
	return nil
}

func collect[R, T any](rows []*R, read func(*R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = read(r)
	}
	return out
}
