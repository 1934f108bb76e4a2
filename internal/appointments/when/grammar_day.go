package when

import "time"

// day reads one expression of a day or of several.
func (p *parser) day(i int) ([]item, int) {
	if found, end := p.fromNow(i); end > i {
		return found, end
	}
	d, end := p.days(i)
	if end == i {
		return nil, i
	}
	if p.is(end, cOnward) && d.bound == onDay {
		d.bound = sinceDay
		end++
	}
	return []item{{kind: kDay, day: d}}, end
}

// days reads an expression of days without what limits it.
func (p *parser) days(i int) (dayExpr, int) {
	switch p.at(i).class {
	case cDay:
		n := p.at(i).n
		d := dayExpr{fixed: p.today.AddDays(n), past: n < 0}
		return p.hence(d, i+1)
	case cManana:
		if p.meansMorning(i) {
			return dayExpr{}, i
		}
		return p.hence(dayExpr{fixed: p.today.AddDays(1)}, i+1)
	case cPasado:
		if p.meansDayAfter(i) {
			return dayExpr{fixed: p.today.AddDays(2)}, i + 1
		}
	}
	if d, end := p.nthWeekday(i); end > i {
		return d, end
	}
	if d, end := p.weekdayPhrase(i); end > i {
		return d, end
	}
	if d, end := p.span(i); end > i {
		return d, end
	}
	if d, end := p.numbered(i); end > i {
		return d, end
	}
	return p.theOther(i)
}

// numbered reads a date by its number, where an article or a date before it tells that it is one.
func (p *parser) numbered(i int) (dayExpr, int) {
	j, bare := i, false
	if p.article(j, artHe) {
		j, bare = j+1, true
	}
	if p.unit(j, unitDay) {
		j, bare = j+1, true
	}
	if before, ok := p.listedAfter(i, kDay); ok {
		bare = bare || before.day.number.day != 0
	}
	bare = bare || p.leadsToMonth(j)
	if last, ok := p.previous(i, kDay, cFiller); ok && !last.day.fixed.IsZero() {
		bare = true // "mañana 26": an hour would have been read as one before
	}
	if spelt := p.at(j); spelt.class == cOrdinal && len(spelt.parts) == 0 {
		bare = false // "el primero" is the first of a list
	}
	n, end := p.date(j, bare)
	if end == j || n.isBygone(p.today) {
		return dayExpr{}, i
	}
	if p.is(j, cChain) && n.month == 0 {
		n.month = noSuch // "5/0"
	}
	if n.day == 0 {
		n.day = noSuch
	}
	return dayExpr{number: n}, end
}

// noSuch stands for a zero that was said, as opposed to what was not said.
const noSuch = -1

// leadsToMonth reports whether the number at i begins a list of dates of one month: "5 o 6 de abril".
func (p *parser) leadsToMonth(i int) bool {
	j := i
	for p.is(j, cNumber) && p.is(j+1, cOr, cAnd, cComma) {
		j += 2
	}
	return j > i && p.is(j, cNumber) && p.is(p.skip(j+1, cOf), cMonth)
}

// hence reads "… en ocho": a week after the day, as a count that takes that day along.
func (p *parser) hence(d dayExpr, i int) (dayExpr, int) {
	if !p.is(i, cIn) || !p.is(i+1, cNumber) {
		return d, i
	}
	n, end := p.at(i+1).n, i+2
	switch {
	case p.unit(end, unitDay):
		end++
	case p.unit(end, unitWeek):
		n, end = n*7, end+1
	case p.is(end, cUnit, cHour, cCount, cHalf):
		return d, i
	case n == 8 || n == 15:
		n--
	}
	d.fixed = d.fixed.AddDays(n)
	return d, end
}

// meansMorning tells a morning from tomorrow, where a language has one word for both.
func (p *parser) meansMorning(i int) bool {
	if p.is(i+1, cOr, cSlash) && p.is(i+2, cPart) {
		return true // "mañana o tarde"
	}
	if _, part := p.listedAfter(i, kHours); part && p.is(i-2, cPart) && !p.is(i-3, cArticle) {
		return true // "tarde o mañana"
	}
	if p.article(i-1, artShe) || p.is(i-1, cThis) {
		return true
	}
	last, ok := p.previous(i, kDay, cOf)
	switch {
	case !ok:
		return false
	case last.day.every, p.is(i-1, cOf) && (last.day.weekday.said || last.day.number.day != 0 || !last.day.fixed.IsZero()):
		return true // "los jueves mañana", "el jueves 26 de mañana"
	}
	return last.day.weekday.said && last.day.number.day == 0 && last.day.weekday.day != p.today.AddDays(1).Weekday()
}

// meansDayAfter tells the day after tomorrow from what is past.
func (p *parser) meansDayAfter(i int) bool {
	if p.at(i).n != orDayAfter {
		return false
	}
	before := i == 0 || p.is(i-1, cOr, cAnd, cComma, cFor, cBut, cStop, cSlash, cNo, cNor, cCorrect, cMinus, cExcept, cFiller, cUntil)
	return before && !p.is(i+1, cArticle, cUnit, cWeekday, cMonth)
}

// weekdayPhrase reads a weekday with what picks one or many of them, and the date said with it: "el próximo lunes", "los martes y
// jueves", "viernes 27 de marzo".
func (p *parser) weekdayPhrase(i int) (dayExpr, int) {
	pick, every, j := p.pick(i)
	if !p.is(j, cWeekday) {
		return dayExpr{}, i
	}
	lx := p.at(j)
	if every || lx.plural {
		return p.everyWeekday(j)
	}
	w := weekdayExpr{said: true, day: time.Weekday(lx.n), which: pick}
	j++
	for more := true; more; {
		switch {
		case p.is(j, cNext):
			if w.which == plainOne {
				w.which = nextOne
			}
		case p.is(j, cPasado) && w.which == plainOne && !p.is(j+1, cArticle):
			w.which = pastOne
		case p.is(j, cThis) && !p.is(j+1, cPart, cManana, cUnit, cWeekday, cMonth):
			w.which = thisOne
		case p.is(j, cIn) && (p.at(j+1).n == 8 || p.at(j+1).n == 15) && p.is(j+1, cNumber) && !p.is(j+2, cUnit, cHour):
			weeks := p.at(j+1).n / 7
			return dayExpr{weekday: w, fixed: p.weekdayDates(weekdayExpr{day: w.day, which: thisOne})[0].AddDays(7 * weeks)}, j + 2
		default:
			j, more = j-1, false
		}
		j++
	}
	d := dayExpr{weekday: w, past: w.which == pastOne}
	k := p.skip(j, cFiller)
	if p.unit(k, unitDay) {
		k++
	}
	if p.isHours(k) || p.isHourOf(w.day, k) {
		return d, j
	}
	if n, end := p.date(k, true); end > k {
		d.number = n
		return d, end
	}
	return d, j
}

// pick reads what picks a weekday out of many.
func (p *parser) pick(i int) (pick which, every bool, next int) {
	for ; ; i++ {
		switch {
		case p.article(i, artThem), p.is(i, cEvery, cSome, cAny), p.at(i).one:
			every = true
		case p.is(i, cThis):
			pick = thisOne
		case p.is(i, cNext):
			if pick != thisOne {
				pick = nextOne
			}
		case p.is(i, cOther):
			pick = otherOne
		case p.is(i, cPasado):
			pick = pastOne
		case p.article(i, artHe), p.unit(i, unitDay):
		default:
			if pick == nextOne || pick == thisOne || pick == pastOne {
				every = false // "los próximos martes" is not a habit
			}
			return pick, every, i
		}
	}
}

// everyWeekday reads a list of weekdays of any week.
func (p *parser) everyWeekday(j int) (dayExpr, int) {
	d := dayExpr{every: true, only: WeekdaySet(time.Weekday(p.at(j).n))}
	d.weekday = weekdayExpr{said: true, which: everyOne}
	for j++; ; {
		k := p.skip(j, cOr, cAnd, cComma, cNor)
		if k == j {
			return d, j
		}
		k = p.skipOne(k, cArticle)
		if !p.is(k, cWeekday) || p.article(k-1, artHe) || p.is(k+1, cNumber, cNext) {
			return d, j
		}
		d.only |= WeekdaySet(time.Weekday(p.at(k).n))
		j = k + 1
	}
}

// isHourOf reports whether the number behind a weekday is an hour of it: it falls on another day, and minutes follow.
func (p *parser) isHourOf(day time.Weekday, i int) bool {
	n, minutes := p.at(i), p.at(i+1)
	if n.class != cNumber || n.spelt || minutes.class != cNumber || len(minutes.text) != 2 || minutes.n > 59 || n.n > 24 || p.is(i+2, cNumber, cMonth, cHour) {
		return false
	}
	for _, d := range p.occurrences(dayNumber{day: n.n}) {
		if d.Weekday() == day {
			return false
		}
	}
	return true
}

// nthWeekday reads "el primer lunes de abril".
func (p *parser) nthWeekday(i int) (dayExpr, int) {
	j := p.skipOne(i, cArticle)
	nth := p.at(j).n
	switch {
	case p.is(j, cQuarter):
		nth = 4
	case !p.is(j, cOrdinal):
		return dayExpr{}, i
	}
	if !p.is(j+1, cWeekday) || !p.is(j+2, cOf) {
		return dayExpr{}, i
	}
	month, end := p.monthOf(j + 3)
	if end == j+3 {
		return dayExpr{}, i
	}
	day := time.Weekday(p.at(j + 1).n)
	d, ok := nthOf(day, nth, month)
	if ok && d.Before(p.today) && p.is(end-1, cMonth) {
		next := Date{month.from.Year + 1, month.from.Month, 1}
		d, ok = nthOf(day, nth, days{next, next.lastOfMonth()})
	}
	if !ok {
		return dayExpr{number: dayNumber{day: noSuch}}, end // "el quinto lunes" of a month with four
	}
	return dayExpr{fixed: d}, end
}

// nthOf gives the nth date on a weekday in a month, counted from its end when nth is negative.
func nthOf(day time.Weekday, nth int, month days) (Date, bool) {
	var dates []Date
	for d := month.from; !d.After(month.to); d = d.AddDays(1) {
		if d.Weekday() == day {
			dates = append(dates, d)
		}
	}
	switch {
	case nth < 0:
		return dates[len(dates)-1], true
	case nth < 1 || nth > len(dates):
		return Date{}, false
	}
	return dates[nth-1], true
}

// theOther reads "el otro" and "la que viene", of a weekday or week named before.
func (p *parser) theOther(i int) (dayExpr, int) {
	if p.is(i, cArticle) && p.is(i+1, cOther, cNext) && p.is(i+2, cStop, cComma, cYes, cTo, cBy) {
		return dayExpr{another: true}, i + 2
	}
	return dayExpr{}, i
}
