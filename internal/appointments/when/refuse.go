package when

import "time"

// refusedOptions gives what was ruled out, as options that are not wanted.
func (p *parser) refusedOptions(items []item, refused, dropped []bool) []Option {
	var out []Option
	var g group
	flush := func() {
		found, _ := p.options(g, false)
		for _, o := range found {
			o.Any = false
			out = mergeWeekdays(out, o)
		}
		g = group{}
	}
	for i, it := range items {
		switch {
		case !refused[i] || dropped[i]:
			if it.kind != kCannot {
				flush()
			}
		case it.kind == kDay:
			if len(g.days) > 0 {
				flush()
			}
			day := it.day
			if day.loose {
				day = dayExpr{every: true, only: WeekdaySet(time.Saturday, time.Sunday)}
			}
			if day.weekday.said && day.number.day == 0 && day.weekday.which == plainOne && len(day.spans) == 0 && day.bound == onDay {
				day = dayExpr{every: true, only: WeekdaySet(day.weekday.day)}
			}
			g.days = append(g.days, day)
		case it.kind == kHours:
			g.hours = append(g.hours, it.hours)
		}
	}
	flush()
	return out
}

// mergeWeekdays puts weekdays ruled out alike into one option.
func mergeWeekdays(all []Option, o Option) []Option {
	for i := range all {
		last := &all[i]
		if o.Only != 0 && last.Only != 0 && o.From.IsZero() && last.From.IsZero() && o.Hours == last.Hours {
			last.Only |= o.Only
			return all
		}
	}
	return append(all, o)
}

// turnRound makes hours that were ruled out, and begin or end but not both, the hours that are left: who cannot before ten, can
// from ten on.
func turnRound(items []item, refused []bool) {
	for i := range items {
		it := &items[i]
		besideDay := i > 0 && refused[i-1] && items[i-1].kind == kDay || i+1 < len(items) && refused[i+1] && items[i+1].kind == kDay
		if !refused[i] || it.kind != kHours || besideDay {
			continue
		}
		switch it.hours.shape {
		case NotBefore:
			it.hours, refused[i] = hoursExpr{shape: NotAfter, to: it.hours.from}, false
		case NotAfter:
			it.hours, refused[i] = hoursExpr{shape: NotBefore, from: it.hours.to}, false
		}
	}
}
