package appointments

import (
	"context"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Availability lists the slots of a service that can be booked now. The range is at most MaxAvailability. A service, staff
// member or location that the business does not have is a fault (NotFound); a staff member who does not perform the service has no slots.
func (s *Service) Availability(ctx context.Context, tenant id.Tenant, q AvailabilityQuery) (Availability, error) {
	rough, err := q.span()
	if err != nil {
		return Availability{}, err
	}
	now := s.now()
	if rough.From.Before(now) {
		rough.From = now
	}
	plan, err := s.store.LoadPlan(ctx, tenant, PlanQuery{Service: q.Service, Staff: q.Staff, Location: q.Location, Starts: rough, Appointment: q.Moving, Now: now})
	if err != nil {
		return Availability{}, err
	}
	agenda, err := NewAgenda(plan, now)
	if err != nil {
		return Availability{}, err
	}
	span := Span{q.From, q.To}
	if !q.First.IsZero() {
		if span, err = plan.Location.DaySpan(q.First, q.Last); err != nil {
			return Availability{}, err
		}
	}
	return Availability{Location: plan.Location, Service: plan.Offering, Slots: agenda.Slots(span, q.Limit)}, nil
}

// span checks the range and gives the instants that it can mean in any zone.
func (q *AvailabilityQuery) span() (Span, error) {
	if q.First.IsZero() {
		switch {
		case q.From.IsZero() || q.To.IsZero():
			return Span{}, fault.BadField("from", "must be given, with to")
		case !q.From.Before(q.To):
			return Span{}, fault.BadField("to", "must be after from")
		case q.To.Sub(q.From) > MaxAvailability:
			return Span{}, fault.BadField("to", "must be at most 62 days after from")
		}
		return Span{q.From, q.To}, nil
	}
	if q.Last.Before(q.First) {
		return Span{}, fault.BadField("to", "must not be before from")
	}
	if q.Last.DaysSince(q.First) >= int(MaxAvailability/(24*time.Hour)) {
		return Span{}, fault.BadField("to", "must be at most 62 days after from")
	}
	return Span{
		when.StartOfDay(q.First, time.UTC).Add(-margin * time.Second),
		when.StartOfDay(q.Last.AddDays(1), time.UTC).Add(margin * time.Second),
	}, nil
}

// alternativesWanted is how many slots a refusal names.
const alternativesWanted = 3

// offerAlternatives adds to a refusal the slots nearest to what was asked for: with the same staff member, and when those are
// too few with anybody. It looks further and further, as far as the location takes bookings. Any other error stays as it is.
func (s *Service) offerAlternatives(ctx context.Context, tenant id.Tenant, w want, err error) error {
	refused, ok := fault.As(err)
	why, isRefusal := ReasonOf(err)
	if !ok || !isRefusal || why == NotOffered || why == DSTGap || why == DSTOverlap {
		return err
	}
	found, findErr := s.near(ctx, tenant, w)
	if findErr == nil && len(found) < alternativesWanted && !w.staff.IsZero() {
		var others []Slot
		w.staff = id.Staff{}
		others, findErr = s.near(ctx, tenant, w)
		found = fill(found, others)
	}
	if findErr != nil {
		return err // the refusal is right all the same
	}
	return refused.WithDetail(alternativesKey, found)
}

// near finds the slots nearest to the wanted start, at most alternativesWanted.
func (s *Service) near(ctx context.Context, tenant id.Tenant, w want) ([]Slot, error) {
	const farthest = (MaxHorizonDays + 2) * 24 * time.Hour
	var found []Slot
	centre := between(w.now, w.start.t, w.now.Add(farthest))
	for _, reach := range []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, farthest} {
		span := Span{centre.Add(-reach), centre.Add(reach)}
		plan, err := s.store.LoadPlan(ctx, tenant, PlanQuery{Service: w.service, Staff: w.staff, Location: w.location, Starts: span, Appointment: w.appointment, Hold: w.hold, Now: w.now})
		if err != nil {
			return nil, err
		}
		agenda, err := NewAgenda(plan, w.now)
		if err != nil {
			return nil, err
		}
		if at, err := w.start.in(agenda.loc); err == nil {
			centre = between(w.now, at, w.now.Add(farthest))
		}
		if found = nearest(agenda.Slots(span, 0), centre, alternativesWanted); len(found) >= alternativesWanted {
			break
		}
	}
	return found, nil
}

func between(least, t, most time.Time) time.Time {
	switch {
	case t.Before(least):
		return least
	case t.After(most):
		return most
	}
	return t
}

// fill adds to the found slots others at other times until there are enough, in the order of time.
func fill(found, others []Slot) []Slot {
	taken := map[int64]bool{}
	for _, slot := range found {
		taken[slot.Start.Unix()] = true
	}
	for _, slot := range others {
		if len(found) < alternativesWanted && !taken[slot.Start.Unix()] {
			found = append(found, slot)
		}
	}
	return nearest(found, time.Time{}, len(found))
}
