package whatsapp

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// statusOf tells which status a receipt gives to the messages it names.
var statusOf = map[ReceiptKind]MessageStatus{ReceiptDelivered: MessageDelivered, ReceiptRead: MessageRead, ReceiptPlayed: MessagePlayed}

// receipt moves the messages that a receipt names forward. They are found by their WhatsApp IDs within the session, since the
// receipt may name the chat by the other address of the person. Messages that are not ours are passed over.
func (s *Service) receipt(ctx context.Context, t Term, r Receipt) error {
	status, ok := statusOf[r.Kind]
	if !ok || len(r.WAIDs) == 0 {
		return nil
	}
	at := stamp(r.At)
	if at.IsZero() {
		at = s.now()
	}
	var moved []id.Message
	ok, err := s.store.Move(ctx, Move{Term: t, WAIDs: r.WAIDs, Decide: func(own []*Message) (told []events.Event) {
		moved = moved[:0]
		for _, m := range own {
			if ev := m.moveTo(status, "", at); ev != nil {
				told, moved = append(told, ev), append(moved, m.ID)
			}
		}
		return told
	}})
	if err == nil && !ok {
		moved, err = s.receiptAlone(ctx, t, r.WAIDs, status, at)
	}
	if err != nil {
		return err
	}
	s.outcomes.tell(moved...)
	return nil
}

// receiptAlone is receipt in a transaction of its own.
func (s *Service) receiptAlone(ctx context.Context, t Term, waIDs []string, status MessageStatus, at time.Time) (moved []id.Message, err error) {
	err = s.store.InTerm(ctx, t, func(tx Store) error {
		own, err := tx.FindOwn(ctx, t.Ref, waIDs)
		if err != nil {
			return err
		}
		moved = moved[:0]
		for _, m := range own {
			if !m.Status.canBecome(status) {
				continue
			}
			if err = s.settleMessage(ctx, tx, &m, status, "", at); err != nil {
				return err
			}
			moved = append(moved, m.ID)
		}
		return nil
	})
	return moved, err
}

// settleMessage moves an outgoing message to a later status and tells of it; one that is there already stays as it is. m takes the new status.
func (s *Service) settleMessage(ctx context.Context, tx Store, m *Message, to MessageStatus, reason string, at time.Time) error {
	if at = stamp(at); at.IsZero() {
		at = s.now()
	}
	ev := m.moveTo(to, reason, at)
	if ev == nil {
		return nil
	}
	if err := tx.SaveMessage(ctx, *m); err != nil {
		return err
	}
	return emit(ctx, tx, ev)
}

// learned records that a number and a LID are one person's, if either is known already.
func (s *Service) learned(ctx context.Context, t Term, c ContactIDs) error {
	if c.Number.IsZero() || c.LID.IsZero() {
		return nil
	}
	known, err := s.store.FindContacts(ctx, t.Tenant, c)
	if err != nil || len(known) == 0 || len(known) == 1 && known[0].IDs == c {
		return err
	}
	return s.store.InTerm(ctx, t, func(tx Store) error {
		_, err := s.settlePerson(ctx, tx, t.Tenant, c, id.Contact{}, "", s.now())
		return err
	})
}
