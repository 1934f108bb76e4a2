package appointments

import (
	"context"
	"slices"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// want is a time that somebody wants for a service, be it for an appointment, a hold or a new time of an appointment.
type want struct {
	service     id.Service
	staff       id.Staff // zero = anybody who is free
	location    id.Location
	start       Moment
	appointment id.Appointment // its own time does not stand in its way
	hold        id.Hold        // nor does that of its hold
	also        id.Staff       // another row to lock: the staff member from whom the appointment is moved
	now         time.Time
}

// grant is a time that is the caller's to write down: nobody else can take it before the transaction ends.
type grant struct {
	Slot     // in UTC
	occupied Span
	location Location
	offering Offering
}

// take settles who gets the wanted time. It asks the agenda, locks the rows of those who could take it, and asks the agenda
// again of what is stored then; so two that overlap are never both granted. A refusal leaves nothing behind.
func (s *Service) take(ctx context.Context, tx Store, tenant id.Tenant, w want) (grant, error) {
	agenda, err := s.agendaAround(ctx, tx, tenant, w)
	if err != nil {
		return grant{}, err
	}
	start, err := w.start.in(agenda.loc)
	if err != nil {
		return grant{}, err
	}
	staff := agenda.free(start)
	if len(staff) == 0 {
		_, why := agenda.Choose(start)
		return grant{}, refusal(why)
	}
	if err = tx.LockStaff(ctx, tenant, inOrder(staff, w.also)); err != nil {
		return grant{}, err
	}
	if agenda, err = s.agendaAround(ctx, tx, tenant, w); err != nil {
		return grant{}, err
	}
	agenda.keepOnly(staff)
	chosen, why := agenda.Choose(start)
	if why != Bookable {
		return grant{}, refusal(why)
	}
	occupied := agenda.occupied(start.Unix())
	return grant{
		Slot:     Slot{Start: start.UTC(), End: start.UTC().Add(agenda.offering.Duration), Staff: chosen},
		occupied: Span{time.Unix(occupied.from, 0).UTC(), time.Unix(occupied.to, 0).UTC()},
		location: agenda.location, offering: agenda.offering,
	}, nil
}

// agendaAround loads the agenda of about a day to both sides of the wanted start: enough for its date, whatever the zone.
func (s *Service) agendaAround(ctx context.Context, tx Store, tenant id.Tenant, w want) (*Agenda, error) {
	const around = 2 * 24 * time.Hour
	plan, err := tx.LoadPlan(ctx, tenant, PlanQuery{Service: w.service, Staff: w.staff, Location: w.location,
		Starts: Span{w.start.t.Add(-around), w.start.t.Add(around)}, Appointment: w.appointment, Hold: w.hold, Now: w.now})
	if err != nil {
		return nil, err
	}
	return NewAgenda(plan, w.now)
}

// keepOnly leaves out of the agenda all but the given people.
func (a *Agenda) keepOnly(staff []id.Staff) {
	a.staff = slices.DeleteFunc(a.staff, func(r roster) bool { return !slices.Contains(staff, r.ref.ID) })
}

// inOrder gives the people and one more, if any, each once, in the order of IDs: the order in which everybody locks.
func inOrder(staff []id.Staff, also id.Staff) []id.Staff {
	all := slices.Clone(staff)
	if !also.IsZero() {
		all = append(all, also)
	}
	slices.SortFunc(all, func(x, y id.Staff) int { return strings.Compare(x.String(), y.String()) })
	return slices.Compact(all)
}

// checkWanted looks at what every request for a time must name.
func checkWanted(service id.Service, start Moment) error {
	var f findings
	f.add(service.IsZero(), "service", "must be given")
	f.add(start.IsZero(), "start", "must be given")
	return fault.BadFields(f...)
}
