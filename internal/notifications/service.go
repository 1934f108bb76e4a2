package notifications

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Settings is what a reminder needs to know of its tenant.
type Settings struct {
	Business string
	Address  string
	Language string // "es", "en" or "pt"
	Offsets  []time.Duration
}

// Standing is what an appointment is like at the moment of sending.
type Standing struct {
	Start  time.Time
	Active bool // booked or confirmed
}

// TenantSettings gives a tenant's settings.
type TenantSettings interface {
	ReminderSettings(ctx context.Context, tenant id.Tenant) (Settings, error)
}

// Appointments tells how an appointment stands now; a fault NotFound when it does not exist.
type Appointments interface {
	Standing(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (Standing, error)
}

// Store keeps reminders.
type Store interface {
	InTx(ctx context.Context, fn func(Store) error) error
	Emit(ctx context.Context, ev events.Event) error
	Enqueue(ctx context.Context, job events.Job, at time.Time) error
	ListOfAppointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) ([]*Reminder, error) // locked until the end of the transaction
	List(ctx context.Context, tenant id.Tenant, after Position, limit int) ([]*Reminder, error)               // newest due first
	Save(ctx context.Context, r *Reminder) error                                                              // inserts or replaces
}

// Position is where a page of reminders begins: behind the reminder with this due time and ID. The zero value is the beginning.
type Position struct {
	Due time.Time
	ID  string
}

// Deps is what a Service is made of.
type Deps struct {
	Store        Store
	Settings     TenantSettings
	Appointments Appointments
	Now          func() time.Time
	Logger       *slog.Logger
}

// Service plans and hands over reminders.
type Service struct{ Deps }

// New makes the Service.
func New(d Deps) *Service { return &Service{d} }

// HandleEvent plans, re-times or drops the reminders of the appointment that the event is about. Handling an event again changes nothing.
func (s *Service) HandleEvent(ctx context.Context, _ id.Event, ev events.Event) error {
	switch e := ev.(type) {
	case *events.AppointmentBooked:
		return s.follow(ctx, e.AppointmentFacts, true, "")
	case *events.AppointmentRescheduled:
		return s.follow(ctx, e.AppointmentFacts, true, "rescheduled")
	case *events.AppointmentCancelled:
		return s.follow(ctx, e.AppointmentFacts, false, "cancelled")
	}
	return nil
}

// follow brings the reminders of an appointment in line with its facts: those of another start (or all, when it is not
// wanted any more) are dropped, and those of its start are planned unless their time has passed.
func (s *Service) follow(ctx context.Context, f events.AppointmentFacts, wanted bool, reason string) error {
	settings, err := s.Settings.ReminderSettings(ctx, f.Tenant)
	if err != nil {
		return fmt.Errorf("read reminder settings: %w", err)
	}
	now := s.Now()
	return s.Store.InTx(ctx, func(tx Store) error {
		existing, err := tx.ListOfAppointment(ctx, f.Tenant, f.Appointment)
		if err != nil {
			return err
		}
		for _, r := range existing {
			if r.AsOf.After(f.At) || wanted && r.Start.Equal(f.Start) {
				continue
			}
			if err = s.drop(ctx, tx, r, reason, f.At, now); err != nil {
				return err
			}
		}
		if !wanted || f.WhatsApp == "" && f.Phone == "" {
			return nil
		}
		for _, offset := range settings.Offsets {
			if err = s.planOne(ctx, tx, plan(f, offset, now), existing, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) drop(ctx context.Context, tx Store, r *Reminder, reason string, asOf, now time.Time) error {
	switch {
	case r.State == Queued && r.Reason == "": // it may still wait for the line to come back; the message tells whether it left before
		r.Reason, r.Updated = reason, now
		if err := tx.Enqueue(ctx, &events.WithdrawMessage{Tenant: r.Tenant, Message: r.Message, Reason: reason}, now); err != nil {
			return err
		}
	case !r.move(Dropped, reason, now):
		return nil
	}
	r.AsOf = asOf
	return tx.Save(ctx, r)
}

// planOne plans a reminder that falls due after the change which it follows. One that fell due since, while nothing was
// running here, is late but not forgotten.
func (s *Service) planOne(ctx context.Context, tx Store, r *Reminder, existing []*Reminder, now time.Time) error {
	if r.Due.Before(r.AsOf) {
		return nil
	}
	if i := slices.IndexFunc(existing, func(old *Reminder) bool { return old.ID == r.ID }); i >= 0 {
		old := existing[i]
		if !r.AsOf.After(old.AsOf) || old.State != Planned && !old.move(Planned, "", now) {
			return nil
		}
		old.takeFacts(r)
		r = old
	}
	if err := tx.Save(ctx, r); err != nil {
		return err
	}
	return tx.Enqueue(ctx, &RemindJob{Tenant: r.Tenant, Appointment: r.Appointment, Reminder: r.ID, Due: r.Due}, r.Due)
}

// HandleRemind looks at a reminder that has fallen due and hands its message over, unless the appointment is not what it
// was when the reminder was planned, or another reminder of it is due as well and nearer to it: who was not reminded in
// time, because nothing was running here, need not hear it twice.
func (s *Service) HandleRemind(ctx context.Context, job *RemindJob) error {
	settings, err := s.Settings.ReminderSettings(ctx, job.Tenant)
	if err != nil {
		return fmt.Errorf("read reminder settings: %w", err)
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		all, err := tx.ListOfAppointment(ctx, job.Tenant, job.Appointment)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(r *Reminder) bool { return r.ID == job.Reminder })
		if i < 0 || all[i].State != Planned || !all[i].Due.Equal(job.Due) {
			return nil
		}
		r := all[i]
		standing, err := s.Appointments.Standing(ctx, job.Tenant, r.Appointment)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("look at the appointment: %w", err)
		}
		now := s.Now()
		switch {
		case err != nil || !standing.Active || !standing.Start.Equal(r.Start):
			r.move(Dropped, "not_current", now)
		case !now.Before(r.Start):
			r.move(Skipped, "too_late", now)
		case slices.ContainsFunc(all, func(other *Reminder) bool { return other.replaces(r, now) }):
			r.move(Skipped, "another_is_due", now)
		default:
			r.move(Queued, "", now)
			if err = s.handOver(ctx, tx, r, settings, now); err != nil {
				return err
			}
		}
		return tx.Save(ctx, r)
	})
}

func (s *Service) handOver(ctx context.Context, tx Store, r *Reminder, settings Settings, now time.Time) error {
	send := &events.SendMessage{Tenant: r.Tenant, Chat: r.Chat, To: r.Recipient, Message: r.Message, WAID: r.WAID,
		Text: reminderText(r, settings, now), Origin: "reminder", NotAfter: r.Start}
	if err := tx.Enqueue(ctx, send, now); err != nil {
		return err
	}
	return tx.Emit(ctx, &events.AppointmentReminded{Tenant: r.Tenant, Appointment: r.Appointment, Notification: r.ID, Channel: r.Channel,
		Start: r.Start, Chat: r.Chat, Message: r.Message, At: now})
}

// List gives a page of a tenant's reminders, those due last first, and the position behind it (nil on the last page).
func (s *Service) List(ctx context.Context, tenant id.Tenant, after Position, limit int) ([]*Reminder, *Position, error) {
	items, err := s.Store.List(ctx, tenant, after, limit+1)
	if err != nil || len(items) <= limit {
		return items, nil, err
	}
	items = items[:limit]
	last := items[limit-1]
	return items, &Position{Due: last.Due, ID: last.ID.String()}, nil
}
