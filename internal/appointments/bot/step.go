package bot

import (
	"slices"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
)

// hear answers what the customer wrote. What may be said at any point comes first, then the answer to what was asked
// last, then what opens a conversation.
func (t *turn) hear() {
	t.missesBefore, t.s.Misses = t.s.Misses, 0
	switch {
	case len(t.r.words) == 0:
		t.miss()
	case t.r.words.has(t.lex.person...) || t.r.words.only(t.lex.personAlone, t.lex.fillers):
		t.handOff(ReasonAsked, KeyHandedOff)
	case t.r.words.only(t.lex.optOut, t.lex.fillers):
		t.handOff(ReasonOptOut, KeyOptedOut)
	case t.answersMenu():
	case t.r.words.only(t.lex.menu, t.lex.fillers):
		t.mainMenu()
	case t.asksOwn():
	case t.answersQuestion():
	case t.opens():
	default:
		t.miss()
	}
}

// The reasons for which the bot gives a chat to the staff.
const (
	ReasonAsked      = "asked_by_customer"
	ReasonOptOut     = "opt_out"
	ReasonLate       = "running_late"
	ReasonNoServices = "nothing_to_book"
	ReasonTooMany    = "too_many_replies"
	ReasonBotFailed  = "bot_failed"
)

// answersMenu takes the number of an entry of the last menu.
func (t *turn) answersMenu() bool {
	n, ok := t.r.number(t.lex)
	if !ok {
		n, ok = t.placed()
	}
	switch {
	case !ok || len(t.s.Menu) == 0:
		return false
	case n >= 1 && n <= len(t.s.Menu):
		t.choose(t.s.Menu[n-1])
	case len(t.r.words) > 1 && t.r.hasWhen(): // "el 27" is a date where the menu has three entries
		return false
	case t.atHour(n) != nil:
		t.choose(*t.atHour(n))
	default:
		t.missed(KeyBadNumber, Vars{"max": len(t.s.Menu)})
	}
	return true
}

// placed gives the entry that the words name by its place in the menu: the last, or the one in the middle when there is one.
// What only asks for more is no entry in that count, and a question for a yes has neither.
func (t *turn) placed() (int, bool) {
	count := 0
	for _, o := range t.s.Menu {
		switch o.Kind {
		case OptService:
			if !t.r.words.has(t.lex.ofTimes...) { // "el último turno" is none of the services
				count++
			}
		case OptSlot, OptWhen, OptAppointment:
			count++
		}
	}
	if count == 0 {
		return 0, false
	}
	rest := t.r.words.without(t.lex.choose)
	switch {
	case len(rest) == 1 && rest.has(t.lex.last...):
		return count, true
	case count%2 == 1 && t.r.words.only(t.lex.middle, t.lex.choose):
		return count/2 + 1, true
	}
	return 0, false
}

// atHour gives the one entry of the last menu whose time is at the full hour, said on either half of the day; nil when
// there is none or more than one.
func (t *turn) atHour(n int) *Option {
	var found *Option
	for i := range t.s.Menu {
		o := &t.s.Menu[i]
		minute := -1
		switch {
		case o.Kind == OptSlot:
			_, minute = t.local(o.Start)
		case o.Kind == OptWhen && o.When.Hours.Shape == when.At:
			minute = o.When.Hours.From
		}
		if n > 24 || minute != n*60 && minute != (n+12)*60 {
			continue
		}
		if found != nil {
			return nil
		}
		found = o
	}
	return found
}

// choose does what an entry of a menu stands for.
func (t *turn) choose(o Option) {
	switch o.Kind {
	case OptService:
		t.s.Service = o.Service
		t.proceed()
	case OptSlot:
		t.summarize(o)
	case OptMore:
		t.more()
	case OptWhen:
		t.s.Wish.Options = []when.Option{*o.When}
		t.proceed()
	case OptAppointment:
		t.target(o.Appointment)
	case OptYes:
		t.accept()
	case OptNo:
		if t.s.Asked == AskedNext {
			t.enough()
			return
		}
		t.drop()
	case OptOtherTime:
		t.otherTime()
	case OptBook:
		t.s = t.s.begin(Book)
		t.proceed()
	case OptMine:
		t.listMine()
	case OptMove:
		t.change(Reschedule)
	case OptCancel:
		t.change(Cancel)
	case OptPerson:
		t.handOff(ReasonAsked, KeyHandedOff)
	}
}

// mainMenu shows what the bot can do.
func (t *turn) mainMenu() {
	t.s = t.s.settled()
	t.ask(AskedTask, KeyMenu, Vars{"business": t.w.Business}, t.tasks()...)
}

func (t *turn) tasks() []Option {
	menu := []Option{{Kind: OptBook}}
	if len(t.w.Appointments) > 0 {
		menu = append(menu, Option{Kind: OptMine}, Option{Kind: OptMove}, Option{Kind: OptCancel})
	}
	return append(menu, Option{Kind: OptPerson})
}

// opens begins a conversation, or reports that the words say nothing that the bot can do.
func (t *turn) opens() bool {
	idle := t.s.Asked == AskedNothing || t.s.Asked == AskedTask || t.s.Asked == AskedPerson
	switch {
	case t.r.isGreeting(t.lex):
		t.greet(true)
		t.s = t.s.begin(Book)
		t.proceed()
	case idle && !t.reminded().ID.IsZero() && t.r.isNo(t.lex):
		t.change(Cancel)
	case idle && t.confirms():
	case t.r.words.only(t.lex.goodbyes, t.lex.thanks, t.lex.fillers, t.lex.greetings):
		t.s = t.s.settled()
		t.say(KeyGoodbye)
	case !idle && t.r.words.only(t.lex.thanks, t.lex.fillers) && !t.r.isYes(t.lex):
		t.repeat()
	case idle && (t.r.isYes(t.lex) || t.r.words.only(t.lex.thanks, t.lex.fillers)):
		t.acknowledge()
	case (t.s.Task == Cancel || t.s.Asked == AskedWhich) && !t.r.words.has(t.lex.fresh...):
		return false
	case t.r.hasWhen() || len(t.r.services) > 0 || t.r.wantsBooking(t.lex):
		t.greet(false)
		if t.r.words.has(t.lex.price...) {
			t.tellPrices()
		}
		t.s = t.s.begin(Book)
		t.takeService()
		t.takeWish()
		t.proceed()
	default:
		return false
	}
	return true
}

// tellPrices says what the services that were named cost, or the only one. Of several, the question which one tells.
func (t *turn) tellPrices() {
	of := t.r.services
	if len(of) == 0 && len(t.w.Services) == 1 {
		of = t.w.Services
	}
	for _, s := range of {
		if s.Price != (appointments.Money{}) {
			t.say(KeyPrice, Vars{"service": s.Name, "price": s.Price, "minutes": int(s.Duration / time.Minute)})
		}
	}
}

// greet says who is speaking when the conversation begins. A greeting that says nothing else also hears of the appointment it may be about.
func (t *turn) greet(alone bool) {
	if !t.isNew() {
		if alone {
			t.say(KeyHelloAgain, Vars{"name": t.firstName()})
		}
		return
	}
	t.say(KeyHello, Vars{"name": t.firstName(), "business": t.w.Business})
	if alone && len(t.w.Appointments) > 0 {
		t.say(KeyUpcoming, t.about(t.w.Appointments[0]))
	}
}

// acknowledge answers a yes or a thank-you that nothing asked for.
func (t *turn) acknowledge() {
	if t.r.isYes(t.lex) && len(t.w.Appointments) > 0 {
		t.say(KeyAlreadyBooked, t.about(t.w.Appointments[0]))
		return
	}
	t.say(KeyWelcome)
}

// miss answers what was not understood: first with help, from the second time on with the offer of a person.
func (t *turn) miss() { t.missed(KeyNotUnderstood, nil) }

func (t *turn) missed(key Key, vars Vars) {
	t.s.Misses = t.missesBefore + 1
	asked := t.s.Asked != AskedNothing && t.s.Asked != AskedPerson
	switch {
	case t.s.Misses >= 2 && !asked:
		t.ask(AskedPerson, KeyOfferPerson, nil, Option{Kind: OptPerson}, Option{Kind: OptBook})
		return
	case t.s.Misses >= 2:
		t.say(KeyOrPerson)
	case asked:
		t.say(key, vars)
	default:
		t.say(KeyHelp)
		return
	}
	t.repeat()
}

// repeat asks the last question again.
func (t *turn) repeat() {
	menu := slices.DeleteFunc(slices.Clone(t.s.Menu), t.isStale)
	switch {
	case (t.s.Asked == AskedConfirm || t.s.Asked == AskedAnother) && t.s.Choice != nil:
		t.summarize(*t.s.Choice)
	case t.s.Asked == AskedConfirm:
		t.askConfirm()
	case t.s.Asked == AskedSlot && len(menu) <= 1: // nothing is left of it but "more"
		t.proceed()
	case len(menu) > 0:
		t.ask(t.s.Asked, againKeys[t.s.Asked], nil, menu...)
	case len(t.s.Menu) > 0:
		t.gone()
	}
}

// isStale reports whether what an entry stands for is not there any more.
func (t *turn) isStale(o Option) bool {
	ok := true
	switch o.Kind {
	case OptSlot:
		ok = slices.ContainsFunc(t.slots(o.Start, o.Start.Add(time.Minute)), func(s Slot) bool { return o.Staff.IsZero() || s.Staff.ID == o.Staff })
	case OptService:
		_, ok = t.w.service(o.Service)
	case OptAppointment:
		_, ok = t.w.appointment(o.Appointment)
	}
	return !ok
}

// againKeys are the short forms of the questions that have a menu.
var againKeys = map[Question]Key{
	AskedTask: KeyMenuAgain, AskedService: KeyServiceAgain, AskedSlot: KeySlotAgain, AskedWhen: KeyWhenAgain, AskedWhich: KeyWhichAgain, AskedPerson: KeyOfferPerson,
	AskedNext: KeyAskNext,
}
