package whatsapp

import (
	"context"
	"errors"
	"time"

	"turnero/internal/events"
)

// attempt is what one try to send came to.
type attempt string

const (
	attemptSettled attempt = "settled" // sent, failed, or no longer there to be sent
	attemptOffline attempt = "offline" // nothing left the process
	attemptUnknown attempt = "unknown" // it may have left; the same message must be tried again before any later one
)

// attempt tries to send one message and records what came of it.
func (t *term) attempt(ctx context.Context, q Queued) attempt {
	if q.isConditional() {
		fresh, ok, err := t.svc.store.FindQueued(ctx, t.Ref, q.ID)
		if err != nil {
			t.fail(err)
			return attemptOffline
		}
		if !ok {
			return attemptSettled
		}
		q = fresh
	}
	if reason := q.refusal(t.svc.now()); reason != "" {
		return t.record(q, MessageFailed, reason, Sent{})
	}
	began := t.svc.clock()
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	sent, err := t.line.Send(sending, Outgoing{WAID: q.WAID, To: q.Chat.Address, Text: q.Text})
	cancel()
	outcome, word := t.judge(q, sent, err)
	t.svc.observe.Attempt(t.svc.clock().Sub(began), word)
	return outcome
}

func (t *term) judge(q Queued, sent Sent, err error) (outcome attempt, word string) {
	var rejected *Rejected
	switch {
	case err == nil:
		return t.record(q, MessageSent, "", sent), "sent"
	case errors.As(err, &rejected):
		t.svc.log.Info("whatsapp message rejected", "tenant", t.Tenant.String(), "session", t.Session.String(), "message", q.ID.String(), "reason", rejected.Reason)
		return t.record(q, MessageFailed, clean(rejected.Reason, mostWAID), Sent{}), "rejected"
	case errors.Is(err, ErrNotConnected):
		return attemptOffline, "offline"
	}
	return attemptUnknown, "unknown"
}

// isConditional reports whether something may keep the message from being sent, so that it must be looked at once more right before.
func (q *Queued) isConditional() bool { return q.Origin != OriginAPI }

// refusal gives the reason not to send the message at this moment, "" for none.
func (q *Queued) refusal(now time.Time) string {
	switch {
	case !q.NotAfter.IsZero() && now.After(q.NotAfter):
		return FailedExpired
	case q.OnlyIfBot && q.Chat.ModeAt(now) == PersonMode:
		return FailedPersonHasChat
	}
	return ""
}

func (t *term) record(q Queued, to MessageStatus, reason string, sent Sent) attempt {
	if err := t.settle(q, to, reason, sent); err != nil {
		return attemptOffline // the term is over; whoever comes next tries again
	}
	return attemptSettled
}

// settle records what became of a message. An error has ended the term.
func (t *term) settle(q Queued, to MessageStatus, reason string, sent Sent) error {
	ctx, cancel := context.WithTimeout(t.ctx, storeTimeout)
	defer cancel()
	if err := t.svc.recordOutcome(ctx, t.Term, q, to, reason, sent); err != nil {
		t.fail(err)
		return err
	}
	return nil
}

// recordOutcome moves a queued message to where an attempt brought it; one that something else has moved since is looked at anew.
func (s *Service) recordOutcome(ctx context.Context, t Term, q Queued, to MessageStatus, reason string, sent Sent) error {
	at := stamp(sent.At)
	if at.IsZero() {
		at = s.now()
	}
	ok, err := s.recordTogether(ctx, t, q, to, reason, sent, at)
	if err == nil && !ok {
		err = s.store.InTerm(ctx, t, func(tx Store) error { return s.recordAlone(ctx, tx, q, to, reason, sent, at) })
	}
	if err != nil {
		return err
	}
	s.outcomes.tell(q.ID)
	if to == MessageFailed {
		s.observe.Failed(reason)
	} else {
		s.observe.Sent(s.now().Sub(q.CreatedAt))
	}
	return nil
}

// recordTogether is for an attempt that told nothing new about the person. ok is false for any other.
func (s *Service) recordTogether(ctx context.Context, t Term, q Queued, to MessageStatus, reason string, sent Sent, at time.Time) (ok bool, err error) {
	if q.Chat.Kind == DirectChat && !q.Chat.Person.has(sent.Contact, "") {
		return false, nil
	}
	isThere := false
	ok, err = s.store.Move(ctx, Move{Term: t, WAIDs: []string{q.WAID}, Decide: func(own []*Message) (told []events.Event) {
		isThere = false
		for _, m := range own {
			if m.ID != q.ID {
				continue
			}
			isThere = true
			if ev := m.moveTo(to, reason, at); ev != nil {
				told = append(told, ev)
			}
		}
		return told
	}})
	return ok && isThere, err
}

// recordAlone is recordOutcome in a transaction of its own. The message may have been withdrawn, its receipt may have come, or its chat been
// merged into another, while it was being sent.
func (s *Service) recordAlone(ctx context.Context, tx Store, q Queued, to MessageStatus, reason string, sent Sent, at time.Time) error {
	if q.Chat.Kind == DirectChat && !q.Chat.Person.has(sent.Contact, "") {
		if _, err := s.settlePerson(ctx, tx, q.Tenant, sent.Contact, q.Chat.Person.ID, "", s.now()); err != nil {
			return err
		}
	}
	m, err := tx.LockMessage(ctx, q.Tenant, q.ID)
	if err != nil {
		return err
	}
	return s.settleMessage(ctx, tx, &m, to, reason, at)
}
