package bot

import (
	"slices"
	"strings"

	"turnero/internal/appointments/when"
)

// answersQuestion reads the words as the answer to what was asked last. It reports false when they are not one.
func (t *turn) answersQuestion() bool {
	if t.s.Asked == AskedNothing {
		return false
	}
	if t.r.isGreeting(t.lex) && len(t.s.Menu) > 0 && t.s.Asked != AskedTask && t.s.Asked != AskedPerson {
		t.greet(true)
		t.repeat()
		return true
	}
	switch t.s.Asked {
	case AskedTask:
		return t.answersTask()
	case AskedPerson:
		return t.answersPerson()
	case AskedService:
		return t.answersService()
	case AskedWhen:
		return t.answersWhen() || t.answersSlot()
	case AskedSlot:
		return t.answersSlot()
	case AskedConfirm:
		if t.s.Task == Cancel {
			return t.answersCancel()
		}
		return t.answersSummary() || t.answersSlot()
	case AskedAnother:
		return t.answersAnother() || t.answersSlot()
	case AskedNext:
		return t.answersNext()
	case AskedWhich:
		return t.answersWhich()
	}
	return false
}

// answersTask reads a plain yes or no to "would you like to book", which has no other task beside it.
func (t *turn) answersTask() bool {
	if len(t.w.Appointments) > 0 {
		return false
	}
	switch {
	case t.r.isYes(t.lex):
		t.choose(Option{Kind: OptBook})
	case t.r.isNo(t.lex):
		t.drop()
	default:
		return false
	}
	return true
}

func (t *turn) answersPerson() bool {
	switch {
	case t.r.isYes(t.lex):
		t.handOff(ReasonAsked, KeyHandedOff)
	case t.r.isNo(t.lex):
		t.mainMenu()
	default:
		return false
	}
	return true
}

func (t *turn) answersService() bool {
	switch {
	case t.wantsAll():
		t.s.More = true
		t.ask(AskedService, KeyOneService, nil, t.s.Menu...)
	case t.takeService(), t.r.hasWhen(), t.r.staff != nil:
		t.takeWish()
		t.proceed()
	case t.r.isNo(t.lex):
		t.drop()
	case t.r.wantsBooking(t.lex):
		t.repeat()
	default:
		return false
	}
	return true
}

// wantsAll reports whether the customer wants several of the services that were asked about: "las dos" is not two o'clock
// then. A time said beside it is noted.
func (t *turn) wantsAll() bool {
	for _, phrase := range t.lex.all {
		from, to, ok := t.r.words.find(phrase)
		if !ok || from > 0 && (words{t.r.words[from-1]}).has(t.lex.beforeHour...) || to < len(t.r.words) && (words{t.r.words[to]}).has(t.lex.behindHour...) {
			continue
		}
		rest := slices.Concat(t.r.words[:from], t.r.words[to:])
		t.r.when = when.Parse(t.lex.language, strings.Join(rest, " "), when.Reference{Now: t.w.Now.In(t.w.Zone), Open: t.w.Open, Day: t.aboutDay()})
		t.takeWish()
		return true
	}
	return false
}

// answersWhen reads the answer to "which of these": the readings that agree with what is said now remain.
func (t *turn) answersWhen() bool {
	var left []Option
	for _, o := range t.s.Menu {
		if o.Kind == OptWhen && t.agrees(*o.When) {
			left = append(left, o)
		}
	}
	if len(left) != 1 {
		return false
	}
	t.choose(left[0])
	return true
}

// agrees reports whether the words fit one of the readings that were offered. For an hour, "mañana" is the morning.
func (t *turn) agrees(o when.Option) bool {
	minute, isHour := o.Hours.Minute()
	if isHour && t.r.words.has(t.lex.morning...) {
		return minute < 12*60
	}
	if isHour && t.r.words.has(t.lex.evening...) {
		return minute >= 12*60
	}
	if !t.r.hasWhen() {
		return false
	}
	date, ok := o.Date()
	if !ok {
		date = when.DateOf(t.w.Now.In(t.w.Zone))
	}
	if !isHour { // any hour that suits the answer will do
		for m := 0; m < 24*60; m += 30 {
			if t.r.when.Admits(date, m) {
				return true
			}
		}
		return false
	}
	return t.r.when.Admits(date, minute)
}

// answersSlot reads an answer to a list of times: one of them, another wish, or the wish to see others.
func (t *turn) answersSlot() bool {
	slots := slices.DeleteFunc(slices.Clone(t.s.Menu), func(o Option) bool { return o.Kind != OptSlot })
	switch {
	case t.otherService():
		t.takeService()
		t.takeWish()
		t.proceed()
	case t.r.words.only(t.lex.anyTime, t.lex.fillers, t.lex.yes) && len(slots) > 0:
		t.summarize(slots[0])
	case t.moves():
	case t.r.hasWhen(), t.r.staff != nil:
		t.takeWish()
		t.proceed()
	case t.r.words.has(t.lex.otherTimes...), t.r.words.only(t.lex.hoursAlone, t.lex.fillers):
		t.otherTime()
	case t.r.words.only(t.lex.more, t.lex.fillers, t.lex.no), t.r.isNo(t.lex):
		t.otherTime()
	case t.r.isYes(t.lex) && len(slots) == 1:
		t.summarize(slots[0])
	default:
		return false
	}
	return true
}

// moves answers "más tarde", "más temprano" and "otro día", said of the times just shown.
func (t *turn) moves() bool {
	first, last, ok := t.shownBounds()
	if !ok {
		return false
	}
	date, minute := t.local(last)
	hours := when.Hours{}
	switch {
	case t.r.words.has(t.lex.otherDay...):
		if t.r.hasWhen() && t.r.when.Kind != when.Part { // "otro día, el viernes"
			return false
		}
		if len(t.r.when.Options) == 1 {
			hours = t.r.when.Options[0].Hours
		} else if len(t.s.Wish.Options) == 1 {
			hours = t.s.Wish.Options[0].Hours
		}
		t.s.Wish.Options = []when.Option{{From: date.AddDays(1), Hours: hours}}
	case t.r.hasWhen():
		return false
	case t.r.words.has(t.lex.later...):
		t.s.Wish.Options = []when.Option{{From: date, To: date, Hours: when.Hours{Shape: when.NotBefore, From: minute + 1}}}
	case t.r.words.has(t.lex.earlier...):
		date, minute = t.local(first)
		t.s.Wish.Options = []when.Option{{From: date, To: date, Hours: when.Hours{Shape: when.NotAfter, To: max(minute-1, 0)}}}
	default:
		return false
	}
	t.proceed()
	return true
}

// answersSummary reads the answer to "is this right" before a booking or a move.
func (t *turn) answersSummary() bool {
	switch {
	case t.s.Choice == nil:
		return false
	case t.otherService():
		return false
	case t.r.hasWhen():
		date, minute := t.local(t.s.Choice.Start)
		if !t.r.when.Admits(date, minute) || t.r.words.has(t.lex.no...) {
			return false
		}
		if t.r.words.without(t.lex.timeWords).only(t.lex.yes, t.lex.yesFillers, t.lex.fillers, t.lex.figures) {
			t.accept() // "sí, mañana a las 10"
			return true
		}
		if len(t.r.when.Options) != 1 || t.r.when.Options[0].Hours.Shape != when.At {
			return false
		}
		t.askConfirm()
	case t.r.isYes(t.lex):
		t.accept()
	case t.r.isNo(t.lex):
		t.decline()
	default:
		return false
	}
	return true
}

// answersAnother reads the answer to "another one, at the time of the one you have".
func (t *turn) answersAnother() bool {
	switch {
	case t.otherService():
		return false
	case !t.r.hasWhen() && t.r.words.has(t.lex.otherTimes...):
		t.otherTime()
	case t.wantsAnother():
		t.accept()
	case t.r.isNo(t.lex):
		t.drop()
	default:
		return false
	}
	return true
}

// wantsAnother reports whether the words say yes to another appointment, or for whom it is.
func (t *turn) wantsAnother() bool {
	if t.r.hasWhen() || t.r.words.has(t.lex.no...) || t.r.words.has(t.lex.otherTimes...) {
		return false
	}
	return t.r.isYes(t.lex) || t.r.words.only(t.lex.another, t.lex.yes, t.lex.yesFillers, t.lex.fillers) || t.r.words.has(t.lex.forOther...)
}

// answersCancel reads the answer to "shall I cancel it".
func (t *turn) answersCancel() bool {
	declines := t.r.words.has(t.lex.no...)
	switch {
	case t.r.words.has(t.lex.change...) || t.r.words.has(t.lex.changeVague...):
		t.otherTime()
	case !declines && t.r.words.only(append(slices.Clone(t.lex.yes), t.lex.cancel...), t.lex.yesFillers, t.lex.fillers):
		t.accept()
	case declines && t.r.words.only(t.lex.no, t.lex.noFillers, t.lex.fillers, t.lex.cancel, t.lex.appointment, t.lex.yesFillers):
		t.decline()
	case t.r.hasWhen() || len(t.r.services) > 0: // "no, el del viernes"
		if named := t.named(); len(named) == 1 {
			t.target(named[0].ID)
			return true
		}
		return false
	default:
		return false
	}
	return true
}

func (t *turn) answersWhich() bool {
	switch named := t.named(); {
	case len(named) == 1:
		t.target(named[0].ID)
	case t.r.isNo(t.lex):
		t.drop()
	default:
		return false
	}
	return true
}

// otherService reports whether another service than the one being booked is named.
func (t *turn) otherService() bool {
	return t.s.Task == Book && len(t.r.services) > 0 && !slices.ContainsFunc(t.r.services, func(s Offering) bool { return s.ID == t.s.Service })
}
