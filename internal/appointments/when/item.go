package when

import "time"

// itemKind is what a stretch of lexemes says.
type itemKind uint8

const (
	kWord itemKind = iota // words that say nothing about time
	kDay
	kHours
	kHoliday
	kInvalid // a date or time that no calendar or clock has
	kAny
	kSoonest
	kOr
	kAnd
	kComma
	kStop
	kBut
	kYes
	kNo
	kExcept
	kCannot
	kFree // free from an hour on
	kBusy // free up to an hour
	kCorrect
	kMove
)

// item is one thing said, with the lexemes that say it: at, and end after the last.
type item struct {
	kind    itemKind
	day     dayExpr
	hours   hoursExpr
	name    string
	towards bool // led in by a word for "to": where an appointment is moved to
	at, end int
}

// content reports whether the item says when, rather than how things said hang together.
func (it item) content() bool { return it.kind == kDay || it.kind == kHours || it.kind == kHoliday }

// which tells which one of many weekdays, weekends, … is meant.
type which uint8

const (
	plainOne which = iota
	thisOne
	nextOne
	otherOne // the one after the next
	pastOne
	everyOne
)

// bound tells how an expression of days limits the days wanted.
type bound uint8

const (
	onDay bound = iota
	beforeDay
	afterDay
	untilDay
	sinceDay
)

// dayExpr is an expression of days before it is held against a calendar. Its parts must all be true of the day meant.
type dayExpr struct {
	fixed   Date // a date that needs no more thought
	weekday weekdayExpr
	number  dayNumber
	spans   []days // a week, a month; more than one are alternatives
	only    Weekdays
	every   bool // days of a kind, on no date in particular
	past    bool
	another bool // "the other one", of the weekday or week named before
	loose   bool // a weekend, and not said which
	bound   bound
	until   *dayExpr // the last day, when this is the first of a stretch
}

type weekdayExpr struct {
	said  bool
	day   time.Weekday
	which which
}

// dayNumber is a date as far as it was said; zero stands for what was not.
type dayNumber struct{ day, month, year int }

// days is a stretch of dates, both included. A zero to leaves it open.
type days struct{ from, to Date }

func (d dayExpr) has() (weekday, number, fixed, span bool) {
	return d.weekday.said, d.number.day != 0, !d.fixed.IsZero(), len(d.spans) > 0
}

// hoursExpr is an expression of hours before it is held against opening hours.
type hoursExpr struct {
	shape    Shape
	clocks   []clock // alternatives for At
	from, to clock   // the bounds of a window
	part     DayPart
	habit    bool // "por las tardes": of any day
	edge     Edge
	whole    bool // any hour at all
}

// clock is a time of day as it was said.
type clock struct {
	hour, minute int // minute is negative in "five less a quarter"
	form         form
	exact        bool // said in the form of 24 hours: no doubt about the half of the day
	literal      bool // "08:30": taken by the letter when that is open
	half         half
	part         DayPart
	about        bool
	midnight     bool // the end of the day, when it is not the beginning
}

// form tells how surely a number is a time.
type form uint8

const (
	noTime    form = iota
	bareForm       // a number alone
	looseForm      // two numbers: "10 30"
	firmForm       // with what makes it a time: "10hs", "10:30", "10 y media"
)

// plain reports whether the clock is but a number.
func (c clock) plain() bool { return c.form == bareForm }

// exists reports whether any clock shows the time.
func (c clock) exists() bool {
	return c.hour >= 0 && c.hour <= 24 && c.minute > -60 && c.minute < 60 && (c.hour < 24 || c.minute <= 0)
}

// half is the half of the day that was said with an hour.
type half uint8

const (
	noHalf half = iota
	forenoon
	afternoon
)
