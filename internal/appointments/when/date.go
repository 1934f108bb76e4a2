package when

import (
	"fmt"
	"time"
)

// Date is a day of the calendar, without place or time. The zero value means "none".
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf gives the date that the instant has in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero reports whether the date is the zero value.
func (d Date) IsZero() bool { return d == Date{} }

// Exists reports whether the Gregorian calendar has this date.
func (d Date) Exists() bool {
	return d.Month >= time.January && d.Month <= time.December && d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// AddDays gives the date n days later.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// AddMonths gives the same day n months later, or the last day of that month where it is shorter.
func (d Date) AddMonths(n int) Date {
	first := DateOf(time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC))
	first.Day = min(d.Day, daysIn(first.Year, first.Month))
	return first
}

// Weekday tells the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// Before reports whether d is an earlier date than o.
func (d Date) Before(o Date) bool { return d.Compare(o) < 0 }

// After reports whether d is a later date than o.
func (d Date) After(o Date) bool { return d.Compare(o) > 0 }

// Compare gives -1, 0 or 1 as d is before, on or after o.
func (d Date) Compare(o Date) int { return d.utc().Compare(o.utc()) }

// DaysSince counts the days from o to d; it is negative when d comes first.
func (d Date) DaysSince(o Date) int { return int(d.utc().Sub(o.utc()) / (24 * time.Hour)) }

// String gives the form 2026-03-26, "" for the zero value.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// utc counts dates on UTC's clocks, which never jump.
func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// monday gives the first day of the date's week.
func (d Date) monday() Date { return d.AddDays(-(int(d.Weekday()) + 6) % 7) }

// lastOfMonth gives the last day of the date's month.
func (d Date) lastOfMonth() Date { return Date{d.Year, d.Month, daysIn(d.Year, d.Month)} }

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
