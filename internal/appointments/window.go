package appointments

import (
	"cmp"
	"slices"
	"sort"
)

// scratch is memory that the search for windows uses again and again.
type scratch struct {
	cuts    []cut
	windows []window
}

// windows gives what is left of a shift that starts on the date: the shift less the breaks of its weekday and less the
// closures. What it returns is valid until the next call with the same scratch; sc.cuts then holds what was taken out.
func (a *Agenda) windows(r *roster, d day, shift stretch, sc *scratch) []window {
	sc.cuts, sc.windows = sc.cuts[:0], sc.windows[:0]
	for _, b := range r.breaks[d.weekday()] {
		sc.addCut(cut{stretch{a.almanac.at(d, int(b.From)), a.almanac.at(d, int(b.To))}, Break}, shift)
	}
	for _, c := range r.cuts {
		sc.addCut(c, shift)
	}
	slices.SortFunc(sc.cuts, func(x, y cut) int { return cmp.Compare(x.from, y.from) })
	at := shift.from
	for _, c := range sc.cuts {
		if c.from > at {
			sc.windows = append(sc.windows, window{stretch{at, c.from}, shift.from, c.why})
		}
		at = max(at, c.to)
	}
	if at < shift.to {
		sc.windows = append(sc.windows, window{stretch{at, shift.to}, shift.from, Closed})
	}
	return sc.windows
}

func (sc *scratch) addCut(c cut, shift stretch) {
	if c.from < c.to && c.from < shift.to && c.to > shift.from {
		sc.cuts = append(sc.cuts, c)
	}
}

// isClosed reports whether shifts that start on the date are closed.
func (r *roster) isClosed(d day) bool {
	for _, c := range r.closed {
		if c.first <= d && d <= c.last {
			return true
		}
	}
	return false
}

// busyAfter gives the occupied stretches that end after the instant, in order.
func (r *roster) busyAfter(at int64) []stretch {
	return r.busy[sort.Search(len(r.busy), func(i int) bool { return r.busy[i].to > at }):]
}

// isBusy reports whether anything occupied meets the stretch.
func (r *roster) isBusy(s stretch) bool {
	busy := r.busyAfter(s.from)
	return len(busy) > 0 && busy[0].from < s.to
}

// busyWithin adds up what is occupied in the stretch, in seconds.
func (r *roster) busyWithin(s stretch) int64 {
	sum := int64(0)
	for _, b := range r.busy {
		if b.from < s.to && b.to > s.from {
			sum += min(b.to, s.to) - max(b.from, s.from)
		}
	}
	return sum
}

// byWeekday sorts a week's shifts into its days, each in the order of time.
func byWeekday(shifts []Shift) [7][]Shift {
	var out [7][]Shift
	for _, s := range shifts {
		out[s.Day] = append(out[s.Day], s)
	}
	for _, day := range out {
		slices.SortFunc(day, func(x, y Shift) int { return cmp.Compare(x.From, y.From) })
	}
	return out
}

// stretches puts occupied ranges in order and joins those that touch.
func stretches(busy []Span) []stretch {
	out := make([]stretch, 0, len(busy))
	for _, b := range busy {
		out = append(out, stretch{b.From.Unix(), ceilSecond(b.To)})
	}
	slices.SortFunc(out, func(x, y stretch) int { return cmp.Compare(x.from, y.from) })
	n := 0
	for _, s := range out {
		if n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out[n] = s
		n++
	}
	return out[:n]
}
