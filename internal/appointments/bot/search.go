package bot

import (
	"cmp"
	"slices"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

const (
	offered  = 3  // times in a first offer
	moreAt   = 6  // times when more are asked for
	maxShown = 60 // times remembered as shown
)

// reach is how far ahead times are looked for, step by step: most people are served by the first days.
var reach = []int{4, 15, 62}

// slots lists the free starts in [from, to), each once. Of several people who are free at a start it keeps the one who has the appointment now.
func (t *turn) slots(from, to time.Time) []Slot {
	if from.Before(t.w.Now) {
		from = t.w.Now
	}
	if !from.Before(to) {
		return nil
	}
	q := SlotQuery{Service: t.s.Service, Staff: t.s.Wish.Staff, From: from, To: to}
	var keeper id.Staff
	if b, ok := t.w.appointment(t.s.Target); ok && t.s.Task == Reschedule {
		q.Service, q.Moving, keeper = b.Service.ID, b.ID, b.Staff.ID
	}
	all := t.w.Slots(q)
	out := make([]Slot, 0, len(all))
	for _, s := range all {
		switch last := len(out) - 1; {
		case last < 0 || !out[last].Start.Equal(s.Start):
			out = append(out, s)
		case s.Staff.ID == keeper:
			out[last] = s
		}
	}
	return out
}

// search lists the free starts that the wish admits: all of the dates it names, or those of the next days that have any.
func (t *turn) search() []Slot {
	m := when.Meaning{Kind: when.Wish, Options: t.s.Wish.Options, Not: t.s.Wish.Not}
	first := when.DateOf(t.w.Now.In(t.w.Zone))
	if len(m.Options) == 1 && m.Options[0].From.After(first) {
		first = m.Options[0].From
	}
	from := when.StartOfDay(first, t.w.Zone)
	if len(m.Options) == 1 && !m.Options[0].To.IsZero() {
		last := m.Options[0].To
		if limit := first.AddDays(reach[len(reach)-1]); last.After(limit) {
			last = limit
		}
		return t.admitted(m, from, when.StartOfDay(last.AddDays(1), t.w.Zone))
	}
	var out []Slot
	for _, days := range reach {
		to := when.StartOfDay(first.AddDays(days), t.w.Zone)
		out = append(out, t.admitted(m, from, to)...)
		if len(out) >= offered {
			break
		}
		from = to
	}
	return out
}

func (t *turn) admitted(m when.Meaning, from, to time.Time) []Slot {
	return slices.DeleteFunc(t.slots(from, to), func(s Slot) bool { return !m.Admits(t.local(s.Start)) })
}

// nearest gives the three free starts nearest to the instant, in the order of time: to the minute, or with some room
// between them when the wish was for a stretch of time and not for an instant.
func (t *turn) nearest(at time.Time, roomy bool) []Slot {
	if at.Before(t.w.Now) {
		at = t.w.Now
	}
	return t.nearestOf(at, func(slots []Slot) []Slot {
		if roomy {
			return thin(slots, at)
		}
		return slots
	})
}

// nearestOf gives the three nearest of the free starts that suit.
func (t *turn) nearestOf(at time.Time, suiting func([]Slot) []Slot) []Slot {
	choose := func(slots []Slot) []Slot { return closest(suiting(slots), at, offered) }
	for _, days := range reach {
		span := time.Duration(days) * 12 * time.Hour
		if found := choose(t.slots(at.Add(-span), at.Add(span))); len(found) >= offered {
			return found
		}
	}
	last := reach[len(reach)-1]
	return choose(t.slots(t.w.Now, t.w.Now.AddDate(0, 0, last)))
}

// thin leaves of the slots those that lie an hour or more from each nearer one, and no more than two of each stretch of twelve hours.
func thin(slots []Slot, at time.Time) []Slot {
	var out []Slot
	for _, s := range closest(slots, at, len(slots)) {
		near := 0
		for _, kept := range out {
			switch gap := kept.Start.Sub(s.Start).Abs(); {
			case gap < time.Hour:
				near = offered
			case gap < 12*time.Hour:
				near++
			}
		}
		if near < 2 {
			out = append(out, s)
		}
	}
	return out
}

// closest picks the n slots that lie nearest to the instant, and gives them in the order of time.
func closest(slots []Slot, at time.Time, n int) []Slot {
	out := slices.Clone(slots)
	slices.SortStableFunc(out, func(a, b Slot) int { return cmp.Compare(a.Start.Sub(at).Abs(), b.Start.Sub(at).Abs()) })
	out = out[:min(n, len(out))]
	slices.SortFunc(out, func(a, b Slot) int { return a.Start.Compare(b.Start) })
	return out
}

// anchor is the instant around which a wish that cannot be met is answered.
func (t *turn) anchor(o when.Option) time.Time {
	date := o.From
	if date.IsZero() {
		date = when.DateOf(t.w.Now.In(t.w.Zone))
	}
	minute := 12 * 60
	switch o.Hours.Shape {
	case when.At, when.NotBefore:
		minute = o.Hours.From
	case when.NotAfter:
		minute = o.Hours.To
	case when.Between, when.InPart:
		minute = (o.Hours.From + o.Hours.To) / 2
	}
	at, how := when.Resolve(date, minute, t.w.Zone)
	if how.Clocks == when.Gap {
		return how.Resumes
	}
	return at
}

// pick chooses the three of many times that give the best choice: spread over the day when one date is meant, on several
// days otherwise, and the soonest when nothing was said.
func (t *turn) pick(slots []Slot, o when.Option) []Slot {
	if len(slots) <= offered {
		return slots
	}
	if _, single := o.Date(); single {
		last := len(slots) - 1
		return []Slot{slots[0], slots[last/2], slots[last]}
	}
	perDay := 1
	if !o.HasDay() && o.Hours == (when.Hours{}) {
		perDay = 2
	}
	var out []Slot
	count := map[when.Date]int{}
	for _, s := range slots {
		date, _ := t.local(s.Start)
		if len(out) > 0 && s.Start.Sub(out[len(out)-1].Start) < time.Hour || count[date] == perDay {
			continue
		}
		count[date]++
		if out = append(out, s); len(out) == offered {
			return out
		}
	}
	for _, s := range slots { // too few days: fill up from the front
		if len(out) == offered {
			break
		}
		if !slices.ContainsFunc(out, func(x Slot) bool { return x.Start.Equal(s.Start) }) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Slot) int { return a.Start.Compare(b.Start) })
	return out
}

// more offers times of the same wish that were not shown yet; when there are none left, those that follow.
func (t *turn) more() {
	t.s.Choice = nil
	if len(t.s.Wish.Options) == 1 {
		if at, ok := t.exact(t.s.Wish.Options[0]); ok {
			t.moreAround(at)
			return
		}
	}
	if left := t.unseen(t.search()); len(left) > 0 {
		t.listSlots(KeySlots, left[:min(moreAt, len(left))])
		return
	}
	from := t.w.Now
	if _, last, ok := t.shownBounds(); ok {
		from = last
	}
	for _, days := range reach {
		if left := t.unseen(t.slots(from, t.w.Now.AddDate(0, 0, days))); len(left) > 0 {
			t.say(KeyNoMore)
			t.listSlots(KeySlots, t.pick(left, when.Option{}))
			return
		}
	}
	t.say(KeyNoMore)
	t.offerNearest(from, false)
}

// moreAround offers the times nearest to one that was asked for to the minute, and that were not shown yet.
func (t *turn) moreAround(at time.Time) {
	if at.Before(t.w.Now) {
		at = t.w.Now
	}
	if left := t.nearestOf(at, t.unseen); len(left) > 0 {
		t.listSlots(KeySlots, left)
		return
	}
	t.say(KeyNoMore)
	t.offerNearest(at, false)
}

// unseen leaves of the slots those that were not shown yet. Who has just heard of an overlap is not offered the next one.
func (t *turn) unseen(slots []Slot) []Slot {
	return slices.DeleteFunc(slots, func(s Slot) bool {
		if _, overlaps := t.ownAt(s.Start); overlaps && t.s.Asked == AskedAnother {
			return true
		}
		return slices.ContainsFunc(t.s.Shown, func(at time.Time) bool { return at.Equal(s.Start) })
	})
}

// otherTime looks for another time: for the appointment that was about to be cancelled, or instead of those shown.
func (t *turn) otherTime() {
	if t.s.Task == Cancel {
		target := t.s.Target
		t.s = t.s.begin(Reschedule)
		t.target(target)
		return
	}
	t.more()
}

// shownBounds gives the first and the last of the times that are being talked about: the one in the summary, else those of the last menu.
func (t *turn) shownBounds() (first, last time.Time, ok bool) {
	if t.s.Choice != nil {
		return t.s.Choice.Start, t.s.Choice.Start, true
	}
	for _, o := range t.s.Menu {
		if o.Kind != OptSlot {
			continue
		}
		if !ok || o.Start.Before(first) {
			first = o.Start
		}
		if !ok || o.Start.After(last) {
			last = o.Start
		}
		ok = true
	}
	if !ok && len(t.s.Shown) > 0 {
		return slices.MinFunc(t.s.Shown, time.Time.Compare), slices.MaxFunc(t.s.Shown, time.Time.Compare), true
	}
	return first, last, ok
}

// local gives the date and the minute of the day that clocks at the business show.
func (t *turn) local(at time.Time) (when.Date, int) {
	l := at.In(t.w.Zone)
	return when.DateOf(l), l.Hour()*60 + l.Minute()
}

// slotOption is the menu entry of a slot. It names the staff member only when that matters: the customer asked for them, or
// the appointment would change hands. Else whoever is free then takes it.
func (t *turn) slotOption(s Slot) Option {
	o := Option{Kind: OptSlot, Start: s.Start}
	b, moving := t.w.appointment(t.s.Target)
	if t.s.Wish.Staff == s.Staff.ID || moving && t.s.Task == Reschedule && b.Staff.ID != s.Staff.ID {
		o.Staff = s.Staff.ID
	}
	return o
}

// staffName gives the name to show of a staff member, "" when none is named.
func (t *turn) staffName(staff id.Staff) string {
	for _, p := range t.w.Staff {
		if p.ID == staff {
			return p.Name
		}
	}
	return ""
}
