package when

import "time"

// Clocks tells how the clocks of a zone treat a wall-clock time.
type Clocks int

// What clocks do with a wall-clock time.
const (
	Normal  Clocks = iota // they show it once
	Gap                   // they jump over it: it does not exist
	Overlap               // they show it twice
)

// Resolution tells how a wall-clock time became an instant.
type Resolution struct {
	Clocks Clocks
	// Second is the later of the two instants of an Overlap. Else it is zero.
	Second time.Time
	// Resumes is the instant at which the clocks jump over the time of a Gap: the first one after what is missing. Else it is zero.
	Resumes time.Time
}

// offsetReach is more than any zone's distance from UTC.
const offsetReach = 26 * time.Hour

// Resolve gives the instant at which clocks in loc show the minute of the date, counted from its midnight. A minute of 1440
// or more belongs to the dates that follow, as in a shift past midnight. In an Overlap it is the first of the two instants.
// In a Gap there is none, and the instant is zero.
//
// time.Date does not tell these cases apart, and what it picks for them differs from zone to zone.
func Resolve(date Date, minute int, loc *time.Location) (time.Time, Resolution) {
	wall := date.utc().Add(time.Duration(minute) * time.Minute)
	var found, resumes time.Time
	for at := wall.Add(-offsetReach); !at.After(wall.Add(offsetReach)); {
		_, offset := at.In(loc).Zone()
		starts, ends := at.In(loc).ZoneBounds()
		instant := wall.Add(-time.Duration(offset) * time.Second)
		begun, over := starts.IsZero() || !instant.Before(starts), !ends.IsZero() && !instant.Before(ends)
		switch {
		case begun && !over && found.IsZero():
			found = instant
		case begun && !over:
			return found.In(loc), Resolution{Clocks: Overlap, Second: instant.In(loc)}
		case over:
			resumes = ends
		}
		if ends.IsZero() {
			break
		}
		at = ends
	}
	if found.IsZero() {
		return time.Time{}, Resolution{Clocks: Gap, Resumes: resumes.In(loc)}
	}
	return found.In(loc), Resolution{}
}

// StartOfDay gives the first instant at which the calendar in loc shows the date. That is midnight, or the end of the jump
// in zones whose clocks leave midnight out, and the first of the two where midnight comes twice.
//
// For a date that the zone left out altogether, as islands did that moved across the date line, it is the instant of the jump.
func StartOfDay(date Date, loc *time.Location) time.Time {
	at, how := Resolve(date, 0, loc)
	if how.Clocks == Gap {
		return how.Resumes
	}
	return at
}
