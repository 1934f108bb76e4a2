package when

// intro tells how surely what stands before a number makes it an hour.
type intro uint8

const (
	noIntro     intro = iota
	weakIntro         // "las"
	strongIntro       // "a las"
)

// intro reads what stands before an hour.
func (p *parser) intro(i int) (intro, int) {
	if p.is(i, cAt) {
		return strongIntro, p.skipOne(i+1, cArticle)
	}
	j, strength := i, weakIntro
	if p.is(j, cTo, cBy) {
		j, strength = j+1, strongIntro
	}
	if p.article(j, artHours) {
		return strength, j + 1
	}
	one := p.at(j+1).class == cNumber && p.at(j+1).n == 1
	if p.article(j, artShe) && p.is(j+1, cNumber) && (strength == strongIntro || one && (p.at(j+1).one || p.is(i-1, cFor, cAbout, cAnd, cBetween))) {
		return strength, j + 1
	}
	return noIntro, i
}

// hour reads a time, or several to choose from: "a las 5", "tipo 5", "17hs", "a las 4 o 5 de la tarde".
func (p *parser) hour(i int) ([]item, int) {
	j, about := i, p.is(i, cAbout)
	if about {
		j = p.skip(i+1, cFiller)
	}
	in, j := p.intro(j)
	led := in != noIntro || about && p.at(i).n != needsHour
	if led && p.is(j, cChain) && len(p.at(j).parts) == 2 && (p.at(j).sep == '/' || p.at(j).sep == '-') {
		found, end := p.hourPair(j, about)
		if end == j {
			return nil, i
		}
		return found, end
	}
	c, end := p.clock(j, led)
	if end == j || p.is(end, cCount, cMoney) || in != strongIntro && p.is(end, cUnit) && !p.unit(end, unitDay) {
		return nil, i
	}
	if !led && c.hour == 24 && p.is(j, cNumber) {
		return nil, i // "atienden 24hs"
	}
	if !led && c.form != firmForm && !(p.afterDay(i) && !p.is(end, cWord, cMonth) && !p.repeatsDay(j)) {
		return nil, i
	}
	if !c.exists() {
		if (in == strongIntro || in == weakIntro && p.is(i-1, cFor)) && !p.is(end, cWord) || p.is(j, cChain) {
			return []item{{kind: kInvalid}}, end
		}
		return nil, i
	}
	c.about = c.about || about
	clocks, end := p.moreClocks([]clock{c}, end)
	return []item{{kind: kHours, hours: hoursExpr{shape: At, clocks: shareSuffix(clocks)}}}, end
}

// repeatsDay reports whether the number behind a day is that day's own, or one more of a list: "mañana 26", "el 26, 27 o 28".
func (p *parser) repeatsDay(i int) bool {
	if before, ok := p.listedAfter(i, kDay); ok && before.day.number.day != 0 {
		return true
	}
	last := p.items[len(p.items)-1].day
	return p.is(i, cNumber) && !last.fixed.IsZero() && last.fixed.Day == p.at(i).n
}

// hourPair reads "tipo 5/6" and "a las 10-11".
func (p *parser) hourPair(j int, about bool) ([]item, int) {
	lx := p.at(j)
	var clocks []clock
	for _, n := range lx.parts {
		clocks = append(clocks, clock{hour: n, form: firmForm, exact: n > 12, about: about})
	}
	last, end := p.clockTail(clocks[1], j+1, true)
	clocks[1] = last
	if !clocks[0].exists() || !clocks[1].exists() {
		return nil, j
	}
	return []item{{kind: kHours, hours: hoursExpr{shape: At, clocks: shareSuffix(clocks)}}}, end
}

// moreClocks reads the times that stand behind the first to choose from.
func (p *parser) moreClocks(clocks []clock, end int) ([]clock, int) {
	for p.is(end, cOr, cSlash) || p.is(end, cComma) && p.is(end+1, cNumber) && p.is(end+2, cOr) {
		j := p.skipOne(end+1, cAbout)
		in, j := p.intro(j)
		c, next := p.clock(j, true)
		if next == j || !c.exists() || in == noIntro && (p.is(next, cCount, cUnit, cMonth, cWord) || p.is(next, cOf)) {
			break
		}
		c.about = c.about || clocks[0].about
		clocks, end = append(clocks, c), next
	}
	return clocks, end
}

// shareSuffix gives what is said with the last of several times to those before it: "a las 4 o 5 de la tarde".
func shareSuffix(clocks []clock) []clock {
	last := clocks[len(clocks)-1]
	for i := range clocks {
		c := &clocks[i]
		if c.part == NoPart && c.half == noHalf {
			c.part, c.half = last.part, last.half
		}
		c.about = c.about || last.about
	}
	return clocks
}

// noon and midnight as times.
func noonClock(about bool) clock {
	return clock{hour: 12, form: firmForm, exact: true, about: about}
}

func midnightClock(about bool) clock {
	return clock{hour: 0, form: firmForm, midnight: true, about: about}
}

// partOfDay reads "a la tarde", "de noche", "esta mañana", "al mediodía", "por las tardes".
func (p *parser) partOfDay(i int) ([]item, int) {
	j, about := i, p.is(i, cAbout)
	if about {
		j++
	}
	lead := j
	j = p.skipOne(j, cTo, cBy, cIn, cOf, cFor)
	many := p.skip(j, cAny, cSome, cEvery)
	if p.at(many).one {
		many++
	}
	if many > j && p.is(many, cPart, cManana) {
		return p.anyPart(many)
	}
	prep := j > lead
	j = p.skipOne(j, cArticle)
	article := p.is(j-1, cArticle) && j > lead
	var before []item
	if p.is(j, cThis) {
		before = []item{{kind: kDay, day: dayExpr{fixed: p.today}}}
		j++
	}
	lx := p.at(j)
	hours := hoursExpr{shape: InPart, part: DayPart(lx.n), habit: lx.plural}
	switch {
	case lx.class == cMidnight:
		hours = hoursExpr{shape: At, clocks: []clock{midnightClock(about)}}
	case lx.class == cNoon:
		hours = hoursExpr{shape: At, clocks: []clock{noonClock(about)}}
	case lx.class == cPart && (prep || article || len(before) > 0 || p.partStandsAlone(j)):
	case lx.class == cManana && p.meansMorning(j):
		hours.part = Morning
	default:
		return nil, i
	}
	return append(before, item{kind: kHours, hours: hours}), j + 1
}

// anyPart reads the part of the day in "cualquier tarde", "todas las mañanas", "una noche".
func (p *parser) anyPart(i int) ([]item, int) {
	part := DayPart(p.at(i).n)
	if p.is(i, cManana) {
		part = Morning
	}
	return []item{{kind: kHours, hours: hoursExpr{shape: InPart, part: part, habit: true}}}, i + 1
}

// partStandsAlone reports whether the part of the day at i means one with no word leading it in: "viernes tarde", "temprano", and
// as the whole of an answer. Else it is an adverb: "llego tarde".
func (p *parser) partStandsAlone(i int) bool {
	lx := p.at(i)
	if DayPart(lx.n) == Morning || DayPart(lx.n) == Noon || p.afterDay(i) {
		return true
	}
	if _, ok := p.listedAfter(i, kHours); ok {
		return true
	}
	return p.skip(0, cFiller) == i && p.is(i+1, cStop, cOr, cSlash, cComma)
}
