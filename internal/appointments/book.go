package appointments

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Book makes an appointment. A time that cannot be booked is a refusal (see ReasonOf): a conflict "slot_taken" when somebody
// has it, each with the nearest slots (see Alternatives). The same key and body give the same appointment again.
func (s *Service) Book(ctx context.Context, tenant id.Tenant, cmd BookCommand) (Appointment, error) {
	who, err := s.readCustomer(ctx, tenant, cmd.Customer)
	if err != nil {
		return Appointment{}, err
	}
	var f findings
	cmd.Notes = f.text("notes", cmd.Notes, maxNotes)
	if err = f.err(); err != nil {
		return Appointment{}, err
	}
	var a Appointment
	w := want{now: s.now()}
	made := id.NewAppointment()
	err = s.once(ctx, tenant, "book-appointment", cmd.Key, made, func(tx Store) (err error) {
		if w, err = s.wanted(ctx, tx, tenant, cmd, w.now); err != nil {
			return err
		}
		a, err = s.book(ctx, tx, tenant, cmd, who, w, made)
		return err
	}, func(tx Store, before string) (err error) {
		a, err = earlier(ctx, tenant, before, id.ParseAppointment, tx.FindAppointment)
		return err
	})
	if err != nil {
		return Appointment{}, s.offerAlternatives(ctx, tenant, w, err)
	}
	return a, nil
}

// wanted gives the time that the command asks for; what it leaves out its hold says.
func (s *Service) wanted(ctx context.Context, tx Store, tenant id.Tenant, cmd BookCommand, now time.Time) (want, error) {
	w := want{service: cmd.Service, staff: cmd.Staff, location: cmd.Location, start: cmd.Start, now: now}
	if !cmd.Hold.IsZero() {
		h, err := tx.FindHold(ctx, tenant, cmd.Hold)
		switch {
		case err == nil:
			w.hold = h.ID
			w.fillFrom(h)
		case !fault.Is(err, fault.NotFound) || w.service.IsZero() || w.start.IsZero():
			return w, err
		}
	}
	return w, checkWanted(w.service, w.start)
}

func (w *want) fillFrom(h Hold) {
	if w.service.IsZero() {
		w.service = h.Service
	}
	if w.start.IsZero() {
		w.start = At(h.Start)
		if w.staff.IsZero() {
			w.staff = h.Staff.ID
		}
	}
	if w.location.IsZero() && w.staff == h.Staff.ID {
		w.location = h.Location.ID
	}
}

func (s *Service) book(ctx context.Context, tx Store, tenant id.Tenant, cmd BookCommand, who person, w want, made id.Appointment) (Appointment, error) {
	g, err := s.take(ctx, tx, tenant, w)
	if err != nil {
		return Appointment{}, err
	}
	customer, err := s.customerFor(ctx, tx, tenant, who, w.now)
	if err != nil {
		return Appointment{}, err
	}
	a := Appointment{ID: made, Status: Booked, Start: g.Start, End: g.End, Occupied: g.occupied,
		Service: Ref[id.Service]{ID: g.offering.ID, Name: g.offering.Name}, Staff: g.Staff, Customer: customer, Location: g.location,
		Price: g.offering.Price, Origin: cmd.Origin, Notes: cmd.Notes, BookedBy: cmd.By, BookedAt: w.now, Version: 1}
	if a.BookedBy == "" {
		a.BookedBy = customer.ID.String()
	}
	if err = tx.CreateAppointment(ctx, tenant, a); err != nil {
		return Appointment{}, err
	}
	if !w.hold.IsZero() {
		if _, err = tx.DeleteHold(ctx, tenant, w.hold); err != nil {
			return Appointment{}, err
		}
	}
	return a, tx.Emit(ctx, &events.AppointmentBooked{AppointmentFacts: a.facts(tenant, a.BookedBy, w.now)})
}
