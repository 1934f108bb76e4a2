package bot

import (
	"time"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// World is what one step may look at: the facts of its moment and two questions it may ask of them.
type World struct {
	Now      time.Time
	Zone     *time.Location // of the location where the business receives
	Business string
	Address  string // "" when it is not known
	Language string // of the business: "es", "en", "pt"
	Name     string // the customer's, as they call themselves on WhatsApp

	Services     []Offering
	Staff        []Person
	Appointments []Booking      // the customer's own that are still to come, by start
	Reminded     id.Appointment // the one that the customer was reminded of lately, zero when none

	// Slots lists the free times of the query in the order of start, of all that the booking itself would accept.
	Slots func(SlotQuery) []Slot
	// Open lists when the business receives on a local date, whether or not it is booked out.
	Open func(when.Date) []when.Span
}

// Offering is a service that can be booked.
type Offering struct {
	ID       id.Service
	Name     string
	Duration time.Duration
	Price    appointments.Money
}

// Person is a staff member.
type Person struct {
	ID   id.Staff
	Name string
}

// Slot is a time that can be booked.
type Slot struct {
	Start time.Time
	Staff Person
}

// Booking is an appointment of the customer.
type Booking struct {
	ID      id.Appointment
	Start   time.Time
	Service Offering
	Staff   Person
}

// SlotQuery asks for the free times of a service with starts in [From, To).
type SlotQuery struct {
	Service  id.Service
	Staff    id.Staff // zero = anybody
	From, To time.Time
	Moving   id.Appointment // not zero: as if this appointment were not there
}

// service finds a service by its ID.
func (w *World) service(want id.Service) (Offering, bool) {
	for _, s := range w.Services {
		if s.ID == want {
			return s, true
		}
	}
	return Offering{}, false
}

// appointment finds one of the customer's appointments by its ID.
func (w *World) appointment(want id.Appointment) (Booking, bool) {
	for _, a := range w.Appointments {
		if !want.IsZero() && a.ID == want {
			return a, true
		}
	}
	return Booking{}, false
}
