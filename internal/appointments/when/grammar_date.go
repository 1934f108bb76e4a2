package when

// A year in a date without separators counts as one only when it is near: "25 de mayo 1200" is an address.
const (
	yearsBack  = 120
	yearsAhead = 5
)

// date reads a date by its number: "5/4", "5 de abril", "abril 5", and with bare a number alone, as in "el 5" and "jueves 5".
func (p *parser) date(i int, bare bool) (dayNumber, int) {
	lx := p.at(i)
	switch lx.class {
	case cChain:
		return p.chainDate(i)
	case cMonth:
		j := i + 1
		if p.is(j, cArticle) && p.is(j+1, cOrdinal) {
			j++ // "april the 5th"
		}
		if n := p.at(j); n.n >= 1 && n.n <= 31 && !n.one && p.is(j, cNumber, cOrdinal) && p.isDayNumber(j) {
			return p.withYear(dayNumber{day: n.n, month: lx.n}, j+1)
		}
	case cNumber, cOrdinal:
		return p.numberDate(i, bare)
	}
	return dayNumber{}, i
}

// isBygone reports whether a date lies so far back that it is somebody's birthday rather than a day asked for.
func (n dayNumber) isBygone(today Date) bool { return n.year != 0 && n.year <= today.Year-2 }

// numberDate reads a date that begins with the number of the day.
func (p *parser) numberDate(i int, bare bool) (dayNumber, int) {
	lx := p.at(i)
	if lx.n < 0 || len(lx.text) > 2 && lx.class == cNumber && !lx.spelt {
		return dayNumber{}, i
	}
	j := p.skipOne(i+1, cDash, cSlash)
	for n := 0; n < 2 && p.is(j, cOf, cArticle); n++ {
		j++
	}
	if p.is(j, cMonth) {
		return p.withYear(dayNumber{day: lx.n, month: p.at(j).n}, j+1)
	}
	if !bare || !p.isDayNumber(i) {
		return dayNumber{}, i
	}
	if p.is(i+1, cOf) && p.article(i+2, artHe) && p.isMonthNumber(i+3) {
		return p.withYear(dayNumber{day: lx.n, month: p.at(i + 3).n}, i+4)
	}
	return dayNumber{day: lx.n}, i + 1
}

// isMonthNumber reports whether the number at i names a month, as in "el 5 del 4".
func (p *parser) isMonthNumber(i int) bool {
	lx := p.at(i)
	return lx.class == cNumber && lx.n >= 1 && lx.n <= 12 && p.isDayNumber(i)
}

// withYear reads the year behind a date.
func (p *parser) withYear(d dayNumber, i int) (dayNumber, int) {
	j := p.skip(i, cOf, cComma)
	if j > i && p.article(j, artHe) {
		j++
	}
	year := p.at(j)
	if year.class != cNumber || year.spelt || p.is(j+1, cHour) {
		return d, i
	}
	near := year.n >= p.today.Year-yearsBack && year.n <= p.today.Year+yearsAhead
	short := j > i && len(year.text) == 2 && year.n+2000 >= p.today.Year && year.n+2000 <= p.today.Year+yearsAhead && p.is(i, cOf)
	switch {
	case len(year.text) == 4 && near:
		d.year = year.n
		return d, j + 1
	case short:
		d.year = 2000 + year.n
		return d, j + 1
	}
	return d, i
}

// chainDate reads "5/4", "05/04/2026", "27-3", "5.4.2026" and "2026-04-05".
func (p *parser) chainDate(i int) (dayNumber, int) {
	c := p.at(i)
	if p.is(i+1, cUnit, cMoney, cCount) && !p.unit(i+1, unitMonth) || p.is(i+1, cOf) && p.unit(i+2, unitHour) || p.is(i-1, cMoney) {
		return dayNumber{}, i
	}
	switch {
	case len(c.parts) == 3 && c.sep != ':' && c.sep != ',' && c.sep != 0 && c.widths[0] == 4:
		return dayNumber{day: c.parts[2], month: c.parts[1], year: c.parts[0]}, i + 1
	case len(c.parts) == 3 && c.sep != ':' && c.sep != ',' && c.sep != 0 && (c.widths[2] == 2 || c.widths[2] == 4):
		d := dayNumber{day: c.parts[0], month: c.parts[1], year: c.parts[2]}
		if c.widths[2] == 2 {
			d.year += 2000
		}
		return d, i + 1
	case len(c.parts) != 2 || c.widths[0] > 2 || c.widths[1] > 2 || p.is(i+1, cHour, cMeridiem):
		return dayNumber{}, i
	case c.sep == '/' && (c.parts[0] <= 31 || c.parts[1] <= 12):
		return p.withYear(dayNumber{day: c.parts[0], month: c.parts[1]}, i+1)
	case c.sep == '-' && c.parts[1] >= 1 && c.parts[1] <= 12 && !p.afterDay(i):
		return dayNumber{day: c.parts[0], month: c.parts[1]}, i + 1
	case c.sep == '.' && c.parts[1] >= 1 && c.parts[1] <= 12 && c.parts[0] >= 1 && c.parts[0] <= 31 && (p.article(i-1, artHe) || p.is(i-1, cWeekday) && c.widths[1] == 1 || c.widths[1] == 2 && (c.parts[0] > 24 || c.parts[1]%5 != 0)):
		return dayNumber{day: c.parts[0], month: c.parts[1]}, i + 1
	}
	return dayNumber{}, i
}

// isDayNumber reports whether the bare number at i may be the day of a month: nothing behind it makes it an hour or an amount.
func (p *parser) isDayNumber(i int) bool {
	lx := p.at(i)
	if lx.class == cOrdinal {
		return len(lx.parts) > 0
	}
	if lx.class != cNumber || lx.one || lx.n < 1 || len(lx.parts) > 1 || len(lx.widths) == 1 && lx.widths[0] > 2 || p.is(i+1, cMoney, cCount, cUnit, cHour, cMeridiem, cOnward, cOrLess) {
		return false
	}
	if lx.n > 31 && !p.is(i+1, cStop, cComma) {
		return false
	}
	c, end := p.clock(i, false)
	return end == i || c.form < firmForm
}
