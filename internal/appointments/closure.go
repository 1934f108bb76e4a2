package appointments

import (
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// Closure is a time in which a location, or one staff member of it, takes no appointments. Those already booked stay.
// It spans either whole dates of the location (First to Last, both included) or a range of instants.
type Closure struct {
	ID          id.Closure
	Location    id.Location
	Staff       id.Staff  // zero = everybody at the location
	First, Last when.Date // zero when Span is given
	Span        Span      // zero when dates are given
	Reason      string    // for the staff: "feriado"
	CreatedAt   time.Time
}

// byDates reports whether the closure spans whole dates.
func (c *Closure) byDates() bool { return !c.First.IsZero() }
