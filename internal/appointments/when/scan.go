package when

// parser reads the lexemes of one text into items.
type parser struct {
	lx    []lexeme
	ref   Reference
	today Date
	now   int // minutes since the midnight of today
	items []item
	spans map[Date][]Span // opening hours asked for already
}

// at gives a lexeme. Beyond either end there is a full stop.
func (p *parser) at(i int) lexeme {
	if i < 0 || i >= len(p.lx) {
		return lexeme{class: cStop}
	}
	return p.lx[i]
}

// is reports whether the lexeme is of one of the classes.
func (p *parser) is(i int, classes ...class) bool {
	got := p.at(i).class
	for _, c := range classes {
		if got == c {
			return true
		}
	}
	return false
}

func (p *parser) article(i, art int) bool { return p.is(i, cArticle) && p.at(i).n == art }

func (p *parser) unit(i, unit int) bool { return p.is(i, cUnit) && p.at(i).n == unit }

// skip gives the index after the lexemes of these classes.
func (p *parser) skip(i int, classes ...class) int {
	for i < len(p.lx) && p.is(i, classes...) {
		i++
	}
	return i
}

// skipOne passes over one lexeme when it is of one of the classes.
func (p *parser) skipOne(i int, classes ...class) int {
	if i < len(p.lx) && p.is(i, classes...) {
		return i + 1
	}
	return i
}

// previous gives the last item read, when it is of the kind and nothing but words that tie stands between it and i.
func (p *parser) previous(i int, kind itemKind, ties ...class) (item, bool) {
	if len(p.items) == 0 {
		return item{}, false
	}
	last := p.items[len(p.items)-1]
	return last, last.kind == kind && p.skip(last.end, ties...) >= i
}

// afterDay reports whether a day was named right before i, so that a bare number is an hour of it.
func (p *parser) afterDay(i int) bool {
	_, ok := p.previous(i, kDay, cFiller)
	if !ok && len(p.items) > 1 && p.items[len(p.items)-1].kind == kComma {
		before := p.items[len(p.items)-2]
		ok = before.kind == kDay && before.end == i-1
	}
	return ok
}

// listedAfter gives the item that the one at i continues after an "or", an "and" or a comma.
func (p *parser) listedAfter(i int, kind itemKind) (item, bool) {
	n := len(p.items)
	if n < 2 || p.items[n-1].end != i {
		return item{}, false
	}
	link, before := p.items[n-1].kind, p.items[n-2]
	return before, (link == kOr || link == kAnd || link == kComma) && before.kind == kind && before.end == p.items[n-1].at
}

// rule reads one or more items that begin at i, and tells where they end: i when there are none.
type rule func(p *parser, i int) ([]item, int)

var rules = []rule{(*parser).noise, (*parser).stretchOfDays, (*parser).window, (*parser).boundedDays, (*parser).hour, (*parser).partOfDay, (*parser).day, (*parser).sign}

// scan reads the whole text.
func (p *parser) scan() {
	for i := 0; i < len(p.lx); {
		next := i
		for _, r := range rules {
			var found []item
			if found, next = r(p, i); next > i {
				p.add(found, i, next)
				break
			}
		}
		if next == i {
			if !p.ties(i) {
				p.add([]item{{kind: kWord}}, i, i+1)
			}
			next = i + 1
		}
		i = next
	}
}

// ties reports whether the lexeme only ties what stands beside it.
func (p *parser) ties(i int) bool {
	return p.is(i, cFiller, cTo, cArticle, cOf, cIn, cFor, cBy, cAt, cAbout, cDash) || p.unit(i, unitDay)
}

func (p *parser) add(found []item, from, to int) {
	for _, it := range found {
		it.at, it.end = from, to
		it.towards = it.towards || p.is(from, cTo, cFor) || p.is(from-1, cTo, cFor) || p.is(from-1, cArticle) && p.is(from-2, cTo, cFor)
		if n := len(p.items); it.kind == kWord && n > 0 && p.items[n-1].kind == kWord {
			p.items[n-1].end = to
			continue
		}
		p.items = append(p.items, it)
	}
}

var signs = map[class]itemKind{cOr: kOr, cSlash: kOr, cAnd: kAnd, cNor: kAnd, cComma: kComma, cStop: kStop, cBut: kBut, cYes: kYes, cNo: kNo, cExcept: kExcept,
	cMinus: kExcept, cCannot: kCannot, cFree: kFree, cBusy: kBusy, cCorrect: kCorrect, cMove: kMove, cSoonest: kSoonest, cEvery: kWord, cSome: kWord, cAny: kAny}

// sign reads what is one lexeme: links, refusals and wishes.
func (p *parser) sign(i int) ([]item, int) {
	lx := p.at(i)
	switch lx.class {
	case cHoliday:
		return []item{{kind: kHoliday, name: lx.text}}, i + 1
	case cFirst, cLast:
		edge := Earliest
		if lx.class == cLast {
			edge = Latest
		}
		return []item{{kind: kHours, hours: hoursExpr{edge: edge}}}, i + 1
	case cOrdinal:
		if edge := p.edgeOf(i); edge != NoEdge {
			return []item{{kind: kHours, hours: hoursExpr{edge: edge}}}, i + 1
		}
		return nil, i
	case cAnyHour:
		return []item{{kind: kHours, hours: hoursExpr{whole: true}}}, i + 1
	case cWorkdays:
		return []item{{kind: kDay, day: dayExpr{only: mondayToFriday, every: true}}}, i + 1
	case cAny:
		if lx.n == ifAlone && p.skip(0, cFiller, cNoise, cGood, cStop, cComma) < i {
			return []item{{kind: kWord}}, i + 1
		}
	case cWork:
		if p.is(i-1, cArticle, cOf, cFor, cBy) || p.at(i-1).one {
			return nil, i
		}
		return []item{{kind: kCannot}}, i + 1
	}
	if n := len(p.items); lx.class == cNor && (n == 0 || !p.items[n-1].content()) {
		return []item{{kind: kExcept}}, i + 1 // "ni lunes ni martes"
	}
	if kind, ok := signs[lx.class]; ok {
		return []item{{kind: kind}}, i + 1
	}
	return nil, i
}

// edgeOf tells whether an ordinal stands for the first or last time of a day: "el último del viernes", "mañana el primero".
func (p *parser) edgeOf(i int) Edge {
	lx := p.at(i)
	if !p.article(i-1, artHe) || len(lx.parts) > 0 || lx.n != 1 && lx.n != -1 {
		return NoEdge
	}
	ofDay := false
	if p.is(i+1, cOf) {
		_, end := p.days(i + 2)
		ofDay = end > i+2
	}
	if !ofDay && !(p.is(i+1, cStop) && p.afterDay(i-1)) {
		return NoEdge
	}
	if lx.n == 1 {
		return Earliest
	}
	return Latest
}
