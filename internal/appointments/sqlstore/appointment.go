package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type appointmentRow struct {
	bun.BaseModel `bun:"table:appointments,alias:a"`
	TenantID      id.Tenant      `bun:"tenant_id,pk"`
	ID            id.Appointment `bun:"id,pk"`
	Status        string         `bun:"status"`
	LocationID    id.Location    `bun:"location_id"`
	ServiceID     id.Service     `bun:"service_id"`
	StaffID       id.Staff       `bun:"staff_id"`
	CustomerID    id.Customer    `bun:"customer_id"`
	StartsAt      int64          `bun:"starts_at"`
	EndsAt        int64          `bun:"ends_at"`
	OccupiedFrom  int64          `bun:"occupied_from"`
	OccupiedTo    int64          `bun:"occupied_to"`
	PriceAmount   int64          `bun:"price_amount"`
	PriceCurrency string         `bun:"price_currency"`
	Origin        string         `bun:"origin"`
	Notes         string         `bun:"notes"`
	BookedBy      string         `bun:"booked_by"`
	BookedAt      int64          `bun:"booked_at"`
	CancelledBy   string         `bun:"cancelled_by"`
	CancelledAt   int64          `bun:"cancelled_at"`
	CancelReason  string         `bun:"cancel_reason"`
	Version       int64          `bun:"version"`
}

func newAppointmentRow(tenant id.Tenant, a *appointments.Appointment) *appointmentRow {
	return &appointmentRow{TenantID: tenant, ID: a.ID, Status: string(a.Status), LocationID: a.Location.ID, ServiceID: a.Service.ID, StaffID: a.Staff.ID,
		CustomerID: a.Customer.ID, StartsAt: sqlkit.Micros(a.Start), EndsAt: sqlkit.Micros(a.End), OccupiedFrom: sqlkit.Micros(a.Occupied.From),
		OccupiedTo: sqlkit.Micros(a.Occupied.To), PriceAmount: a.Price.Amount, PriceCurrency: a.Price.Currency, Origin: a.Origin, Notes: a.Notes,
		BookedBy: a.BookedBy, BookedAt: sqlkit.Micros(a.BookedAt), CancelledBy: a.Cancelled.By, CancelledAt: sqlkit.Micros(a.Cancelled.At),
		CancelReason: a.Cancelled.Reason, Version: a.Version}
}

// appointmentView is an appointment with those whom it concerns.
type appointmentView struct {
	appointmentRow
	ServiceName   string  `bun:"service_name"`
	StaffName     string  `bun:"staff_name"`
	CustomerName  string  `bun:"customer_name"`
	Phone         string  `bun:"phone"`
	WhatsApp      string  `bun:"whatsapp"`
	ChatID        id.Chat `bun:"chat_id"`
	CustomerSince int64   `bun:"customer_since"`
	LocationName  string  `bun:"location_name"`
	Zone          string  `bun:"zone"`
	Address       string  `bun:"address"`
	Notice        int64   `bun:"notice"`
	HorizonDays   int64   `bun:"horizon_days"`
	ClosureDates  string  `bun:"closure_dates"`
	LocationMade  int64   `bun:"location_made"`
}

func (r *appointmentView) appointment() appointments.Appointment {
	customer := customerRow{ID: r.CustomerID, Name: r.CustomerName, Phone: r.Phone, WhatsApp: r.WhatsApp, ChatID: r.ChatID, CreatedAt: r.CustomerSince}
	location := locationRow{ID: r.LocationID, Name: r.LocationName, Zone: r.Zone, Address: r.Address, Notice: r.Notice, HorizonDays: r.HorizonDays,
		ClosureDates: r.ClosureDates, CreatedAt: r.LocationMade}
	return appointments.Appointment{ID: r.ID, Status: appointments.Status(r.Status), Start: sqlkit.Time(r.StartsAt), End: sqlkit.Time(r.EndsAt),
		Occupied: appointments.Span{From: sqlkit.Time(r.OccupiedFrom), To: sqlkit.Time(r.OccupiedTo)},
		Service:  appointments.Ref[id.Service]{ID: r.ServiceID, Name: r.ServiceName}, Staff: appointments.Ref[id.Staff]{ID: r.StaffID, Name: r.StaffName},
		Customer: customer.customer(), Location: location.location(), Price: appointments.Money{Amount: r.PriceAmount, Currency: r.PriceCurrency},
		Origin: r.Origin, Notes: r.Notes, BookedBy: r.BookedBy, BookedAt: sqlkit.Time(r.BookedAt), Version: r.Version,
		Cancelled: appointments.Cancellation{By: r.CancelledBy, At: sqlkit.Time(r.CancelledAt), Reason: r.CancelReason}}
}

func (s *Store) appointmentViews(dest any) *bun.SelectQuery {
	return s.h.Read().NewSelect().Model(dest).ModelTableExpr("appointments AS a").
		ColumnExpr("a.id, a.status, a.location_id, a.service_id, a.staff_id, a.customer_id, a.starts_at, a.ends_at, a.occupied_from, a.occupied_to").
		ColumnExpr("a.price_amount, a.price_currency, a.origin, a.notes, a.booked_by, a.booked_at, a.cancelled_by, a.cancelled_at, a.cancel_reason, a.version").
		ColumnExpr("v.name AS service_name, f.name AS staff_name").
		ColumnExpr("c.name AS customer_name, c.phone, c.whatsapp, c.chat_id, c.created_at AS customer_since").
		ColumnExpr("l.name AS location_name, l.zone, l.address, l.notice, l.horizon_days, l.closure_dates, l.created_at AS location_made").
		Join("JOIN services AS v ON v.tenant_id = a.tenant_id AND v.id = a.service_id").
		Join("JOIN staff AS f ON f.tenant_id = a.tenant_id AND f.id = a.staff_id").
		Join("JOIN customers AS c ON c.tenant_id = a.tenant_id AND c.id = a.customer_id").
		Join("JOIN locations AS l ON l.tenant_id = a.tenant_id AND l.id = a.location_id")
}

// CreateAppointment implements appointments.BookingStore.
func (s *Store) CreateAppointment(ctx context.Context, tenant id.Tenant, a appointments.Appointment) error {
	return s.insert(ctx, "appointment", newAppointmentRow(tenant, &a))
}

// UpdateAppointment implements appointments.BookingStore.
func (s *Store) UpdateAppointment(ctx context.Context, tenant id.Tenant, a *appointments.Appointment) error {
	read := a.Version
	row := newAppointmentRow(tenant, a)
	row.Version++
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model(row).
		Column("status", "location_id", "staff_id", "starts_at", "ends_at", "occupied_from", "occupied_to", "notes", "cancelled_by", "cancelled_at", "cancel_reason", "version").
		Where("tenant_id = ?", tenant).Where("id = ?", a.ID).Where("version = ?", read).Exec(ctx))
	if err != nil {
		return fmt.Errorf("update appointment: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "stale_version", "somebody else has changed this appointment meanwhile")
	}
	a.Version = row.Version
	return nil
}

// FindAppointment implements appointments.BookingStore.
func (s *Store) FindAppointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (appointments.Appointment, error) {
	var r appointmentView
	err := s.appointmentViews(&r).Where("a.tenant_id = ?", tenant).Where("a.id = ?", appointment).Scan(ctx)
	if sqlkit.IsNoRows(err) {
		return appointments.Appointment{}, fault.NotFoundf("appointment")
	}
	if err != nil {
		return appointments.Appointment{}, fmt.Errorf("find appointment: %w", err)
	}
	return r.appointment(), nil
}

// LockAppointment implements appointments.BookingStore. The row alone is locked, before it is read with its neighbours.
func (s *Store) LockAppointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (appointments.Appointment, error) {
	var locked string
	err := s.h.ForUpdate(s.h.Write().NewSelect().TableExpr("appointments").Column("id").
		Where("tenant_id = ?", tenant).Where("id = ?", appointment)).Scan(ctx, &locked)
	if sqlkit.IsNoRows(err) {
		return appointments.Appointment{}, fault.NotFoundf("appointment")
	}
	if err != nil {
		return appointments.Appointment{}, fmt.Errorf("lock appointment: %w", err)
	}
	return s.FindAppointment(ctx, tenant, appointment)
}

// ListAppointments implements appointments.BookingStore.
func (s *Store) ListAppointments(ctx context.Context, tenant id.Tenant, q appointments.AppointmentQuery) ([]appointments.Appointment, error) {
	var rows []*appointmentView
	sel := s.appointmentViews(&rows).Where("a.tenant_id = ?", tenant)
	if !q.Span.From.IsZero() {
		since := sqlkit.Micros(q.Span.From.Add(-appointments.MaxDuration))
		sel = sel.Where("a.starts_at >= ?", since).Where("a.ends_at > ?", sqlkit.Micros(q.Span.From))
	}
	if !q.Span.To.IsZero() {
		sel = sel.Where("a.starts_at < ?", sqlkit.Micros(q.Span.To))
	}
	if !q.Staff.IsZero() {
		sel = sel.Where("a.staff_id = ?", q.Staff)
	}
	if !q.Location.IsZero() {
		sel = sel.Where("a.location_id = ?", q.Location)
	}
	if !q.Customer.IsZero() {
		sel = sel.Where("a.customer_id = ?", q.Customer)
	}
	if len(q.Statuses) > 0 {
		sel = sel.Where("a.status IN ?", bun.Tuple(q.Statuses))
	}
	if !q.After.ID.IsZero() {
		at := sqlkit.Micros(q.After.Start)
		sel = sel.Where("(a.starts_at > ? OR a.starts_at = ? AND a.id > ?)", at, at, q.After.ID)
	}
	if err := sel.OrderExpr("a.starts_at, a.id").Limit(int64(q.Limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list appointments: %w", err)
	}
	return collect(rows, (*appointmentView).appointment), nil
}

// LockStaff implements appointments.BookingStore. The rows come, and are locked, in the order of the primary key.
func (s *Store) LockStaff(ctx context.Context, tenant id.Tenant, staff []id.Staff) error {
	if len(staff) == 0 {
		return nil
	}
	keys := make([]string, len(staff))
	for i, m := range staff {
		keys[i] = m.String()
	}
	var locked []string
	err := s.h.ForUpdate(s.h.Write().NewSelect().TableExpr("booking_locks").Column("id").
		Where("tenant_id = ?", tenant).Where("id IN ?", bun.Tuple(keys)).Order("id")).Scan(ctx, &locked)
	if err != nil {
		return fmt.Errorf("lock staff: %w", err)
	}
	return nil
}
