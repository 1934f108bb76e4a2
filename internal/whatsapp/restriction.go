package whatsapp

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
)

// guessedLock is how long a restriction is taken to last when WhatsApp refused a message for it and did not say. A refusal in
// its second half renews it.
const guessedLock = time.Hour

// restricted stores what an engine tells of the account's restriction.
func (s *Service) restricted(ctx context.Context, t Term, r Restriction) (Session, error) {
	return s.turnSession(ctx, t, func(v *Session) []events.Event { return v.restrict(r, s.now()) })
}

// restrict notes until when the account is locked. A guess never shortens what WhatsApp said.
func (s *Session) restrict(r Restriction, now time.Time) []events.Event {
	until := stamp(r.Until)
	if r.IsGuess {
		if until = now.Add(guessedLock); s.Locked.After(now.Add(guessedLock / 2)) {
			until = s.Locked
		}
	}
	if !until.After(now) {
		until = time.Time{}
	}
	s.Locked = until
	if !s.Status.isUp() {
		return nil // it shows when the line is up
	}
	return s.move(StatusConnected, s.upReason(), time.Time{}, now)
}

// upReason is why a line that is up is connected and not restricted.
func (s *Session) upReason() string {
	if s.Status == StatusRestricted {
		return ReasonLockOver
	}
	return s.Reason
}

// awaitLockEnd plans the end of a restriction.
func (m *SessionManager) awaitLockEnd(s Session) {
	m.later(s.Until.Sub(m.svc.now()), func(ctx context.Context) { m.endLock(ctx, s.Ref) })
}

// endLock ends a restriction whose time is over. Should it have been prolonged, another plan stands for that.
func (m *SessionManager) endLock(ctx context.Context, ref Ref) {
	_, err := m.svc.updateSession(ctx, ref, 0, func(s *Session) ([]events.Event, error) {
		if s.Status != StatusRestricted || s.Locked.After(m.svc.now()) {
			return nil, nil
		}
		return s.restrict(Restriction{}, m.svc.now()), nil
	})
	if err != nil && !fault.Is(err, fault.NotFound) && ctx.Err() == nil {
		m.later(backoff(3), func(ctx context.Context) { m.endLock(ctx, ref) })
	}
}
