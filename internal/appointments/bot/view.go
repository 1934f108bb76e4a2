package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// view shows a Step the appointments as they stand in the transaction. Questions that the step asks may fail; the first
// error is kept, and what the step then decided is void.
type view struct {
	ctx    context.Context
	svc    *appointments.Service
	tenant id.Tenant
	own    []appointments.Appointment
	err    error
}

// maxOwn bounds the appointments of a customer that the bot looks at.
const maxOwn = 50

// person tells who writes. A number that cannot be read is left out: the WhatsApp ID says who it is.
func (a *answer) person() appointments.CustomerRef {
	ref := appointments.CustomerRef{Name: readableName(a.last.Name), WhatsApp: a.last.WhatsApp, Chat: a.c.Chat}
	phone := a.last.Phone
	if phone != "" && !strings.HasPrefix(phone, "+") {
		phone = "+" + phone
	}
	if e164, err := a.Phones.Parse(phone, ""); phone != "" && err == nil {
		ref.Phone = e164
	}
	return ref
}

// readableName makes of what people call themselves on WhatsApp a name that can be stored and shown.
func readableName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, " "))
	return clip(oneLine(name), 100)
}

// look makes the World of a step.
func (v *view) look(a *answer, person appointments.CustomerRef) (*World, error) {
	w := &World{Now: a.now, Zone: time.UTC, Business: a.settings.Business, Address: a.settings.Address, Language: a.settings.Language, Name: person.Name,
		Slots: v.slots}
	locations, err := v.svc.Locations(v.ctx, v.tenant)
	if err != nil {
		return nil, fmt.Errorf("look at the location: %w", err)
	}
	if len(locations) > 0 {
		w.Zone = locations[0].In(a.now).Location()
		if locations[0].Address != "" {
			w.Address = locations[0].Address
		}
	}
	if err = v.lookAtOffer(w); err != nil {
		return nil, err
	}
	if v.own, err = v.svc.Upcoming(v.ctx, v.tenant, person, maxOwn); err != nil {
		return nil, fmt.Errorf("look at the customer's appointments: %w", err)
	}
	v.own = slices.DeleteFunc(v.own, func(own appointments.Appointment) bool { return !own.Start.After(a.now) })
	ids := make([]id.Appointment, 0, len(v.own))
	for i := range v.own {
		w.Appointments = append(w.Appointments, bookingOf(&v.own[i]))
		ids = append(ids, v.own[i].ID)
	}
	if w.Reminded, err = a.tx.LastReminder(v.ctx, v.tenant, ids, a.now.Add(-reminderLife)); err != nil {
		return nil, fmt.Errorf("look at the reminders: %w", err)
	}
	return w, nil
}

// lookAtOffer fills in what can be booked, with whom, and when the business receives.
func (v *view) lookAtOffer(w *World) error {
	offerings, err := v.svc.Offerings(v.ctx, v.tenant)
	if err != nil {
		return fmt.Errorf("look at the services: %w", err)
	}
	staff, err := v.svc.StaffMembers(v.ctx, v.tenant)
	if err != nil {
		return fmt.Errorf("look at the staff: %w", err)
	}
	staff = slices.DeleteFunc(staff, func(m appointments.Staff) bool { return !m.Active })
	for i := range offerings {
		o := &offerings[i]
		performed := slices.ContainsFunc(staff, func(m appointments.Staff) bool { return slices.Contains(m.Services, o.ID) })
		if o.Active && performed {
			w.Services = append(w.Services, Offering{ID: o.ID, Name: o.Name, Duration: o.Duration, Price: o.Price})
		}
	}
	for i := range staff {
		w.Staff = append(w.Staff, Person{staff[i].ID, staff[i].Name})
	}
	w.Open = func(d when.Date) []when.Span { return openOn(staff, d) }
	return nil
}

// openOn gives the time of the date in which at least one of the staff has a shift.
func openOn(staff []appointments.Staff, d when.Date) []when.Span {
	var spans []when.Span
	for i := range staff {
		for _, shift := range staff[i].Hours {
			if shift.Day == d.Weekday() {
				spans = append(spans, when.Span{From: int(shift.From), To: int(shift.To)})
			}
		}
	}
	slices.SortFunc(spans, func(x, y when.Span) int { return x.From - y.From })
	var out []when.Span
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.From <= out[last].To {
			out[last].To = max(out[last].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// slots answers the step's question for free times. Ranges longer than one query may have are asked for in parts.
func (v *view) slots(q SlotQuery) []Slot {
	var out []Slot
	for from := q.From; from.Before(q.To) && v.err == nil; from = from.Add(appointments.MaxAvailability) {
		to := from.Add(appointments.MaxAvailability)
		if to.After(q.To) {
			to = q.To
		}
		found, err := v.svc.Availability(v.ctx, v.tenant, appointments.AvailabilityQuery{Service: q.Service, Staff: q.Staff, From: from, To: to, Moving: q.Moving})
		if fault.Is(err, fault.NotFound) { // the service or the staff member is gone
			return nil
		}
		if err != nil {
			v.err = fmt.Errorf("look for free times: %w", err)
			return nil
		}
		for _, s := range found.Slots {
			out = append(out, Slot{Start: s.Start, Staff: Person{s.Staff.ID, s.Staff.Name}})
		}
	}
	return out
}

func bookingOf(a *appointments.Appointment) Booking {
	return Booking{ID: a.ID, Start: a.Start, Staff: Person{a.Staff.ID, a.Staff.Name},
		Service: Offering{ID: a.Service.ID, Name: a.Service.Name, Duration: a.End.Sub(a.Start), Price: a.Price}}
}

// act carries out an action. What the business's rules refuse is an outcome; any other failure is an error, which undoes everything.
func (a *answer) act(ctx context.Context, v *view, person appointments.CustomerRef, do Action) (Outcome, error) {
	var made appointments.Appointment
	var err error
	if do.Kind != DoBook {
		i := slices.IndexFunc(v.own, func(own appointments.Appointment) bool { return own.ID == do.Appointment })
		if i < 0 { // not this customer's, or not any more
			return Outcome{Action: do, Result: Gone}, nil
		}
		made = v.own[i]
	}
	by := made.Customer.ID.String()
	switch do.Kind {
	case DoBook:
		made, err = v.svc.Book(ctx, a.tenant, appointments.BookCommand{Service: do.Service, Staff: do.Staff, Start: appointments.At(do.Start), Customer: person, Origin: appointments.OriginBot})
	case DoMove:
		start := appointments.At(do.Start)
		cmd := appointments.RescheduleCommand{Start: &start, By: by}
		if !do.Staff.IsZero() {
			cmd.Staff = &do.Staff
		}
		made, err = v.svc.Reschedule(ctx, a.tenant, do.Appointment, cmd)
	case DoCancel:
		made, err = v.svc.Cancel(ctx, a.tenant, do.Appointment, by, "cancelled_by_customer")
	case DoConfirm:
		made, err = v.svc.Confirm(ctx, a.tenant, do.Appointment, by)
	}
	if err == nil {
		return Outcome{Action: do, Result: Done, Booking: bookingOf(&made)}, nil
	}
	if result, ok := resultOf(err); ok {
		return Outcome{Action: do, Result: result}, nil
	}
	return Outcome{}, fmt.Errorf("%s for the customer: %w", do.Kind, err)
}

// resultOf tells which refusals the customer hears of.
func resultOf(err error) (Result, bool) {
	switch why, isRefusal := appointments.ReasonOf(err); {
	case isRefusal && why == appointments.NotOffered:
		return Gone, true
	case isRefusal:
		return NotFree, true
	}
	switch fault.CodeOf(err) {
	case fault.NotFound:
		return Gone, true
	case fault.Conflict:
		return Refused, fault.HasReason(err, "status_not_allowed") // others pass when tried again
	}
	return "", false
}
