package appointments

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a machine without a time-zone database still knows every zone

	"turnero/internal/appointments/when"
	"turnero/internal/fault"
)

// zones keeps what was loaded: reading the database of zones takes longer than a whole search for slots.
var zones sync.Map

// loadZone gives the zone of an IANA name. Names that mean something else on each machine ("Local", "") are refused, and so
// are the trees of zones with leap seconds, in which a day is not what clocks show.
func loadZone(name string) (*time.Location, bool) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), true
	}
	if name == "" || name == "Local" || name == "localtime" || strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix") {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	if err != nil || loc.String() != name {
		return nil, false
	}
	zones.Store(name, loc)
	return loc, true
}

// zone gives the zone of a stored location, whose name was checked when it was saved.
func (l *Location) zone() (*time.Location, error) {
	if loc, ok := loadZone(l.Zone); ok {
		return loc, nil
	}
	return nil, fault.New(fault.Internal, "unknown_zone", "the time zone "+l.Zone+" of location "+l.ID.String()+" is not known here")
}

// In gives the instant in the location's zone, for showing.
func (l *Location) In(t time.Time) time.Time {
	if loc, ok := loadZone(l.Zone); ok {
		return t.In(loc)
	}
	return t
}

// DaySpan gives the instants from the begin of the first date to the end of the last one, in the location's zone.
func (l *Location) DaySpan(first, last when.Date) (Span, error) {
	loc, err := l.zone()
	if err != nil {
		return Span{}, err
	}
	return Span{when.StartOfDay(first, loc).UTC(), when.StartOfDay(last.AddDays(1), loc).UTC()}, nil
}
