package when

// window reads hours with a bound: "entre las 2 y las 4", "de 14 a 16", "después de las 4", "hasta el mediodía", "de las 4 en adelante".
func (p *parser) window(i int) ([]item, int) {
	h, end := p.between(i)
	if end == i {
		h, end = p.fromTo(i)
	}
	if end == i {
		h, end = p.bounded(i)
	}
	if end == i {
		h, end = p.onward(i)
	}
	if end == i {
		return nil, i
	}
	if h.shape != InPart && !h.windowExists() {
		return []item{{kind: kInvalid}}, end
	}
	return []item{{kind: kHours, hours: h}}, end
}

func (h hoursExpr) windowExists() bool {
	switch h.shape {
	case NotBefore:
		return h.from.exists()
	case NotAfter:
		return h.to.exists()
	case Between:
		return h.from.exists() && h.to.exists()
	}
	return len(h.clocks) == 0 || h.clocks[0].exists()
}

// isHours reports whether the numbers behind a weekday are hours of it: "lunes 10 a 12".
func (p *parser) isHours(i int) bool {
	first, last := p.at(i), p.at(i+2)
	return first.class == cNumber && last.class == cNumber && first.n <= 24 && last.n <= 24 && p.is(i+1, cTo, cDash) && !p.counted(i+3)
}

// bound reads a time that bounds others: as after "las", or noon.
func (p *parser) bound(i int) (clock, intro, int) {
	in, j := p.intro(i)
	if c, end := p.clock(j, true); end > j {
		return c, in, end
	}
	j = p.skipOne(p.skipOne(i, cTo), cArticle)
	switch {
	case p.is(j, cNoon):
		return noonClock(false), strongIntro, j + 1
	case p.is(j, cMidnight):
		return midnightClock(false), strongIntro, j + 1
	}
	return clock{}, noIntro, i
}

// counted reports whether what stands at i makes the number before it an amount or a date.
func (p *parser) counted(i int) bool {
	return p.is(i, cCount, cMoney, cMonth, cUnit) || p.is(i, cOf) && p.is(i+1, cMonth)
}

// between reads "entre las 2 y las 4".
func (p *parser) between(i int) (hoursExpr, int) {
	if !p.is(i, cBetween) {
		return hoursExpr{}, i
	}
	first, _, end := p.bound(i + 1)
	if end > i+1 && !p.is(end, cAnd, cTo, cDash) {
		first, end = p.bareHour(i + 1) // what looked like minutes is the second hour: "entre 10 y 15"
	}
	if end == i+1 || !p.is(end, cAnd, cTo, cDash) {
		return hoursExpr{}, i
	}
	last, _, next := p.bound(end + 1)
	if next == end+1 || p.counted(next) {
		return hoursExpr{}, i
	}
	return hoursExpr{shape: Between, from: first, to: last}, next
}

// bareHour reads an hour without minutes.
func (p *parser) bareHour(i int) (clock, int) {
	_, j := p.intro(i)
	lx := p.at(j)
	if lx.class != cNumber || lx.n > 24 {
		return clock{}, i
	}
	return clock{hour: lx.n, form: bareForm, exact: lx.n > 12 || lx.n == 0}, j + 1
}

// fromTo reads "de 2 a 4", "desde las 14 hasta las 16", "10 a 12hs" and "14-16hs".
func (p *parser) fromTo(i int) (hoursExpr, int) {
	if lx := p.at(i); lx.class == cChain && lx.sep == '-' && len(lx.parts) == 2 {
		return p.dashed(i)
	}
	j := i
	led := p.is(i, cOf, cSince)
	if led {
		j = p.skip(i+1, cOf)
		if p.is(j, cChain) && p.at(j).sep == '-' && len(p.at(j).parts) == 2 {
			h, end := p.dashed(j)
			if end == j {
				return h, i
			}
			return h, end
		}
	} else if !p.is(i, cNumber, cChain) {
		return hoursExpr{}, i
	}
	first, in, end := p.bound(j)
	if end == j || p.is(j, cNumber) && p.at(j).one || !p.is(end, cTo, cUntil, cDash) || p.article(end+1, artHe) && !p.is(end+2, cNoon, cMidnight) {
		return hoursExpr{}, i
	}
	last, next, after := p.bound(p.skip(end+1, cTo))
	if p.is(end, cTo) && p.article(end+1, artShe) {
		last, next, after = p.bound(end)
	}
	if after <= end+1 || p.counted(after) || p.at(after-1).one && next == noIntro {
		return hoursExpr{}, i
	}
	if !led {
		whole := p.skip(0, cFiller) == i && p.is(after, cStop)
		sure := first.form == firmForm || last.form == firmForm || p.afterDay(i) || whole
		if !sure || next != noIntro && first.form != firmForm {
			return hoursExpr{}, i
		}
	}
	if in == noIntro && !p.is(j, cNumber, cChain) && first.form == bareForm {
		return hoursExpr{}, i
	}
	if led && p.moving() {
		return hoursExpr{shape: At, clocks: []clock{last}}, after
	}
	return hoursExpr{shape: Between, from: first, to: last}, after
}

// dashed reads "14-16hs": hours, unless it may be a date.
func (p *parser) dashed(i int) (hoursExpr, int) {
	lx := p.at(i)
	last, end := p.clockTail(clock{hour: lx.parts[1], form: bareForm, exact: lx.parts[1] > 12}, i+1, false)
	sure := last.form == firmForm || p.is(i-1, cOf, cSince, cBetween) || p.afterDay(i) || lx.parts[1] > 12 && lx.parts[0] < lx.parts[1]
	if lx.widths[0] > 2 || lx.widths[1] > 2 || !sure || lx.parts[0] > 24 || lx.parts[1] > 24 || p.counted(end) {
		return hoursExpr{}, i
	}
	first := clock{hour: lx.parts[0], form: bareForm, exact: lx.parts[0] > 12 || lx.parts[0] == 0}
	return hoursExpr{shape: Between, from: first, to: last}, end
}

// bounded reads "después de las 4", "antes del mediodía", "desde la tarde".
func (p *parser) bounded(i int) (hoursExpr, int) {
	var shape Shape
	switch p.at(i).class {
	case cAfter, cSince:
		shape = NotBefore
	case cBefore, cUntil:
		shape = NotAfter
	default:
		return hoursExpr{}, i
	}
	j := p.skip(i+1, cOf, cAbout)
	if p.article(j, artHe) && !p.is(j+1, cNoon, cMidnight) {
		return hoursExpr{}, i
	}
	if c, in, end := p.bound(j); end > j && (in != noIntro || !p.counted(end)) && !(p.is(j, cNumber) && p.at(j).one) {
		if shape == NotBefore {
			return hoursExpr{shape: NotBefore, from: c}, p.skipOne(end, cOnward)
		}
		return hoursExpr{shape: NotAfter, to: c}, end
	}
	j = p.skip(j, cTo)
	if !p.article(j, artShe) || !p.is(j+1, cPart, cManana) || p.at(j+1).plural {
		return hoursExpr{}, i
	}
	part := DayPart(p.at(j + 1).n)
	if p.is(j+1, cManana) {
		part = Morning
	}
	edge := part.Window().From
	if p.is(i, cAfter, cUntil) {
		edge = part.Window().To
	}
	c := clock{hour: edge / 60, form: firmForm, exact: true}
	return hoursExpr{shape: shape, from: c, to: c}, j + 2
}

// onward reads "de las 4 en adelante", "a las 5 o antes".
func (p *parser) onward(i int) (hoursExpr, int) {
	j := p.skipOne(i, cOf)
	if !p.is(j, cNumber, cChain, cTo, cArticle, cAt) || p.at(j).one {
		return hoursExpr{}, i
	}
	c, _, end := p.bound(j)
	switch {
	case end == j:
	case p.is(end, cOnward):
		return hoursExpr{shape: NotBefore, from: c}, end + 1
	case p.is(end, cOrLess):
		return hoursExpr{shape: NotAfter, to: c}, end + 1
	}
	return hoursExpr{}, i
}
