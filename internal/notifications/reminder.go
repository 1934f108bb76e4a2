package notifications

import (
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// ChannelWhatsApp is the channel of reminders sent to the customer's WhatsApp.
const ChannelWhatsApp = "whatsapp"

// State is where a reminder is in its life.
type State string

// The states of a reminder.
const (
	Planned State = "planned" // waits for its time
	Queued  State = "queued"  // handed to whatsapp; the message's own status tells the rest, also when it was withdrawn
	Dropped State = "dropped" // not wanted any more: the appointment was cancelled or moved
	Skipped State = "skipped" // not worth sending any more when its turn came
)

// transitions is the table of what may follow what. Dropped may be planned anew when an appointment is moved back.
var transitions = map[State][]State{
	Planned: {Queued, Dropped, Skipped},
	Dropped: {Planned},
}

// Reminder is one planned or handed-over reminder.
type Reminder struct {
	ID          id.Notification
	Tenant      id.Tenant
	Appointment id.Appointment
	Channel     string
	Offset      time.Duration // before Start
	Start       time.Time     // of the appointment, UTC
	Due         time.Time     // when it is to be sent, UTC
	State       State
	Reason      string // why it was dropped, skipped or, when queued, withdrawn
	Message     id.Message
	WAID        string  // WhatsApp's ID of the message, fixed when planned
	Chat        id.Chat // zero when the appointment was not booked in a chat
	Recipient   string  // WhatsApp ID or E.164 number
	Name        string
	Service     string
	Staff       string
	Zone        string
	AsOf        time.Time // time of the appointment's change that the reminder follows
	Created     time.Time
	Updated     time.Time
}

// move changes the state if the table allows it, and reports whether it did.
func (r *Reminder) move(to State, reason string, now time.Time) bool {
	for _, next := range transitions[r.State] {
		if next == to {
			r.State, r.Reason, r.Updated = to, reason, now
			return true
		}
	}
	return false
}

// plan makes the reminder of an appointment for one offset. Its IDs follow from what it is, so planning twice plans one.
func plan(f events.AppointmentFacts, offset time.Duration, now time.Time) *Reminder {
	recipient := f.WhatsApp
	if recipient == "" {
		recipient = f.Phone
	}
	name := f.Tenant.String() + "|" + f.Appointment.String() + "|" + ChannelWhatsApp + "|" + offset.String() + "|" + f.Start.UTC().Format(time.RFC3339Nano)
	return &Reminder{ID: id.FromNotification(name), Tenant: f.Tenant, Appointment: f.Appointment, Channel: ChannelWhatsApp, Offset: offset,
		Start: f.Start.UTC(), Due: f.Start.Add(-offset).UTC(), State: Planned, Message: id.FromMessage("reminder|" + name),
		WAID: events.WhatsAppMessageID(), Chat: f.Chat, Recipient: recipient, Name: f.Name, Service: f.Service, Staff: f.Staff, Zone: f.Zone,
		AsOf: f.At, Created: now, Updated: now}
}

// takeFacts brings what the reminder says, and to whom, up to date with a newer plan for the same start.
func (r *Reminder) takeFacts(newer *Reminder) {
	r.Chat, r.Recipient, r.Name, r.Service, r.Staff, r.Zone = newer.Chat, newer.Recipient, newer.Name, newer.Service, newer.Staff, newer.Zone
	r.AsOf, r.Updated = newer.AsOf, newer.Updated
}

// replaces reports whether the reminder is of the same start as the other and nearer to it, and has fallen due too.
func (r *Reminder) replaces(other *Reminder, now time.Time) bool {
	isAlive := r.State == Planned || r.State == Queued
	return isAlive && r.Channel == other.Channel && r.Start.Equal(other.Start) && r.Offset < other.Offset && !now.Before(r.Due)
}

// RemindJob is the command to look at a reminder when it falls due.
type RemindJob struct {
	Tenant      id.Tenant       `json:"tenant"`
	Appointment id.Appointment  `json:"appointment"`
	Reminder    id.Notification `json:"reminder"`
	Due         time.Time       `json:"due"`
}

// JobKind implements events.Job.
func (j *RemindJob) JobKind() string { return "notifications.remind" }

// JobTenant implements events.Job.
func (j *RemindJob) JobTenant() id.Tenant { return j.Tenant }

// OrderKey implements events.Job.
func (j *RemindJob) OrderKey() string { return "" }

// UniqueKey implements events.Job.
func (j *RemindJob) UniqueKey() string {
	return j.Reminder.String() + "@" + j.Due.UTC().Format(time.RFC3339)
}
