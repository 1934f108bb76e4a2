package when

import "time"

// span reads weeks, weekends, months and parts of them: "la semana que viene", "este finde", "a mediados de abril".
func (p *parser) span(i int) (dayExpr, int) {
	switch {
	case p.is(i, cBegin, cMid, cEnd):
		return p.third(i)
	case p.is(i, cMonth):
		return p.monthAlone(i)
	}
	s, j := p.spanHead(i)
	if !p.is(j, cUnit) {
		return dayExpr{}, i
	}
	s.unit, s.plural = p.at(j).n, p.at(j).plural || s.count > 1
	j = p.spanTail(&s, j+1)
	if s.pick == pastOne {
		return dayExpr{past: true}, j
	}
	d, end := p.spanOf(s, i, j)
	if end == j && len(d.spans) == 0 && d.only == 0 && d.number.day == 0 {
		return dayExpr{}, i
	}
	return d, end
}

// spanWords is what was said about a unit: which one, how many.
type spanWords struct {
	unit, nth, count int
	pick             which
	plural           bool
}

func (p *parser) spanHead(i int) (spanWords, int) {
	var s spanWords
	for ; ; i++ {
		switch {
		case p.is(i, cArticle):
		case p.is(i, cThis):
			s.pick = thisOne
		case p.is(i, cNext):
			s.pick = nextOne
		case p.is(i, cOther):
			s.pick = otherOne
		case p.is(i, cPasado):
			s.pick = pastOne
		case p.is(i, cOrdinal) && s.nth == 0:
			s.nth = p.at(i).n
		case p.is(i, cNumber) && s.pick == nextOne && !p.at(i).one && s.count == 0 && p.at(i).n <= maxCount:
			s.count = p.at(i).n
		default:
			return s, i
		}
	}
}

func (p *parser) spanTail(s *spanWords, j int) int {
	for {
		switch {
		case p.is(j, cNext):
			if s.pick != thisOne {
				s.pick = nextOne
			}
		case p.is(j, cThis) && !p.is(j+1, cPart, cManana, cUnit, cWeekday):
			s.pick = thisOne
		case p.is(j, cPasado) && !p.is(j+1, cArticle):
			s.pick = pastOne
		default:
			return j
		}
		j++
	}
}

// spanOf gives the days of a unit; i is where its words begin and j where they end.
func (p *parser) spanOf(s spanWords, i, j int) (dayExpr, int) {
	switch s.unit {
	case unitDay:
		if s.count == 0 && s.plural && (s.pick == thisOne || s.pick == nextOne) {
			s.count = 6
		}
		if s.count > 0 {
			return oneSpan(p.today, p.today.AddDays(s.count)), j
		}
	case unitWeek:
		return p.week(s, i, j)
	case unitWeekend:
		return p.weekend(s, j)
	case unitFortnight:
		return p.fortnight(s, j)
	case unitMonth:
		if from := p.firstOfMonth(s.pick); !from.IsZero() {
			return oneSpan(from, from.lastOfMonth()), j
		}
	case unitYear:
		year := p.today.Year
		switch s.pick {
		case nextOne, otherOne:
			year++
		case plainOne:
			return dayExpr{}, j
		}
		return oneSpan(Date{year, time.January, 1}, Date{year, time.December, 31}), j
	}
	return dayExpr{}, j
}

func oneSpan(from, to Date) dayExpr { return dayExpr{spans: []days{{from, to}}} }

func (p *parser) week(s spanWords, i, j int) (dayExpr, int) {
	monday := p.today.monday()
	switch {
	case s.nth != 0 && p.is(j, cOf):
		if month, end := p.monthOf(j + 1); end > j+1 {
			return p.nthWeek(s.nth, month), end
		}
	case s.count > 1:
		return oneSpan(p.today, p.today.AddDays(7*s.count)), j
	case s.pick == thisOne:
		return oneSpan(monday, monday.AddDays(6)), j
	case s.pick == nextOne, s.pick == otherOne:
		return oneSpan(monday.AddDays(7), monday.AddDays(13)), j
	case p.is(j, cOf):
		if n, end := p.numbered(j + 1); end > j+1 {
			if day, ok := p.first(n.number); ok {
				return oneSpan(day.monday(), day.monday().AddDays(6)), end
			}
		}
	case p.is(i-1, cIn, cBy):
		return dayExpr{only: mondayToFriday, every: true}, j
	}
	return dayExpr{}, j
}

// nthWeek gives the days 1 to 7 of a month, 8 to 14, and so on, or the last seven.
func (p *parser) nthWeek(nth int, month days) dayExpr {
	if nth < 0 {
		return oneSpan(month.to.AddDays(-6), month.to)
	}
	if nth < 1 || nth > 5 {
		return dayExpr{number: dayNumber{day: noSuch}}
	}
	from := month.from.AddDays(7 * (nth - 1))
	if from.After(month.to) {
		return dayExpr{number: dayNumber{day: noSuch}}
	}
	to := from.AddDays(6)
	if to.After(month.to) {
		to = month.to
	}
	return oneSpan(from, to)
}

func (p *parser) weekend(s spanWords, j int) (dayExpr, int) {
	if s.plural && s.pick == plainOne {
		return dayExpr{only: WeekdaySet(time.Saturday, time.Sunday), every: true}, j
	}
	saturday := p.today.monday().AddDays(5)
	coming, following := days{saturday, saturday.AddDays(1)}, days{saturday.AddDays(7), saturday.AddDays(8)}
	if s.pick == plainOne && p.is(j, cOf) {
		if n, end := p.numbered(j + 1); end > j+1 {
			if day, ok := p.first(n.number); ok {
				return oneSpan(day.monday().AddDays(5), day.monday().AddDays(6)), end
			}
		}
	}
	switch {
	case s.pick == otherOne, s.pick == nextOne && !p.today.Before(saturday):
		return dayExpr{spans: []days{following}}, j
	case s.pick == nextOne:
		return dayExpr{spans: []days{coming, following}}, j
	}
	return dayExpr{spans: []days{coming}, loose: s.pick == plainOne}, j
}

func (p *parser) fortnight(s spanWords, j int) (dayExpr, int) {
	if s.nth != 0 && p.is(j, cOf) {
		month, end := p.monthOf(j + 1)
		if end == j+1 {
			return dayExpr{}, j
		}
		if s.nth == 1 {
			return oneSpan(month.from, month.from.AddDays(14)), end
		}
		return oneSpan(month.from.AddDays(15), month.to), end
	}
	from := Date{p.today.Year, p.today.Month, 1}
	second := p.today.Day > 15
	if s.pick == nextOne || s.pick == otherOne {
		if second {
			from = from.AddMonths(1)
		}
		second = !second
	} else if s.pick == plainOne {
		return dayExpr{}, j
	}
	if second {
		return oneSpan(from.AddDays(15), from.lastOfMonth()), j
	}
	return oneSpan(from, from.AddDays(14)), j
}

// firstOfMonth gives the first day of this or the next month, none when it was not said which.
func (p *parser) firstOfMonth(pick which) Date {
	first := Date{p.today.Year, p.today.Month, 1}
	switch pick {
	case thisOne:
		return first
	case nextOne, otherOne:
		return first.AddMonths(1)
	}
	return Date{}
}

// monthOf reads a month by its name or as "este mes", "el mes que viene", "mes".
func (p *parser) monthOf(i int) (days, int) {
	j := p.skipOne(i, cArticle)
	if p.is(j, cMonth) {
		n, end := p.withYear(dayNumber{month: p.at(j).n}, j+1)
		return p.monthDays(n), end
	}
	s, j := p.spanHead(i)
	if !p.unit(j, unitMonth) {
		return days{}, i
	}
	j = p.spanTail(&s, j+1)
	from := p.firstOfMonth(s.pick)
	if from.IsZero() {
		from = p.firstOfMonth(thisOne)
	}
	return days{from, from.lastOfMonth()}, j
}

// monthDays gives the days of a month: without a year, of the one that runs or comes next.
func (p *parser) monthDays(n dayNumber) days {
	year := n.year
	if year == 0 {
		year = p.today.Year
		if time.Month(n.month) < p.today.Month {
			year++
		}
	}
	from := Date{year, time.Month(n.month), 1}
	return days{from, from.lastOfMonth()}
}

// third reads the beginning, the middle or the end of a month, week or year.
func (p *parser) third(i int) (dayExpr, int) {
	part := p.at(i).class
	if !p.is(i+1, cOf) {
		return dayExpr{}, i
	}
	if month, end := p.monthOf(i + 2); end > i+2 {
		cut := monthThird(part, month)
		if unnamed := !p.is(end-1, cMonth, cNext, cThis, cNumber); unnamed && cut.to.Before(p.today) {
			next := month.from.AddMonths(1)
			cut = monthThird(part, days{next, next.lastOfMonth()})
		}
		return dayExpr{spans: []days{cut}}, end
	}
	var whole days
	end := p.skipOne(i+2, cArticle)
	if p.unit(end, unitWeek) && !p.is(end+1, cNext, cThis, cPasado, cOf) {
		whole, end = days{p.today.monday(), p.today.monday().AddDays(6)}, end+1
		if cut := weekThird(part, whole); cut.to.Before(p.today) {
			whole = following(whole)
		}
	} else {
		d, next := p.span(i + 2)
		if next == i+2 || len(d.spans) != 1 {
			return dayExpr{}, i
		}
		whole, end = d.spans[0], next
	}
	return dayExpr{spans: []days{weekThird(part, whole)}}, end
}

// weekThird gives the beginning, the middle or the end of a week, or of a year.
func weekThird(part class, whole days) days {
	switch length := whole.to.DaysSince(whole.from) + 1; part {
	case cBegin:
		whole.to = whole.from.AddDays((length+2)/3 - 1)
	case cMid:
		whole = days{whole.from.AddDays((length - 1) / 3), whole.to.AddDays(-(length + 1) / 3)}
	default:
		whole.from = whole.to.AddDays(-length / 2)
	}
	return whole
}

func monthThird(part class, month days) days {
	switch part {
	case cBegin:
		return days{month.from, month.from.AddDays(9)}
	case cMid:
		return days{month.from.AddDays(10), month.from.AddDays(19)}
	}
	return days{month.from.AddDays(20), month.to}
}

// monthAlone reads the name of a month where it can be nothing else: people are called Abril and Julio.
func (p *parser) monthAlone(i int) (dayExpr, int) {
	if _, end := p.date(i, false); end > i {
		return dayExpr{}, i
	}
	led := p.is(i-1, cIn, cFor, cBy, cOf, cOr, cAnd, cUntil, cSince, cBetween, cThis, cNext, cTo, cComma, cSlash)
	alone := p.skip(0, cFiller, cArticle) == i && p.is(i+1, cStop, cComma, cOr, cTo, cBy, cIn, cNumber)
	if !led && !alone {
		return dayExpr{}, i
	}
	n, end := p.withYear(dayNumber{month: p.at(i).n}, i+1)
	return dayExpr{spans: []days{p.monthDays(n)}}, end
}
