package appointments

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

// DateOf gives the date that the instant has in the zone.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return Date{y, m, d}
}

// ParseDate reads "2026-03-26". Dates that do not exist are an error.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date such as 2026-03-26", text)
	}
	return DateOf(t, time.UTC), nil
}

// String gives the form that ParseDate reads, "" for the zero value.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// IsZero reports whether the date is the zero value.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays gives the date n days later. Dates are counted in UTC, which has no gaps.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// Compare gives -1, 0 or 1 as d is before, on or after o.
func (d Date) Compare(o Date) int {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Compare(time.Date(o.Year, o.Month, o.Day, 0, 0, 0, 0, time.UTC))
}

// Weekday tells the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Weekday()
}
