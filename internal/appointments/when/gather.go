package when

// group is days with the hours said for them; several of each are alternatives.
type group struct {
	days  []dayExpr
	hours []hoursExpr
}

// gather sorts the items into groups.
func gather(wanted []linked) []group {
	groups := []group{{}}
	for i, it := range wanted {
		g := &groups[len(groups)-1]
		next := kWord
		if i+1 < len(wanted) && wanted[i+1].link < added {
			next = wanted[i+1].kind
		}
		if it.kind == kDay {
			if len(g.days) > 0 && g.join(it.day, it.link) {
				continue
			}
			if len(g.days) > 0 && next == kHours && (len(g.hours) > 0 || it.link == distant) {
				groups = append(groups, group{})
				g = &groups[len(groups)-1]
			}
			g.addDay(it.day, it.link)
			continue
		}
		if it.link >= added && len(g.days) > 0 && len(g.hours) > 0 && next == kDay {
			groups = append(groups, group{})
			g = &groups[len(groups)-1]
		}
		g.addHours(it.hours, it.link)
	}
	for i := range groups {
		groups[i].shareMonths()
	}
	return groups
}

// join makes a day narrow down the one before it: "viernes 27", "la semana que viene el martes". It reports whether it does.
func (g *group) join(d dayExpr, l link) bool {
	last := &g.days[len(g.days)-1]
	if l >= added || d.bound != onDay || d.until != nil || last.until != nil || d.past || last.past {
		return false
	}
	w1, n1, f1, s1 := last.has()
	w2, n2, f2, s2 := d.has()
	if w1 && w2 || n1 && n2 || s1 && s2 || f1 && f2 && last.fixed != d.fixed || last.every && d.every {
		return false
	}
	narrows := s1 != s2
	switch {
	case l == distant && !narrows:
		return false
	case l == listed && f1 != f2 && (w1 || w2) && !last.agrees(d):
		return false // "mañana, viernes o sábado" is a list
	case s1 && (f2 || n2) && l == distant:
		return false
	}
	if s2 {
		for i := range g.days {
			if o := &g.days[i]; len(o.spans) == 0 && o.fixed.IsZero() && o.number.month == 0 {
				o.spans = d.spans
			}
		}
	}
	last.merge(d)
	return true
}

// agrees reports whether a date and a weekday said beside it are the same day.
func (d dayExpr) agrees(o dayExpr) bool {
	if d.fixed.IsZero() {
		return o.fixed.Weekday() == d.weekday.day
	}
	return d.fixed.Weekday() == o.weekday.day
}

func (d *dayExpr) merge(o dayExpr) {
	if o.weekday.said {
		d.weekday = o.weekday
	}
	if o.number.day != 0 {
		d.number = o.number
	}
	if !o.fixed.IsZero() {
		d.fixed = o.fixed
	}
	if len(o.spans) > 0 {
		d.spans = o.spans
	}
	d.only |= o.only
	d.every = d.every || o.every
}

func (g *group) addDay(d dayExpr, l link) {
	if n := len(g.days); n > 0 {
		last := g.days[n-1]
		if l != distant && last.weekday.said && len(last.spans) > 0 && d.weekday.said && len(d.spans) == 0 && d.weekday.which == plainOne && d.number.day == 0 {
			d.spans = last.spans // "la semana que viene, lunes o martes"
		}
	}
	g.days = append(g.days, d)
}

func (g *group) addHours(h hoursExpr, l link) {
	n := len(g.hours)
	window := n > 0 && g.hours[n-1].bounded() && h.bounded()
	if n == 0 || l == choice || l == added && !window {
		g.hours = append(g.hours, h)
		return
	}
	if both, ok := g.hours[n-1].with(h); ok {
		g.hours[n-1] = both
		return
	}
	g.hours = append(g.hours, h)
}

// bounded reports whether the hours have one bound, to which another may be added: "después de las 4 y antes de las 6".
func (h hoursExpr) bounded() bool { return h.shape == NotBefore || h.shape == NotAfter }

// shareMonths gives a month said once to the numbers beside it: "el 27 o 28 de abril", "el 5 de abril o el 7".
func (g *group) shareMonths() {
	bare := func(i int) bool {
		d := g.days[i]
		return d.number.day != 0 && d.number.month == 0 && len(d.spans) == 0 && d.until == nil
	}
	for i := len(g.days) - 2; i >= 0; i-- {
		if next := g.days[i+1].number; bare(i) && next.month != 0 && g.days[i].number.day < next.day {
			g.days[i].number.month, g.days[i].number.year = next.month, next.year
		}
	}
	for i := 1; i < len(g.days); i++ {
		if last := g.days[i-1].number; bare(i) && last.month != 0 && g.days[i].number.day > last.day {
			g.days[i].number.month, g.days[i].number.year = last.month, last.year
		}
	}
}

// with ties hours to those said before them. It reports whether both can hold at once.
func (h hoursExpr) with(o hoursExpr) (hoursExpr, bool) {
	switch {
	case h.whole:
		return o, true
	case o.whole:
		return h, true
	case h.shape == AnyHour && o.shape == AnyHour:
		return o, true
	case h.shape == AnyHour:
		o.edge = h.edge
		return o, true
	case o.shape == AnyHour:
		h.edge = o.edge
		return h, true
	case h.shape == InPart && o.shape == InPart:
		return o, h.part == o.part
	case h.shape == InPart:
		return o.inPart(h.part), true
	case o.shape == InPart:
		return h.inPart(o.part), true
	case h.shape == NotBefore && o.shape == NotAfter:
		h.shape, h.to = Between, o.to
		return h, true
	case h.shape == NotAfter && o.shape == NotBefore:
		o.shape, o.to = Between, h.to
		return o, true
	}
	return h, false
}

// inPart gives the part of the day to the times that were said without one.
func (h hoursExpr) inPart(part DayPart) hoursExpr {
	give := func(c clock) clock {
		if c.part == NoPart && c.half == noHalf && !c.exact {
			c.part = part
		}
		return c
	}
	clocks := make([]clock, len(h.clocks))
	for i, c := range h.clocks {
		clocks[i] = give(c)
	}
	h.clocks, h.from, h.to = clocks, give(h.from), give(h.to)
	return h
}
