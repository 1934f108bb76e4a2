package bot

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// reminderReach is how near an appointment is when "no puedo ir", without any other word, is about it.
const reminderReach = 26 * time.Hour

// asksOwn answers what concerns appointments that the customer has: to see, cancel, move or confirm them, and where to come.
func (t *turn) asksOwn() bool {
	lex, w := t.lex, t.r.words
	busy := t.isChoosing()
	named := w.has(lex.appointment...)
	switch {
	case t.s.Asked == AskedConfirm && (t.s.Task == Cancel || t.r.isYes(lex)), t.s.Asked == AskedAnother && t.wantsAnother():
		return false // those words answer the question
	case w.has(lex.change...):
		if busy && t.s.Task == Book && len(t.w.Appointments) == 0 && w.has(lex.changeOwn...) {
			t.goOnWithoutMove()
			return true
		}
		if busy && (t.s.Task == Reschedule || len(t.w.Appointments) == 0) {
			return false
		}
		t.change(Reschedule)
	case w.has(lex.cancel...):
		if busy && !(named && len(t.w.Appointments) > 0) {
			t.drop()
			return true
		}
		t.change(Cancel)
	case w.has(lex.late...) && len(t.w.Appointments) > 0:
		t.handOff(ReasonLate, KeyHandedOff)
	case t.asksHours():
	case t.asksForeignService():
	case t.wantsSeveral():
	case t.leaves():
		t.drop()
	case !busy && w.has(lex.cannotCome...):
		t.change(t.cancelOrMove())
	case busy && w.has(lex.price...):
		t.tellPrices()
		if t.takeService() {
			t.takeWish()
			t.proceed()
		} else {
			t.repeat()
		}
	case !busy && w.has(lex.changeVague...) && len(t.w.Appointments) > 0:
		t.change(Reschedule)
	case w.has(lex.mine...) && !w.has(lex.fresh...) && !w.has(lex.confirm...):
		t.listMine()
	case w.has(lex.where...):
		t.tellAddress()
	default:
		return false
	}
	return true
}

// leaves reports whether the customer wants no more of what is being done or was offered. "Should somebody take over" has a no of its
// own, and so has the next of several appointments.
func (t *turn) leaves() bool {
	return !t.r.words.has(t.lex.otherTimes...) && t.s.Asked != AskedNothing && t.s.Asked != AskedPerson && t.s.Asked != AskedNext && t.r.words.only(t.lex.leave, t.lex.no, t.lex.leaveFillers, t.lex.fillers)
}

// cancelOrMove tells what somebody wants who cannot come: "no puedo el viernes, ¿puede ser el sábado?" is not a cancellation.
func (t *turn) cancelOrMove() Task {
	_, _, split := t.splitTimes()
	wanted := func(o when.Option) bool { return !o.From.IsZero() || o.Only != 0 || o.Hours != when.Hours{} }
	if split || t.r.words.has(t.lex.changeVague...) || len(t.r.when.Not) > 0 && slices.ContainsFunc(t.r.when.Options, wanted) {
		return Reschedule
	}
	return Cancel
}

// spokenOf turns what words rule out into what they are about: "no puedo mañana" is said of the appointment of tomorrow.
func spokenOf(m when.Meaning) when.Meaning {
	if len(m.Not) == 0 {
		return m
	}
	return when.Meaning{Kind: when.Wish, Options: m.Not}
}

// isChoosing reports whether a booking or a move is under way.
func (t *turn) isChoosing() bool {
	return (t.s.Task == Book || t.s.Task == Reschedule) && t.s.Asked != AskedNothing && t.s.Asked != AskedWhich
}

func (t *turn) tellAddress() {
	if t.w.Address == "" {
		t.say(KeyNoAddress)
	} else {
		t.say(KeyAddress, Vars{"business": t.w.Business, "address": t.w.Address})
	}
	t.repeat()
}

// listMine shows the customer's appointments and how to change them.
func (t *turn) listMine() {
	t.s = t.s.settled()
	if len(t.w.Appointments) == 0 {
		t.ask(AskedTask, KeyNoAppointments, nil, Option{Kind: OptBook}, Option{Kind: OptPerson})
		return
	}
	t.say(KeyMine)
	for _, b := range t.w.Appointments[:min(len(t.w.Appointments), maxMenu)] {
		t.say(KeyMineEntry, t.about(b))
	}
	t.say(KeyMineHint)
}

// change begins to cancel or move an appointment: the one that is meant, or it asks which.
func (t *turn) change(task Task) {
	t.s = t.s.begin(task)
	if len(t.w.Appointments) == 0 {
		t.s = t.s.settled()
		t.ask(AskedTask, KeyNoAppointments, nil, Option{Kind: OptBook}, Option{Kind: OptPerson})
		return
	}
	if one, ok := t.meant(); ok {
		t.target(one.ID)
		return
	}
	t.askWhich(t.w.Appointments)
}

// meant gives the appointment that the words are about: the one they describe, the one of the reminder, the only one, or
// the next one for "no puedo ir", which is said of what is at hand.
func (t *turn) meant() (Booking, bool) {
	switch named := t.named(); {
	case len(named) == 1:
		return named[0], true
	case len(named) > 1:
		return Booking{}, false
	}
	if b := t.reminded(); !b.ID.IsZero() {
		return b, true
	}
	next := t.w.Appointments[0]
	soon := t.r.words.has(t.lex.cannotCome...) && next.Start.Sub(t.w.Now) <= reminderReach
	return next, soon || len(t.w.Appointments) == 1
}

// named gives the appointments that the words describe by their time or their service, nearest description first.
func (t *turn) named() []Booking {
	m := spokenOf(t.r.when)
	if is, _, ok := t.splitTimes(); ok && t.s.Task == Reschedule {
		m = is
	}
	var out []Booking
	for _, b := range t.w.Appointments {
		byTime := m.Admits(t.local(b.Start))
		byService := false
		for _, s := range t.r.services {
			byService = byService || s.ID == b.Service.ID
		}
		byStaff := t.r.staff != nil && t.r.staff.ID == b.Staff.ID
		described := (m.Kind == when.None || byTime) && (len(t.r.services) == 0 || byService) && (t.r.staff == nil || byStaff)
		if described && (byTime || byService || byStaff) {
			out = append(out, b)
		}
	}
	return out
}

// reminded gives the appointment that the customer was reminded of lately; the zero value when there is none.
func (t *turn) reminded() Booking {
	b, _ := t.w.appointment(t.w.Reminded)
	return b
}

func (t *turn) askWhich(of []Booking) {
	menu := make([]Option, 0, len(of))
	for _, b := range of[:min(len(of), maxMenu)] {
		menu = append(menu, Option{Kind: OptAppointment, Appointment: b.ID})
	}
	t.ask(AskedWhich, map[Task]Key{Cancel: KeyWhichCancel, Reschedule: KeyWhichMove}[t.s.Task], nil, menu...)
}

// target goes on with the appointment that is to be cancelled or moved.
func (t *turn) target(which id.Appointment) {
	b, ok := t.w.appointment(which)
	if !ok {
		t.gone()
		return
	}
	t.s.Target = which
	if t.s.Task == Cancel {
		t.askConfirm()
		return
	}
	t.s.Service = b.Service.ID
	t.say(KeyMoving, t.about(b))
	t.takeNewTime(b)
	t.proceed()
}

// takeNewTime notes the time to which an appointment is to be moved, when the words tell one. A time that describes the
// appointment as it is ("cambiar mi turno del viernes") is not it.
func (t *turn) takeNewTime(b Booking) {
	date, minute := t.local(b.Start)
	_, shall, split := t.splitTimes()
	if split {
		t.r.when = shall
	} else if t.r.when.Admits(date, minute) {
		t.r.when.Options = slices.DeleteFunc(slices.Clone(t.r.when.Options), func(o when.Option) bool { return o.Admits(date, minute) })
		if len(t.r.when.Options) == 0 {
			return
		}
	}
	if len(t.r.when.Options) == 1 && !t.r.when.Options[0].HasDay() { // "a las 18" is said of the day it is on
		t.r.when.Options[0].From, t.r.when.Options[0].To = date, date
	}
	t.takeWish()
}

// splitTimes parts words that name two times: that of an appointment as it is, and the one that shall be.
func (t *turn) splitTimes() (is, shall when.Meaning, ok bool) {
	text := " " + t.lex.withoutPleasantries(t.r.text) + " "
	ref := when.Reference{Now: t.w.Now.In(t.w.Zone), Open: t.w.Open}
	for _, word := range t.lex.toward {
		for from := 0; ; {
			i := strings.Index(text[from:], word)
			if i < 0 {
				break
			}
			i += from
			is, shall = spokenOf(when.Parse(t.lex.language, text[:i], ref)), when.Parse(t.lex.language, text[i:], ref)
			isOwn := func(b Booking) bool { return is.Admits(t.local(b.Start)) }
			if shall.Kind != when.None && slices.ContainsFunc(t.w.Appointments, isOwn) {
				return is, shall, true
			}
			from = i + len(word) - 1
		}
	}
	return when.Meaning{}, when.Meaning{}, false
}

// confirms takes "confirmo", and a plain yes after a reminder, as the customer's word that they come.
func (t *turn) confirms() bool {
	b := t.reminded()
	explicit := t.r.words.only(t.lex.confirm, t.lex.yes, t.lex.yesFillers, t.lex.fillers)
	switch {
	case b.ID.IsZero() && explicit && len(t.w.Appointments) > 0:
		b = t.w.Appointments[0]
	case b.ID.IsZero() || !explicit && !t.r.isYes(t.lex):
		return false
	}
	t.do(Action{Kind: DoConfirm, Appointment: b.ID})
	return true
}

// about gives the facts of an appointment that messages tell.
func (t *turn) about(b Booking) Vars {
	return Vars{"service": b.Service.Name, "start": b.Start, "staff": b.Staff.Name, "business": t.w.Business, "address": t.w.Address}
}

// firstName gives what to call the customer: the first word of the name they go by on WhatsApp, when it is a name.
func (t *turn) firstName() string {
	name, _, _ := strings.Cut(strings.TrimSpace(t.w.Name), " ")
	if len([]rune(name)) > 20 || strings.ContainsAny(name, "0123456789@/*_~`{}[]") || !strings.ContainsFunc(name, unicode.IsLetter) {
		return ""
	}
	return name
}
