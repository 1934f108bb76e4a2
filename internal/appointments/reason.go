package appointments

import (
	"turnero/internal/fault"
)

// Reason says why a time cannot be booked. Programs compare it: it is the code of the problem document.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Bookable     Reason = ""              // none: it can be booked
	NotOffered   Reason = "not_offered"   // the service is not active
	NotPerformed Reason = "not_performed" // the staff member does not perform the service, is not active or works elsewhere
	Past         Reason = "past"          // the start lies behind us
	Notice       Reason = "notice"        // sooner than the location's notice allows
	Horizon      Reason = "horizon"       // further ahead than the location takes bookings
	Closed       Reason = "closed"        // outside of the shifts, or the service would end after one
	Break        Reason = "break"         // in a break, or the service would run into one
	InClosure    Reason = "closure"       // in a closure, or the service would run into one
	OffGrid      Reason = "off_grid"      // between two starts of the shift's grid
	Taken        Reason = "slot_taken"    // another appointment or hold, buffers included, is there
	DSTGap       Reason = "dst_gap"       // a wall-clock time that the clocks jump over
	DSTOverlap   Reason = "dst_overlap"   // a wall-clock time that the clocks show twice
)

// reasonRules are the reasons in words.
var reasonRules = map[Reason]string{
	NotOffered:   "must be a service that can be booked",
	NotPerformed: "must be somebody who performs the service at the location",
	Past:         "must not lie in the past",
	Notice:       "must keep the notice that the location asks for",
	Horizon:      "must not lie further ahead than the location takes bookings",
	Closed:       "must lie in a shift, together with the whole service",
	Break:        "must keep clear of breaks, together with the whole service",
	InClosure:    "must keep clear of closures, together with the whole service",
	OffGrid:      "must be one of the starts that are offered",
	Taken:        "must be free",
	DSTGap:       "must exist: the clocks of the location jump over this time",
	DSTOverlap:   "must be one time: the clocks of the location show it twice, so give it with its UTC offset",
}

// reasonFields are the parts of a request that the reasons are about; all others are about the start.
var reasonFields = map[Reason]string{NotOffered: "service", NotPerformed: "staff"}

// lieInAgenda are the reasons that lie in the present state of the agenda, and not in the request.
var lieInAgenda = map[Reason]bool{Taken: true, Closed: true, Break: true, InClosure: true}

// refusal is the fault of a time that cannot be booked.
func refusal(r Reason) *fault.Error {
	field := reasonFields[r]
	if field == "" {
		field = "start"
	}
	f := fault.BadField(field, reasonRules[r])
	f.Reason = string(r)
	if lieInAgenda[r] {
		f.Code = fault.Conflict
	}
	return f
}

// ReasonOf gives the reason for which a booking, hold or reschedule was refused; ok is false for any other error.
func ReasonOf(err error) (Reason, bool) {
	f, ok := fault.As(err)
	if !ok || reasonRules[Reason(f.Reason)] == "" {
		return "", false
	}
	return Reason(f.Reason), true
}

// alternativesKey is the member of a refusal that holds the slots nearest to the one asked for.
const alternativesKey = "alternatives"

// Alternatives gives the slots nearest in time to the one that was refused, in the order of time; none for other errors.
func Alternatives(err error) []Slot {
	f, ok := fault.As(err)
	if !ok {
		return nil
	}
	slots, _ := f.Details[alternativesKey].([]Slot)
	return slots
}
