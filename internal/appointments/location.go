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

// check trims what people typed and returns every rule that the location breaks.
func (l *Location) check() error {
	var f findings
	l.Name = f.name("name", l.Name)
	l.Address = f.text("address", l.Address, 500)
	_, known := loadZone(l.Zone)
	f.add(!known, "zone", "must be the IANA name of a time zone, such as America/Argentina/Buenos_Aires")
	p := l.Policy
	f.add(p.Notice < 0 || p.Notice > MaxNotice || p.Notice%time.Minute != 0, "notice", "must be from 0 to 129600 minutes (90 days)")
	f.add(p.HorizonDays < 0 || p.HorizonDays > MaxHorizonDays, "horizonDays", "must be from 0 to 730")
	f.add(p.ClosureDates != CloseShifts && p.ClosureDates != CloseCalendar, "closureDates", "must be shift or calendar")
	return f.err()
}
