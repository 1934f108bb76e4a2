package when

import "time"

// justPast is for how many days a date without a year is taken for one that is over rather than next year's.
const justPast = 31

// soonEnough is how many days ahead a weekday makes a number mean the month after the next one that has it: "lunes 27" in a month
// whose 27th is a Friday.
const soonEnough = 35

// found is what holding an expression of days against the calendar gives: the days, or why there are none.
type found struct {
	days    []days
	verdict Kind // None, Past, Invalid or Conflict
}

func (f found) single() (Date, bool) {
	return f.first().from, len(f.days) == 1 && f.days[0].from == f.days[0].to
}

func (f found) first() days {
	if len(f.days) == 0 {
		return days{}
	}
	return f.days[0]
}

// dates lists what was found as single dates.
func (f found) dates() []Date {
	var dates []Date
	for _, d := range f.days {
		dates = append(dates, d.from)
	}
	return dates
}

func onDates(dates ...Date) found {
	var f found
	for _, d := range dates {
		f.days = append(f.days, days{d, d})
	}
	return f
}

func verdict(k Kind, dates ...Date) found {
	f := onDates(dates...)
	f.verdict = k
	return f
}

// resolveDays holds an expression of days against the calendar.
func (p *parser) resolveDays(d dayExpr) found {
	switch {
	case d.past:
		return found{verdict: Past}
	case d.until != nil:
		return p.resolveStretch(d)
	}
	f := p.candidates(d)
	if f.verdict != None || d.bound == onDay {
		return f
	}
	for i, s := range f.days {
		switch d.bound {
		case beforeDay:
			s = days{p.today, s.from.AddDays(-1)}
		case untilDay:
			s = days{p.today, s.to}
		case afterDay:
			s = days{s.to.AddDays(1), Date{}}
		case sinceDay:
			s = days{s.from, Date{}}
		}
		if !s.to.IsZero() && s.to.Before(s.from) {
			return verdict(Past)
		}
		f.days[i] = s
	}
	return f
}

// candidates gives the days for which everything that was said is true.
func (p *parser) candidates(d dayExpr) found {
	switch {
	case d.number.day != 0 && len(d.spans) > 0:
		return p.dayOfSpan(d)
	case d.number.day != 0 && !d.fixed.IsZero():
		if d.number.day != d.fixed.Day || d.number.month != 0 && d.number.month != int(d.fixed.Month) {
			return verdict(Conflict, append(p.numberedDate(d).dates(), d.fixed)...)
		}
		d.number = dayNumber{}
		return p.candidates(d)
	case d.number.day != 0:
		return p.numberedDate(d)
	case !d.fixed.IsZero():
		if d.weekday.said && d.fixed.Weekday() != d.weekday.day {
			return verdict(Conflict, d.fixed, p.nearest(d.weekday.day, d.fixed))
		}
		return onDates(d.fixed)
	case d.weekday.said && len(d.spans) > 0 && !d.every:
		return p.weekdaysOfSpan(d)
	case d.weekday.said && !d.every:
		return onDates(p.weekdayDates(d.weekday)...)
	}
	var f found
	for _, s := range d.spans {
		if s.to.Before(p.today) {
			continue
		}
		if s.from.Before(p.today) {
			s.from = p.today
		}
		f.days = append(f.days, s)
	}
	if len(d.spans) > 0 && len(f.days) == 0 {
		return verdict(Past)
	}
	return f
}

// weekdayDates gives the dates that a weekday may mean.
func (p *parser) weekdayDates(w weekdayExpr) []Date {
	coming := p.today.AddDays((int(w.day) - int(p.today.Weekday()) + 7) % 7)
	switch {
	case w.which == otherOne:
		return []Date{coming.AddDays(7)}
	case w.which == nextOne && coming == p.today:
		return []Date{coming.AddDays(7)}
	case w.which == nextOne && coming.monday() == p.today.monday():
		return []Date{coming, coming.AddDays(7)}
	case w.which == plainOne && coming == p.today && p.overToday():
		return []Date{coming.AddDays(7)}
	case w.which == plainOne && coming == p.today:
		return []Date{coming, coming.AddDays(7)}
	}
	return []Date{coming}
}

// overToday reports whether the business has closed for today.
func (p *parser) overToday() bool {
	for _, s := range p.open(p.today) {
		if p.now < s.To {
			return false
		}
	}
	return len(p.open(p.today)) > 0
}

func (p *parser) weekdaysOfSpan(d dayExpr) found {
	var f found
	past := false
	for _, s := range d.spans {
		for day := s.from; !day.After(s.to); day = day.AddDays(1) {
			if day.Weekday() != d.weekday.day {
				continue
			}
			if day.Before(p.today) {
				past = true
				continue
			}
			f.days = append(f.days, days{day, day})
		}
	}
	switch {
	case len(f.days) == 0 && past:
		return verdict(Past)
	case len(f.days) == 0:
		return verdict(Conflict, d.spans[0].from, p.nearest(d.weekday.day, d.spans[0].from))
	}
	return f
}

// dayOfSpan gives the day with a number in a month, week or other stretch.
func (p *parser) dayOfSpan(d dayExpr) found {
	for _, s := range d.spans {
		for day := s.from; !day.After(s.to); day = day.AddDays(1) {
			if day.Day != d.number.day || d.number.month != 0 && int(day.Month) != d.number.month {
				continue
			}
			switch {
			case day.Before(p.today):
				return verdict(Past, day)
			case d.weekday.said && day.Weekday() != d.weekday.day:
				return verdict(Conflict, day, p.nearest(d.weekday.day, day))
			}
			return onDates(day)
		}
	}
	return found{verdict: Invalid}
}

// numberedDate gives the date with a number, in the month and year said or in those that come next.
func (p *parser) numberedDate(d dayExpr) found {
	n := d.number
	if n.day < 1 || n.day > 31 || n.month < 0 || n.month > 12 {
		return found{verdict: Invalid}
	}
	var dates []Date
	switch {
	case n.month == 0:
		dates = p.occurrences(n)
		if before := (Date{p.today.Year, p.today.Month, n.day}); d.weekday.said && before.Exists() && before.Before(p.today) && before.Weekday() == d.weekday.day && dates[0].Weekday() != d.weekday.day {
			return verdict(Past, before)
		}
	case n.year != 0:
		date := Date{n.year, time.Month(n.month), n.day}
		if !date.Exists() {
			return found{verdict: Invalid}
		}
		if date.Before(p.today) {
			return verdict(Past, date)
		}
		dates = []Date{date}
	default:
		f := p.dateOfYear(n, d.weekday)
		if f.verdict != None {
			return f
		}
		dates = []Date{f.days[0].from}
	}
	if !d.weekday.said {
		return onDates(dates[0])
	}
	for i, date := range dates {
		if date.Weekday() == d.weekday.day && (i == 0 || date.DaysSince(p.today) <= soonEnough) {
			return onDates(date)
		}
	}
	return verdict(Conflict, dates[0], p.nearest(d.weekday.day, dates[0]))
}

// dateOfYear gives the date with a number and a month in the year that fits.
func (p *parser) dateOfYear(n dayNumber, w weekdayExpr) found {
	in := func(year int) Date { return Date{year, time.Month(n.month), n.day} }
	for _, year := range []int{p.today.Year, p.today.Year - 1} {
		date := in(year)
		if ago := p.today.DaysSince(date); date.Exists() && ago > 0 && ago <= justPast && (!w.said || date.Weekday() == w.day) {
			return verdict(Past, date)
		}
	}
	year := p.today.Year
	last := daysIn(year, time.Month(n.month))
	if (Date{year, time.Month(n.month), min(n.day, last)}).Before(p.today) {
		year++
	}
	if date := in(year); date.Exists() {
		return onDates(date)
	}
	return found{verdict: Invalid}
}

// occurrences gives the next two dates with that number in a month.
func (p *parser) occurrences(n dayNumber) []Date {
	if n.day < 1 || n.day > 31 {
		return nil
	}
	var dates []Date
	for month := (Date{p.today.Year, p.today.Month, 1}); len(dates) < 2; month = month.AddMonths(1) {
		if date := (Date{month.Year, month.Month, n.day}); date.Exists() && !date.Before(p.today) {
			dates = append(dates, date)
		}
	}
	return dates
}

// first gives the one date that a number alone means, if there is one.
func (p *parser) first(n dayNumber) (Date, bool) {
	return p.numberedDate(dayExpr{number: n}).single()
}

// nearest gives the date on the weekday that is nearest to another date and not past.
func (p *parser) nearest(w time.Weekday, to Date) Date {
	date := to.AddDays(-3)
	for date.Weekday() != w {
		date = date.AddDays(1)
	}
	if date.Before(p.today) {
		return date.AddDays(7)
	}
	return date
}

// resolveStretch gives the days from one to another.
func (p *parser) resolveStretch(d dayExpr) found {
	first, last := d, *d.until
	first.until = nil
	var from, to found
	if first.number.day > 31 {
		return found{verdict: Invalid}
	}
	if first.number.day != 0 && first.number.month == 0 && last.number.month != 0 {
		to = p.resolveDays(last)
		if to.verdict != None {
			return to
		}
		from = onDates(latestNumber(first.number.day, to.first().from))
	} else {
		from = p.resolveDays(first)
		if from.verdict != None {
			return from
		}
		to = p.resolveLast(last, from.first().from)
	}
	switch s := (days{from.first().from, to.first().to}); {
	case to.verdict != None:
		return to
	case s.to.Before(p.today):
		return verdict(Past, s.to)
	case s.to.Before(s.from):
		return verdict(Conflict, s.from, s.to)
	case s.from.Before(p.today):
		return found{days: []days{{p.today, s.to}}}
	default:
		return found{days: []days{s}}
	}
}

// resolveLast gives the last day of a stretch that begins on a date.
func (p *parser) resolveLast(last dayExpr, from Date) found {
	later := *p
	later.today = from
	switch {
	case last.weekday.said && last.number.day == 0 && len(last.spans) == 0:
		return onDates(from.AddDays((int(last.weekday.day) - int(from.Weekday()) + 7) % 7))
	case last.number.day != 0 && last.number.month == 0 && len(last.spans) == 0:
		return later.numberedDate(last)
	}
	return p.resolveDays(last)
}

// latestNumber gives the last date with that number in a month which is not after another.
func latestNumber(day int, by Date) Date {
	for date := by; ; date = date.AddDays(-1) {
		if date.Day == day {
			return date
		}
	}
}
