package whatsapp

import (
	"context"
	"strings"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// mostMarked is how many messages are marked as read on WhatsApp at most when a chat is.
const mostMarked = 100

// ContactCheck tells whether a number is on WhatsApp.
type ContactCheck struct {
	Phone string // E.164, as asked
	IsOn  bool
	IDs   ContactIDs // when it is
}

// sendLive does an errand with a session that must be linked. Faults: Unavailable, "session_not_linked" or "session_offline".
func (s *Service) sendLive(ctx context.Context, ref Ref, e Errand) (Answer, error) {
	if err := s.mustBeLinked(ctx, s.store, ref); err != nil {
		return Answer{}, err
	}
	return s.send(ctx, e)
}

// CheckContact asks WhatsApp whether a phone number is there.
func (s *Service) CheckContact(ctx context.Context, p id.Principal, session id.Session, phone string) (ContactCheck, error) {
	digits, err := s.parsePhone(ctx, p.Tenant, "phone", phone)
	if err != nil {
		return ContactCheck{}, err
	}
	ref := sessionOf(p.Tenant, session)
	e := errand(ref, ErrandLookup)
	e.Number = digits
	answer, err := s.sendLive(ctx, ref, e)
	if err != nil {
		return ContactCheck{}, err
	}
	out := ContactCheck{Phone: NumberAddress(digits).Phone(), IsOn: answer.Found}
	if answer.Found {
		out.IDs = ContactIDs{Number: addressOrZero(answer.Number), LID: addressOrZero(answer.LID)}
	}
	return out, nil
}

// addressOrZero reads a WhatsApp ID that may be left out.
func addressOrZero(text string) Address {
	a, err := ParseAddress(text)
	if err != nil {
		return Address{}
	}
	return a
}

// MarkRead says that the staff has read a chat: nothing in it is unread any more, and, when the line is connected, WhatsApp shows its senders so.
func (s *Service) MarkRead(ctx context.Context, p id.Principal, session id.Session, chat string) error {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return err
	}
	var read []Message
	err = s.store.InTx(ctx, func(tx Store) error {
		locked, err := followMerges(ctx, tx, p.Tenant, c.ID)
		if err != nil {
			return err
		}
		c, read = locked, nil
		if locked.Unread == 0 {
			return nil
		}
		if read, err = tx.ListIncoming(ctx, p.Tenant, locked.ID, min(locked.Unread, mostMarked)); err != nil {
			return err
		}
		locked.Unread = 0
		return tx.SaveChat(ctx, locked)
	})
	if err != nil || len(read) == 0 {
		return err
	}
	s.tellRead(ctx, c, read)
	return nil
}

// tellRead marks messages as read on WhatsApp, sender by sender. They are read here all the same when it cannot be done: WhatsApp's ticks are a courtesy.
func (s *Service) tellRead(ctx context.Context, c Chat, read []Message) {
	bySender := map[Address][]string{}
	for _, m := range read {
		if !strings.HasPrefix(m.WAID, hashedWAID) {
			from := m.Sender.IDs.Canonical()
			bySender[from] = append(bySender[from], m.WAID)
		}
	}
	for sender, waIDs := range bySender {
		e := errand(c.Ref, ErrandMarkRead)
		e.Chat, e.Sender, e.WAIDs = c.Address.String(), sender.String(), waIDs
		if _, err := s.sendLive(ctx, c.Ref, e); err != nil {
			s.log.Debug("whatsapp chat not marked as read", "tenant", c.Tenant.String(), "session", c.Session.String(), "error", err.Error())
			return
		}
	}
}

// Typing shows or hides "typing…" in a chat.
func (s *Service) Typing(ctx context.Context, p id.Principal, session id.Session, chat string, isOn bool) error {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return err
	}
	if !c.isWritable() {
		return fault.BadField("chatId", "must be a person or a group")
	}
	e := errand(c.Ref, ErrandTyping)
	e.Chat, e.On = c.Address.String(), isOn
	_, err = s.sendLive(ctx, c.Ref, e)
	return err
}
