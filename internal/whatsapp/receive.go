package whatsapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Limits of what is kept of an incoming message. WhatsApp itself stays below them; what does not is cut, since a message
// that can never be stored would be delivered again for ever.
const (
	mostText = 65536 // characters
	mostName = 200
	mostWord = 32
	mostWAID = 128 // bytes
)

// hashedWAID begins what is kept of a message ID that is too long or strange to be stored.
const hashedWAID = "sha256:"

// receive stores what WhatsApp delivered to a session, with its event, in one transaction. A message that is there already changes nothing.
func (s *Service) receive(ctx context.Context, t Term, m Incoming) error {
	now := s.now()
	m = m.fit(now)
	if m.Chat.IsZero() && m.Peer == (ContactIDs{}) {
		return nil // from a kind of account that has no address here: there is no chat to keep it in
	}
	var isNew bool
	var echoed id.Message
	err := s.store.InTerm(ctx, t, func(tx Store) error {
		isNew, echoed = false, id.Message{}
		chat, sender, err := s.placeOf(ctx, tx, t.Ref, m, now)
		if err != nil {
			return err
		}
		if m.FromMe {
			if echoed, err = s.echo(ctx, tx, chat, m, now); err != nil || !echoed.IsZero() {
				return err
			}
		}
		stored := m.message(chat, sender, now)
		if isNew, err = tx.AddMessage(ctx, stored); err != nil || !isNew {
			return err
		}
		return s.tellStored(ctx, tx, chat, sender, stored, now)
	})
	if err != nil {
		return err
	}
	s.outcomes.tell(echoed)
	if isNew && !m.FromMe {
		s.observe.Received(m.Chat.Kind())
	}
	return nil
}

// placeOf finds or makes the chat that a message belongs to and the contact who wrote it (zero for the business itself).
func (s *Service) placeOf(ctx context.Context, tx Store, ref Ref, m Incoming, now time.Time) (Chat, Contact, error) {
	if m.Chat.Kind() != DirectChat {
		return s.placeInGroup(ctx, tx, ref, m, now)
	}
	chat, err := s.placeWith(ctx, tx, ref, m, now)
	if m.FromMe {
		return chat, Contact{}, err
	}
	return chat, chat.Person, err
}

// placeWith finds or makes the direct chat with the peer of a message. A peer of whom nothing new is learned, nearly every one, costs one query.
func (s *Service) placeWith(ctx context.Context, tx Store, ref Ref, m Incoming, now time.Time) (Chat, error) {
	name := m.PushName
	if m.FromMe {
		name = ""
	}
	chats, err := tx.LockChatsAt(ctx, ref, m.Peer.LID, m.Peer.Number)
	if err != nil {
		return Chat{}, err
	}
	if len(chats) == 1 && chats[0].Person.has(m.Peer, name) {
		return chats[0], nil
	}
	person, err := s.settlePerson(ctx, tx, ref.Tenant, m.Peer, id.Contact{}, name, now)
	if err != nil {
		return Chat{}, err
	}
	return s.settleChat(ctx, tx, ref, person, now)
}

func (s *Service) placeInGroup(ctx context.Context, tx Store, ref Ref, m Incoming, now time.Time) (Chat, Contact, error) {
	chat, err := s.chatAt(ctx, tx, Chat{Ref: ref, Address: m.Chat, Kind: m.Chat.Kind()}, now)
	if err != nil || m.FromMe || m.Sender == (ContactIDs{}) { // a channel writes in its own name
		return chat, Contact{}, err
	}
	sender, err := s.settlePerson(ctx, tx, ref.Tenant, m.Sender, id.Contact{}, m.PushName, now)
	return chat, sender, err
}

// has reports whether the contact knows all of the addresses and the name already.
func (c *Contact) has(ids ContactIDs, name string) bool {
	return c.IDs == ids.orElse(c.IDs) && (name == "" || c.Name == name)
}

// echo recognises what the business sent itself, and returns our ID of it: the message exists, and that WhatsApp shows it proves that it was sent.
func (s *Service) echo(ctx context.Context, tx Store, chat Chat, m Incoming, now time.Time) (id.Message, error) {
	own, err := tx.FindOwn(ctx, chat.Ref, []string{m.WAID})
	if err != nil || len(own) == 0 {
		return id.Message{}, err
	}
	if err = s.settleMessage(ctx, tx, &own[0], MessageSent, "", m.Timestamp); err != nil {
		return own[0].ID, err
	}
	return own[0].ID, s.learnEcho(ctx, tx, chat, own[0], now)
}

// learnEcho handles an echo that names another chat than the one which the message was sent in: both are with one person.
func (s *Service) learnEcho(ctx context.Context, tx Store, chat Chat, own Message, now time.Time) error {
	if own.ChatID == chat.ID || chat.Kind != DirectChat {
		return nil
	}
	sentIn, err := followMerges(ctx, tx, own.Tenant, own.ChatID)
	if err != nil || sentIn.ID == chat.ID || sentIn.Kind != DirectChat {
		return err
	}
	_, err = s.settlePerson(ctx, tx, own.Tenant, chat.Person.IDs, sentIn.Person.ID, "", now)
	return err
}

// tellStored brings the chat up to date with a message that was just stored, and tells of it.
func (s *Service) tellStored(ctx context.Context, tx Store, chat Chat, sender Contact, m Message, now time.Time) error {
	chat.newest(&m)
	var told []events.Event
	if m.Direction == Out {
		if m.isWriting() {
			told = chat.personWrote(m.Timestamp, now)
		}
		told = append(told, &events.MessageSentByPerson{Tenant: m.Tenant, Session: m.Session, Chat: chat.ID, Message: m.ID, Origin: m.Origin, Text: m.Text, SentAt: m.Timestamp})
	} else {
		told = chat.settleMode(now)
		chat.Unread++
		told = append(told, &events.MessageReceived{Tenant: m.Tenant, Session: m.Session, Chat: chat.ID, Message: m.ID, WAID: m.WAID,
			ChatWA: chat.Address.String(), ChatKind: string(chat.Kind), ChatMode: string(chat.ModeAt(now)), Phone: sender.IDs.Number.Phone(), SenderName: sender.Name,
			Type: m.Type, Text: m.Text, SentAt: m.Timestamp, ReceivedAt: now})
	}
	if err := tx.SaveChat(ctx, chat); err != nil {
		return err
	}
	return emit(ctx, tx, told...)
}

// isWriting reports whether a message is a person's own contribution to a chat, and not a mere sign like a reaction.
func (m *Message) isWriting() bool {
	switch m.Type {
	case "reaction", "call", "unknown":
		return false
	}
	return true
}

// message is the incoming message as it is stored.
func (m Incoming) message(chat Chat, sender Contact, now time.Time) Message {
	out := Message{Ref: chat.Ref, ID: id.NewMessage(), ChatID: chat.ID, WAID: m.WAID, Pos: chat.nextPos(now), Direction: In, SenderID: sender.ID,
		Type: m.Type, Text: m.Text, Status: MessageReceived, StatusAt: now, Timestamp: m.Timestamp, CreatedAt: now}
	if m.FromMe {
		out.Direction, out.Status, out.Origin = Out, MessageSent, OriginPhone
	}
	return out
}

// fit makes a message storable, whatever its sender put into it.
func (m Incoming) fit(now time.Time) Incoming {
	m.Text, m.PushName, m.Type = clean(m.Text, mostText), clean(m.PushName, mostName), clean(m.Type, mostWord)
	if m.Type == "" {
		m.Type = "unknown"
	}
	if len(m.WAID) > mostWAID || clean(m.WAID, mostWAID) != m.WAID {
		sum := sha256.Sum256([]byte(m.WAID))
		m.WAID = hashedWAID + hex.EncodeToString(sum[:])
	}
	if m.Timestamp = stamp(m.Timestamp); m.Timestamp.IsZero() || m.Timestamp.After(now) {
		m.Timestamp = now
	}
	if m.Chat.Kind() == DirectChat {
		m.Peer = m.Peer.orElse(asContact(m.Chat))
	}
	return m
}

// stamp gives an instant as it is stored.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// asContact gives a person's address as the one that is known of them.
func asContact(a Address) ContactIDs {
	switch {
	case a.IsLID():
		return ContactIDs{LID: a}
	case a.IsNumber():
		return ContactIDs{Number: a}
	}
	return ContactIDs{}
}

// clean makes a text of any origin fit for every database: valid UTF-8 without NUL, at most so many characters.
func clean(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}
