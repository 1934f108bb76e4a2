package appointments

import (
	"context"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// Businesses tells what a tenant has settled about itself; another module owns it.
type Businesses interface {
	Business(ctx context.Context, tenant id.Tenant) (Business, error)
}

// Business is what the set-up starts from.
type Business struct {
	Name    string // of the first location
	Zone    string // IANA name, of the first location
	Address string // of the first location
	Region  string // ISO 3166 code in which a phone number without country code is read: "AR"
}

// Phones reads phone numbers.
type Phones interface {
	// Parse gives the E.164 form of a number as people type it, read in the region when it has no country code. The error says what is wrong with it.
	Parse(text, region string) (string, error)
	// Fold gives the form by which two spellings of one mobile number are the same. It is for matching only, never to call or write to.
	Fold(e164 string) string
}

// AvailabilityQuery asks for the free slots of one service.
type AvailabilityQuery struct {
	Service     id.Service
	Staff       id.Staff       // zero = everybody who performs it
	Location    id.Location    // zero = the staff member's, else the first
	From, To    time.Time      // starts in [From, To), unless dates are given
	First, Last when.Date      // starts on these local dates, both included
	Limit       int            // most slots to return; 0 = all
	Moving      id.Appointment // when not zero: its own time does not stand in the way of another
}

// MaxAvailability bounds the range of one AvailabilityQuery.
const MaxAvailability = 62 * 24 * time.Hour

// Slot is a time that can be booked, with the staff member who is free then.
type Slot struct {
	Start, End time.Time // in the zone of the location
	Staff      Ref[id.Staff]
}

// Availability is the answer to an AvailabilityQuery: the slots in the order of start, then of staff ID.
type Availability struct {
	Location Location
	Service  Offering
	Slots    []Slot
}

// BookCommand asks for an appointment.
type BookCommand struct {
	Key      Idempotency
	Service  id.Service
	Staff    id.Staff    // zero = anybody who is free, the least busy that day first
	Location id.Location // zero = the staff member's, else the first
	Start    Moment
	Hold     id.Hold // zero, or the hold that keeps the slot; it ends with the booking
	Customer CustomerRef
	Origin   string // OriginAPI, OriginBot, …
	Notes    string
	By       string // actor, for the record; "" = the customer
}

// RescheduleCommand asks for another time, another staff member or other notes; what is nil stays.
type RescheduleCommand struct {
	Start   *Moment
	Staff   *id.Staff
	Notes   *string
	Version int64 // when not 0: refuse unless the appointment still has this version
	By      string
}

// HoldCommand asks to keep a slot for a while.
type HoldCommand struct {
	Key      Idempotency
	Service  id.Service
	Staff    id.Staff // zero = anybody who is free
	Location id.Location
	Start    Moment
	For      time.Duration // 0 = DefaultHold
	Origin   string
	By       string
}

// PlanQuery says what an Agenda is to be loaded for.
type PlanQuery struct {
	Service     id.Service
	Staff       id.Staff       // zero = everybody who performs it at the location
	Location    id.Location    // zero = the staff member's, else the first
	Starts      Span           // the starts that will be asked for: whatever occupies time that one of them could meet is wanted
	Appointment id.Appointment // to be left out
	Hold        id.Hold        // to be left out
	Now         time.Time      // holds that have expired by now are left out
}

// Plan is what an Agenda is made of.
type Plan struct {
	Location Location
	Offering Offering
	Staff    []Staff // those asked for; whether they perform the service is the Agenda's to check
	Closures []Closure
	Busy     map[id.Staff][]Span // occupied by appointments and holds
}
