package bot

import (
	"strings"

	"turnero/internal/appointments/when"
)

// daysToTell is how many of the coming days the opening hours are told of.
const daysToTell = 7

// asksHours answers when the business receives. It reports false when that was not asked, or is not known.
func (t *turn) asksHours() bool {
	alone := !t.isChoosing() && t.r.words.only(t.lex.hoursAlone, t.lex.fillers, t.lex.greetings)
	if !alone && !t.r.words.has(t.lex.hours...) {
		return false
	}
	days := t.openDays()
	if len(days) == 0 {
		return false
	}
	t.greet(false)
	t.say(KeyOpen, Vars{"business": t.w.Business})
	for _, vars := range days {
		t.say(KeyOpenDay, vars)
	}
	if t.s.Asked == AskedNothing {
		t.say(KeyOpenHint)
		return true
	}
	t.repeat()
	return true
}

// openDays gives the facts of the coming days on which the business receives: a line for each two stretches of a day.
func (t *turn) openDays() []Vars {
	var out []Vars
	if t.w.Open == nil {
		return nil
	}
	today := when.DateOf(t.w.Now.In(t.w.Zone))
	for n := range daysToTell {
		date := today.AddDays(n)
		spans := t.w.Open(date)
		for i := 0; i < len(spans); i += 2 {
			if spans[i].To <= spans[i].From {
				continue
			}
			vars := Vars{"date": date, "from": spans[i].From, "to": spans[i].To}
			if i+1 < len(spans) {
				vars["from2"], vars["to2"] = spans[i+1].From, spans[i+1].To
			}
			out = append(out, vars)
		}
	}
	return out
}

// asksForeignService answers "do you do …" of what is none of the services: which there are.
func (t *turn) asksForeignService() bool {
	w := t.r.words
	if !w.has(t.lex.does...) || w.has(t.lex.book...) || w.has(t.lex.doesOther...) || len(t.r.services) > 0 || t.r.hasWhen() || len(t.w.Services) == 0 {
		return false
	}
	if t.isChoosing() && t.s.Asked != AskedService {
		t.say(KeyNoSuchService, Vars{"services": t.serviceNames()})
		t.repeat()
		return true
	}
	t.greet(false)
	t.s = t.s.begin(Book)
	menu := make([]Option, 0, len(t.w.Services))
	for _, s := range t.w.Services[:min(len(t.w.Services), maxMenu)] {
		menu = append(menu, Option{Kind: OptService, Service: s.ID})
	}
	t.ask(AskedService, KeyNoSuchService, nil, menu...)
	return true
}

func (t *turn) serviceNames() string {
	var names []string
	for _, s := range t.w.Services[:min(len(t.w.Services), maxMenu)] {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// goOnWithoutMove answers who would move an appointment but has none: the booking under way goes on.
func (t *turn) goOnWithoutMove() {
	t.say(KeyNoneToMove)
	if t.r.hasWhen() {
		t.takeWish()
		t.proceed()
		return
	}
	t.repeat()
}
