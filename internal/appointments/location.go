package appointments

import (
	"time"

	"turnero/internal/id"
)

// Location is one place of business. Its zone is the one in which hours, breaks and closure dates of its staff are meant.
type Location struct {
	ID        id.Location
	Name      string
	Zone      string // IANA name: "America/Argentina/Buenos_Aires"
	Address   string
	Policy    Policy
	CreatedAt time.Time
}

// Policy says how early and how late customers may book at a location.
type Policy struct {
	Notice       time.Duration // least time from now to a start; exactly that much is enough
	HorizonDays  int           // a start may lie on a local date up to this many days after today's
	ClosureDates ClosureRule   // what a closure of whole dates takes from a shift that runs past midnight
}

// ClosureRule says how a closure of whole dates meets a shift that runs past midnight.
type ClosureRule string

// The rules for closures of whole dates.
const (
	CloseShifts   ClosureRule = "shift"    // the shifts that start on a closed date are closed to their end; others run on into it
	CloseCalendar ClosureRule = "calendar" // the closed dates are closed from midnight to midnight, whatever shift runs there
)

// DefaultPolicy is what a new location starts with.
func DefaultPolicy() Policy { return Policy{HorizonDays: 60, ClosureDates: CloseShifts} }

// The bounds of a policy.
const (
	MaxNotice      = 90 * 24 * time.Hour
	MaxHorizonDays = 730
)
