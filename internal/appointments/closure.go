package appointments

import (
	"context"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Closure is a time in which a location, or one staff member of it, takes no appointments. Those already booked stay.
// It spans either whole dates of the location (First to Last, both included) or a range of instants.
type Closure struct {
	ID          id.Closure
	Location    id.Location
	Staff       id.Staff  // zero = everybody at the location
	First, Last when.Date // zero when Span is given
	Span        Span      // zero when dates are given
	Reason      string    // for the staff: "feriado"
	CreatedAt   time.Time
}

// byDates reports whether the closure spans whole dates.
func (c *Closure) byDates() bool { return !c.First.IsZero() }

// concerns reports whether the closure closes the staff member, or the location where the person works.
func (c *Closure) concerns(s *Staff) bool {
	if !c.Staff.IsZero() {
		return c.Staff == s.ID
	}
	return c.Location == s.Location
}

// check trims what people typed and returns every rule that the closure breaks.
func (c *Closure) check() error {
	var f findings
	c.Reason = f.text("reason", c.Reason, maxName)
	switch {
	case c.byDates() && !c.Span.From.IsZero():
		f.add(true, "from", "must not be given together with firstDate")
	case c.byDates():
		f.add(!c.Last.IsZero() && c.Last.Before(c.First), "lastDate", "must not be before firstDate")
		if c.Last.IsZero() {
			c.Last = c.First
		}
		f.add(c.Last.DaysSince(c.First) > maxClosureDays, "lastDate", "must be at most 3 years after firstDate")
	case c.Span.From.IsZero() || c.Span.To.IsZero():
		f.add(true, "from", "must be given with to, or firstDate instead of both")
	default:
		f.add(!c.Span.From.Before(c.Span.To), "from", "must be before to")
		f.add(c.Span.To.Sub(c.Span.From) > maxClosureDays*24*time.Hour, "to", "must be at most 3 years after from")
	}
	return f.err()
}

const maxClosureDays = 3 * 366

// Closures lists what is closed, the first one made first.
func (s *Service) Closures(ctx context.Context, tenant id.Tenant) ([]Closure, error) {
	return s.store.ListClosures(ctx, tenant)
}

// CreateClosure closes a location, or one staff member (whose location it then is), for a time. A zero location is the
// first one. No appointment is ever cancelled by it: when some lie in that time the closure is a conflict
// ("closure_has_appointments") that lists them, unless keepAppointments says that they stay; they are then returned, to be dealt with.
func (s *Service) CreateClosure(ctx context.Context, tenant id.Tenant, key Idempotency, c Closure, keepAppointments bool) (Closure, []Appointment, error) {
	if err := c.check(); err != nil {
		return Closure{}, nil, err
	}
	first, err := s.firstPlace(ctx, tenant)
	if err != nil {
		return Closure{}, nil, err
	}
	if c.Location.IsZero() && c.Staff.IsZero() {
		c.Location = first.ID
	}
	c.ID, c.CreatedAt = id.NewClosure(), s.now()
	var met []Appointment
	err = s.once(ctx, tenant, "create-closure", key, c.ID, func(tx Store) (err error) {
		all, err := tx.ListClosures(ctx, tenant)
		if err == nil {
			err = checkRoom("closures", len(all))
		}
		if err == nil {
			err = first.settle(ctx, tx, tenant)
		}
		if err != nil {
			return err
		}
		if met, err = s.meets(ctx, tx, tenant, &c); err != nil {
			return err
		}
		if len(met) > 0 && !keepAppointments {
			return fault.New(fault.Conflict, "closure_has_appointments", "there are appointments in this time: they stay if you say keepAppointments").
				WithDetail("appointments", met)
		}
		return tx.CreateClosure(ctx, tenant, c)
	}, func(tx Store, before string) (err error) {
		if c, err = earlier(ctx, tenant, before, id.ParseClosure, tx.FindClosure); err != nil {
			return err
		}
		met, err = s.meets(ctx, tx, tenant, &c)
		return err
	})
	if err != nil {
		return Closure{}, nil, err
	}
	return c, met, nil
}

// meets settles where the closure is, keeps bookings there waiting, and lists the open appointments in its time.
func (s *Service) meets(ctx context.Context, tx Store, tenant id.Tenant, c *Closure) ([]Appointment, error) {
	if !c.Staff.IsZero() {
		m, err := tx.FindStaff(ctx, tenant, c.Staff)
		if err != nil {
			return nil, err
		}
		if !c.Location.IsZero() && c.Location != m.Location {
			return nil, fault.BadField("location", "must be where the staff member works")
		}
		c.Location = m.Location
	}
	l, err := tx.FindLocation(ctx, tenant, c.Location)
	if err != nil {
		return nil, err
	}
	if err = s.lockLocation(ctx, tx, tenant, l.ID); err != nil {
		return nil, err
	}
	span := c.Span
	if c.byDates() {
		if span, err = l.DaySpan(c.First, c.Last); err != nil {
			return nil, err
		}
	}
	return allAppointments(ctx, tx, tenant, AppointmentQuery{Span: span, Location: l.ID, Staff: c.Staff, Statuses: []Status{Booked, Confirmed}})
}

// DeleteClosure opens again what a closure closed.
func (s *Service) DeleteClosure(ctx context.Context, tenant id.Tenant, closure id.Closure) error {
	return s.store.DeleteClosure(ctx, tenant, closure)
}
