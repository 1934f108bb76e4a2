package httpapi

import (
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

// SessionInput picks the line that an operation is about; its name is exported because Huma passes over others.
type SessionInput struct {
	Session string `query:"session" maxLength:"100" doc:"ID of the line; the default one when absent" example:"ses_01j9z3k5w8e0r9v6c2m4x7b1qd"`
}

func (in SessionInput) session() (id.Session, error) {
	if in.Session == "" {
		return id.Session{}, nil
	}
	session, err := id.ParseSession(in.Session)
	if err != nil {
		return id.Session{}, fault.BadField("session", "must be an ID as this API gives them")
	}
	return session, nil
}

// ChatInput names a chat; see SessionInput for its name.
type ChatInput struct {
	SessionInput
	Chat string `path:"chatId" maxLength:"200" doc:"our ID (chat_…), a WhatsApp ID (…@c.us, …@s.whatsapp.net, …@lid, …@g.us) or a phone number" example:"5491122334455@c.us"`
}

type sessionBody struct {
	Session   string    `json:"session" doc:"ID of the line"`
	Name      string    `json:"name"`
	Status    string    `json:"status" enum:"stopped,connecting,qr,pairing,connected,restricted,degraded,logged_out,replaced,banned"`
	Since     time.Time `json:"since,omitzero" doc:"when the status began"`
	Until     time.Time `json:"until,omitzero" doc:"when the status ends by itself, if that is known"`
	Reason    string    `json:"reason" doc:"a stable word that explains the status; may be empty"`
	Number    string    `json:"number" doc:"E.164 number of the linked phone; empty while there is no link"`
	PushName  string    `json:"pushName,omitempty" doc:"the name that customers see"`
	Alert     bool      `json:"alert,omitempty" doc:"the line is linked and has been down for more than a minute"`
	DownSince time.Time `json:"downSince,omitzero" doc:"since when it is down"`
}

func sessionOf(s whatsapp.Session) sessionBody {
	b := sessionBody{Session: s.Session.String(), Name: s.Name, Status: string(s.Status), Since: s.Since, Until: s.Until, Reason: s.Reason,
		Number: s.Number(), Alert: s.IsAlerted, DownSince: s.DownSince}
	if s.IsLinked {
		b.PushName = s.Identity.PushName
	}
	return b
}

type chatBody struct {
	ID          string    `json:"id"`
	Session     string    `json:"session"`
	WhatsAppID  string    `json:"whatsappId" doc:"of a person the LID when it is known" example:"120001@lid"`
	Kind        string    `json:"kind" enum:"direct,group,status,channel"`
	Name        string    `json:"name" doc:"the name that the person gave themselves; may be empty"`
	Phone       string    `json:"phone,omitempty" doc:"E.164, when it is known"`
	Mode        string    `json:"mode" enum:"bot,person" doc:"who answers"`
	PersonUntil time.Time `json:"personUntil,omitzero" doc:"when the bot takes the chat back; absent in mode person: not before it is released"`
	Unread      int       `json:"unread"`
	LastMessage *lastBody `json:"lastMessage,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
}

type lastBody struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction" enum:"in,out"`
	Type      string    `json:"type"`
	Text      string    `json:"text"`
	Status    string    `json:"status"`
	Timestamp time.Time `json:"timestamp"`
}

func chatOf(e whatsapp.ChatEntry, now time.Time) chatBody {
	b := chatBody{ID: e.ID.String(), Session: e.Session.String(), WhatsAppID: e.Address.String(), Kind: string(e.Kind), Name: e.Person.Name,
		Phone: e.Person.IDs.Number.Phone(), Mode: string(e.ModeAt(now)), Unread: e.Unread, CreatedAt: e.CreatedAt}
	if e.ModeAt(now) == whatsapp.PersonMode {
		b.PersonUntil = e.PersonUntil
	}
	if m := e.Last; m != nil {
		b.LastMessage = &lastBody{ID: m.ID.String(), Direction: string(m.Direction), Type: m.Type, Text: m.Text, Status: string(m.Status), Timestamp: m.Timestamp}
	}
	return b
}

type messageBody struct {
	ID         string    `json:"id"`
	ChatID     string    `json:"chatId"`
	Session    string    `json:"session"`
	WhatsAppID string    `json:"whatsappId" doc:"WhatsApp's ID of the message"`
	Direction  string    `json:"direction" enum:"in,out"`
	Type       string    `json:"type" doc:"text, or what it is instead: image, audio, video, document, sticker, location, contact, reaction, poll, call, unknown"`
	Text       string    `json:"text" doc:"the text or caption"`
	Status     string    `json:"status" enum:"received,queued,failed,sent,delivered,read,played"`
	Reason     string    `json:"reason,omitempty" doc:"why it failed: restricted (WhatsApp does not let the line write first to this person now), not_on_whatsapp, no_device, session_not_linked, expired, outcome_unknown, …"`
	StatusAt   time.Time `json:"statusAt" doc:"when the status was reached"`
	Sender     string    `json:"sender" doc:"in: WhatsApp ID of who wrote it; out: the user or API key that had it sent, else its origin"`
	SenderName string    `json:"senderName,omitempty"`
	Phone      string    `json:"phone,omitempty" doc:"of the sender, E.164, when it is known"`
	Origin     string    `json:"origin,omitempty" doc:"of an outgoing message: phone, api, bot, reminder, …"`
	Timestamp  time.Time `json:"timestamp" doc:"WhatsApp's time of it; until WhatsApp has it, when it was queued"`
}

func messageOf(m whatsapp.Message) messageBody {
	b := messageBody{ID: m.ID.String(), ChatID: m.ChatID.String(), Session: m.Session.String(), WhatsAppID: m.WAID, Direction: string(m.Direction), Type: m.Type,
		Text: m.Text, Status: string(m.Status), Reason: m.Reason, StatusAt: m.StatusAt, Origin: m.Origin, Timestamp: m.Timestamp,
		Sender: m.Sender.IDs.Canonical().String(), SenderName: m.Sender.Name, Phone: m.Sender.IDs.Number.Phone()}
	if m.Direction == whatsapp.Out {
		b.Sender = m.Actor
		if b.Sender == "" {
			b.Sender = m.Origin
		}
	}
	return b
}

// mapped encodes a list; it is never null on the wire.
func mapped[T, B any](items []T, encode func(T) B) []B {
	out := make([]B, len(items))
	for i, item := range items {
		out[i] = encode(item)
	}
	return out
}
