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

// connectedLine gives the session's line when messages flow. Faults: Unavailable, "session_not_linked" or "session_offline".
func (s *Service) connectedLine(ctx context.Context, ref Ref) (Line, error) {
	if err := s.mustBeLinked(ctx, s.store, ref); err != nil {
		return nil, err
	}
	t := s.sessions.term(ref)
	if t == nil {
		return nil, errOffline(retryLater)
	}
	line, status, ok := t.live()
	if !ok || status != StatusConnected {
		return nil, errOffline(retrySoon)
	}
	return line, nil
}

// CheckContact asks WhatsApp whether a phone number is there.
func (s *Service) CheckContact(ctx context.Context, p id.Principal, session id.Session, phone string) (ContactCheck, error) {
	digits, err := s.parsePhone(ctx, p.Tenant, "phone", phone)
	if err != nil {
		return ContactCheck{}, err
	}
	line, err := s.connectedLine(ctx, sessionOf(p.Tenant, session))
	if err != nil {
		return ContactCheck{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	ids, ok, err := line.Lookup(ctx, digits)
	if err != nil {
		return ContactCheck{}, s.liveFault(err)
	}
	out := ContactCheck{Phone: NumberAddress(digits).Phone(), IsOn: ok}
	if ok {
		out.IDs = ids
	}
	return out, nil
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
	if line, err := s.connectedLine(ctx, c.Ref); err == nil { // else it is read here all the same: WhatsApp's ticks are a courtesy
		s.tellRead(ctx, line, c, read)
	}
	return nil
}

// tellRead marks messages as read on WhatsApp, sender by sender.
func (s *Service) tellRead(ctx context.Context, line Line, c Chat, read []Message) {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	bySender := map[Address][]string{}
	for _, m := range read {
		if !strings.HasPrefix(m.WAID, hashedWAID) {
			from := m.Sender.IDs.Canonical()
			bySender[from] = append(bySender[from], m.WAID)
		}
	}
	for sender, waIDs := range bySender {
		if err := line.MarkRead(ctx, c.Address, sender, waIDs); err != nil {
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
	line, err := s.connectedLine(ctx, c.Ref)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	return s.liveFault(line.Typing(ctx, c.Address, isOn))
}
