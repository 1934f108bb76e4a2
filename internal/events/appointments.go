package events

import (
	"time"

	"turnero/internal/id"
)

func init() {
	register[AppointmentBooked]()
	register[AppointmentRescheduled]()
	register[AppointmentCancelled]()
	register[AppointmentStatusChanged]()
	register[AppointmentReminded]()
	register[TenantCreated]()
	register[TenantStatusChanged]()
	register[SettingsChanged]()
	register[UserDeactivated]()
}

// AppointmentFacts is what every event of an appointment tells about it.
type AppointmentFacts struct {
	Tenant      id.Tenant      `json:"tenant"`
	Appointment id.Appointment `json:"appointment"`
	Start       time.Time      `json:"start"` // UTC
	End         time.Time      `json:"end"`   // UTC
	Zone        string         `json:"zone"`  // IANA name, of the location
	Service     string         `json:"service"`
	Staff       string         `json:"staff"`
	Customer    id.Customer    `json:"customer"`
	Name        string         `json:"customerName"`
	Phone       string         `json:"phone,omitempty"`    // E.164
	Chat        id.Chat        `json:"chat,omitzero"`      // when it was booked in a chat
	WhatsApp    string         `json:"whatsapp,omitempty"` // canonical WhatsApp ID of the customer when known
	Origin      string         `json:"origin"`             // "bot", "api", …
	By          string         `json:"by,omitempty"`       // actor: user, API key or customer ID
	At          time.Time      `json:"at"`                 // when the change was made
}

// AppointmentBooked says that an appointment was made.
type AppointmentBooked struct{ AppointmentFacts }

// AppointmentRescheduled says that an appointment was moved; Start and End are the new ones.
type AppointmentRescheduled struct {
	AppointmentFacts
	OldStart time.Time `json:"oldStart"`
	OldEnd   time.Time `json:"oldEnd"`
}

// AppointmentCancelled says that an appointment was cancelled and its time is free again.
type AppointmentCancelled struct {
	AppointmentFacts
	Reason string `json:"reason,omitempty"`
}

// AppointmentStatusChanged says that an appointment was confirmed, completed or missed.
type AppointmentStatusChanged struct {
	AppointmentFacts
	Status string `json:"status"` // "confirmed", "completed", "no_show"
}

// AppointmentReminded says that a reminder of an appointment was handed over to be sent.
type AppointmentReminded struct {
	Tenant       id.Tenant       `json:"tenant"`
	Appointment  id.Appointment  `json:"appointment"`
	Notification id.Notification `json:"notification"`
	Channel      string          `json:"channel"` // "whatsapp", …
	Start        time.Time       `json:"start"`   // of the appointment, UTC
	Chat         id.Chat         `json:"chat,omitzero"`
	Message      id.Message      `json:"message,omitzero"` // the message that carries it
	At           time.Time       `json:"at"`
}

// TenantCreated says that a business was added to the installation.
type TenantCreated struct {
	Tenant id.Tenant `json:"tenant"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
}

// TenantStatusChanged says that a business was suspended or reopened.
type TenantStatusChanged struct {
	Tenant id.Tenant `json:"tenant"`
	Status string    `json:"status"` // "active" or "suspended"
	At     time.Time `json:"at"`
}

// SettingsChanged says that a business changed its settings; whoever needs them reads them anew.
type SettingsChanged struct {
	Tenant id.Tenant `json:"tenant"`
	At     time.Time `json:"at"`
}

// UserDeactivated says that a person lost access.
type UserDeactivated struct {
	Tenant id.Tenant `json:"tenant"`
	User   id.User   `json:"user"`
	At     time.Time `json:"at"`
}

// EventTenant implements Event for the events that embed the facts.
func (f *AppointmentFacts) EventTenant() id.Tenant { return f.Tenant }

// OrderKey implements Event for the events that embed the facts.
func (f *AppointmentFacts) OrderKey() string { return f.Appointment.String() }

func (e *AppointmentBooked) EventName() string        { return "appointment.booked" }
func (e *AppointmentRescheduled) EventName() string   { return "appointment.rescheduled" }
func (e *AppointmentCancelled) EventName() string     { return "appointment.cancelled" }
func (e *AppointmentStatusChanged) EventName() string { return "appointment.status" }

func (e *AppointmentReminded) EventName() string      { return "appointment.reminded" }
func (e *AppointmentReminded) EventTenant() id.Tenant { return e.Tenant }
func (e *AppointmentReminded) OrderKey() string       { return e.Appointment.String() }

func (e *TenantCreated) EventName() string            { return "tenant.created" }
func (e *TenantCreated) EventTenant() id.Tenant       { return e.Tenant }
func (e *TenantCreated) OrderKey() string             { return e.Tenant.String() }
func (e *TenantStatusChanged) EventName() string      { return "tenant.status" }
func (e *TenantStatusChanged) EventTenant() id.Tenant { return e.Tenant }
func (e *TenantStatusChanged) OrderKey() string       { return e.Tenant.String() }
func (e *SettingsChanged) EventName() string          { return "tenant.settings" }
func (e *SettingsChanged) EventTenant() id.Tenant     { return e.Tenant }
func (e *SettingsChanged) OrderKey() string           { return e.Tenant.String() }
func (e *UserDeactivated) EventName() string          { return "user.deactivated" }
func (e *UserDeactivated) EventTenant() id.Tenant     { return e.Tenant }
func (e *UserDeactivated) OrderKey() string           { return e.User.String() }
