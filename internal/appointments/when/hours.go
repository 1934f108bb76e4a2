package when

// onDays holds an expression of hours against the opening hours of the option's days. It gives one option for each reading.
func (p *parser) onDays(o Option, h hoursExpr) []Option {
	if h.habit && !o.HasDay() {
		o.Any = true
	}
	o.Hours.Edge = h.edge
	switch h.shape {
	case At:
		return p.atClocks(o, h.clocks)
	case NotBefore:
		return spread(p.choose(o, h.from, starting), func(m int) Option {
			o.Hours.Shape, o.Hours.From = NotBefore, m%dayMinutes
			return o
		})
	case NotAfter:
		return spread(p.choose(o, h.to, closing), func(m int) Option {
			o.Hours.Shape, o.Hours.To = NotAfter, m
			return o
		})
	case Between:
		return p.betweenClocks(o, h)
	case InPart:
		window := h.part.Window()
		if p.edgeIsWhole(o, h) {
			return []Option{o}
		}
		o.Hours.Shape, o.Hours.Part, o.Hours.From, o.Hours.To = InPart, h.part, window.From, window.To
	}
	return []Option{o}
}

func spread(minutes []int, option func(int) Option) []Option {
	var out []Option
	for _, m := range minutes {
		out = append(out, option(m))
	}
	return out
}

// edgeIsWhole reports whether the first or last of a part of the day is that of the day itself.
func (p *parser) edgeIsWhole(o Option, h hoursExpr) bool {
	dates := p.looked(o)
	if h.edge == NoEdge || len(dates) == 0 {
		return false
	}
	window := h.part.Window()
	for _, date := range dates {
		spans := p.open(date)
		if len(spans) == 0 {
			continue
		}
		if h.edge == Earliest && !window.holds(spans[0].From, starting) || h.edge == Latest && !window.holds(spans[len(spans)-1].To, closing) {
			return false
		}
	}
	return true
}

func (p *parser) atClocks(o Option, clocks []clock) []Option {
	var out []Option
	for _, c := range clocks {
		for _, m := range p.choose(o, c, starting) {
			at := o
			if date, single := o.Date(); single && m >= dayMinutes {
				at.From, at.To = date.AddDays(m/dayMinutes), date.AddDays(m/dayMinutes)
			}
			at.Hours.Shape, at.Hours.From, at.Hours.To, at.Hours.About = At, m%dayMinutes, m%dayMinutes, c.about
			out = append(out, at)
		}
	}
	return out
}

// betweenClocks gives the windows from one time to another that fit the opening hours, and the nearest to them where none does.
// Of those that end alike only the shortest counts: "de 2 a 4 de la tarde" does not begin at night.
func (p *parser) betweenClocks(o Option, h hoursExpr) []Option {
	dates := p.looked(o)
	var fitting []Span
	var best Span
	least := 0
	for _, to := range h.to.readings() {
		shortest := Span{}
		for _, from := range h.from.readings() {
			w := Span{from % dayMinutes, to}
			if w.To <= w.From {
				w.To += dayMinutes
			}
			length := w.To - w.From
			if length >= dayMinutes {
				continue // "de 5 a 5" is no window
			}
			if p.fits(dates, w.From, starting) && p.fits(dates, w.To, closing) && (shortest == Span{} || length < shortest.To-shortest.From) {
				shortest = w
			}
			if far := p.distance(dates, w.From) + p.distance(dates, w.To) + length; least == 0 || far < least {
				best, least = w, far
			}
		}
		if shortest.To-shortest.From > 0 && shortest.To-shortest.From <= dayMinutes/2 {
			fitting = append(fitting, shortest)
		}
	}
	if least == 0 {
		return p.atClocks(o, []clock{h.from})
	}
	if len(fitting) == 0 {
		fitting = []Span{best}
	}
	var out []Option
	for _, w := range fitting {
		o.Hours.Shape, o.Hours.From, o.Hours.To = Between, w.From, w.To
		out = append(out, o)
	}
	return out
}
