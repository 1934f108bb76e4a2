package whatsapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// errStranger says that the peer of a message is not known by just its addresses and name, so that contacts must be settled first.
var errStranger = errors.New("whatsapp: the peer of a message is to be settled first")

// receive stores what WhatsApp delivered to a session, with its event, in one transaction. A message that is there already changes nothing.
//
// Nearly every message is of a person who is known, and is stored together with those of other sessions. The others get a transaction of their
// own, which begins anew, with the contacts, when these are to be settled: everybody who locks contacts does so before chats, and chats before messages.
func (s *Service) receive(ctx context.Context, t Term, m Incoming) error {
	now := s.now()
	m = m.fit(now)
	if m.Chat.IsZero() && m.Peer == (ContactIDs{}) {
		return nil // from a kind of account that has no address here: there is no chat to keep it in
	}
	isNew, ok, err := s.receiveTogether(ctx, t, m, now)
	if err == nil && !ok {
		isNew, err = s.receiveAlone(ctx, t, m, now)
	}
	if err != nil {
		return err
	}
	if isNew && !m.FromMe {
		s.observe.Received(m.Chat.Kind())
	}
	return nil
}

// receiveTogether stores a message that a person of whom it tells nothing new wrote. ok is false for any other.
func (s *Service) receiveTogether(ctx context.Context, t Term, m Incoming, now time.Time) (isNew, ok bool, err error) {
	if m.FromMe || m.Chat.Kind() != DirectChat {
		return false, false, nil
	}
	ok, err = s.store.Post(ctx, Post{Term: t, Address: m.Peer.Canonical(), WAID: m.WAID, Decide: func(p Place) (Change, error) {
		isNew = false
		if p.Chat.Kind != DirectChat || !p.Chat.Person.has(m.Peer, m.peerName()) {
			return Change{}, errStranger
		}
		if p.has(p.Chat.Person.ID) {
			return Change{}, nil
		}
		isNew = true
		stored := m.message(p.Chat, p.Chat.Person, now)
		told := p.Chat.arrived(p.Chat.Person, &stored, now)
		return Change{Chat: &p.Chat, Message: &stored, Events: told}, nil
	}})
	if errors.Is(err, errStranger) {
		return false, false, nil
	}
	return isNew && err == nil, ok, err
}

// receiveAlone stores any message.
func (s *Service) receiveAlone(ctx context.Context, t Term, m Incoming, now time.Time) (isNew bool, err error) {
	isNew, echoed, err := s.receiveFrom(ctx, t, m, s.knownPlace, now)
	if errors.Is(err, errStranger) {
		isNew, echoed, err = s.receiveFrom(ctx, t, m, s.settledPlace, now)
	}
	if err == nil {
		s.outcomes.tell(echoed)
	}
	return isNew, err
}

// finder finds the chat that a message belongs to, locked, and the contact who wrote it (zero for the business itself).
type finder func(ctx context.Context, tx Store, ref Ref, m Incoming, now time.Time) (Chat, Contact, error)

func (s *Service) receiveFrom(ctx context.Context, t Term, m Incoming, find finder, now time.Time) (isNew bool, echoed id.Message, err error) {
	err = s.store.InTerm(ctx, t, func(tx Store) error {
		isNew, echoed = false, id.Message{}
		chat, sender, err := find(ctx, tx, t.Ref, m, now)
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
	return isNew, echoed, err
}

// knownPlace is the finder for a direct chat with a peer of whom a message tells nothing new; for all else it returns errStranger.
func (s *Service) knownPlace(ctx context.Context, tx Store, ref Ref, m Incoming, _ time.Time) (Chat, Contact, error) {
	if m.Chat.Kind() != DirectChat {
		return Chat{}, Contact{}, errStranger
	}
	chats, err := tx.LockChatsAt(ctx, ref, m.Peer.LID, m.Peer.Number)
	if err != nil {
		return Chat{}, Contact{}, err
	}
	if len(chats) != 1 || !chats[0].Person.has(m.Peer, m.peerName()) {
		return Chat{}, Contact{}, errStranger
	}
	return chats[0], m.writer(chats[0].Person), nil
}

// settledPlace is the finder that makes or merges what it must.
func (s *Service) settledPlace(ctx context.Context, tx Store, ref Ref, m Incoming, now time.Time) (Chat, Contact, error) {
	if m.Chat.Kind() == DirectChat {
		person, err := s.settlePerson(ctx, tx, ref.Tenant, m.Peer, id.Contact{}, m.peerName(), now)
		if err != nil {
			return Chat{}, Contact{}, err
		}
		chat, err := s.settleChat(ctx, tx, ref, person, now)
		return chat, m.writer(person), err
	}
	var sender Contact
	if !m.FromMe && m.Sender != (ContactIDs{}) { // a channel writes in its own name
		var err error
		if sender, err = s.settlePerson(ctx, tx, ref.Tenant, m.Sender, id.Contact{}, m.PushName, now); err != nil {
			return Chat{}, Contact{}, err
		}
	}
	chat, err := s.chatAt(ctx, tx, Chat{Ref: ref, Address: m.Chat, Kind: m.Chat.Kind()}, now)
	return chat, sender, err
}

// peerName is the name that the peer of a direct chat gave themselves, "" when the message does not tell it.
func (m *Incoming) peerName() string {
	if m.FromMe {
		return ""
	}
	return m.PushName
}

// writer gives the contact who wrote a message of the chat with the person.
func (m *Incoming) writer(person Contact) Contact {
	if m.FromMe {
		return Contact{}
	}
	return person
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
	told := chat.arrived(sender, &m, now)
	if err := tx.SaveChat(ctx, chat); err != nil {
		return err
	}
	return emit(ctx, tx, told...)
}

// arrived takes note of a message that WhatsApp delivered, and gives the events that tell of it.
func (c *Chat) arrived(sender Contact, m *Message, now time.Time) []events.Event {
	c.newest(m)
	if m.Direction == Out {
		var told []events.Event
		if m.isWriting() {
			told = c.personWrote(m.Timestamp, now)
		}
		return append(told, &events.MessageSentByPerson{Tenant: m.Tenant, Session: m.Session, Chat: c.ID, Message: m.ID, Origin: m.Origin, Text: m.Text, SentAt: m.Timestamp})
	}
	told := c.settleMode(now)
	c.Unread++
	return append(told, &events.MessageReceived{Tenant: m.Tenant, Session: m.Session, Chat: c.ID, Message: m.ID, WAID: m.WAID,
		ChatWA: c.Address.String(), ChatKind: string(c.Kind), ChatMode: string(c.ModeAt(now)), Phone: sender.IDs.Number.Phone(), SenderName: sender.Name,
		Type: m.Type, Text: m.Text, SentAt: m.Timestamp, ReceivedAt: now})
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
