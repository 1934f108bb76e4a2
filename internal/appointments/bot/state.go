package bot

import (
	"encoding/json"
	"slices"
	"time"

	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// stateVersion is the version of the stored form of State. A stored conversation of another version starts anew.
const stateVersion = 1

// IdleAfter is how long a conversation waits for the customer: after that it starts anew and its menus bind no more.
const IdleAfter = 2 * time.Hour

// Task is what a conversation is about.
type Task string

// The tasks.
const (
	NoTask     Task = ""
	Book       Task = "book"
	Reschedule Task = "move"
	Cancel     Task = "cancel"
)

// Question is what the last reply asked; the next message is read as its answer first.
type Question string

// The questions.
const (
	AskedNothing Question = ""
	AskedTask    Question = "task"    // what would you like to do
	AskedService Question = "service" // which service
	AskedSlot    Question = "slot"    // which of these times, or when
	AskedWhen    Question = "when"    // which of these readings of a date or an hour
	AskedConfirm Question = "confirm" // is this right: the only one whose yes books, moves or cancels
	AskedAnother Question = "another" // another appointment, though it overlaps one that they have
	AskedNext    Question = "next"    // the next of several appointments that they want
	AskedWhich   Question = "which"   // which of your appointments
	AskedPerson  Question = "person"  // shall somebody of the staff take over
)

// State is what the bot remembers of a conversation between two messages. Its JSON form is stored.
type State struct {
	Version int            `json:"v"`
	At      time.Time      `json:"at,omitzero"` // of the last message that was answered
	Task    Task           `json:"task,omitempty"`
	Asked   Question       `json:"asked,omitempty"`
	Menu    []Option       `json:"menu,omitempty"` // the numbered entries of the last reply, the first is number 1
	Service id.Service     `json:"service,omitzero"`
	Target  id.Appointment `json:"target,omitzero"` // the appointment to move or cancel
	Wish    Wish           `json:"wish,omitzero"`
	Choice  *Option        `json:"choice,omitempty"`  // the slot in the summary
	Shown   []time.Time    `json:"shown,omitempty"`   // starts offered for this wish
	More    bool           `json:"more,omitempty"`    // they want one more appointment after this one
	Another bool           `json:"another,omitempty"` // they know that it may overlap an appointment that they have
	Misses  int            `json:"misses,omitempty"`  // messages in a row that were not understood
}

// OptionKind is what choosing an entry of a menu means.
type OptionKind string

// The kinds of entries.
const (
	OptService     OptionKind = "service"
	OptSlot        OptionKind = "slot"
	OptMore        OptionKind = "more"
	OptAppointment OptionKind = "appointment"
	OptWhen        OptionKind = "when"
	OptYes         OptionKind = "yes"
	OptNo          OptionKind = "no"
	OptOtherTime   OptionKind = "other_time"
	OptBook        OptionKind = "do_book"
	OptMine        OptionKind = "do_mine"
	OptMove        OptionKind = "do_move"
	OptCancel      OptionKind = "do_cancel"
	OptPerson      OptionKind = "do_person"
)

// Option is one entry of a menu, with what its kind needs.
type Option struct {
	Kind        OptionKind     `json:"kind"`
	Service     id.Service     `json:"service,omitzero"`
	Staff       id.Staff       `json:"staff,omitzero"`
	Appointment id.Appointment `json:"appointment,omitzero"`
	Start       time.Time      `json:"start,omitzero"`
	When        *when.Option   `json:"when,omitempty"`
}

// Wish is when the customer would like to come, as far as they said.
type Wish struct {
	Options []when.Option `json:"options,omitempty"` // none: nothing said
	Not     []when.Option `json:"not,omitempty"`
	Staff   id.Staff      `json:"staff,omitzero"` // with whom
}

// ParseState reads a stored state. What is empty, of another version or not to be read is a conversation that begins.
func ParseState(raw []byte) State {
	var s State
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil || s.Version != stateVersion {
		return State{}
	}
	return s
}

// Encode gives the form to store.
func (s State) Encode() ([]byte, error) {
	s.Version = stateVersion
	return json.Marshal(s)
}

// fresh is the state from which a message that arrives at now is read.
func (s State) fresh(now time.Time) State {
	if s.At.IsZero() || now.Sub(s.At) > IdleAfter {
		return State{}
	}
	s.Menu, s.Shown = slices.Clone(s.Menu), slices.Clone(s.Shown)
	return s
}

// settled forgets what the conversation was about, as after a booking.
func (s State) settled() State { return State{Version: s.Version, At: s.At} }

// begin starts a task anew.
func (s State) begin(task Task) State {
	n := s.settled()
	n.Task = task
	return n
}
