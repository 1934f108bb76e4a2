package bot

import (
	"context"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/id"
)

// Store keeps the conversations. Every method names the tenant. Inside of InTx the Store given to the function is the
// transaction, and Appointments is the module's own Store in that same transaction: the consumed event, the conversation,
// the appointment, its event and the reply's command commit together or not at all.
type Store interface {
	// InTx runs fn in one transaction, and again when the database asks for it; within a transaction it joins that one.
	InTx(ctx context.Context, fn func(Store) error) error
	// Appointments is the Store of the appointments, and of what is emitted and enqueued, in the same transaction.
	Appointments() appointments.Store

	// Consume notes that the event was handled, and reports false when it had been before.
	Consume(ctx context.Context, tenant id.Tenant, event id.Event, at time.Time) (bool, error)
	// NoteConsumed is Consume for an event that changes nothing else. It is not part of a transaction.
	NoteConsumed(ctx context.Context, tenant id.Tenant, event id.Event, at time.Time) error
	// IsConversing reports whether a chat's conversation has a question that was asked or messages that wait for an answer.
	IsConversing(ctx context.Context, tenant id.Tenant, chat id.Chat) (bool, error)
	// LockConversation gives a chat's conversation, an empty one the first time, and keeps other changes of it waiting until
	// the transaction ends.
	LockConversation(ctx context.Context, tenant id.Tenant, chat id.Chat) (Conversation, error)
	// SaveConversation stores the conversation that was locked.
	SaveConversation(ctx context.Context, tenant id.Tenant, c Conversation) error
	// NoteReminder notes that the customer was reminded of the appointment. The latest instant stays.
	NoteReminder(ctx context.Context, tenant id.Tenant, appointment id.Appointment, at time.Time) error
	// LastReminder gives which of the appointments was reminded of last, at the instant since or later; zero when none was.
	LastReminder(ctx context.Context, tenant id.Tenant, of []id.Appointment, since time.Time) (id.Appointment, error)
	// Forget deletes what was noted or last changed before the instants, of every tenant, and tells how many rows that were:
	// consumed events and reminders by the first, conversations by the second.
	Forget(ctx context.Context, notes, conversations time.Time) (int64, error)
}

// Conversation is what is stored of a chat between two messages.
type Conversation struct {
	Chat     id.Chat
	State    []byte      // see ParseState; empty at first
	Pending  []Pending   // messages that wait for their answer, in order
	AnswerAt time.Time   // when they are to be answered, unless another one comes
	Replies  []time.Time // when the bot replied, within the last hour
	TextOnly time.Time   // when it last said that it reads only text
	Limited  time.Time   // when it gave the chat to the staff for too many replies; zero when it may speak
	Updated  time.Time
}

// Pending is a message that waits for its answer.
type Pending struct {
	Message  id.Message `json:"message"`
	Session  id.Session `json:"session"`
	Text     string     `json:"text,omitempty"`
	IsText   bool       `json:"isText,omitempty"`
	WhatsApp string     `json:"whatsapp"` // the sender's canonical WhatsApp ID
	Phone    string     `json:"phone,omitempty"`
	Name     string     `json:"name,omitempty"`
	SentAt   time.Time  `json:"sentAt"`
	At       time.Time  `json:"at"` // when it began to wait
}
