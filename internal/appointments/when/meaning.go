package when

import (
	"slices"
	"time"
)

// Reference is the moment and the place in which a text is read.
type Reference struct {
	// Now is the instant of the message. Its location is the zone of the business.
	Now time.Time
	// Open gives the opening hours of a date, on the wall clock. No spans: closed that day. Nil: 09:00 to 18:00 is assumed.
	// It decides which of two readings an hour has ("a las 5"), and nothing else: what is closed is still understood.
	Open func(Date) []Span
	// Day is the day that the conversation is about already. When it is not zero, a text that tells hours only is read on it.
	Day Date
}

// Span is a half-open stretch of a day in minutes from its midnight. To exceeds 1440 where it goes on past midnight.
type Span struct{ From, To int }

// Kind sums up what a Meaning says, so that a caller can decide what to do with it before looking closer.
type Kind int

// The kinds of meaning.
const (
	None        Kind = iota // nothing about time
	Exact                   // one date and a time
	Approximate             // one date and about a time
	TimeOnly                // a time and no day
	DayOnly                 // one date and no time
	Part                    // a part of the day, on one date or on no day in particular
	Window                  // not before, not after or between two times, on one date or on no day in particular
	First                   // the first of one date, or of no day in particular
	Last                    // the last of one date, or of no day in particular
	Range                   // several dates in a row, with or without hours
	Wish                    // days described, not named: any, certain weekdays, all but some
	Soonest                 // as soon as possible, perhaps within hours
	Ask                     // two or more readings or alternatives: ask which
	Past                    // over already; Options tells what
	Holiday                 // a holiday called by its name, which only a calendar of holidays can place; Name tells which
	Invalid                 // a date or a time that does not exist
	Conflict                // the weekday does not fall on the date said with it; Options holds the date by its number and by its weekday
)

// Meaning is what a text says about when.
type Meaning struct {
	Kind Kind
	// Options are the readings, in the order of the text. Only Ask has more than one that all hold.
	Options []Option
	// Not tells what was ruled out: an option that it admits is not wanted.
	Not []Option
	// Name is the folded name of a Holiday.
	Name string
}

// Option is one complete reading: some days and some hours of them.
type Option struct {
	// From and To are the first and the last date, the same for a single one. Without From no date was said; with From and
	// without To the days go on without end.
	From, To Date
	// Any tells that the day does not matter, as opposed to not having been said.
	Any bool
	// Only names the weekdays wanted, none for all.
	Only  Weekdays
	Hours Hours
}

// Date gives the option's date when it names a single one.
func (o Option) Date() (Date, bool) { return o.From, !o.From.IsZero() && o.From == o.To }

// HasDay reports whether the option says anything about the day.
func (o Option) HasDay() bool { return o.Any || o.Only != 0 || !o.From.IsZero() }

// Admits reports whether an appointment that starts on the date at the minute (0 to 1439) is what the option says.
func (o Option) Admits(date Date, minute int) bool {
	return o.admitsDate(date) && o.Hours.Admits(minute)
}

func (o Option) admitsDate(date Date) bool {
	if !o.From.IsZero() && date.Before(o.From) || !o.To.IsZero() && date.After(o.To) {
		return false
	}
	return o.Only == 0 || o.Only.Has(date.Weekday())
}

// Admits reports whether an appointment that starts on the date at the minute (0 to 1439) agrees with one of the options and
// is not ruled out. A time said with "about" admits what is up to an hour away. The kinds that name no time that could be
// booked (None, Past, Holiday, Invalid, Conflict) admit nothing.
func (m Meaning) Admits(date Date, minute int) bool {
	switch m.Kind {
	case None, Past, Holiday, Invalid, Conflict:
		return false
	}
	admits := func(o Option) bool { return o.Admits(date, minute) }
	return (len(m.Options) == 0 || slices.ContainsFunc(m.Options, admits)) && !slices.ContainsFunc(m.Not, admits)
}

// Shape tells which bounds Hours have.
type Shape int

// The shapes of hours.
const (
	AnyHour   Shape = iota // none said
	At                     // a time
	NotBefore              // from a time on
	NotAfter               // up to a time
	Between                // from one time to another
	InPart                 // in a part of the day
)

// Hours are the times of a day that suit.
type Hours struct {
	Shape Shape
	// From and To are minutes from midnight: both the time itself for At, the bounds that the shape has otherwise.
	From, To int
	// Part is what InPart names; From and To are its window, half-open.
	Part DayPart
	// About tells that the time was given roughly.
	About bool
	// Edge asks for the earliest or latest of these hours.
	Edge Edge
}

// aboutReach is how far from a time given roughly another one may lie, in minutes.
const aboutReach = 60

// Admits reports whether the minute (from midnight) suits.
func (h Hours) Admits(minute int) bool {
	switch h.Shape {
	case At:
		reach := 0
		if h.About {
			reach = aboutReach
		}
		return h.From-reach <= minute && minute <= h.From+reach
	case NotBefore:
		return h.From <= minute
	case NotAfter:
		return minute <= h.To
	case Between:
		return h.From <= minute && minute <= h.To || h.To > dayMinutes && minute <= h.To-dayMinutes
	case InPart:
		return h.From <= minute && minute < h.To
	}
	return true
}

// Minute gives the time itself, in minutes from midnight, when one was said.
func (h Hours) Minute() (int, bool) { return h.From, h.Shape == At }

// Edge is one end of a day's free times.
type Edge int

// The edges.
const (
	NoEdge Edge = iota
	Earliest
	Latest
)

// DayPart is a part of the day as people call it.
type DayPart int

// The parts of the day.
const (
	NoPart DayPart = iota
	Dawn
	Morning
	Noon
	Afternoon
	Evening
)

const dayMinutes = 24 * 60

// partWindows overlap on purpose: seven o'clock is afternoon to one and evening to another. Who asks for the afternoon does
// not mean noon, though, and would miss an appointment at twelve.
var partWindows = [...]Span{Dawn: {0, 6 * 60}, Morning: {6 * 60, 12 * 60}, Noon: {12 * 60, 14 * 60}, Afternoon: {13 * 60, 20 * 60}, Evening: {19 * 60, 24 * 60}}

// Window gives the stretch of the day that the part covers.
func (p DayPart) Window() Span { return partWindows[p] }

// Weekdays is a set of days of the week.
type Weekdays uint8

const mondayToFriday Weekdays = 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday

// WeekdaySet gives the set of the days.
func WeekdaySet(days ...time.Weekday) Weekdays {
	var w Weekdays
	for _, d := range days {
		w |= 1 << d
	}
	return w
}

// Has reports whether the set holds the day.
func (w Weekdays) Has(d time.Weekday) bool { return w&(1<<d) != 0 }

// Days lists the set, Monday first.
func (w Weekdays) Days() []time.Weekday {
	var days []time.Weekday
	for i := range 7 {
		if d := time.Weekday((i + 1) % 7); w.Has(d) {
			days = append(days, d)
		}
	}
	return days
}
