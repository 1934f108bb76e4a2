package when

// clock reads a time of day at i, up to what is said with it ("de la tarde", "aprox"). Led says that what stands before
// makes a bare number a time. It gives i when there is none. The time may be one that does not exist.
func (p *parser) clock(i int, led bool) (clock, int) {
	var c clock
	end := i
	switch {
	case p.is(i, cQuarter, cHalf), p.is(i, cNumber) && p.is(i+1, cFor, cTo, cPasado):
		c, end = p.clockAround(i)
	}
	if end == i {
		switch p.at(i).class {
		case cChain:
			c, end = p.chainClock(i, led)
		case cNumber:
			c, end = p.numberClock(i, led)
		}
	}
	if end == i {
		return clock{}, i
	}
	return p.clockTail(c, end, led)
}

// clockAround reads minutes before the hour: "cuarto para las cinco", "diez para las cinco", "half past five".
func (p *parser) clockAround(i int) (clock, int) {
	minutes := p.at(i).n
	switch {
	case p.is(i, cQuarter):
		minutes = 15
	case p.is(i, cHalf):
		minutes = 30
	}
	j := p.skip(i+2, cTo, cArticle)
	hour := p.at(j)
	if hour.class != cNumber || hour.n < 1 || hour.n > 24 || minutes > 30 || minutes%5 != 0 || p.is(j+1, cCount, cUnit) || len(hour.text) > 2 && !hour.spelt {
		return clock{}, i
	}
	c := clock{hour: hour.n, minute: minutes, form: firmForm, exact: hour.n > 12}
	switch {
	case p.is(i+1, cPasado) && j == i+2:
		return c, j + 1
	case p.is(i+1, cFor) && p.is(j-1, cArticle) && minutes < 30, p.is(i+1, cTo) && p.at(i+1).n == minutesTo && j == i+2 && (p.is(i, cQuarter) || p.at(i).spelt) && minutes < 30:
		c.minute = -minutes
		return c, j + 1
	}
	return clock{}, i
}

// chainClock reads "15:30", "15.30" and "15,30".
func (p *parser) chainClock(i int, led bool) (clock, int) {
	lx := p.at(i)
	led = led || p.is(i+1, cHour, cMeridiem) || p.afterDay(i)
	none := len(lx.parts) > 3 || len(lx.parts) == 3 && lx.sep != ':' || lx.widths[1] != 2 || lx.widths[0] > 2 || p.is(i-1, cMoney) || p.is(i+1, cMoney, cCount)
	c := clock{hour: lx.parts[0], minute: lx.parts[1], form: firmForm, literal: lx.widths[0] == 2}
	switch {
	case none:
		return clock{}, i
	case lx.sep == ':':
	case lx.sep == '.' && c.exists() && (led || c.minute%5 == 0):
	case lx.sep == ',' && c.exists() && led:
	default:
		return clock{}, i
	}
	c.exact = c.hour > 12 || c.hour == 0
	return c, i + 1
}

// numberClock reads an hour with the minutes behind it: "5", "1730", "5 y media", "5 menos cuarto", "17h30".
func (p *parser) numberClock(i int, led bool) (clock, int) {
	lx := p.at(i)
	c := clock{hour: lx.n, form: bareForm, literal: len(lx.text) == 2 && lx.text[0] == '0' && !lx.spelt}
	if !lx.spelt && len(lx.text) > 2 {
		if len(lx.text) > 4 || !led && !p.is(i+1, cHour) && !p.afterDay(i) {
			return clock{}, i
		}
		c.hour, c.minute, c.form, c.literal = lx.n/100, lx.n%100, firmForm, len(lx.text) == 4
	}
	j := i + 1
	if c.form == bareForm {
		c, j = p.minutes(c, j, led)
	}
	if lx.one && !led && (c.form == bareForm && !p.saysPart(j) || p.unit(j, unitHour)) {
		return clock{}, i // "un", "una"
	}
	c.exact = c.hour > 12 || c.hour == 0
	return c, j
}

// minutes reads what stands behind an hour for its minutes.
func (p *parser) minutes(c clock, j int, led bool) (clock, int) {
	firm := func(minute, end int) (clock, int) {
		c.minute, c.form = minute, firmForm
		return c, end
	}
	n, after := p.at(j+1), p.is(j+2, cUnit, cCount) && !p.unit(j+2, unitMinute)
	switch {
	case p.is(j, cAnd) && p.is(j+1, cHalf), p.is(j, cAnd) && n.text == "1/2":
		return firm(30, j+2)
	case p.is(j, cChain) && p.at(j).text == "1/2", led && p.is(j, cHalf) && !p.is(j+1, cUnit, cPart):
		return firm(30, j+1)
	case p.is(j, cAnd) && p.is(j+1, cQuarter):
		return firm(15, j+2)
	case p.is(j, cMinus) && p.is(j+1, cQuarter):
		return firm(-15, j+2)
	case p.is(j, cMinus) && n.class == cNumber && n.n > 0 && n.n < 30 && !after:
		return firm(-n.n, j+2)
	case p.is(j, cAnd) && n.class == cNumber && !n.one && n.n < 60 && n.n%5 == 0 && led && !after && p.asMinutes(j+1):
		return firm(n.n, p.pastMinutes(j+2))
	case p.is(j, cHour) && p.at(j).glued && p.is(j+1, cNumber) && n.glued && len(n.text) == 2:
		return firm(n.n, j+2)
	}
	if m := p.at(j); m.class == cNumber && !m.one && m.n < 60 && p.asMinutes(j) && !p.is(j+1, cUnit, cCount, cMonth, cMoney) && !p.is(j+1, cOf) {
		c.minute, c.form = m.n, looseForm
		return c, j + 1
	}
	return c, j
}

// asMinutes reports whether the number is written as minutes are: in two digits, or in letters.
func (p *parser) asMinutes(i int) bool {
	lx := p.at(i)
	return lx.spelt && lx.n%5 == 0 && lx.n > 0 || !lx.spelt && len(lx.text) == 2
}

func (p *parser) pastMinutes(i int) int {
	if p.unit(i, unitMinute) {
		return i + 1
	}
	return i
}

// clockTail reads what is said with a time.
func (p *parser) clockTail(c clock, j int, led bool) (clock, int) {
	if p.is(j, cHour) || p.unit(j, unitHour) && (led || c.hour > 12 || p.afterDay(j-1)) {
		c.form, j = firmForm, j+1
		if p.is(j, cAnd) && p.is(j+1, cHalf, cQuarter) && c.minute == 0 {
			c.minute = 30
			if p.is(j+1, cQuarter) {
				c.minute = 15
			}
			j += 2
		}
	}
	if p.is(j, cSharp) {
		c.form, j = firmForm, j+1
	}
	if p.is(j, cMeridiem) {
		c.half, c.form = forenoon, firmForm
		if p.at(j).n == 12 {
			c.half = afternoon
		}
		j++
	}
	if part, end := p.partBehind(j, led || c.form == firmForm); end > j {
		c.part, c.form, j = part, firmForm, end
	}
	if p.is(j, cAbout) && p.at(j).n != needsHour && (led || c.form == firmForm) && !p.is(j+1, cNumber, cTo, cChain, cArticle) {
		c.about, j = true, j+1
	}
	return c, j
}

// partBehind reads the part of the day behind an hour: "de la tarde", and where the hour is sure "a la tarde" or "tarde".
func (p *parser) partBehind(j int, sure bool) (DayPart, int) {
	k := j
	if p.is(k, cOf) || sure && p.is(k, cBy, cIn, cTo) {
		k = p.skipOne(k+1, cArticle)
	}
	switch {
	case p.is(k, cPart) && !p.at(k).plural && (k > j || sure) && !p.is(k-1, cThis):
		return DayPart(p.at(k).n), k + 1
	case p.is(k, cNoon) && p.is(k-1, cArticle, cOf) && k > j:
		return Noon, k + 1
	case p.is(k, cManana) && k > j+1:
		return Morning, k + 1
	}
	return NoPart, j
}

// saysPart reports whether a part of the day stands at i, with "of" before it.
func (p *parser) saysPart(i int) bool {
	_, end := p.partBehind(i, false)
	return end > i
}
