package when

import "time"

// maxCount is the most days, weeks, … that somebody counts from now.
const maxCount = 1000

// fromNow reads a length of time counted from now: "dentro de 15 días", "en media hora", "en 2 o 3 días".
func (p *parser) fromNow(i int) ([]item, int) {
	if !p.is(i, cWithin, cIn) {
		return nil, i
	}
	j := p.skip(i+1, cAbout, cSome)
	n, upTo := 1, 0
	halves := false
	switch {
	case p.is(j, cHalf) && p.unit(j+1, unitHour):
		return p.inMinutes(30), j + 2
	case p.is(j, cChain) && p.at(j).text == "1/2" && p.unit(j+1, unitHour):
		return p.inMinutes(30), j + 2
	case p.is(j, cQuarter) && p.is(j+1, cOf) && p.unit(j+2, unitHour):
		return p.inMinutes(15), j + 3
	case p.is(j, cNumber):
		n, j = p.at(j).n, j+1
		if p.is(j, cOr, cTo) && p.is(j+1, cNumber) {
			upTo, j = p.at(j+1).n, j+2
		}
	case p.unit(j, unitHour) && p.is(j+1, cAnd):
	default:
		return nil, i
	}
	if n <= maxCount && p.is(j, cWorkdays) {
		return []item{{kind: kDay, day: dayExpr{fixed: p.workdaysLater(n)}}}, j + 1
	}
	if n > maxCount || upTo > maxCount || !p.is(j, cUnit, cHour) {
		return nil, i
	}
	unit := p.at(j).n
	if p.is(j, cHour) {
		unit = unitHour
	}
	j++
	if p.is(j, cAnd) && p.is(j+1, cHalf, cQuarter) {
		halves, j = true, j+2
	}
	minutes := 0
	if halves && unit == unitHour {
		minutes = 30
		if p.is(j-1, cQuarter) {
			minutes = 15
		}
	}
	switch unit {
	case unitMinute:
		return p.inMinutes(n), j
	case unitHour:
		return p.inMinutes(60*n + minutes), j
	}
	from := p.later(n, unit)
	if upTo <= n {
		return []item{{kind: kDay, day: dayExpr{fixed: from}}}, j
	}
	return []item{{kind: kDay, day: oneSpan(from, p.later(upTo, unit))}}, j
}

// later gives the date that many units from today.
func (p *parser) later(n, unit int) Date {
	switch unit {
	case unitWeek:
		return p.today.AddDays(7 * n)
	case unitWeekend:
		return p.today.monday().AddDays(5 + 7*(n-1))
	case unitFortnight:
		return p.today.AddDays(15 * n)
	case unitMonth:
		return p.today.AddMonths(n)
	case unitYear:
		return p.today.AddMonths(12 * n)
	}
	return p.today.AddDays(n)
}

// workdaysLater gives the date that many days from Monday to Friday after today.
func (p *parser) workdaysLater(n int) Date {
	d := p.today
	for n > 0 {
		d = d.AddDays(1)
		if mondayToFriday.Has(d.Weekday()) {
			n--
		}
	}
	return d
}

// inMinutes gives the date and the time so many minutes from now. It counts instants: clocks may jump in between.
func (p *parser) inMinutes(n int) []item {
	t := p.ref.Now.Add(time.Duration(n) * time.Minute)
	c := clock{form: firmForm, hour: t.Hour(), minute: t.Minute(), exact: true}
	return []item{{kind: kDay, day: dayExpr{fixed: DateOf(t)}}, {kind: kHours, hours: hoursExpr{shape: At, clocks: []clock{c}}}}
}

// stretchOfDays reads days from one to another: "del 6 al 10 de abril", "entre el lunes y el miércoles", "de lunes a viernes".
func (p *parser) stretchOfDays(i int) ([]item, int) {
	j := i
	links := []class{cTo, cUntil, cDash}
	switch {
	case p.is(i, cBetween):
		j, links = i+1, []class{cAnd}
	case p.is(i, cOf, cSince):
		j = p.skip(i+1, cOf)
	case !p.is(i, cWeekday, cChain, cNumber) && !p.article(i, artHe):
		return nil, i
	}
	first, end := p.endpoint(j)
	if end == j {
		return nil, i
	}
	link := end
	if !p.is(link, links...) || p.is(link, cDash) && !p.is(end-1, cWeekday) {
		return nil, i
	}
	last, end := p.endpoint(link + 1)
	bare := (p.is(j, cNumber) || j == i) && p.is(link+1, cNumber) && last.number.month == 0
	if end == link+1 || bare || first.past || last.past {
		return nil, i
	}
	if month, next := p.monthOf(end + 1); p.is(end, cOf) && next > end+1 && last.number.day != 0 && last.number.month == 0 {
		last.number.month, last.number.year, end = int(month.from.Month), month.from.Year, next
	}
	if p.moving() && p.is(i, cOf) {
		last.bound = onDay
		return []item{{kind: kDay, day: last, towards: true}}, end
	}
	if p.is(j, cWeekday) && p.is(link+1, cWeekday) && !p.is(i, cBetween) && first.weekday.which == plainOne && last.weekday.which == plainOne && first.number.day == 0 && last.number.day == 0 {
		return []item{{kind: kDay, day: dayExpr{every: true, only: weekdaysFrom(first.weekday.day, last.weekday.day)}}}, end
	}
	first.until = &last
	return []item{{kind: kDay, day: first}}, end
}

// moving reports whether an appointment is moved from one time to another.
func (p *parser) moving() bool {
	for _, it := range p.items {
		if it.kind == kMove {
			return true
		}
	}
	return false
}

// weekdaysFrom gives the weekdays from one to another.
func weekdaysFrom(first, last time.Weekday) Weekdays {
	set := WeekdaySet(last)
	for d := first; d != last; d = (d + 1) % 7 {
		set |= WeekdaySet(d)
	}
	return set
}

// endpoint reads the first or the last day of a stretch, where a number alone is one.
func (p *parser) endpoint(i int) (dayExpr, int) {
	if d, end := p.days(i); end > i {
		if d.every {
			return dayExpr{}, i
		}
		return d, end
	}
	if n, end := p.date(i, true); end > i && p.is(i, cNumber) {
		return dayExpr{number: n}, end
	}
	return dayExpr{}, i
}

// boundedDays reads "antes del viernes", "a partir del lunes", "hasta fin de mes".
func (p *parser) boundedDays(i int) ([]item, int) {
	bounds := map[class]bound{cBefore: beforeDay, cAfter: afterDay, cUntil: untilDay, cSince: sinceDay}
	b, ok := bounds[p.at(i).class]
	if !ok {
		return nil, i
	}
	j := p.skip(i+1, cOf, cTo)
	d, end := p.days(j)
	if end == j && p.is(j, cArticle) {
		j++
		d, end = p.days(j)
	}
	if end == j || d.every || d.past || d.another {
		return nil, i
	}
	if b == beforeDay && p.is(j, cEnd) {
		b = untilDay // "antes de fin de mes" is while it lasts
	}
	d.bound = b
	return []item{{kind: kDay, day: d}}, p.skipOne(end, cOnward)
}
