package appointments

import (
	"time"

	"turnero/internal/appointments/when"
)

// day is a date as the number of days since 1 January 1970.
type day int64

const (
	daySeconds = 24 * 3600
	dayMinutes = 24 * 60
)

// margin is more than any zone's distance from UTC, in seconds.
const margin = 26 * 3600

func dayOf(d when.Date) day {
	return day(d.DaysSince(when.Date{Year: 1970, Month: time.January, Day: 1}))
}

// localDay gives the date of the instant in the zone.
func localDay(unix int64, loc *time.Location) day {
	_, offset := time.Unix(unix, 0).In(loc).Zone()
	return floorDiv(unix+int64(offset), daySeconds)
}

func floorDiv(a, b int64) day {
	q := a / b
	if a%b < 0 {
		q--
	}
	return day(q)
}

func (d day) date() when.Date       { return when.DateOf(time.Unix(int64(d)*daySeconds, 0).UTC()) }
func (d day) weekday() time.Weekday { return time.Weekday(((int64(d)+4)%7 + 7) % 7) } // 1 January 1970 was a Thursday
func (d day) wall(minute int) int64 { return int64(d)*daySeconds + int64(minute)*60 }

// clockInstant gives the instant at which clocks in the zone show the minute of the date, counted from its midnight. In a
// gap it is the end of the gap, in an overlap the first of the two. So a later wall-clock time never gives an earlier
// instant, and shifts that do not overlap on paper do not overlap in time.
func clockInstant(d day, minute int, loc *time.Location) int64 {
	t, how := when.Resolve(d.date(), minute, loc)
	if how.Clocks == when.Gap {
		t = how.Resumes
	}
	return t.Unix()
}

// almanac turns wall-clock times of one zone into instants. Days on which nothing happens to the clocks, nearly all, cost an addition.
type almanac struct {
	loc  *time.Location
	from day
	days []almanacDay
}

type almanacDay struct {
	known, plain bool
	offset       int64
}

func newAlmanac(loc *time.Location, from, to day) *almanac {
	return &almanac{loc: loc, from: from, days: make([]almanacDay, max(0, to-from+1))}
}

// at gives the instant of the minute counted from the day's midnight; see clockInstant.
func (a *almanac) at(d day, minute int) int64 {
	i := int(d - a.from)
	if i < 0 || i >= len(a.days) {
		return clockInstant(d, minute, a.loc)
	}
	e := &a.days[i]
	if !e.known {
		e.known = true
		e.offset, e.plain = a.steadyOffset(d)
	}
	if e.plain {
		return d.wall(minute) - e.offset
	}
	return clockInstant(d, minute, a.loc)
}

// steadyOffset gives the zone's offset when it stays the same from a day before the date until a day after the end of its longest shift.
func (a *almanac) steadyOffset(d day) (int64, bool) {
	t := time.Unix(d.wall(0), 0).In(a.loc)
	_, offset := t.Zone()
	starts, ends := t.ZoneBounds()
	if !starts.IsZero() && starts.Unix() > d.wall(0)-daySeconds-margin {
		return 0, false
	}
	if !ends.IsZero() && ends.Unix() < d.wall(int(maxClock))+daySeconds+margin {
		return 0, false
	}
	return int64(offset), true
}
