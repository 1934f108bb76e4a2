package appointments

import (
	"strings"
	"time"

	"turnero/internal/fault"
)

// Moment is a time that somebody asks for: an instant, or a wall-clock time that becomes an instant in a location's zone.
// The zero value means "none".
type Moment struct {
	t     time.Time
	wall  bool // t holds a wall clock, in UTC
	local bool // t came as text with the offset of some place
}

// At is the moment of an instant.
func At(t time.Time) Moment { return Moment{t: t} }

// ParseMoment reads an RFC 3339 instant ("2026-03-26T10:00:00-03:00") or a wall-clock time of the location
// ("2026-03-26T10:00"). The fault names the field.
func ParseMoment(field, text string) (Moment, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		_, offset := t.Zone()
		return Moment{t: t, local: offset != 0}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return Moment{t: t, wall: true}, nil
		}
	}
	return Moment{}, fault.BadField(field, "must be an RFC 3339 date and time, such as 2026-03-26T10:00:00-03:00, or a wall-clock time of the location, such as 2026-03-26T10:00")
}

// IsZero reports whether no moment is given.
func (m Moment) IsZero() bool { return m.t.IsZero() }
