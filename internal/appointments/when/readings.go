package when

// usualHours are assumed where no opening hours are known, and to choose between two readings of an hour on a closed day.
var usualHours = []Span{{9 * 60, 18 * 60}}

// daysLooked is how many days' opening hours decide what an hour means when no date was said, or a long stretch of them.
const daysLooked = 7

// open gives the opening hours of a date.
func (p *parser) open(date Date) []Span {
	if p.ref.Open == nil {
		return usualHours
	}
	spans, ok := p.spans[date]
	if !ok {
		spans = p.ref.Open(date)
		p.spans[date] = spans
	}
	return spans
}

// looked gives the dates whose opening hours tell what an hour of the option means.
func (p *parser) looked(o Option) []Date {
	if date, ok := o.Date(); ok {
		return []Date{date}
	}
	from := o.From
	if from.IsZero() || from.Before(p.today) {
		from = p.today
	}
	var dates []Date
	for d := from; len(dates) < daysLooked && d.DaysSince(from) < daysLooked && (o.To.IsZero() || !d.After(o.To)); d = d.AddDays(1) {
		if o.admitsDate(d) {
			dates = append(dates, d)
		}
	}
	return dates
}

// side tells whether a time is one to start at or one to be done by.
type side uint8

const (
	starting side = iota
	closing
)

func (s Span) holds(minute int, side side) bool {
	if side == closing {
		return s.From < minute && minute <= s.To
	}
	return s.From <= minute && minute < s.To
}

// fits reports whether the business is open at the minute on any of the dates. What is past midnight belongs to the shift that began before.
func (p *parser) fits(dates []Date, minute int, side side) bool {
	for _, date := range dates {
		for _, s := range p.open(date) {
			if s.holds(minute, side) {
				return true
			}
		}
		if minute >= dayMinutes {
			continue
		}
		for _, s := range p.open(date.AddDays(-1)) {
			if s.holds(minute+dayMinutes, side) {
				return true
			}
		}
	}
	return false
}

// distance tells how far the minute is from the opening hours of the dates.
func (p *parser) distance(dates []Date, minute int) int {
	best := 2 * dayMinutes
	measure := func(spans []Span) {
		for _, s := range spans {
			best = min(best, max(s.From-minute, minute-s.To, 0))
		}
	}
	for _, date := range dates {
		measure(p.open(date))
	}
	if best == 2*dayMinutes {
		measure(usualHours)
	}
	return best
}

// readings gives the minutes from midnight that a time may mean, the likeliest first.
func (c clock) readings() []int {
	at := func(hours ...int) []int {
		minutes := make([]int, len(hours))
		for i, h := range hours {
			minutes[i] = h*60 + c.minute
			if minutes[i] < 0 {
				minutes[i] += dayMinutes
			}
		}
		return minutes
	}
	h := c.hour
	switch {
	case c.midnight:
		return at(0, 24)
	case c.exact:
		return at(h)
	case c.half == forenoon && h == 12:
		return at(0, 12)
	case c.half == forenoon, c.half == afternoon && h == 12:
		return at(h)
	case c.half == afternoon:
		return at(h + 12)
	case c.part != NoPart:
		return at(c.part.hours(h)...)
	case h == 12:
		return at(12, 24)
	case h <= 6:
		return at(h+12, h, h+24)
	}
	return at(h, h+12)
}

// hours gives the hours of the day that people call h o'clock in that part of it; h is 1 to 12.
func (p DayPart) hours(h int) []int {
	switch {
	case p == Morning, p == Dawn && h < 12, p == Noon && h > 9:
		return []int{h}
	case p == Dawn:
		return []int{0}
	case p == Evening && h == 12:
		return []int{0, 24}
	case p == Evening && h < 6:
		return []int{h, h + 24}
	case h == 12:
		return []int{12}
	}
	return []int{h + 12}
}

// choose gives the minutes that a time means on the option's days: those of its readings at which the business is open, and if it
// is at none, the one nearest to that. More than one: nobody can tell.
func (p *parser) choose(o Option, c clock, side side) []int {
	readings := c.readings()
	dates := p.looked(o)
	date, single := o.Date()
	if !single && c.midnight {
		return []int{0}
	}
	fitting := filter(readings, func(m int) bool { return p.fits(dates, m, side) })
	if first := readings[0]; len(fitting) > 1 && c.half != noHalf {
		fitting = []int{first} // "12 am" is midnight wherever there is somebody at midnight
	}
	if c.half == noHalf && c.part == NoPart && c.literal && (len(fitting) == 0 || p.fits(dates, c.hour*60+c.minute, side)) {
		return []int{c.hour*60 + c.minute}
	}
	today := single && date == p.today
	ahead := func(m int) bool { return !today || m >= p.now }
	if len(fitting) > 0 {
		if later := filter(fitting, ahead); len(later) > 0 {
			return later
		}
		return fitting
	}
	if c.midnight || c.part == Evening && len(readings) > 1 {
		return readings
	}
	within := filter(readings, func(m int) bool { return m < dayMinutes })
	if later := filter(within, ahead); len(later) > 0 {
		within = later
	}
	if len(within) == 0 {
		return readings[:1]
	}
	best := within[0]
	for _, m := range within[1:] {
		if p.distance(dates, m) < p.distance(dates, best) {
			best = m
		}
	}
	return []int{best}
}

func filter(minutes []int, keep func(int) bool) []int {
	var kept []int
	for _, m := range minutes {
		if keep(m) {
			kept = append(kept, m)
		}
	}
	return kept
}
