package appointments

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// places are zones whose clocks change in unlike ways, each with a date around which they do.
var places = []struct {
	zone string
	date when.Date
}{
	{"America/Argentina/Buenos_Aires", when.Date{Year: 2026, Month: 3, Day: 25}},
	{"America/Santiago", when.Date{Year: 2026, Month: 9, Day: 6}},
	{"America/Santiago", when.Date{Year: 2026, Month: 4, Day: 5}},
	{"America/Havana", when.Date{Year: 2026, Month: 3, Day: 8}},
	{"America/Havana", when.Date{Year: 2026, Month: 11, Day: 1}},
	{"Europe/Madrid", when.Date{Year: 2026, Month: 3, Day: 29}},
	{"Europe/Madrid", when.Date{Year: 2026, Month: 10, Day: 25}},
	{"America/New_York", when.Date{Year: 2026, Month: 11, Day: 1}},
	{"Australia/Lord_Howe", when.Date{Year: 2026, Month: 4, Day: 5}},
	{"Asia/Kathmandu", when.Date{Year: 2026, Month: 1, Day: 1}},
	{"Pacific/Apia", when.Date{Year: 2011, Month: 12, Day: 30}},
}

// weekOf draws a week of shifts that do not overlap, some past midnight.
func weekOf(t *rapid.T) []Shift {
	var out []Shift
	late := 0 // until when the day before goes on
	for d := time.Sunday; d <= time.Saturday; d++ {
		at := max(late, rapid.IntRange(0, 700).Draw(t, "from"))
		late = 0
		for range rapid.IntRange(0, 2).Draw(t, "shifts") {
			to := at + rapid.IntRange(1, 600).Draw(t, "length")
			if at >= dayMinutes || d == time.Saturday && to > dayMinutes {
				break
			}
			out = append(out, Shift{Day: d, From: Clock(at), To: Clock(to)})
			late = max(0, to-dayMinutes)
			at = to + rapid.IntRange(0, 120).Draw(t, "pause")
		}
	}
	m := Staff{Name: "x", Hours: out}
	require.NoError(t, m.check())
	return out
}

func spanAround(t *rapid.T, middle time.Time, label string) Span {
	from := middle.Add(time.Duration(rapid.IntRange(-2000, 2000).Draw(t, label)) * time.Minute)
	return Span{from, from.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, label+" minutes")) * time.Minute)}
}

// anyShop draws a business around a date on which clocks may change.
func anyShop(t *rapid.T) (shop, time.Time) {
	place := rapid.SampledFrom(places).Draw(t, "place")
	loc, _ := loadZone(place.zone)
	middle := when.StartOfDay(place.date, loc)
	s := shop{zone: place.zone, hours: weekOf(t), minutes: rapid.IntRange(1, 240).Draw(t, "minutes"), step: rapid.IntRange(5, 120).Draw(t, "step"),
		before: rapid.IntRange(0, 60).Draw(t, "before"), after: rapid.IntRange(0, 60).Draw(t, "after"),
		notice: time.Duration(rapid.IntRange(0, 600).Draw(t, "notice")) * time.Minute, horizon: rapid.IntRange(1, 4).Draw(t, "horizon"),
		rule: rapid.SampledFrom([]ClosureRule{CloseShifts, CloseCalendar}).Draw(t, "rule")}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if rapid.Bool().Draw(t, "has break") {
			from := rapid.IntRange(0, 1500).Draw(t, "break")
			s.breaks = append(s.breaks, Shift{Day: d, From: Clock(from), To: Clock(from + rapid.IntRange(1, 90).Draw(t, "rest"))})
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "bookings") {
		s.busy = append(s.busy, spanAround(t, middle, "booking"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "closures") {
		if rapid.Bool().Draw(t, "by dates") {
			first := place.date.AddDays(rapid.IntRange(-2, 2).Draw(t, "first"))
			s.closures = append(s.closures, Closure{First: first, Last: first.AddDays(rapid.IntRange(0, 1).Draw(t, "dates"))})
		} else {
			s.closures = append(s.closures, Closure{Span: spanAround(t, middle, "closure")})
		}
	}
	s.now = middle.Add(time.Duration(rapid.IntRange(-3000, 600).Draw(t, "now")) * time.Minute).Format(time.RFC3339)
	return s, middle
}

func agendaOf(t require.TestingT, p Plan, now time.Time) *Agenda {
	a, err := NewAgenda(p, now)
	require.NoError(t, err)
	return a
}

func TestWhatIsListedCanBeBookedAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, middle := anyShop(t)
		p := s.plan()
		staff := p.Staff[0].ID
		a := agendaOf(t, p, instant(s.now))
		span := Span{middle.Add(-50 * time.Hour), middle.Add(80 * time.Hour)}
		listed := map[int64]bool{}
		for _, slot := range a.Slots(span, 0) {
			require.False(t, listed[slot.Start.Unix()], "listed twice: %s", slot.Start)
			listed[slot.Start.Unix()] = true
		}
		for at := span.From; at.Before(span.To); at = at.Add(time.Minute) {
			why := a.Check(staff, at)
			require.Equal(t, why == Bookable, listed[at.Unix()], "%s in %s is said to be %q", at, s.zone, why)
			require.True(t, why == Bookable || reasonRules[why] != "", "no words for %q", why)
		}
	})
}

func TestNoTwoBookingsEverOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, middle := anyShop(t)
		s.busy = nil
		p := s.plan()
		staff := p.Staff[0].ID
		span := Span{middle.Add(-50 * time.Hour), middle.Add(80 * time.Hour)}
		var made []Span
		for range rapid.IntRange(1, 12).Draw(t, "bookings") {
			p.Offering.Duration = time.Duration(rapid.IntRange(1, 120).Draw(t, "minutes")) * time.Minute
			p.Offering.Before = time.Duration(rapid.IntRange(0, 40).Draw(t, "before")) * time.Minute
			p.Offering.After = time.Duration(rapid.IntRange(0, 40).Draw(t, "after")) * time.Minute
			a := agendaOf(t, p, instant(s.now))
			slots := a.Slots(span, 0)
			if len(slots) == 0 {
				continue
			}
			start := rapid.SampledFrom(slots).Draw(t, "slot").Start
			o := a.occupied(start.Unix())
			taken := Span{time.Unix(o.from, 0), time.Unix(o.to, 0)}
			for _, m := range made {
				require.False(t, m.overlaps(taken), "%v meets %v", taken, m)
			}
			made = append(made, taken)
			p.Busy[staff] = append(p.Busy[staff], taken)
			require.Equal(t, Taken, agendaOf(t, p, instant(s.now)).Check(staff, start))
		}
	})
}

// TestTheAgendaAgreesWithCountingMinutes compares it, where clocks never change, with the rule written down minute by minute.
func TestTheAgendaAgreesWithCountingMinutes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, middle := anyShop(t)
		s.zone, s.closures, s.rule = "UTC", nil, CloseShifts
		p := s.plan()
		now := instant(s.now)
		var got []int64
		span := Span{middle.Add(-24 * time.Hour), middle.Add(48 * time.Hour)}
		for _, slot := range agendaOf(t, p, now).Slots(span, 0) {
			got = append(got, slot.Start.Unix()/60)
		}
		open := map[int64]int64{} // minute → start of its shift
		taken := map[int64]bool{} // occupied by others
		for day := dayOf(when.DateOf(span.From)) - 2; day <= dayOf(when.DateOf(span.To))+1; day++ {
			for _, h := range s.hours {
				for m := h.From; h.Day == day.weekday() && m < h.To; m++ {
					open[day.wall(int(m))/60] = day.wall(int(h.From)) / 60
				}
			}
			for _, b := range s.breaks {
				for m := b.From; b.Day == day.weekday() && m < b.To; m++ {
					if shift, ok := open[day.wall(int(m))/60]; ok && shift >= day.wall(0)/60 { // of a shift of the same day
						delete(open, day.wall(int(m))/60)
					}
				}
			}
		}
		for _, b := range s.busy {
			for m := b.From.Unix() / 60; m < b.To.Unix()/60; m++ {
				taken[m] = true
			}
		}
		horizon := (int64(dayOf(when.DateOf(now.UTC()))) + int64(s.horizon) + 1) * dayMinutes
		var want []int64
		for m := span.From.Unix() / 60; m < span.To.Unix()/60; m++ {
			shift, isOpen := open[m]
			ok := isOpen && (m-shift)%int64(s.step) == 0 && m*60 >= now.Add(s.notice).Unix() && m < horizon
			for i := m; ok && i < m+int64(s.minutes); i++ {
				other, isOpen := open[i]
				ok = isOpen && other == shift
			}
			for i := m - int64(s.before); ok && i < m+int64(s.minutes+s.after); i++ {
				ok = !taken[i]
			}
			if ok {
				want = append(want, m)
			}
		}
		require.Equal(t, want, got)
	})
}

func TestSlotsOfManyComeInOrderOfTimeAndID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, middle := anyShop(t)
		p := s.plan()
		for range 3 {
			m := p.Staff[0]
			m.ID, m.Hours = id.NewStaff(), weekOf(t)
			p.Staff = append(p.Staff, m)
		}
		a := agendaOf(t, p, instant(s.now))
		slots := a.Slots(Span{middle.Add(-50 * time.Hour), middle.Add(80 * time.Hour)}, 0)
		require.True(t, slices.IsSortedFunc(slots, func(x, y Slot) int {
			if c := x.Start.Compare(y.Start); c != 0 {
				return c
			}
			if x.Staff.ID.String() < y.Staff.ID.String() {
				return -1
			}
			return 1
		}))
		for _, slot := range slots {
			chosen, why := a.Choose(slot.Start)
			require.Equal(t, Bookable, why)
			require.Equal(t, Bookable, a.Check(chosen.ID, slot.Start))
		}
		require.Equal(t, slots[:min(3, len(slots))], a.Slots(Span{middle.Add(-50 * time.Hour), middle.Add(80 * time.Hour)}, 3)[:min(3, len(slots))])
	})
}
