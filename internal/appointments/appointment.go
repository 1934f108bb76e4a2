package appointments

import (
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Status is where an appointment stands.
type Status string

// The statuses of an appointment.
const (
	Booked    Status = "booked"
	Confirmed Status = "confirmed" // the customer or the staff said that it holds
	Completed Status = "completed" // it took place
	NoShow    Status = "no_show"   // the customer did not come
	Cancelled Status = "cancelled" // its time is free again
)

// transitions is the one table of the moves that are allowed. Completed and no-show may correct one another; a cancelled
// appointment stays cancelled, since its time may belong to somebody else by now.
var transitions = map[Status][]Status{
	Booked:    {Confirmed, Completed, NoShow, Cancelled},
	Confirmed: {Completed, NoShow, Cancelled},
	Completed: {NoShow},
	NoShow:    {Completed},
	Cancelled: {},
}

// Appointment is one booked time, with what there is to show of those whom it concerns.
type Appointment struct {
	ID         id.Appointment
	Status     Status
	Start, End time.Time // UTC, half-open
	Occupied   Span      // kept from others: with the buffers that held when it was booked; zero once cancelled
	Service    Ref[id.Service]
	Staff      Ref[id.Staff]
	Customer   Customer
	Location   Location
	Price      Money // at the time of booking
	Origin     string
	Notes      string
	BookedBy   string // actor: user, API key or customer ID
	BookedAt   time.Time
	Cancelled  Cancellation // zero unless cancelled
	Version    int64        // grows with every change
}

// Cancellation says who took an appointment back first.
type Cancellation struct {
	By     string
	At     time.Time
	Reason string
}

// Origins of appointments and holds.
const (
	OriginAPI = "api"
	OriginBot = "bot"
)

// Span is a half-open range of time: From belongs to it, To does not.
type Span struct{ From, To time.Time }

// overlaps reports whether the two have an instant in common.
func (s Span) overlaps(o Span) bool { return s.From.Before(o.To) && o.From.Before(s.To) }

// isOpen reports whether the appointment is still to come about: it can be moved.
func (a *Appointment) isOpen() bool { return a.Status == Booked || a.Status == Confirmed }

// move is the one function that changes a status. It reports false when the appointment already stands there.
func (a *Appointment) move(to Status) (bool, error) {
	if a.Status == to {
		return false, nil
	}
	for _, allowed := range transitions[a.Status] {
		if allowed == to {
			a.Status = to
			if to == Cancelled {
				a.Occupied = Span{}
			}
			return true, nil
		}
	}
	return false, fault.New(fault.Conflict, "status_not_allowed", "an appointment that is "+string(a.Status)+" cannot become "+string(to)).
		WithDetail("appointmentStatus", string(a.Status))
}

// facts is what every event of the appointment tells.
func (a *Appointment) facts(tenant id.Tenant, by string, at time.Time) events.AppointmentFacts {
	return events.AppointmentFacts{Tenant: tenant, Appointment: a.ID, Start: a.Start, End: a.End, Zone: a.Location.Zone,
		Service: a.Service.Name, Staff: a.Staff.Name, Customer: a.Customer.ID, Name: a.Customer.Name, Phone: a.Customer.Phone,
		Chat: a.Customer.Chat, WhatsApp: a.Customer.WhatsApp, Origin: a.Origin, By: by, At: at}
}
