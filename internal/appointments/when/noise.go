package when

// noise reads what looks like a date or a time and is none: greetings, addresses, amounts, how long something has lasted.
func (p *parser) noise(i int) ([]item, int) {
	word := []item{{kind: kWord}}
	switch p.at(i).class {
	case cNoise:
		return word, i + 1
	case cGood:
		return word, p.greeting(i)
	case cCalled:
		if p.is(i+1, cMonth) {
			return word, i + 2
		}
	case cStreet:
		return word, p.address(i)
	case cAgo:
		return word, p.duration(p.skip(i+1, cAbout, cSome, cWord), i)
	case cSince:
		if p.is(i+1, cDay) && p.at(i+1).n < 0 {
			return word, i + 2
		}
	case cMoney:
		if p.is(i+1, cNumber, cChain) {
			return word, i + 2
		}
	case cNumber, cChain:
		return word, p.amount(i)
	}
	return nil, i
}

// greeting ends a wish such as "buenas tardes" or "que tengas un buen finde".
func (p *parser) greeting(i int) int {
	end := i + 1
	for p.is(end, cGood) || p.at(end).one {
		end++
	}
	wide := p.at(end-1).n == wishes || p.at(i).n == wishes
	switch {
	case p.is(end, cPart), p.unit(end, unitDay):
		return end + 1
	case wide && (p.is(end, cHoliday, cWeekday) || p.unit(end, unitWeekend) || p.unit(end, unitWeek)):
		return end + 1
	}
	return i
}

// address ends a place such as "calle 25 de mayo 1200" or "av. 7 entre 45 y 46".
func (p *parser) address(i int) int {
	j := p.skip(i+1, cFiller, cStreet)
	if p.is(j, cNumber) && p.plainNumber(j) {
		j++
		if p.is(j, cOf) && p.is(j+1, cMonth) {
			j += 2
		}
	} else {
		for n := 0; n < 3 && p.is(j, cWord); n++ {
			j++
		}
		if p.is(j, cMonth) && p.is(j-1, cOf) {
			j++
		}
	}
	if p.is(j, cTo) && p.article(j+1, artHe) && p.is(j+2, cNumber) {
		j += 2
	}
	if p.is(j, cNumber) && p.plainNumber(j) {
		j++
	}
	if p.is(j, cBetween) && p.is(j+1, cNumber) && p.is(j+2, cAnd) && p.is(j+3, cNumber) {
		return j + 4
	}
	if p.is(j, cAnd) && p.is(j+1, cNumber) && p.plainNumber(j+1) {
		return j + 2
	}
	return j
}

// plainNumber reports whether a number stands alone, with nothing behind it that makes it a time.
func (p *parser) plainNumber(i int) bool {
	c, end := p.clock(i, false)
	return !p.is(i+1, cHour, cMeridiem) && (end == i || c.plain())
}

// streetDate ends an address in a street named after a date: "25 de mayo 1200". With an article the number is an hour.
func (p *parser) streetDate(i int) int {
	j := p.skipOne(i+1, cOf)
	if !p.is(i, cNumber) || !p.is(j, cMonth) {
		return i
	}
	n := p.at(j + 1)
	near := n.n >= p.today.Year-yearsBack && n.n <= p.today.Year+yearsAhead
	end := p.streetNumber(j + 1)
	if end == 0 || near || p.article(i-1, artHe) || p.is(i-1, cWeekday) {
		return i
	}
	return end
}

// streetNumber ends the number of a house behind a street that is named after a date.
func (p *parser) streetNumber(i int) int {
	if p.is(i, cTo) && p.article(i+1, artHe) {
		i += 2
	}
	if p.is(i, cNumber) && !p.at(i).spelt && len(p.at(i).text) >= 3 && !p.is(i+1, cHour) {
		return i + 1
	}
	return 0
}

// duration ends a number with a unit, and gives none when there is no such thing at i.
func (p *parser) duration(i, none int) int {
	j := i
	switch {
	case p.is(j, cNumber), p.is(j, cHalf), p.is(j, cChain):
		j++
	default:
		return none
	}
	if p.is(j, cOr, cAnd, cTo) && p.is(j+1, cNumber, cHalf) {
		j += 2
	}
	if p.is(j-1, cChain) {
		j = p.skipOne(j, cOf)
	}
	if !p.is(j, cUnit, cHour) {
		return none
	}
	j++
	if p.is(j, cAnd) && (p.is(j+1, cHalf) || p.is(j+1, cNumber) && p.is(j+2, cUnit)) {
		j = p.skipOne(j+2, cUnit)
	}
	return j
}

// amount ends a number of things: "5000 pesos", "3 personas", "30 minutos", "15/20 días". It gives i when the number may be a time.
func (p *parser) amount(i int) int {
	if p.is(i+1, cMoney, cCount) {
		return i + 2
	}
	if end := p.streetDate(i); end > i {
		return end
	}
	if d, end := p.date(i, false); end > i && d.isBygone(p.today) {
		return end
	}
	if p.at(i).one && !p.is(i+1, cUnit) {
		return i
	}
	end := p.duration(i, i)
	if end == i {
		if lx := p.at(i); lx.class == cNumber && !lx.spelt && len(lx.text) > 4 || lx.class == cChain && lx.sep == 0 {
			return i + 1
		}
		return i
	}
	hours := (p.is(end-1, cHour) || p.unit(end-1, unitHour)) && (p.at(i).n <= 24 || len(p.at(i).text) == 4 && p.at(i).n <= 2400)
	n, lone := p.at(i).n, end == i+2 && p.is(i, cNumber)
	lasts := p.is(end, cBefore, cAfter, cNoise) || p.is(i-1, cLasts, cWithin, cIn, cAgo, cEvery) || p.is(i-1, cOf, cBy) && lone && n < 7
	switch {
	case lasts || !hours || p.is(i, cChain) && p.at(i).sep == '/':
		return end
	case lone && p.unit(i+1, unitHour) && n < 13 && !p.afterDay(i):
		return end
	}
	return i
}
