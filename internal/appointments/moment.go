package appointments

import (
	"strings"
	"time"

	"turnero/internal/appointments/when"
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

// in gives the instant that is meant at the location. A wall-clock time that does not exist there, or exists twice, is a
// refusal; so is an instant written as a wall-clock time inside of a gap of the location with the offset before or after
// it, since whoever wrote it means a time that clocks there never show.
func (m Moment) in(loc *time.Location) (time.Time, error) {
	if !m.wall && !m.local {
		return m.t.UTC(), nil
	}
	minute := m.t.Hour()*60 + m.t.Minute()
	instant, how := when.Resolve(when.DateOf(m.t), minute, loc)
	if m.wall {
		switch how.Clocks {
		case when.Gap:
			return time.Time{}, refusal(DSTGap)
		case when.Overlap:
			return time.Time{}, refusal(DSTOverlap)
		}
		past := time.Duration(m.t.Second())*time.Second + time.Duration(m.t.Nanosecond())
		return instant.Add(past).UTC(), nil
	}
	if how.Clocks == when.Gap {
		_, offset := m.t.Zone()
		_, before := how.Resumes.Add(-time.Second).Zone()
		_, after := how.Resumes.Zone()
		if offset == before || offset == after {
			return time.Time{}, refusal(DSTGap)
		}
	}
	return m.t.UTC(), nil
}
