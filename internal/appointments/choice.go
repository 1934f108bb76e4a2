package appointments

import (
	"cmp"
	"slices"
	"time"

	"turnero/internal/id"
)

// Choose gives who should take a start that may go to anybody: of those who can, the one with the least occupied time on
// that date, and of equals the first by ID. When nobody can it gives the reason that comes closest to "yes".
func (a *Agenda) Choose(start time.Time) (Ref[id.Staff], Reason) {
	best, least, why := -1, int64(0), NotPerformed
	today := localDay(start.Unix(), a.loc)
	date := stretch{a.almanac.at(today, 0), a.almanac.at(today+1, 0)}
	for i := range a.staff {
		r := &a.staff[i]
		if w := a.Check(r.ref.ID, start); w != Bookable {
			why = closer(why, w)
			continue
		}
		if load := r.busyWithin(date); best < 0 || load < least {
			best, least = i, load
		}
	}
	if best < 0 {
		return Ref[id.Staff]{}, why
	}
	return a.staff[best].ref, Bookable
}

// free lists the people of the agenda who can take the start.
func (a *Agenda) free(start time.Time) []id.Staff {
	var out []id.Staff
	for i := range a.staff {
		if a.Check(a.staff[i].ref.ID, start) == Bookable {
			out = append(out, a.staff[i].ref.ID)
		}
	}
	return out
}

// closeness orders the reasons of several people for one answer: "taken" tells more than "closed" when one is booked out and one is off.
var closeness = []Reason{NotPerformed, NotOffered, Closed, InClosure, Break, OffGrid, Taken, Horizon, Notice, Past}

func closer(x, y Reason) Reason {
	if slices.Index(closeness, y) > slices.Index(closeness, x) {
		return y
	}
	return x
}

// nearest picks from slots in order of time the n with different starts that lie nearest to the wanted instant, in order of time.
func nearest(slots []Slot, wanted time.Time, n int) []Slot {
	distinct := slices.CompactFunc(slices.Clone(slots), func(x, y Slot) bool { return x.Start.Equal(y.Start) })
	slices.SortStableFunc(distinct, func(x, y Slot) int {
		return cmp.Compare(x.Start.Sub(wanted).Abs(), y.Start.Sub(wanted).Abs())
	})
	distinct = distinct[:min(n, len(distinct))]
	slices.SortFunc(distinct, func(x, y Slot) int { return x.Start.Compare(y.Start) })
	return distinct
}
