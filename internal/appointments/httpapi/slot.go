package httpapi

import (
	"encoding/json"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/id"
)

type slotBody struct {
	Start string  `json:"start" doc:"with the offset of the location's zone" example:"2026-03-26T10:00:00-03:00"`
	End   string  `json:"end"`
	Staff refBody `json:"staff"`
}

func slotsOf(slots []appointments.Slot) []slotBody {
	out := make([]slotBody, len(slots))
	for i := range slots {
		s := &slots[i]
		out[i] = slotBody{Start: s.Start.Format(time.RFC3339), End: s.End.Format(time.RFC3339), Staff: refBody{ID: s.Staff.ID.String(), Name: s.Staff.Name}}
	}
	return out
}

// availabilityBody is written without reflection: a month of a large business has tens of thousands of slots.
type availabilityBody struct {
	Service  refBody    `json:"service"`
	Location placeBody  `json:"location"`
	Slots    []slotBody `json:"slots" nullable:"false" doc:"in the order of start; one for each staff member who is free then"`

	found []appointments.Slot // what Slots stands for in the document
}

// AppendJSON implements httpkit.JSONAppender.
func (b availabilityBody) AppendJSON(out []byte) []byte {
	const slotSize = 160
	service, _ := json.Marshal(b.Service) // texts always have a JSON form
	location, _ := json.Marshal(b.Location)
	if out == nil {
		out = make([]byte, 0, len(service)+len(location)+64+slotSize*len(b.found))
	}
	out = append(append(out, `{"service":`...), service...)
	out = append(append(out, `,"location":`...), location...)
	out = append(out, `,"slots":[`...)
	staff := map[id.Staff][]byte{}
	var start, end stamper
	for i := range b.found {
		s := &b.found[i]
		who, ok := staff[s.Staff.ID]
		if !ok {
			who, _ = json.Marshal(refBody{ID: s.Staff.ID.String(), Name: s.Staff.Name})
			staff[s.Staff.ID] = who
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = start.append(append(out, `{"start":"`...), s.Start)
		out = end.append(append(out, `","end":"`...), s.End)
		out = append(append(append(out, `","staff":`...), who...), '}')
	}
	return append(out, "]}"...)
}

// stamper writes instants of one zone as time.RFC3339 does, at a fraction of the cost when they come in order: it keeps the
// date and the offset for as long as they hold.
type stamper struct {
	from, to int64 // Unix seconds for which what follows holds
	midnight int64 // Unix second of the date's midnight, at this offset
	date     string
	offset   string
}

func (s *stamper) append(out []byte, t time.Time) []byte {
	unix := t.Unix()
	if unix < s.from || unix >= s.to {
		s.turn(t)
	}
	second := unix - s.midnight
	out = append(out, s.date...)
	out = twoDigits(out, second/3600)
	out = twoDigits(append(out, ':'), second/60%60)
	out = twoDigits(append(out, ':'), second%60)
	return append(out, s.offset...)
}

// turn takes over the date and offset of the instant, and how long they hold.
func (s *stamper) turn(t time.Time) {
	const day = 24 * 3600
	text := t.Format(time.RFC3339)
	s.date, s.offset = text[:len("2006-01-02T")], text[len("2006-01-02T15:04:05"):]
	hour, minute, second := t.Clock()
	s.midnight = t.Unix() - int64(hour*3600+minute*60+second)
	s.from, s.to = s.midnight, s.midnight+day
	starts, ends := t.ZoneBounds()
	if !starts.IsZero() {
		s.from = max(s.from, starts.Unix())
	}
	if !ends.IsZero() {
		s.to = min(s.to, ends.Unix())
	}
}

func twoDigits(out []byte, n int64) []byte { return append(out, byte('0'+n/10), byte('0'+n%10)) }
