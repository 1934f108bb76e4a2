package when

// Parse reads what a text in the language says about when, in the light of the reference. It never fails: a text that says
// nothing is None, and a language that is not known is read as Spanish.
func Parse(lang Language, text string, ref Reference) Meaning {
	p := &parser{lx: lang.lexicon().lex(text), ref: ref, today: DateOf(ref.Now), now: ref.Now.Hour()*60 + ref.Now.Minute(), spans: map[Date][]Span{}}
	p.scan()
	return p.compose()
}

// compose ties the items together: what is refused, what is taken back, which hours belong to which days.
func (p *parser) compose() Meaning {
	items := nameOther(boundFree(p.items))
	refused := refusals(items)
	turnRound(items, refused)
	dropped := p.takenBack(items, refused)
	var wanted []linked
	var soonest, anyDay bool
	name := ""
	last := -1
	for i, it := range items {
		switch {
		case it.kind == kSoonest:
			soonest = true
		case it.kind == kAny:
			anyDay = true
		case it.kind == kInvalid && !dropped[i]:
			return Meaning{Kind: Invalid}
		case refused[i] || dropped[i]:
		case it.kind == kHoliday:
			name = it.name
		case it.kind == kDay || it.kind == kHours:
			wanted = append(wanted, linked{it, linkOf(items, last, i)})
			last = i
		}
	}
	wanted = inheritDay(items, wanted, refused)
	s := settlement{p: p, soonest: soonest, anyDay: anyDay, holiday: name, not: p.refusedOptions(items, refused, dropped)}
	return s.settle(gather(wanted))
}

// inheritDay gives hours the day that was named with others that do not suit: "el jueves a la tarde no puedo, a la mañana sí".
func inheritDay(items []item, wanted []linked, refused []bool) []linked {
	for _, it := range wanted {
		if it.kind == kDay {
			return wanted
		}
	}
	for i := range items {
		if len(wanted) > 0 && i+1 < len(items) && refused[i] && refused[i+1] && items[i].kind == kDay && items[i+1].kind == kHours && items[i+1].end <= wanted[0].at {
			return append([]linked{{items[i], distant}}, wanted...)
		}
	}
	return wanted
}

// boundFree turns "salgo a las 5" into a time not before five.
func boundFree(items []item) []item {
	out := append([]item(nil), items...)
	for i, it := range out {
		if it.kind != kFree && it.kind != kBusy {
			continue
		}
		for j := i + 1; j < len(out) && j <= i+2; j++ {
			h := &out[j].hours
			if out[j].kind != kHours || h.shape != At {
				continue
			}
			if it.kind == kFree {
				*h = hoursExpr{shape: NotBefore, from: h.clocks[0]}
			} else {
				*h = hoursExpr{shape: NotAfter, to: h.clocks[0]}
			}
			break
		}
	}
	return out
}

// nameOther gives "el otro" the weekday that was named before it, and "la que viene" the week.
func nameOther(items []item) []item {
	var last dayExpr
	for i := range items {
		d := &items[i].day
		switch {
		case items[i].kind != kDay:
		case d.another && last.weekday.said:
			*d = dayExpr{weekday: weekdayExpr{said: true, day: last.weekday.day, which: otherOne}}
		case d.another && len(last.spans) > 0:
			*d = dayExpr{spans: []days{following(last.spans[0])}}
		case d.another:
			items[i].kind = kWord
		case d.weekday.said || len(d.spans) > 0:
			last = *d
		}
	}
	return items
}

// following gives the week or weekend after one, or the month.
func following(s days) days {
	if s.to.DaysSince(s.from) < 7 {
		return days{s.from.AddDays(7), s.to.AddDays(7)}
	}
	next := s.from.AddMonths(1)
	return days{next, next.lastOfMonth()}
}

// refusals marks the items that are ruled out.
func refusals(items []item) []bool {
	refused := make([]bool, len(items))
	content := func(i int) bool { return i >= 0 && i < len(items) && items[i].content() }
	for i, it := range items {
		switch it.kind {
		case kExcept:
			refuseAhead(items, refused, i+1)
		case kNo:
			question := i+1 < len(items) && items[i+1].kind == kWord
			switch {
			case question:
			case content(i - 1):
				refuseBehind(items, refused, i-1)
			case content(i + 1):
				refuseAhead(items, refused, i+1)
			}
		case kCannot:
			if content(i - 1) {
				refuseBehind(items, refused, i-1)
				if content(i+1) && items[i-1].kind == kDay && items[i+1].kind == kHours {
					refused[i+1] = true
				}
				continue
			}
			if !refuseAhead(items, refused, i+1) && i > 1 && (items[i-1].kind == kWord || items[i-1].kind == kComma) && content(i-2) {
				refuseBehind(items, refused, i-2)
			}
		}
	}
	return refused
}

// refuseAhead marks the items from i on that one refusal rules out, and reports whether there are any.
func refuseAhead(items []item, refused []bool, i int) bool {
	for n := 0; n < 2 && i < len(items) && (items[i].kind == kWord || items[i].kind == kExcept); n++ {
		i++
	}
	any := false
	for i < len(items) && items[i].content() {
		refused[i], any = true, true
		kind := items[i].kind
		i++
		next := func(j int) bool {
			return j < len(items) && items[j].content() && (j+1 == len(items) || items[j+1].kind != kYes)
		}
		switch {
		case next(i) && items[i].kind != kind:
		case next(i+1) && (items[i].kind == kOr || items[i].kind == kAnd):
			i++
		case next(i+1) && items[i].kind == kComma && kind == kDay && items[i+1].kind == kDay:
			i++
		default:
			return true
		}
	}
	return any
}

// refuseBehind marks the items back from i that one refusal rules out.
func refuseBehind(items []item, refused []bool, i int) {
	list := false // a comma goes on with a list only before its "and"
	for i >= 0 && items[i].content() {
		refused[i] = true
		kind := items[i].kind
		i--
		before := func(j int) bool { return j >= 0 && items[j].content() }
		switch {
		case before(i) && items[i].kind != kind:
		case before(i-1) && (items[i].kind == kOr || items[i].kind == kAnd):
			i, list = i-1, true
		case before(i-1) && items[i].kind == kComma && list:
			i--
		default:
			return
		}
	}
}

// takenBack marks the items that what follows replaces: "el lunes, perdón, el martes", "pasar el turno del lunes al martes".
func (p *parser) takenBack(items []item, refused []bool) []bool {
	dropped := make([]bool, len(items))
	wants := func(i int, kind itemKind) bool { return items[i].kind == kind && !refused[i] && !dropped[i] }
	drop := func(before int, kind itemKind) {
		for i := range before {
			if wants(i, kind) {
				dropped[i] = true
			}
		}
	}
	moving := false
	for i, it := range items {
		switch {
		case it.kind == kMove:
			moving = true
		case it.kind == kCorrect:
			for _, kind := range []itemKind{kDay, kHours, kInvalid} {
				for j := i + 1; j < len(items); j++ {
					if wants(j, kind) || kind == kInvalid && items[j].content() {
						drop(i, kind)
					}
				}
			}
		case moving && it.towards && wants(i, kDay):
			for j := range i {
				if wants(j, kDay) {
					drop(i, kDay)
					drop(i, kHours)
					break
				}
			}
		case moving && it.towards && wants(i, kHours) && it.hours.shape == At:
			for j := range i {
				if wants(j, kHours) && items[j].hours.shape == At {
					drop(i, kHours)
					break
				}
			}
		}
	}
	return dropped
}

// link tells how an item follows the one before.
type link uint8

const (
	beside  link = iota // nothing between
	listed              // a comma
	distant             // other words
	added               // and
	choice              // or
)

type linked struct {
	item
	link link
}

func linkOf(items []item, last, i int) link {
	if last < 0 {
		return distant
	}
	l := beside
	for _, it := range items[last+1 : i] {
		switch it.kind {
		case kOr:
			return choice
		case kAnd:
			return added
		case kComma:
			l = max(l, listed)
		default:
			l = distant
		}
	}
	return l
}
