package bot

import (
	"slices"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// takeService notes the service that was named, and reports whether there was one. Of several that fit, the customer chooses.
func (t *turn) takeService() bool {
	switch len(t.r.services) {
	case 0:
		return false
	case 1:
		t.s.Service = t.r.services[0].ID
	default:
		t.doubtful = t.r.services
	}
	return true
}

// takeWish notes when and with whom the customer would like to come. What was said before and is not said otherwise now holds on.
func (t *turn) takeWish() {
	if t.r.staff != nil {
		t.s.Wish.Staff = t.r.staff.ID
	}
	m := t.r.when
	switch m.Kind {
	case when.None:
		return
	case when.Invalid:
		t.say(KeyNoSuchDate)
		return
	case when.Past:
		t.say(KeyPast)
		return
	case when.Holiday:
		t.say(KeyHoliday)
		return
	case when.Conflict:
		t.say(KeyConflict)
	}
	before := t.s.Wish.Options
	t.s.Wish.Not = append(t.s.Wish.Not, m.Not...)
	t.s.Shown = nil
	if len(m.Options) == 0 {
		return
	}
	options := slices.Clone(m.Options)
	for i := range options {
		o := &options[i]
		if len(before) == 1 && o.HasDay() && o.Hours == (when.Hours{}) {
			o.Hours = before[0].Hours
		}
		if len(before) == 1 && !o.HasDay() && before[0].HasDay() {
			o.From, o.To, o.Any, o.Only = before[0].From, before[0].To, before[0].Any, before[0].Only
		}
	}
	t.s.Wish.Options = options
	t.s.Wish.Not = m.Not
}

// aboutDay gives the day that the conversation is about, so that "a las 17" is read on it; zero when there is none.
func (t *turn) aboutDay() when.Date {
	if t.s.Task != Book && t.s.Task != Reschedule || t.s.Asked == AskedNothing {
		return when.Date{}
	}
	if len(t.s.Wish.Options) == 1 {
		if date, ok := t.s.Wish.Options[0].Date(); ok {
			return date
		}
	}
	if t.s.Choice != nil && (t.s.Asked == AskedConfirm || t.s.Asked == AskedAnother) {
		date, _ := t.local(t.s.Choice.Start)
		return date
	}
	var day when.Date
	for _, o := range t.s.Menu {
		if o.Kind != OptSlot {
			continue
		}
		date, _ := t.local(o.Start)
		if !day.IsZero() && date != day {
			return when.Date{}
		}
		day = date
	}
	return day
}

// proceed asks for what is still missing of a booking or a move: the service, which reading of a date is meant, the time, the yes.
func (t *turn) proceed() {
	t.s.Choice = nil
	if t.s.Task == Book && !t.settleService() {
		return
	}
	if len(t.s.Wish.Options) > 1 && t.resolveReadings() {
		return
	}
	t.offer()
}

// settleService makes sure that a service is chosen; else it asks.
func (t *turn) settleService() bool {
	if _, ok := t.w.service(t.s.Service); ok && len(t.doubtful) == 0 {
		return true
	}
	services, key := t.w.Services, KeyAskService
	if len(t.doubtful) > 0 {
		services, key = t.doubtful, KeyAskWhichService
	}
	switch len(services) {
	case 0:
		t.handOff(ReasonNoServices, KeyNoServices)
		return false
	case 1:
		t.s.Service = services[0].ID
		return true
	}
	menu := make([]Option, 0, len(services))
	for _, s := range services[:min(len(services), maxMenu)] {
		menu = append(menu, Option{Kind: OptService, Service: s.ID})
	}
	t.ask(AskedService, key, nil, menu...)
	return false
}

// maxMenu bounds the entries of one menu.
const maxMenu = 20

// resolveReadings asks which of several readings is meant, unless all but one are over. It reports whether it asked.
func (t *turn) resolveReadings() bool {
	options := slices.DeleteFunc(slices.Clone(t.s.Wish.Options), t.isOver)
	if len(options) == 0 {
		options = t.s.Wish.Options
	}
	t.s.Wish.Options = options
	if len(options) == 1 {
		return false
	}
	menu := make([]Option, 0, len(options))
	for i := range options[:min(len(options), maxMenu)] {
		menu = append(menu, Option{Kind: OptWhen, When: &options[i]})
	}
	t.ask(AskedWhen, KeyAskWhen, nil, menu...)
	return true
}

// isOver reports whether a reading names a date and a time that lie behind us.
func (t *turn) isOver(o when.Option) bool {
	at, ok := t.exact(o)
	return ok && at.Before(t.w.Now)
}

// exact gives the instant of a reading that names one date and one time, not roughly.
func (t *turn) exact(o when.Option) (time.Time, bool) {
	date, ok := o.Date()
	minute, isTime := o.Hours.Minute()
	if !ok || !isTime || o.Hours.About {
		return time.Time{}, false
	}
	at, how := when.Resolve(date, minute, t.w.Zone)
	if how.Clocks == when.Gap {
		return time.Time{}, false
	}
	return at, true
}

// offer proposes times for the wish: the very one that was asked for, or three, or the three nearest when there is none.
func (t *turn) offer() {
	var o when.Option
	if len(t.s.Wish.Options) == 1 {
		o = t.s.Wish.Options[0]
	}
	if at, ok := t.exact(o); ok {
		t.offerExact(at)
		return
	}
	slots := t.search()
	switch {
	case len(slots) == 0:
		t.say(t.noneKey(), Vars{"staff": t.staffName(t.s.Wish.Staff)})
		t.offerNearest(t.anchor(o), true)
	case o.Hours.Edge == when.Earliest:
		t.summarize(t.slotOption(slots[0]))
	case o.Hours.Edge == when.Latest:
		t.summarize(t.slotOption(slots[len(slots)-1]))
	case o.Hours.About:
		t.listSlots(KeySlots, closest(slots, t.anchor(o), offered))
	default:
		t.listSlots(KeySlots, t.pick(slots, o))
	}
}

func (t *turn) noneKey() Key {
	switch {
	case !t.s.Wish.Staff.IsZero():
		return KeyNoneWithStaff
	case len(t.s.Wish.Options) == 0:
		return KeyNoneAtAll
	}
	return KeyNoneThen
}

func (t *turn) offerExact(at time.Time) {
	for _, s := range t.slots(at, at.Add(time.Minute)) {
		if s.Start.Equal(at) {
			t.summarize(t.slotOption(s))
			return
		}
	}
	switch {
	case at.Before(t.w.Now):
		t.say(KeyPast)
	default:
		t.say(KeyNotFree, Vars{"start": at, "staff": t.staffName(t.s.Wish.Staff)})
	}
	t.offerNearest(at, false)
}

// offerNearest proposes the three free times that lie nearest to the instant; see nearest.
func (t *turn) offerNearest(at time.Time, roomy bool) {
	slots := t.nearest(at, roomy)
	if len(slots) == 0 && !t.s.Wish.Staff.IsZero() { // the line before has said that this person has no time
		t.s.Wish.Staff = id.Staff{}
		slots = t.nearest(at, roomy)
	}
	if len(slots) == 0 {
		t.s = t.s.settled()
		t.ask(AskedPerson, KeyNoTimes, nil, Option{Kind: OptPerson}, Option{Kind: OptBook})
		return
	}
	t.listSlots(KeyNearest, slots)
}

// listSlots asks which of the times it shall be.
func (t *turn) listSlots(key Key, slots []Slot) {
	menu := make([]Option, 0, len(slots)+1)
	for _, s := range slots {
		menu = append(menu, t.slotOption(s))
		t.noteShown(s.Start)
	}
	service, _ := t.w.service(t.s.Service)
	t.ask(AskedSlot, key, Vars{"service": service.Name}, append(menu, Option{Kind: OptMore})...)
}

// noteShown remembers a start as shown, so that it is not offered again to who asks for others. The oldest are forgotten.
func (t *turn) noteShown(at time.Time) {
	t.s.Shown = append(slices.DeleteFunc(t.s.Shown, at.Equal), at)
	if over := len(t.s.Shown) - maxShown; over > 0 {
		t.s.Shown = slices.Delete(t.s.Shown, 0, over)
	}
}
