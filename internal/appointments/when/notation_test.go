package when

import (
	"fmt"
	"strings"
)

// inSpanish reads a Spanish text.
func inSpanish(text string, ref Reference) Meaning { return Parse(Spanish, text, ref) }

// String writes the meaning in the notation of the phrases: 2026-03-26T17:30 a date and time, ~ about, T17:30 a time alone,
// "2026-03-26 morning" a part of a day, a..b a range of days, a|b alternatives, time>=16:00, time<=11:00 and time14:00-16:00
// windows, first and last of a day, "any not monday" a wish.
func (m Meaning) String() string {
	switch m.Kind {
	case None:
		return "none"
	case Past:
		return "past"
	case Holiday:
		return "holiday"
	case Invalid:
		return "invalid"
	case Conflict:
		return "conflict"
	}
	var options []string
	for _, o := range m.Options {
		options = append(options, o.String())
	}
	out := strings.Join(options, "|")
	if m.Kind == Soonest {
		out = spaced("soonest", out)
	}
	if out == "" {
		out = "any"
	}
	for _, n := range m.Not {
		out = spaced(out, "not", n.String())
	}
	return out
}

// String writes one option as Meaning.String does.
func (o Option) String() string {
	days, hours := o.days(), o.Hours.String()
	if _, single := o.Date(); single && o.Hours.Shape == At {
		return days + hours
	}
	return spaced(days, hours)
}

func (o Option) days() string {
	var words []string
	_, single := o.Date()
	switch {
	case single:
		words = append(words, o.From.String())
	case !o.From.IsZero():
		words = append(words, o.From.String()+".."+o.To.String())
	case o.Any:
		words = append(words, "any")
	}
	if o.Only == mondayToFriday {
		return spaced(append(words, "weekday")...)
	}
	for _, d := range o.Only.Days() {
		words = append(words, strings.ToLower(d.String()))
	}
	return spaced(words...)
}

var partNames = [...]string{Dawn: "dawn", Morning: "morning", Noon: "noon", Afternoon: "afternoon", Evening: "evening"}

// String writes the hours as Meaning.String does, "" for any.
func (h Hours) String() string {
	edge := [...]string{NoEdge: "", Earliest: "first", Latest: "last"}[h.Edge]
	switch h.Shape {
	case At:
		about := ""
		if h.About {
			about = "~"
		}
		return spaced("T"+clockText(h.From)+about, edge)
	case NotBefore:
		return spaced("time>="+clockText(h.From), edge)
	case NotAfter:
		return spaced("time<="+clockText(h.To), edge)
	case Between:
		return spaced("time"+clockText(h.From)+"-"+clockText(h.To), edge)
	case InPart:
		return spaced(partNames[h.Part], edge)
	}
	return edge
}

func clockText(minute int) string {
	minute %= dayMinutes
	return fmt.Sprintf("%02d:%02d", minute/60, minute%60)
}

// spaced joins the words that are not empty.
func spaced(words ...string) string {
	var full []string
	for _, w := range words {
		if w != "" {
			full = append(full, w)
		}
	}
	return strings.Join(full, " ")
}
