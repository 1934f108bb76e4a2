package events

import (
	"time"

	"turnero/internal/id"
)

func init() {
	register[SessionStatusChanged]()
	register[SessionAlert]()
	register[MessageReceived]()
	register[MessageSentByPerson]()
	register[MessageStatusChanged]()
	register[ChatModeChanged]()
	register[ChatsMerged]()
}

// SessionStatusChanged says that a tenant's WhatsApp line has another status.
type SessionStatusChanged struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Status  string     `json:"status"` // as GET /api/whatsapp/status says
	Reason  string     `json:"reason,omitempty"`
	Number  string     `json:"number,omitempty"` // E.164 once linked
	Since   time.Time  `json:"since"`
	Until   time.Time  `json:"until,omitzero"` // when the status ends by itself, if that is known
}

// SessionAlert says that a linked line has been down for more than a minute (Down), or that it is up again.
type SessionAlert struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Down    bool       `json:"down"`
	Status  string     `json:"status"`
	Reason  string     `json:"reason,omitempty"`
	Since   time.Time  `json:"since"` // since when it is down or up
}

// MessageReceived says that a message came in and is stored.
type MessageReceived struct {
	Tenant     id.Tenant  `json:"tenant"`
	Session    id.Session `json:"session"`
	Chat       id.Chat    `json:"chat"`
	Message    id.Message `json:"message"`
	WAID       string     `json:"waId"`            // WhatsApp's ID of the message
	ChatWA     string     `json:"chatWa"`          // canonical WhatsApp ID of the chat: the LID when known
	ChatKind   string     `json:"chatKind"`        // "direct", "group", "status", "channel"
	ChatMode   string     `json:"chatMode"`        // "bot" or "person" at the time of storing
	Phone      string     `json:"phone,omitempty"` // E.164 of the sender when known
	SenderName string     `json:"senderName,omitempty"`
	Type       string     `json:"type"` // "text", or what it is instead
	Text       string     `json:"text"`
	SentAt     time.Time  `json:"sentAt"`     // WhatsApp's time of the message
	ReceivedAt time.Time  `json:"receivedAt"` // when it was stored
}

// MessageSentByPerson says that a person of the business wrote in a chat, from the phone or through the API.
type MessageSentByPerson struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Chat    id.Chat    `json:"chat"`
	Message id.Message `json:"message"`
	Origin  string     `json:"origin"` // "phone" or "api"
	Text    string     `json:"text"`
	SentAt  time.Time  `json:"sentAt"`
}

// MessageStatusChanged says that an outgoing message has another status.
type MessageStatusChanged struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Chat    id.Chat    `json:"chat"`
	Message id.Message `json:"message"`
	Status  string     `json:"status"` // "queued", "sent", "delivered", "read", "played", "failed"
	Reason  string     `json:"reason,omitempty"`
	At      time.Time  `json:"at"`
}

// ChatModeChanged says that a chat is now answered by the bot or by a person.
type ChatModeChanged struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Chat    id.Chat    `json:"chat"`
	Mode    string     `json:"mode"` // "bot" or "person"
	Reason  string     `json:"reason,omitempty"`
	At      time.Time  `json:"at"`
}

// ChatsMerged says that two chats of a session turned out to be with one person: From's messages are now in Chat, and
// From's ID leads there. Events of Chat that follow carry Chat.
type ChatsMerged struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Chat    id.Chat    `json:"chat"`
	From    id.Chat    `json:"from"`
	At      time.Time  `json:"at"`
}

// SendMessage asks whatsapp to queue one text. Message and WAID are chosen by the asker, so that asking twice queues one.
type SendMessage struct {
	Tenant    id.Tenant  `json:"tenant"`
	Session   id.Session `json:"session"`             // zero = the tenant's default session
	Chat      id.Chat    `json:"chat"`                // zero = To names the chat
	To        string     `json:"to,omitempty"`        // WhatsApp ID or E.164 number, when Chat is zero
	Message   id.Message `json:"message"`             // our ID of the message
	WAID      string     `json:"waId"`                // WhatsApp's ID of the message; see WhatsAppMessageID
	Text      string     `json:"text"`                // UTF-8, at most 4096 characters
	Origin    string     `json:"origin"`              // "bot", "reminder", …
	OnlyIfBot bool       `json:"onlyIfBot,omitempty"` // drop it at the moment of sending when a person has the chat
	NotAfter  time.Time  `json:"notAfter,omitzero"`   // when not zero: fail it rather than send it later than this
	ReplyTo   id.Message `json:"replyTo,omitzero"`    // the message that this answers, for the record
}

// WithdrawMessage asks whatsapp not to send a message that is still queued. A message already sent stays.
type WithdrawMessage struct {
	Tenant  id.Tenant  `json:"tenant"`
	Message id.Message `json:"message"`
	Reason  string     `json:"reason"`
}

// HandOffChat asks whatsapp to give a chat to the staff: the bot is mute there until it is released.
type HandOffChat struct {
	Tenant id.Tenant `json:"tenant"`
	Chat   id.Chat   `json:"chat"`
	Reason string    `json:"reason"` // "asked_by_customer", "too_many_replies", …
}

func (e *SessionStatusChanged) EventName() string      { return "whatsapp.session.status" }
func (e *SessionStatusChanged) EventTenant() id.Tenant { return e.Tenant }
func (e *SessionStatusChanged) OrderKey() string       { return e.Session.String() }
func (e *SessionAlert) EventName() string              { return "whatsapp.session.alert" }
func (e *SessionAlert) EventTenant() id.Tenant         { return e.Tenant }
func (e *SessionAlert) OrderKey() string               { return e.Session.String() }
func (e *MessageReceived) EventName() string           { return "message.received" }
func (e *MessageReceived) EventTenant() id.Tenant      { return e.Tenant }
func (e *MessageReceived) OrderKey() string            { return e.Chat.String() }
func (e *MessageSentByPerson) EventName() string       { return "message.sent_by_person" }
func (e *MessageSentByPerson) EventTenant() id.Tenant  { return e.Tenant }
func (e *MessageSentByPerson) OrderKey() string        { return e.Chat.String() }
func (e *MessageStatusChanged) EventName() string      { return "message.status" }
func (e *MessageStatusChanged) EventTenant() id.Tenant { return e.Tenant }
func (e *MessageStatusChanged) OrderKey() string       { return e.Chat.String() }
func (e *ChatModeChanged) EventName() string           { return "chat.mode" }
func (e *ChatModeChanged) EventTenant() id.Tenant      { return e.Tenant }
func (e *ChatModeChanged) OrderKey() string            { return e.Chat.String() }

func (e *ChatsMerged) EventName() string      { return "chat.merged" }
func (e *ChatsMerged) EventTenant() id.Tenant { return e.Tenant }
func (e *ChatsMerged) OrderKey() string       { return e.Chat.String() }

func (j *SendMessage) JobKind() string      { return "whatsapp.send" }
func (j *SendMessage) JobTenant() id.Tenant { return j.Tenant }
func (j *SendMessage) UniqueKey() string    { return j.Message.String() }

// OrderKey keeps the messages of one chat in order.
func (j *SendMessage) OrderKey() string {
	if j.Chat.IsZero() {
		return "to:" + j.Tenant.String() + ":" + j.To
	}
	return j.Chat.String()
}

func (j *WithdrawMessage) JobKind() string      { return "whatsapp.withdraw" }
func (j *WithdrawMessage) JobTenant() id.Tenant { return j.Tenant }
func (j *WithdrawMessage) OrderKey() string     { return "" }
func (j *WithdrawMessage) UniqueKey() string    { return j.Message.String() }
func (j *HandOffChat) JobKind() string          { return "whatsapp.handoff" }
func (j *HandOffChat) JobTenant() id.Tenant     { return j.Tenant }
func (j *HandOffChat) OrderKey() string         { return j.Chat.String() }
func (j *HandOffChat) UniqueKey() string        { return "" }
