package when

import "slices"

// settlement turns groups into a meaning.
type settlement struct {
	p               *parser
	soonest, anyDay bool
	holiday         string
	not             []Option
}

// settle decides the groups against the calendar and the opening hours.
func (s settlement) settle(groups []group) Meaning {
	if s.soonest {
		for i := range groups {
			groups[i].addEdge()
		}
	}
	var options []Option
	var failed []found
	for _, g := range groups {
		found, bad := s.p.options(g, s.anyDay || slices.ContainsFunc(s.not, Option.HasDay))
		options = append(options, found...)
		failed = append(failed, bad...)
	}
	if m, ok := verdictOf(failed, len(options) > 0); ok {
		return m
	}
	dated := slices.ContainsFunc(options, func(o Option) bool { return !o.From.IsZero() || o.Only != 0 })
	if s.holiday != "" && !dated {
		return Meaning{Kind: Holiday, Name: s.holiday, Options: options}
	}
	ahead := slices.DeleteFunc(slices.Clone(options), s.p.isPast)
	if len(options) > 0 && len(ahead) == 0 {
		return Meaning{Kind: Past, Options: options}
	}
	options = distinct(ahead)
	if len(options) == 0 && (s.anyDay || len(s.not) > 0) && !s.soonest {
		options = []Option{{Any: true}}
	}
	m := Meaning{Options: options, Not: s.relevant(options)}
	m.Kind = s.kind(m)
	return m
}

// addEdge makes "as soon as possible" on named days the earliest time of them.
func (g *group) addEdge() {
	if len(g.days) == 0 {
		return
	}
	if len(g.hours) == 0 {
		g.hours = []hoursExpr{{}}
	}
	for i := range g.hours {
		if g.hours[i].shape != At {
			g.hours[i].edge = Earliest
		}
	}
}

// verdictOf gives the meaning of what failed: what does not exist is always told, what is past only when nothing else was said.
func verdictOf(failed []found, others bool) (Meaning, bool) {
	for _, k := range []Kind{Invalid, Conflict, Past} {
		for _, f := range failed {
			if f.verdict != k || k == Past && others {
				continue
			}
			m := Meaning{Kind: k}
			for _, d := range f.days {
				m.Options = append(m.Options, Option{From: d.from, To: d.to})
			}
			return m, true
		}
	}
	return Meaning{}, false
}

// options gives the readings of a group, and the days that came to nothing.
func (p *parser) options(g group, anyDay bool) ([]Option, []found) {
	var on []Option
	var failed []found
	for _, d := range g.days {
		if len(g.days) > 1 && d.weekday.which == plainOne && d.weekday.day == p.today.Weekday() && d.number.day == 0 && d.fixed.IsZero() {
			d.weekday.which = nextOne // among other days, who means today says so
		}
		f := p.resolveDays(d)
		if f.verdict != None {
			failed = append(failed, f)
			continue
		}
		on = append(on, p.dayOptions(d, f)...)
	}
	if len(g.days) == 0 && len(g.hours) > 0 {
		on = []Option{{Any: anyDay}}
		if !p.ref.Day.IsZero() && !anyDay {
			on = []Option{{From: p.ref.Day, To: p.ref.Day}}
		}
	}
	if len(g.hours) == 0 {
		return on, failed
	}
	var out []Option
	for _, o := range on {
		for _, h := range g.hours {
			if h.whole && !o.HasDay() {
				o.Any = true
			}
			out = append(out, p.onDays(o, h)...)
		}
	}
	return out, failed
}

// dayOptions gives the days of an expression as options without hours.
func (p *parser) dayOptions(d dayExpr, f found) []Option {
	if len(f.days) == 0 {
		if d.every || d.only != 0 {
			return []Option{{Any: true, Only: d.only}}
		}
		return nil
	}
	var out []Option
	for _, s := range f.days {
		out = append(out, Option{From: s.from, To: s.to, Only: d.only})
	}
	return out
}

// isPast reports whether all of an option lies before now.
func (p *parser) isPast(o Option) bool {
	if !o.To.IsZero() && o.To.Before(p.today) {
		return true
	}
	if date, single := o.Date(); !single || date != p.today {
		return false
	}
	switch h := o.Hours; h.Shape {
	case At:
		return h.From < p.now
	case NotAfter, Between:
		return h.To < p.now
	case InPart:
		return h.To <= p.now
	}
	return false
}

// distinct drops options said twice.
func distinct(options []Option) []Option {
	var out []Option
	for _, o := range options {
		if !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// relevant gives the refusals that could rule out anything of the options.
func (s settlement) relevant(options []Option) []Option {
	if len(options) == 0 {
		return s.not
	}
	var out []Option
	for _, n := range s.not {
		if slices.ContainsFunc(options, func(o Option) bool { return o.meets(n) }) {
			out = append(out, n)
		}
	}
	return out
}

// meets reports whether a refusal leaves less of an option. A date that was named is wanted, whatever was said of its weekday.
func (o Option) meets(n Option) bool {
	if minute, exact := o.Hours.Minute(); exact && !n.Hours.Admits(minute) {
		return false
	}
	if date, single := o.Date(); single && (!n.admitsDate(date) || o.Hours.Shape == At || n.Hours.Shape == AnyHour) {
		return false
	}
	if o.Hours.Shape == InPart && n.Hours.Shape == InPart && (n.Hours.From >= o.Hours.To || o.Hours.From >= n.Hours.To) {
		return false
	}
	apart := func(a, b Option) bool { return !a.To.IsZero() && !b.From.IsZero() && a.To.Before(b.From) }
	if apart(o, n) || apart(n, o) {
		return false
	}
	return o.Only == 0 || n.Only == 0 || o.Only&n.Only != 0
}

func (s settlement) kind(m Meaning) Kind {
	if s.soonest && !slices.ContainsFunc(m.Options, Option.HasDay) {
		return Soonest
	}
	switch len(m.Options) {
	case 0:
		return None
	case 1:
	default:
		return Ask
	}
	o := m.Options[0]
	_, single := o.Date()
	if o.Any || o.Only != 0 && o.From.IsZero() {
		return Wish
	}
	if !o.From.IsZero() && !single {
		return Range
	}
	if o.Hours.Edge == Earliest {
		return First
	}
	if o.Hours.Edge == Latest {
		return Last
	}
	switch h := o.Hours; {
	case h.Shape == At && !single:
		return TimeOnly
	case h.Shape == At && h.About:
		return Approximate
	case h.Shape == At:
		return Exact
	case h.Shape == InPart:
		return Part
	case h.Shape != AnyHour:
		return Window
	}
	return DayOnly
}
