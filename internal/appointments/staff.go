package appointments

import (
	"fmt"
	"strings"
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

// The most shifts, breaks and services that one person may have.
const (
	maxShifts   = 50
	maxPerforms = MaxSetup
)

// ParseClock reads "09:30"; hours past 24 are the next day: "26:00" is 02:00. The last is 48:00.
func ParseClock(text string) (Clock, bool) {
	h, m, ok := strings.Cut(text, ":")
	hours, okH := twoDigits(h)
	minutes, okM := twoDigits(m)
	c := Clock(hours*60 + minutes)
	return c, ok && okH && okM && minutes < 60 && c <= maxClock
}

func twoDigits(text string) (int, bool) {
	if len(text) != 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}

// String gives the form that ParseClock reads.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// check trims what people typed and returns every rule that the staff member breaks.
func (s *Staff) check() error {
	var f findings
	s.Name = f.name("name", s.Name)
	f.add(len(s.Services) > maxPerforms, "services", fmt.Sprintf("must be at most %d", maxPerforms))
	f.add(len(s.Hours) > maxShifts, "hours", fmt.Sprintf("must be at most %d", maxShifts))
	f.add(len(s.Breaks) > maxShifts, "breaks", fmt.Sprintf("must be at most %d", maxShifts))
	if len(f) > 0 {
		return f.err()
	}
	for i, h := range s.Hours {
		at := fmt.Sprintf("hours[%d]", i)
		f.add(h.From < 0 || h.From >= dayMinutes, at+".from", "must be from 00:00 to 23:59")
		f.shift(at, h)
	}
	for i, b := range s.Breaks {
		at := fmt.Sprintf("breaks[%d]", i)
		f.add(b.From < 0 || b.From >= maxClock, at+".from", "must be from 00:00 to 47:59")
		f.shift(at, b)
	}
	if len(f) == 0 {
		f.overlaps("hours", s.Hours)
		f.overlaps("breaks", s.Breaks)
	}
	return f.err()
}

func (f *findings) shift(at string, s Shift) {
	f.add(s.Day < time.Sunday || s.Day > time.Saturday, at+".weekday", "must be a day of the week")
	f.add(s.To <= s.From, at+".from", "must be before to; an end past midnight is written as 24:00 and more, such as 26:00 for 02:00 on the next day")
	f.add(s.To > maxClock || s.To > s.From+dayMinutes, at+".to", "must be at most 24 hours after from")
}

// overlaps compares each shift with those before it, around the end of the week too.
func (f *findings) overlaps(list string, shifts []Shift) {
	const week = 7 * dayMinutes
	for i, s := range shifts {
		for j, o := range shifts[:i] {
			from, other := int(s.Day)*dayMinutes+int(s.From), int(o.Day)*dayMinutes+int(o.From)
			after, before := (from-other+2*week)%week, (other-from+2*week)%week
			if after < int(o.To-o.From) || before < int(s.To-s.From) {
				f.add(true, fmt.Sprintf("%s[%d].from", list, i), fmt.Sprintf("must not overlap %s[%d]", list, j))
				break
			}
		}
	}
}
