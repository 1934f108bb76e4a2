package appointments

import (
	"context"
	"slices"
	"strings"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Keep says what stays of future appointments when the zone of their location changes.
type Keep string

// What a change of zone keeps.
const (
	KeepNothing Keep = ""        // not said: the change is refused while there are future appointments
	KeepWall    Keep = "wall"    // the time that clocks show: 10:00 stays 10:00, at another instant
	KeepInstant Keep = "instant" // the instant: clocks show another time
)

// UpdateLocation changes a location as change says. A new zone while there are future appointments is a conflict
// ("zone_has_appointments") unless keep says what becomes of them; each then tells an event with its new facts.
func (s *Service) UpdateLocation(ctx context.Context, tenant id.Tenant, location id.Location, keep Keep, change func(*Location)) (Location, error) {
	if !slices.Contains([]Keep{KeepNothing, KeepWall, KeepInstant}, keep) {
		return Location{}, fault.BadField("keep", "must be wall or instant")
	}
	var l Location
	err := s.store.InTx(ctx, func(tx Store) (err error) {
		if l, err = tx.FindLocation(ctx, tenant, location); err != nil {
			return err
		}
		old := l
		change(&l)
		if err = l.check(); err != nil {
			return err
		}
		if err = s.changeZone(ctx, tx, tenant, old, l, keep); err != nil {
			return err
		}
		return tx.UpdateLocation(ctx, tenant, l)
	})
	return l, err
}

func (s *Service) changeZone(ctx context.Context, tx Store, tenant id.Tenant, old, next Location, keep Keep) error {
	if old.Zone == next.Zone {
		return nil
	}
	if err := s.lockLocation(ctx, tx, tenant, old.ID); err != nil {
		return err
	}
	now := s.now()
	future, err := allAppointments(ctx, tx, tenant, AppointmentQuery{Span: Span{From: now}, Location: old.ID, Statuses: []Status{Booked, Confirmed}})
	if err != nil || len(future) == 0 {
		return err
	}
	if keep == KeepNothing {
		return fault.New(fault.Conflict, "zone_has_appointments", "there are appointments ahead: say with keep whether their wall-clock time or their instant stays").
			WithDetail("appointmentCount", len(future))
	}
	told := make([]events.Event, 0, len(future))
	for i := range future {
		a := &future[i]
		was := Span{a.Start, a.End}
		if keep == KeepWall {
			if err = a.keepWall(&old, &next); err != nil {
				return err
			}
		}
		a.Location = next
		told = append(told, &events.AppointmentRescheduled{AppointmentFacts: a.facts(tenant, "", now), OldStart: was.From, OldEnd: was.To})
	}
	if err = checkApart(future); err != nil {
		return err
	}
	for i := range future {
		if err = tx.UpdateAppointment(ctx, tenant, &future[i]); err != nil {
			return err
		}
	}
	return emitAll(ctx, tx, told)
}

// keepWall moves the appointment to the instant at which the new zone's clocks show what the old zone's show at its start.
func (a *Appointment) keepWall(old, next *Location) error {
	loc, err := next.zone()
	if err != nil {
		return err
	}
	shown := old.In(a.Start)
	start, how := when.Resolve(when.DateOf(shown), shown.Hour()*60+shown.Minute(), loc)
	if how.Clocks == when.Gap {
		return fault.New(fault.Conflict, "dst_gap", "the new zone's clocks jump over the time of an appointment: move it first").WithDetail("appointment", a.ID.String())
	}
	by := start.Add(time.Duration(shown.Second()) * time.Second).Sub(a.Start)
	a.Start, a.End = a.Start.Add(by), a.End.Add(by)
	a.Occupied = Span{a.Occupied.From.Add(by), a.Occupied.To.Add(by)}
	return nil
}

// checkApart refuses a move of many appointments after which two of one person would overlap, as clocks that go back can do.
func checkApart(all []Appointment) error {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(x, y Appointment) int {
		if c := strings.Compare(x.Staff.ID.String(), y.Staff.ID.String()); c != 0 {
			return c
		}
		return x.Occupied.From.Compare(y.Occupied.From)
	})
	for i := 1; i < len(sorted); i++ {
		x, y := &sorted[i-1], &sorted[i]
		if x.Staff.ID == y.Staff.ID && x.Occupied.overlaps(y.Occupied) {
			return fault.New(fault.Conflict, "slot_taken", "two appointments would overlap in the new zone: move one first").
				WithDetail("appointments", []string{x.ID.String(), y.ID.String()})
		}
	}
	return nil
}

// lockLocation keeps bookings at the location waiting until the transaction ends.
func (s *Service) lockLocation(ctx context.Context, tx Store, tenant id.Tenant, location id.Location) error {
	all, err := tx.ListStaff(ctx, tenant)
	if err != nil {
		return err
	}
	var there []id.Staff
	for i := range all {
		if all[i].Location == location {
			there = append(there, all[i].ID)
		}
	}
	return tx.LockStaff(ctx, tenant, inOrder(there, id.Staff{}))
}

// allAppointments reads every selected appointment, page by page.
func allAppointments(ctx context.Context, tx Store, tenant id.Tenant, q AppointmentQuery) ([]Appointment, error) {
	var all []Appointment
	for q.Limit = 500; ; {
		page, err := tx.ListAppointments(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all, nil
		}
		last := &page[len(page)-1]
		q.After = AppointmentPosition{Start: last.Start, ID: last.ID}
	}
}
