package whatsapp

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// updateSession loads a session, has it changed, and saves it with the events of the change. A fence above zero must be the session's.
func (s *Service) updateSession(ctx context.Context, ref Ref, fence int64, change func(*Session) ([]events.Event, error)) (Session, error) {
	return s.changeSession(ctx, ref, fence, func(_ Store, session *Session) ([]events.Event, error) { return change(session) })
}

// changeSession is updateSession for a change that has to do with more than the session.
func (s *Service) changeSession(ctx context.Context, ref Ref, fence int64, change func(Store, *Session) ([]events.Event, error)) (Session, error) {
	var before, after Session
	err := s.store.InTx(ctx, func(tx Store) error {
		session, err := tx.LockSession(ctx, ref)
		if err != nil {
			return err
		}
		if fence > 0 && session.Fence != fence {
			return ErrStaleFence
		}
		before = session
		told, err := change(tx, &session)
		if err != nil {
			return err
		}
		if after = session; after == before {
			return nil
		}
		if err = tx.SaveSession(ctx, session); err != nil {
			return err
		}
		return emit(ctx, tx, told...)
	})
	if err != nil {
		return Session{}, err
	}
	s.noteChange(before, after)
	return after, nil
}

// turnSession is updateSession for what a session's owner tells, which is stored together with what others tell at this moment: a
// thousand lines that come back at once must not be thousands of transactions.
func (s *Service) turnSession(ctx context.Context, t Term, change func(*Session) []events.Event) (Session, error) {
	var before, after Session
	ok, err := s.store.Turn(ctx, Turn{t, func(session *Session) []events.Event {
		before = *session
		told := change(session)
		after = *session
		return told
	}})
	switch {
	case err != nil:
		return Session{}, err
	case !ok:
		return s.updateSession(ctx, t.Ref, t.Fence, func(session *Session) ([]events.Event, error) { return change(session), nil })
	}
	s.noteChange(before, after)
	return after, nil
}

// noteChange logs what changed, and has a downtime watched.
func (s *Service) noteChange(before, after Session) {
	who := []any{"tenant", after.Tenant.String(), "session", after.Session.String(), "status", string(after.Status), "reason", after.Reason}
	if before.Status != after.Status {
		s.log.Info("whatsapp session status", who...)
	}
	if !before.DownSince.Equal(after.DownSince) {
		s.sessions.watch(after)
	}
	if after.Status == StatusRestricted && (before.Status != after.Status || !before.Until.Equal(after.Until)) {
		s.sessions.awaitLockEnd(after)
	}
	switch {
	case after.IsAlerted && !before.IsAlerted:
		s.log.Warn("whatsapp line down", append(who, "down_since", after.DownSince)...)
	case before.IsAlerted && !after.IsAlerted:
		s.log.Info("whatsapp line no longer down", who...)
	}
}

// linkChanged stores what an engine tells of the connection.
func (s *Service) linkChanged(ctx context.Context, t Term, c LinkChange) (Session, error) {
	status, reason, now := Status(c.State), clean(c.Reason, mostWAID), s.now()
	switch status {
	case StatusLoggedOut:
		return s.unlink(ctx, t.Ref, t.Fence, status, reason)
	case StatusQR:
	default:
		return s.turnSession(ctx, t, func(session *Session) []events.Event { return session.move(status, reason, c.Until, now) })
	}
	var failed []id.Message
	session, err := s.changeSession(ctx, t.Ref, t.Fence, func(tx Store, session *Session) (told []events.Event, err error) {
		failed, err = nil, nil
		told = session.move(status, reason, c.Until, now)
		if session.IsLinked { // the engine asks to be linked: the keys of the link are gone
			session.IsLinked = false
			failed, err = s.failQueued(ctx, tx, t.Ref)
		}
		return told, err
	})
	if err == nil {
		s.noteFailed(failed)
	}
	return session, err
}

// unlink records that a session's link is gone. What is queued can no longer be sent, and a new link may be another number: it fails.
func (s *Service) unlink(ctx context.Context, ref Ref, fence int64, to Status, reason string) (Session, error) {
	return s.unlinkWith(ctx, ref, fence, func(session *Session) []events.Event { return session.move(to, reason, time.Time{}, s.now()) })
}

func (s *Service) unlinkWith(ctx context.Context, ref Ref, fence int64, change func(*Session) []events.Event) (Session, error) {
	var failed []id.Message
	session, err := s.changeSession(ctx, ref, fence, func(tx Store, session *Session) (told []events.Event, err error) {
		told = change(session)
		session.IsLinked = false
		failed, err = s.failQueued(ctx, tx, ref)
		return told, err
	})
	if err == nil {
		s.noteFailed(failed)
	}
	return session, err
}

// noteFailed wakes who waits for messages that failed with the link, and counts them.
func (s *Service) noteFailed(failed []id.Message) {
	for range failed {
		s.observe.Failed(FailedNotLinked)
	}
	s.outcomes.tell(failed...)
}

// failQueued fails all that a session has queued, because its link is gone.
func (s *Service) failQueued(ctx context.Context, tx Store, ref Ref) ([]id.Message, error) {
	var failed []id.Message
	for {
		queued, err := tx.ListQueued(ctx, ref, nil, 200)
		if err != nil || len(queued) == 0 {
			return failed, err
		}
		for i := range queued {
			m := &queued[i].Message
			if err = s.settleMessage(ctx, tx, m, MessageFailed, FailedNotLinked, s.now()); err != nil {
				return failed, err
			}
			failed = append(failed, m.ID)
		}
	}
}
