package appointments

import (
	"time"

	"turnero/internal/id"
)

// Staff is one person who performs services at a location.
type Staff struct {
	ID        id.Staff
	Name      string
	Location  id.Location
	Active    bool
	Services  []id.Service // what the person performs
	Hours     []Shift      // the week's shifts
	Breaks    []Shift      // cut from the shifts that start on the same weekday
	CreatedAt time.Time
}

// Shift is a time of every week in the wall clock of the location: half-open, from From to To on the weekday. To may lie
// past 24:00 and then means the next day: Saturday 22:00–26:00 ends on Sunday at 02:00 and belongs to Saturday.
type Shift struct {
	Day      time.Weekday
	From, To Clock
}

// Clock is a wall-clock time as minutes after midnight of the day it is counted from; 1440 and more is the next day.
type Clock int

// maxClock is the latest end of a shift: one that starts at 23:59 and lasts a day.
const maxClock Clock = 48 * 60
