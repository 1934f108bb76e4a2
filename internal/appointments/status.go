package appointments

import (
	"context"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Cancel takes an appointment back and frees its time. Cancelling again changes nothing and tells nobody: the first actor and
// reason stay.
func (s *Service) Cancel(ctx context.Context, tenant id.Tenant, appointment id.Appointment, by, reason string) (Appointment, error) {
	var f findings
	reason = f.text("reason", reason, 500)
	if err := f.err(); err != nil {
		return Appointment{}, err
	}
	now := s.now()
	return s.advance(ctx, tenant, appointment, Cancelled, nil, func(a *Appointment) events.Event {
		a.Cancelled = Cancellation{By: by, At: now, Reason: reason}
		return &events.AppointmentCancelled{AppointmentFacts: a.facts(tenant, by, now), Reason: reason}
	})
}

// Confirm notes that an appointment holds; again changes nothing.
func (s *Service) Confirm(ctx context.Context, tenant id.Tenant, appointment id.Appointment, by string) (Appointment, error) {
	return s.settle(ctx, tenant, appointment, Confirmed, by, nil)
}

// Complete notes that an appointment took place; again changes nothing.
func (s *Service) Complete(ctx context.Context, tenant id.Tenant, appointment id.Appointment, by string) (Appointment, error) {
	return s.settle(ctx, tenant, appointment, Completed, by, nil)
}

// MarkNoShow notes that the customer did not come; again changes nothing. Before the start nobody can know: that is a conflict
// ("not_started").
func (s *Service) MarkNoShow(ctx context.Context, tenant id.Tenant, appointment id.Appointment, by string) (Appointment, error) {
	return s.settle(ctx, tenant, appointment, NoShow, by, func(a *Appointment) error {
		if a.isOpen() && s.now().Before(a.Start) {
			return fault.New(fault.Conflict, "not_started", "an appointment that has not begun cannot have been missed")
		}
		return nil
	})
}

func (s *Service) settle(ctx context.Context, tenant id.Tenant, appointment id.Appointment, to Status, by string, check func(*Appointment) error) (Appointment, error) {
	now := s.now()
	return s.advance(ctx, tenant, appointment, to, check, func(a *Appointment) events.Event {
		return &events.AppointmentStatusChanged{AppointmentFacts: a.facts(tenant, by, now), Status: string(to)}
	})
}

// advance moves an appointment to a status and tells the event of it, unless it stands there already. check (nil for none) may refuse.
func (s *Service) advance(ctx context.Context, tenant id.Tenant, appointment id.Appointment, to Status, check func(*Appointment) error, tell func(*Appointment) events.Event) (Appointment, error) {
	var a Appointment
	err := s.store.InTx(ctx, func(tx Store) (err error) {
		if a, err = tx.LockAppointment(ctx, tenant, appointment); err != nil {
			return err
		}
		if check != nil {
			if err = check(&a); err != nil {
				return err
			}
		}
		moved, err := a.move(to)
		if err != nil || !moved {
			return err
		}
		ev := tell(&a)
		if err = tx.UpdateAppointment(ctx, tenant, &a); err != nil {
			return err
		}
		return tx.Emit(ctx, ev)
	})
	return a, err
}

// Appointment gives one appointment.
func (s *Service) Appointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (Appointment, error) {
	return s.store.FindAppointment(ctx, tenant, appointment)
}

// Appointments lists the selected appointments in the order of start and ID.
func (s *Service) Appointments(ctx context.Context, tenant id.Tenant, q AppointmentQuery) ([]Appointment, error) {
	return s.store.ListAppointments(ctx, tenant, q)
}

// Upcoming lists the open appointments of a person (by ID, WhatsApp ID or phone) that have not ended, the next one first, at most limit.
func (s *Service) Upcoming(ctx context.Context, tenant id.Tenant, ref CustomerRef, limit int) ([]Appointment, error) {
	customer := ref.ID
	if customer.IsZero() {
		known, found, err := s.matchCustomer(ctx, s.store, tenant, ref)
		if err != nil || !found {
			return nil, err
		}
		customer = known.ID
	}
	return s.store.ListAppointments(ctx, tenant, AppointmentQuery{Span: Span{From: s.now()}, Customer: customer, Statuses: []Status{Booked, Confirmed}, Limit: limit})
}
