package whatsapp

import (
	"strings"
	"time"
	"unicode/utf8"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// MaxTextLength is the longest text of a message, in characters.
const MaxTextLength = 4096

// TypeText is the type of a message that is words only.
const TypeText = "text"

// Direction tells whether a message came in or went out.
type Direction string

// The directions of a message.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// MessageStatus is how far a message has come.
type MessageStatus string

// The statuses of a message. Outgoing ones only move forward: queued → failed → sent → delivered → read → played, where any
// may be passed over. An acknowledgement or receipt proves that a message arrived, so it outranks failed, which is only a belief.
const (
	MessageReceived  MessageStatus = "received" // incoming
	MessageQueued    MessageStatus = "queued"
	MessageFailed    MessageStatus = "failed"
	MessageSent      MessageStatus = "sent" // WhatsApp has it
	MessageDelivered MessageStatus = "delivered"
	MessageRead      MessageStatus = "read"
	MessagePlayed    MessageStatus = "played"
)

var ranks = map[MessageStatus]int{MessageQueued: 0, MessageFailed: 1, MessageSent: 2, MessageDelivered: 3, MessageRead: 4, MessagePlayed: 5}

// canBecome reports whether an outgoing message may move to the status.
func (s MessageStatus) canBecome(to MessageStatus) bool {
	from, isOut := ranks[s]
	return isOut && ranks[to] > from
}

// Origins of outgoing messages; commands of other modules name their own ("bot", "reminder", …).
const (
	OriginPhone = "phone" // written on the business's phone
	OriginAPI   = "api"   // written by a user or a system of the business
)

// Reasons of failed messages that this package gives; an engine gives its own in Rejected.
const (
	FailedNotLinked      = "session_not_linked"
	FailedExpired        = "expired"         // its NotAfter passed
	FailedPersonHasChat  = "person_has_chat" // it was to be sent only if the bot has the chat
	FailedRestricted     = "restricted"      // WhatsApp does not let the account write first to this person
	FailedOutcomeUnknown = "outcome_unknown" // it was tried many times and WhatsApp never answered
	failedWithdrawn      = "withdrawn"
)

// Message is one message of a chat. (ChatID, SenderID, WAID) is unique within its session.
type Message struct {
	Ref
	ID        id.Message
	ChatID    id.Chat
	WAID      string // WhatsApp's ID of the message
	Pos       int64  // place in the chat: microseconds since the Unix epoch at storing, raised so that it grows with each message
	Direction Direction
	SenderID  id.Contact // who wrote it; zero = the business
	Sender    Contact    // the contact of SenderID, filled by lists
	Type      string
	Text      string
	Status    MessageStatus
	Reason    string    // why it failed
	StatusAt  time.Time // when the status was reached
	Timestamp time.Time // WhatsApp's time of the message; until WhatsApp has it, when it was queued
	Origin    string    // of an outgoing message: who had it sent
	Actor     string    // the user or API key that had it sent, "" for others
	OnlyIfBot bool      // fail it at the moment of sending when a person has the chat
	NotAfter  time.Time // not zero: fail it rather than send it later
	ReplyTo   id.Message
	CreatedAt time.Time
}

// moveTo changes an outgoing message's status and returns the event that tells of it; nil when it is already as far.
func (m *Message) moveTo(to MessageStatus, reason string, at time.Time) events.Event {
	if !m.Status.canBecome(to) {
		return nil
	}
	m.Status, m.Reason, m.StatusAt = to, reason, at
	if to == MessageSent {
		m.Timestamp = at
	}
	return &events.MessageStatusChanged{Tenant: m.Tenant, Session: m.Session, Chat: m.ChatID, Message: m.ID, Status: string(to), Reason: reason, At: at}
}

// isWaiting reports whether the message is in the queue.
func (m *Message) isWaiting() bool { return m.Direction == Out && m.Status == MessageQueued }

// checkText returns a fault naming the field when the text cannot be sent.
func checkText(field, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return fault.BadField(field, "must not be blank")
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return fault.BadField(field, "must be UTF-8 without NUL characters")
	case utf8.RuneCountInString(text) > MaxTextLength:
		return fault.BadField(field, "must have at most 4096 characters")
	}
	return nil
}
