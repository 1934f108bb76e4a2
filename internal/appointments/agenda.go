package appointments

import (
	"cmp"
	"slices"
	"time"

	"turnero/internal/id"
)

// Agenda answers when one service can be booked with the staff of a Plan. It is pure: what it says depends on the plan and
// the instant it was made for, and on nothing else. Slots and Check follow from the same two questions, window by window
// ("is this start on the grid, and does the service fit?") and staff member by staff member ("is the occupied range free?").
type Agenda struct {
	loc      *time.Location
	location Location
	offering Offering
	now      time.Time
	earliest int64 // first start that keeps the notice, Unix seconds
	horizon  int64 // first instant past the horizon
	staff    []roster
	first    day // of the almanac
	almanac  *almanac
}

// roster is one staff member's working time.
type roster struct {
	ref      Ref[id.Staff]
	performs bool
	shifts   [7][]Shift
	breaks   [7][]Shift
	closed   []dayRange // whole dates on which no shift starts
	cuts     []cut      // closures in time
	busy     []stretch  // occupied, in order, none touching another
}

type dayRange struct{ first, last day }

// stretch is a half-open range in Unix seconds.
type stretch struct{ from, to int64 }

// cut is a stretch taken out of shifts, and why.
type cut struct {
	stretch
	why Reason
}

// window is a stretch of a shift in which work can be done, with the start of the shift, from which its grid counts.
type window struct {
	stretch
	anchor int64
	next   Reason // what ends the window
}

// NewAgenda makes the agenda of a plan as it stands at now. The plan must cover every occupied range that a start asked for
// later may meet; the error is that of a location with an unknown zone.
func NewAgenda(p Plan, now time.Time) (*Agenda, error) {
	loc, err := p.Location.zone()
	if err != nil {
		return nil, err
	}
	today := localDay(now.Unix(), loc)
	last := today + day(p.Location.Policy.HorizonDays)
	a := &Agenda{loc: loc, location: p.Location, offering: p.Offering, now: now, earliest: ceilSecond(now.Add(p.Location.Policy.Notice)),
		first: today - 2, almanac: newAlmanac(loc, today-2, last+2)}
	a.horizon = a.almanac.at(last+1, 0)
	a.staff = make([]roster, 0, len(p.Staff))
	for i := range p.Staff {
		a.staff = append(a.staff, a.newRoster(&p.Staff[i], p))
	}
	slices.SortFunc(a.staff, func(x, y roster) int { return cmp.Compare(x.ref.ID.String(), y.ref.ID.String()) })
	return a, nil
}

func (a *Agenda) newRoster(s *Staff, p Plan) roster {
	r := roster{ref: Ref[id.Staff]{ID: s.ID, Name: s.Name}, shifts: byWeekday(s.Hours), breaks: byWeekday(s.Breaks)}
	r.performs = s.Active && s.Location == p.Location.ID && slices.Contains(s.Services, p.Offering.ID)
	for i := range p.Closures {
		c := &p.Closures[i]
		if !c.concerns(s) {
			continue
		}
		switch {
		case !c.byDates():
			r.cuts = append(r.cuts, cut{stretch{c.Span.From.Unix(), ceilSecond(c.Span.To)}, InClosure})
		case p.Location.Policy.ClosureDates == CloseCalendar:
			r.cuts = append(r.cuts, cut{stretch{a.almanac.at(dayOf(c.First), 0), a.almanac.at(dayOf(c.Last)+1, 0)}, InClosure})
		default:
			r.closed = append(r.closed, dayRange{dayOf(c.First), dayOf(c.Last)})
		}
	}
	r.busy = stretches(p.Busy[s.ID])
	return r
}

// Check tells whether the service can start at the instant with the staff member, and if not, why. It says Bookable for
// exactly the starts that Slots lists.
func (a *Agenda) Check(staff id.Staff, start time.Time) Reason {
	if !a.offering.Active {
		return NotOffered
	}
	i := slices.IndexFunc(a.staff, func(r roster) bool { return r.ref.ID == staff })
	if i < 0 || !a.staff[i].performs {
		return NotPerformed
	}
	if why := a.checkLimits(start); why != Bookable {
		return why
	}
	return a.checkHours(&a.staff[i], start)
}

// checkLimits looks at what holds for all staff alike.
func (a *Agenda) checkLimits(start time.Time) Reason {
	switch {
	case start.Before(a.now):
		return Past
	case start.Unix() < a.earliest:
		return Notice
	case start.Unix() >= a.horizon:
		return Horizon
	}
	return Bookable
}

// checkHours looks for a shift in which the start can be booked. When there is none it gives the reason of the last shift that holds the start.
func (a *Agenda) checkHours(r *roster, start time.Time) Reason {
	at, today := start.Unix(), localDay(start.Unix(), a.loc)
	why := Closed
	var sc scratch
	for d := today - 2; d <= today+1; d++ {
		for _, s := range r.shifts[d.weekday()] {
			shift := stretch{a.almanac.at(d, int(s.From)), a.almanac.at(d, int(s.To))}
			if at < shift.from || at >= shift.to {
				continue
			}
			if why = a.checkShift(r, d, shift, start, &sc); why == Bookable {
				return Bookable
			}
		}
	}
	return why
}

func (a *Agenda) checkShift(r *roster, d day, shift stretch, start time.Time, sc *scratch) Reason {
	if r.isClosed(d) {
		return InClosure
	}
	at := start.Unix()
	for _, w := range a.windows(r, d, shift, sc) {
		switch {
		case at < w.from || at >= w.to:
			continue
		case (at-w.anchor)%a.step() != 0 || start.Nanosecond() != 0:
			return OffGrid
		case at+a.length() > w.to:
			return w.next
		case r.isBusy(a.occupied(at)):
			return Taken
		}
		return Bookable
	}
	for _, c := range sc.cuts {
		if at >= c.from && at < c.to {
			return c.why
		}
	}
	return Closed
}

// Slots lists every start in the span that can be booked, in the order of time, then of staff ID; at most limit of them, or all for 0.
func (a *Agenda) Slots(span Span, limit int) []Slot {
	if !a.offering.Active {
		return nil
	}
	from, to := max(ceilSecond(span.From), a.earliest, ceilSecond(a.now)), min(ceilSecond(span.To), a.horizon)
	if from >= to {
		return nil
	}
	starts := a.starts(from, to)
	if limit > 0 && len(starts) > limit {
		starts = starts[:limit]
	}
	slots := make([]Slot, len(starts))
	for i, s := range starts {
		at := time.Unix(s.at(from), 0).In(a.loc)
		slots[i] = Slot{Start: at, End: at.Add(a.offering.Duration), Staff: a.staff[s.staff()].ref}
	}
	return slots
}

// packed is a start and a staff member's place in one number, which sorts by time and then by place.
type packed uint64

func pack(seconds int64, staff int) packed { return packed(uint64(seconds)<<16 | uint64(staff)) }
func (p packed) at(from int64) int64       { return from + int64(p>>16) }
func (p packed) staff() int                { return int(p & 0xffff) }

func (a *Agenda) starts(from, to int64) []packed {
	var out []packed
	var sc scratch
	first, last := localDay(from, a.loc)-2, localDay(to, a.loc)+1
	for i := range a.staff {
		r := &a.staff[i]
		if !r.performs {
			continue
		}
		for d := first; d <= last; d++ {
			if r.isClosed(d) {
				continue
			}
			for _, s := range r.shifts[d.weekday()] {
				shift := stretch{a.almanac.at(d, int(s.From)), a.almanac.at(d, int(s.To))}
				if shift.to <= from || shift.from >= to {
					continue
				}
				for _, w := range a.windows(r, d, shift, &sc) {
					out = a.listWindow(out, r, i, w, from, to)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// listWindow adds the free starts of one window.
func (a *Agenda) listWindow(out []packed, r *roster, place int, w window, from, to int64) []packed {
	at := w.anchor
	if begin := max(w.from, from); begin > at {
		at += (begin - at + a.step() - 1) / a.step() * a.step()
	}
	busy := r.busyAfter(a.occupied(at).from)
	for ; at < to && at+a.length() <= w.to; at += a.step() {
		o := a.occupied(at)
		for len(busy) > 0 && busy[0].to <= o.from {
			busy = busy[1:]
		}
		if len(busy) == 0 || busy[0].from >= o.to {
			out = append(out, pack(at-from, place))
		}
	}
	return out
}

func (a *Agenda) step() int64   { return int64(a.offering.Step / time.Second) }
func (a *Agenda) length() int64 { return int64(a.offering.Duration / time.Second) }

// occupied is what a start would take from others: the service with its buffers.
func (a *Agenda) occupied(at int64) stretch {
	return stretch{at - int64(a.offering.Before/time.Second), at + a.length() + int64(a.offering.After/time.Second)}
}

// ceilSecond gives the first whole second that is not before t.
func ceilSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}
