package appointments

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// week gives the same shift on every day of the week.
func week(text string) []Shift {
	var out []Shift
	for day := time.Sunday; day <= time.Saturday; day++ {
		out = append(out, shiftsOn(day, text)...)
	}
	return out
}

// shiftsOn reads "09:00-13:00 16:00-20:00".
func shiftsOn(day time.Weekday, text string) []Shift {
	var out []Shift
	for _, part := range strings.Fields(text) {
		from, to, _ := strings.Cut(part, "-")
		out = append(out, Shift{Day: day, From: clock(from), To: clock(to)})
	}
	return out
}

func clock(text string) Clock {
	var h, m int
	if _, err := fmt.Sscanf(text, "%d:%d", &h, &m); err != nil {
		panic(err)
	}
	return Clock(h*60 + m)
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func date(text string) when.Date { return when.DateOf(instant(text + "T00:00:00Z")) }

// shop is one staff member's day in one place, as a case describes it.
type shop struct {
	zone          string
	hours, breaks []Shift
	minutes, step int
	before, after int
	closures      []Closure
	busy          []Span // occupied ranges of others
	now           string
	notice        time.Duration
	horizon       int
	rule          ClosureRule
}

func (s shop) plan() Plan {
	place := Location{ID: id.NewLocation(), Zone: s.zone, Policy: Policy{Notice: s.notice, HorizonDays: s.horizon, ClosureDates: s.rule}}
	service := Offering{ID: id.NewService(), Duration: time.Duration(s.minutes) * time.Minute, Step: time.Duration(s.step) * time.Minute,
		Before: time.Duration(s.before) * time.Minute, After: time.Duration(s.after) * time.Minute, Active: true}
	person := Staff{ID: id.NewStaff(), Name: "Ana", Location: place.ID, Active: true, Services: []id.Service{service.ID}, Hours: s.hours, Breaks: s.breaks}
	p := Plan{Location: place, Offering: service, Staff: []Staff{person}, Busy: map[id.Staff][]Span{person.ID: s.busy}}
	for _, c := range s.closures {
		c.Location = place.ID
		p.Closures = append(p.Closures, c)
	}
	return p
}

func (s shop) agenda(t *testing.T) (*Agenda, Plan) {
	t.Helper()
	if s.horizon == 0 {
		s.horizon = 365
	}
	p := s.plan()
	a, err := NewAgenda(p, instant(s.now))
	require.NoError(t, err)
	return a, p
}

// on lists the starts on the dates in local time: "09-06 01:00".
func (s shop) on(t *testing.T, first, last string) []string {
	t.Helper()
	a, p := s.agenda(t)
	span, err := p.Location.DaySpan(date(first), date(last))
	require.NoError(t, err)
	var out []string
	for _, slot := range a.Slots(span, 0) {
		out = append(out, slot.Start.In(a.loc).Format("01-02 15:04"))
		require.Equal(t, Bookable, a.Check(p.Staff[0].ID, slot.Start), "listed at %s", slot.Start)
	}
	return out
}

func times(on string, clocks ...string) []string {
	out := make([]string, len(clocks))
	for i, c := range clocks {
		out[i] = on + " " + c
	}
	return out
}

func TestClocksThatChangeMoveNoStartOffTheDayAndLoseNone(t *testing.T) {
	t.Parallel()
	const winter = "2026-01-01T00:00:00Z"
	for name, c := range map[string]struct {
		shop
		first, last string
		want        []string
	}{
		"midnight that does not exist (Santiago)": {shop{zone: "America/Santiago", hours: shiftsOn(time.Sunday, "00:00-04:00"), minutes: 60, step: 60, now: winter},
			"2026-09-05", "2026-09-06", times("09-06", "01:00", "02:00", "03:00")},
		"spring in the small hours (Madrid)": {shop{zone: "Europe/Madrid", hours: shiftsOn(time.Sunday, "00:00-06:00"), minutes: 60, step: 60, now: winter},
			"2026-03-29", "2026-03-29", times("03-29", "00:00", "01:00", "03:00", "04:00", "05:00")},
		"autumn gives the hour twice (Madrid)": {shop{zone: "Europe/Madrid", hours: shiftsOn(time.Sunday, "00:00-06:00"), minutes: 60, step: 60, now: winter},
			"2026-10-25", "2026-10-25", times("10-25", "00:00", "01:00", "02:00", "02:00", "03:00", "04:00", "05:00")},
		"spring in a border town (Tijuana)": {shop{zone: "America/Tijuana", hours: shiftsOn(time.Sunday, "01:00-05:00"), minutes: 60, step: 60, now: winter},
			"2026-03-08", "2026-03-08", times("03-08", "01:00", "03:00", "04:00")},
		"no change any more (Mexico City)": {shop{zone: "America/Mexico_City", hours: shiftsOn(time.Sunday, "01:00-05:00"), minutes: 60, step: 60, now: winter},
			"2026-03-08", "2026-03-08", times("03-08", "01:00", "02:00", "03:00", "04:00")},
		"overnight into a gap (Santiago)": {shop{zone: "America/Santiago", hours: shiftsOn(time.Saturday, "22:00-26:00"), minutes: 60, step: 60, now: winter},
			"2026-09-05", "2026-09-06", append(times("09-05", "22:00", "23:00"), "09-06 01:00")},
		"a shift that begins inside of the gap (Madrid)": {shop{zone: "Europe/Madrid", hours: shiftsOn(time.Sunday, "02:30-05:00"), minutes: 60, step: 30, now: winter},
			"2026-03-29", "2026-03-29", times("03-29", "03:00", "03:30", "04:00")},
		"a break in the hour that comes twice (New York)": {shop{zone: "America/New_York", hours: shiftsOn(time.Sunday, "00:00-04:00"), breaks: shiftsOn(time.Sunday, "01:00-01:30"), minutes: 30, step: 30, now: winter},
			"2026-11-01", "2026-11-01", times("11-01", "00:00", "00:30", "01:30", "01:00", "01:30", "02:00", "02:30", "03:00", "03:30")},
		"half an hour of change (Lord Howe)": {shop{zone: "Australia/Lord_Howe", hours: shiftsOn(time.Sunday, "01:00-04:00"), minutes: 30, step: 30, now: winter},
			"2026-10-04", "2026-10-04", times("10-04", "01:00", "01:30", "02:30", "03:00", "03:30")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.shop.on(t, c.first, c.last))
		})
	}
}

func TestStartsBesideBreaksShiftsAndOtherBookings(t *testing.T) {
	t.Parallel()
	const zone, now = "America/Argentina/Buenos_Aires", "2026-03-20T00:00:00Z"
	at := func(from, to string) Span {
		return Span{instant("2026-03-25T" + from + ":00-03:00"), instant("2026-03-25T" + to + ":00-03:00")}
	}
	for name, c := range map[string]struct {
		shop
		want []string
	}{
		"a booking with buffers on both sides": {shop{hours: week("09:00-12:00"), minutes: 30, before: 10, after: 15, step: 15, busy: []Span{at("09:50", "10:45")}},
			[]string{"09:00", "11:00", "11:15", "11:30"}},
		"a step that holds the cleaning": {shop{hours: week("09:00-11:00"), minutes: 20, after: 5, step: 25}, []string{"09:00", "09:25", "09:50", "10:15", "10:40"}},
		"cleaning may outlast the shift": {shop{hours: week("14:00-17:00"), minutes: 60, after: 10, step: 60}, []string{"14:00", "15:00", "16:00"}},
		"cleaning may not meet the next": {shop{hours: week("14:00-17:00"), minutes: 60, after: 10, step: 60, busy: []Span{at("16:00", "17:10")}}, []string{"14:00"}},
		"preparing may begin before the shift and in a break": {shop{hours: week("09:00-12:00"), breaks: week("10:00-10:30"), minutes: 30, before: 30, step: 30},
			[]string{"09:00", "09:30", "10:30", "11:00", "11:30"}},
		"the last start leaves room for the service": {shop{hours: week("14:00-16:30"), minutes: 90, step: 30}, []string{"14:00", "14:30", "15:00"}},
		"a break over the begin of a shift":          {shop{hours: week("09:00-12:00"), breaks: week("08:30-09:30"), minutes: 30, step: 30}, []string{"09:30", "10:00", "10:30", "11:00", "11:30"}},
		"a break off the grid leaves the grid alone": {shop{hours: week("09:00-12:00"), breaks: week("10:10-10:40"), minutes: 30, step: 30}, []string{"09:00", "09:30", "11:00", "11:30"}},
		"each shift has a grid of its own":           {shop{hours: week("09:00-10:00 10:10-11:10"), minutes: 30, step: 30}, []string{"09:00", "09:30", "10:10", "10:40"}},
		"a long service between two bookings":        {shop{hours: week("09:00-12:00"), minutes: 75, step: 15, busy: []Span{at("10:30", "11:00")}}, []string{"09:00", "09:15"}},
		"a short booking blocks the whole hour":      {shop{hours: week("09:00-12:00"), minutes: 60, step: 60, busy: []Span{at("10:15", "10:30")}}, []string{"09:00", "11:00"}},
		"bookings that touch are no obstacle":        {shop{hours: week("09:00-11:00"), minutes: 30, step: 30, busy: []Span{at("08:30", "09:00"), at("09:30", "10:00")}}, []string{"09:00", "10:00", "10:30"}},
		"a closure of some hours": {shop{hours: week("09:00-12:00"), minutes: 30, step: 30, closures: []Closure{{Span: at("09:45", "11:00")}}},
			[]string{"09:00", "11:00", "11:30"}},
		"a closure that leaves and one that covers": {shop{hours: week("09:00-12:00"), minutes: 60, step: 30, closures: []Closure{{Span: at("11:30", "18:00")}, {Span: at("08:00", "09:10")}}},
			[]string{"09:30", "10:00", "10:30"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.zone, c.now = zone, now
			require.Equal(t, times("03-25", c.want...), c.shop.on(t, "2026-03-25", "2026-03-25"))
		})
	}
}

func TestALongDayCountsItsStarts(t *testing.T) {
	t.Parallel()
	day := shop{zone: "America/Argentina/Buenos_Aires", hours: week("09:00-18:00"), breaks: week("13:00-14:00"), minutes: 45, step: 15, now: "2026-03-20T00:00:00Z"}
	got := day.on(t, "2026-03-25", "2026-03-25")
	require.Len(t, got, 28)
	require.Equal(t, "03-25 12:15", got[13])
	require.Equal(t, "03-25 14:00", got[14])
	require.Equal(t, "03-25 17:15", got[27])
	day.breaks, day.minutes, day.step = week("10:00-10:30 15:00-15:30"), 30, 30
	require.Len(t, day.on(t, "2026-03-25", "2026-03-25"), 16)
}

func TestAShiftPastMidnightBelongsToTheDayItStartsOn(t *testing.T) {
	t.Parallel()
	night := shop{zone: "America/Argentina/Buenos_Aires", hours: shiftsOn(time.Wednesday, "22:00-26:00"), minutes: 60, step: 30, now: "2026-03-20T00:00:00Z"}
	evening, small := times("03-25", "22:00", "22:30", "23:00", "23:30"), times("03-26", "00:00", "00:30", "01:00")
	require.Equal(t, append(append([]string{}, evening...), small...), night.on(t, "2026-03-25", "2026-03-26"))
	require.Equal(t, small, night.on(t, "2026-03-26", "2026-03-26"))

	holiday := night
	holiday.closures = []Closure{{First: when.Date{Year: 2026, Month: 3, Day: 26}, Last: when.Date{Year: 2026, Month: 3, Day: 26}}}
	require.Equal(t, append(append([]string{}, evening...), small...), holiday.on(t, "2026-03-25", "2026-03-26"), "by the date on which the shift starts")
	holiday.rule = CloseCalendar
	require.Equal(t, times("03-25", "22:00", "22:30", "23:00"), holiday.on(t, "2026-03-25", "2026-03-26"), "by the calendar")

	eve := night
	eve.closures = []Closure{{First: when.Date{Year: 2026, Month: 3, Day: 25}, Last: when.Date{Year: 2026, Month: 3, Day: 25}}}
	require.Empty(t, eve.on(t, "2026-03-25", "2026-03-26"), "by the date on which the shift starts")
	eve.rule = CloseCalendar
	require.Equal(t, small, eve.on(t, "2026-03-25", "2026-03-26"), "by the calendar")

	rest := night
	rest.breaks = shiftsOn(time.Wednesday, "24:00-24:30")
	require.Equal(t, append(times("03-25", "22:00", "22:30", "23:00"), times("03-26", "00:30", "01:00")...), rest.on(t, "2026-03-25", "2026-03-26"))
}

func TestNoticeAndHorizon(t *testing.T) {
	t.Parallel()
	s := shop{zone: "America/Argentina/Buenos_Aires", hours: week("00:00-24:00"), minutes: 15, step: 15, notice: 2 * time.Hour, horizon: 30, now: "2026-03-25T10:00:00-03:00"}
	a, p := s.agenda(t)
	check := func(at string) Reason { return a.Check(p.Staff[0].ID, instant(at)) }
	require.Equal(t, Bookable, check("2026-03-25T12:00:00-03:00"), "exactly the notice is enough")
	require.Equal(t, Notice, check("2026-03-25T11:45:00-03:00"))
	require.Equal(t, Past, check("2026-03-25T09:45:00-03:00"))
	require.Equal(t, Bookable, check("2026-04-24T00:00:00-03:00"))
	require.Equal(t, Bookable, check("2026-04-24T23:45:00-03:00"))
	require.Equal(t, Horizon, check("2026-04-25T00:00:00-03:00"))

	s.now = "2026-03-25T10:00:01-03:00"
	a, p = s.agenda(t)
	require.Equal(t, Notice, check("2026-03-25T12:00:00-03:00"))
	require.Equal(t, "03-25 12:15", s.on(t, "2026-03-25", "2026-03-25")[0])

	s.now = "2026-03-25T23:59:00-03:00"
	a, p = s.agenda(t)
	require.Equal(t, Bookable, check("2026-04-24T23:45:00-03:00"))
	require.Equal(t, Horizon, check("2026-04-25T00:00:00-03:00"))
	last := s.on(t, "2026-04-20", "2026-05-20")
	require.Equal(t, "04-24 23:45", last[len(last)-1])
}

func TestWhatIsNotListedSaysWhy(t *testing.T) {
	t.Parallel()
	s := shop{zone: "America/Argentina/Buenos_Aires", hours: week("09:00-12:00"), breaks: week("10:00-10:30"), minutes: 30, step: 30, now: "2026-03-25T09:10:00-03:00",
		closures: []Closure{{Span: Span{instant("2026-03-25T11:00:00-03:00"), instant("2026-03-25T11:30:00-03:00")}}, {First: when.Date{Year: 2026, Month: 3, Day: 27}, Last: when.Date{Year: 2026, Month: 3, Day: 28}}},
		busy:     []Span{{instant("2026-03-26T09:00:00-03:00"), instant("2026-03-26T09:30:00-03:00")}}}
	a, p := s.agenda(t)
	for at, want := range map[string]Reason{
		"2026-03-25T09:00:00-03:00": Past,
		"2026-03-25T09:30:00-03:00": Bookable,
		"2026-03-25T09:45:00-03:00": OffGrid,
		"2026-03-25T10:00:00-03:00": Break,
		"2026-03-25T10:15:00-03:00": Break,
		"2026-03-25T11:00:00-03:00": InClosure,
		"2026-03-25T12:00:00-03:00": Closed,
		"2026-03-26T08:30:00-03:00": Closed,
		"2026-03-26T09:00:00-03:00": Taken,
		"2026-03-27T09:00:00-03:00": InClosure,
		"2026-03-29T09:00:00-03:00": Bookable,
	} {
		require.Equal(t, want, a.Check(p.Staff[0].ID, instant(at)), at)
	}
	require.Equal(t, OffGrid, a.Check(p.Staff[0].ID, instant("2026-03-26T09:30:00-03:00").Add(time.Millisecond)))
	require.Equal(t, NotPerformed, a.Check(id.NewStaff(), instant("2026-03-26T09:30:00-03:00")))

	s.minutes = 45
	long, lp := s.agenda(t)
	require.Equal(t, Break, long.Check(lp.Staff[0].ID, instant("2026-03-25T09:30:00-03:00")), "it would run into the break")
	require.Equal(t, Closed, long.Check(lp.Staff[0].ID, instant("2026-03-26T11:30:00-03:00")), "it would outlast the shift")
	require.Equal(t, InClosure, long.Check(lp.Staff[0].ID, instant("2026-03-25T10:30:00-03:00")), "it would run into the closure")

	p.Offering.Active = false
	off, err := NewAgenda(p, instant(s.now))
	require.NoError(t, err)
	require.Equal(t, NotOffered, off.Check(p.Staff[0].ID, instant("2026-03-26T09:30:00-03:00")))
	require.Empty(t, off.Slots(Span{instant(s.now), instant("2026-04-01T00:00:00Z")}, 0))
}
