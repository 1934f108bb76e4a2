package appointments

import (
	"context"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Reschedule moves an open appointment to another time or staff member, or changes its notes. Its own time does not stand in
// its way. A time that cannot be booked is refused as Book refuses it, and the appointment stays as it was.
func (s *Service) Reschedule(ctx context.Context, tenant id.Tenant, appointment id.Appointment, cmd RescheduleCommand) (Appointment, error) {
	if cmd.Notes != nil {
		var f findings
		notes := f.text("notes", *cmd.Notes, maxNotes)
		if err := f.err(); err != nil {
			return Appointment{}, err
		}
		cmd.Notes = &notes
	}
	var a Appointment
	w := want{now: s.now()}
	err := s.store.InTx(ctx, func(tx Store) (err error) {
		if a, err = tx.FindAppointment(ctx, tenant, appointment); err != nil {
			return err
		}
		if err = cmd.allowed(&a); err != nil {
			return err
		}
		if cmd.Start == nil && cmd.Staff == nil {
			return s.note(ctx, tx, tenant, &a, cmd)
		}
		w = cmd.wanted(&a, w)
		return s.move(ctx, tx, tenant, &a, cmd, w)
	})
	if err != nil {
		return Appointment{}, s.offerAlternatives(ctx, tenant, w, err)
	}
	return a, nil
}

// allowed reports whether the appointment, as it stands, can be changed by the command.
func (cmd *RescheduleCommand) allowed(a *Appointment) error {
	if cmd.Version != 0 && cmd.Version != a.Version {
		return fault.New(fault.Conflict, "stale_version", "somebody else has changed this appointment meanwhile").WithDetail("version", a.Version)
	}
	if (cmd.Start != nil || cmd.Staff != nil) && !a.isOpen() {
		return fault.New(fault.Conflict, "status_not_allowed", "an appointment that is "+string(a.Status)+" cannot be moved").WithDetail("appointmentStatus", string(a.Status))
	}
	return nil
}

func (cmd *RescheduleCommand) wanted(a *Appointment, w want) want {
	w.service, w.staff, w.start = a.Service.ID, a.Staff.ID, At(a.Start)
	w.appointment, w.also = a.ID, a.Staff.ID
	if cmd.Start != nil {
		w.start = *cmd.Start
	}
	if cmd.Staff != nil {
		w.staff = *cmd.Staff
	}
	return w
}

func (s *Service) move(ctx context.Context, tx Store, tenant id.Tenant, a *Appointment, cmd RescheduleCommand, w want) error {
	g, err := s.take(ctx, tx, tenant, w)
	if err != nil {
		return err
	}
	read := a.Version
	if *a, err = tx.LockAppointment(ctx, tenant, a.ID); err != nil {
		return err
	}
	if a.Version != read { // it was changed while this waited for its turn
		return fault.New(fault.Conflict, "stale_version", "somebody else has changed this appointment meanwhile").WithDetail("version", a.Version)
	}
	old := Span{a.Start, a.End}
	isMoved := !g.Start.Equal(a.Start) || !g.End.Equal(a.End) || g.Staff.ID != a.Staff.ID
	a.Start, a.End, a.Occupied, a.Staff, a.Location = g.Start, g.End, g.occupied, g.Staff, g.location
	if cmd.Notes != nil {
		a.Notes = *cmd.Notes
	}
	if err = tx.UpdateAppointment(ctx, tenant, a); err != nil || !isMoved {
		return err
	}
	return tx.Emit(ctx, &events.AppointmentRescheduled{AppointmentFacts: a.facts(tenant, cmd.By, w.now), OldStart: old.From, OldEnd: old.To})
}

// note changes the notes alone.
func (s *Service) note(ctx context.Context, tx Store, tenant id.Tenant, a *Appointment, cmd RescheduleCommand) (err error) {
	if cmd.Notes == nil {
		return nil
	}
	if *a, err = tx.LockAppointment(ctx, tenant, a.ID); err != nil {
		return err
	}
	if err = cmd.allowed(a); err != nil {
		return err
	}
	a.Notes = *cmd.Notes
	return tx.UpdateAppointment(ctx, tenant, a)
}
