package whatsapp

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Bounds of what people ask of a line.
const (
	mostSessions   = 50               // per tenant
	mostNameLength = 64               // characters
	liveTimeout    = 10 * time.Second // a question to WhatsApp
	retrySoon      = 2 * time.Second  // when a line is on its way
	retryLater     = 10 * time.Second // when it is down
)

// Init starts the tenant's session, the default one if none is named: it connects, or, without a link, shows a QR. Starting one that
// runs changes nothing.
func (s *Service) Init(ctx context.Context, p id.Principal, session id.Session) (Session, error) {
	ref := sessionOf(p.Tenant, session)
	if ref.isDefault() {
		if err := s.addDefault(ctx, ref); err != nil {
			return Session{}, err
		}
	}
	out, err := s.start(ctx, ref, func(v *Session) []events.Event {
		if v.isRunning() {
			return nil
		}
		return v.move(StatusConnecting, ReasonRequested, time.Time{}, s.now())
	})
	if err == nil {
		s.sessions.planOpen(ref, 0)
	}
	return out, err
}

// start changes a session that is to run from now on.
func (s *Service) start(ctx context.Context, ref Ref, change func(*Session) []events.Event) (Session, error) {
	if _, err := s.store.FindSession(ctx, ref); err != nil {
		return Session{}, err
	}
	s.sessions.want(ref)
	return s.updateSession(ctx, ref, 0, func(v *Session) ([]events.Event, error) {
		if v.IsPaused {
			return nil, errPaused()
		}
		return change(v), nil
	})
}

func errPaused() error {
	return fault.New(fault.Conflict, ReasonTenantSuspended, "this business is suspended; its lines stay closed")
}

// addDefault makes the tenant's default session unless it is there.
func (s *Service) addDefault(ctx context.Context, ref Ref) error {
	_, err := s.store.FindSession(ctx, ref)
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return s.store.InTx(ctx, func(tx Store) error {
		_, err := tx.AddSession(ctx, newSession(ref, defaultSessionName, s.now()))
		return err
	})
}

// FindSession gives a session as it is: the default one if none is named, which looks never linked before it is first started.
func (s *Service) FindSession(ctx context.Context, p id.Principal, session id.Session) (Session, error) {
	ref := sessionOf(p.Tenant, session)
	out, err := s.store.FindSession(ctx, ref)
	if ref.isDefault() && fault.Is(err, fault.NotFound) {
		return newSession(ref, defaultSessionName, time.Time{}), nil
	}
	return out, err
}

// ListSessions lists the tenant's sessions, oldest first.
func (s *Service) ListSessions(ctx context.Context, p id.Principal) ([]Session, error) {
	return s.store.ListSessions(ctx, p.Tenant)
}

// AddSession makes one more session for the tenant, to be started with Init. The same idempotency key and name give the session made then.
func (s *Service) AddSession(ctx context.Context, p id.Principal, name, key string) (Session, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > mostNameLength || clean(name, mostNameLength) != name {
		return Session{}, fault.BadField("name", "must have 1 to 64 characters")
	}
	draft := newSession(Ref{p.Tenant, id.NewSession()}, name, s.now())
	var out Session
	err := s.store.InTx(ctx, func(tx Store) error {
		made, err := tx.ClaimKey(ctx, p.Tenant, "whatsapp.session", key, fingerprint(name), draft.Session.String(), s.now())
		if err != nil {
			return err
		}
		if made != "" {
			session, err := id.ParseSession(made)
			if err != nil {
				return err
			}
			out, err = tx.FindSession(ctx, Ref{p.Tenant, session})
			return err
		}
		have, err := tx.ListSessions(ctx, p.Tenant)
		if err != nil {
			return err
		}
		if len(have) >= mostSessions {
			return fault.New(fault.Conflict, "too_many_sessions", "a business may have at most 50 WhatsApp lines")
		}
		out = draft
		_, err = tx.AddSession(ctx, draft)
		return err
	})
	return out, err
}

// QR gives the code to be scanned now. Faults: Conflict "already_linked", "qr_not_ready" (it is on its way) or "qr_not_available" (start the session first).
func (s *Service) QR(ctx context.Context, p id.Principal, session id.Session) (QRCode, error) {
	v, err := s.FindSession(ctx, p, session)
	if err != nil {
		return QRCode{}, err
	}
	if t := s.sessions.term(v.Ref); t != nil && !v.IsLinked {
		if code := t.code(); code.Text != "" && code.ExpiresAt.After(s.now()) {
			return code, nil
		}
	}
	return QRCode{}, withStatus(noQR(v), v)
}

func noQR(v Session) *fault.Error {
	switch {
	case v.IsLinked:
		return errAlreadyLinked()
	case v.isRunning():
		return fault.New(fault.Conflict, "qr_not_ready", "the QR is on its way; ask again in a moment").WithRetryAfter(time.Second)
	}
	return fault.New(fault.Conflict, "qr_not_available", "the line is not being linked; start it with POST /api/whatsapp/init")
}

func errAlreadyLinked() *fault.Error {
	return fault.New(fault.Conflict, "already_linked", "this line is linked already; log it out to link another phone")
}

func withStatus(f *fault.Error, v Session) error {
	return f.WithDetail("sessionStatus", string(v.Status)).WithDetail("reason", v.Reason)
}

// PairCode asks for the code that links the session when it is typed on the phone of the number. The session must have been started.
func (s *Service) PairCode(ctx context.Context, p id.Principal, session id.Session, phone string) (string, error) {
	digits, err := s.parsePhone(ctx, p.Tenant, "phone", phone)
	if err != nil {
		return "", err
	}
	v, err := s.FindSession(ctx, p, session)
	if err != nil {
		return "", err
	}
	if v.IsLinked {
		return "", withStatus(errAlreadyLinked(), v)
	}
	t := s.sessions.term(v.Ref)
	if t == nil {
		return "", withStatus(fault.New(fault.Conflict, "not_linking", "the line is not being linked; start it with POST /api/whatsapp/init"), v)
	}
	line, status, ok := t.live()
	if !ok || status != StatusQR {
		return "", withStatus(fault.New(fault.Conflict, "not_linking", "the line is not ready for a code; ask again when its status is qr"), v)
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	code, err := line.PairCode(ctx, digits)
	return code, s.liveFault(err)
}

// Restart closes the session's connection and opens another.
func (s *Service) Restart(ctx context.Context, p id.Principal, session id.Session) (Session, error) {
	ref := sessionOf(p.Tenant, session)
	s.sessions.want(ref)
	out, err := s.start(ctx, ref, func(v *Session) []events.Event {
		return v.move(StatusConnecting, ReasonRequested, time.Time{}, s.now())
	})
	if err == nil {
		s.sessions.later(0, func(ctx context.Context) { s.sessions.reopen(ctx, ref) })
	}
	return out, err
}

// Logout removes the session's link, on WhatsApp's side too when the line is connected, and deletes its keys. What is queued fails.
func (s *Service) Logout(ctx context.Context, p id.Principal, session id.Session) (Session, error) {
	ref := sessionOf(p.Tenant, session)
	if _, err := s.store.FindSession(ctx, ref); err != nil {
		return Session{}, err
	}
	if err := s.sessions.logout(ctx, ref); err != nil {
		return Session{}, err
	}
	return s.unlinkWith(ctx, ref, 0, func(v *Session) []events.Event {
		v.Fence++
		to := StatusStopped
		if v.IsLinked || v.Status == StatusLoggedOut {
			to = StatusLoggedOut
		}
		told := v.move(to, ReasonRequested, time.Time{}, s.now())
		return append(told, v.endDowntime(s.now())...)
	})
}

// logout removes the link of a session and closes it in this process.
func (m *SessionManager) logout(ctx context.Context, ref Ref) error {
	slot := m.slot(ref)
	if err := slot.take(ctx); err != nil {
		return err
	}
	defer slot.release()
	if t := slot.current(); t != nil {
		if line, _, ok := t.live(); ok {
			t.leave()
			asking, cancel := context.WithTimeout(ctx, liveTimeout)
			err := line.Logout(asking)
			cancel()
			if err != nil {
				m.svc.log.Info("whatsapp link removed on our side only", "tenant", ref.Tenant.String(), "session", ref.Session.String(), "error", err.Error())
			}
		}
	}
	m.endTerm(slot)
	session, err := m.svc.store.FindSession(ctx, ref)
	if err != nil {
		return err
	}
	return m.engine.Forget(ctx, Term{ref, session.Fence})
}

// HandleEvent stops a suspended tenant's sessions and starts those of one that is reopened. Handling an event again changes nothing.
func (s *Service) HandleEvent(ctx context.Context, _ id.Event, ev events.Event) error {
	e, ok := ev.(*events.TenantStatusChanged)
	if !ok {
		return nil
	}
	sessions, err := s.store.ListSessions(ctx, e.Tenant)
	if err != nil {
		return err
	}
	for _, v := range sessions {
		if e.Status == "suspended" {
			err = s.pause(ctx, v.Ref)
		} else {
			err = s.resume(ctx, v.Ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pause stops a session whatever it is doing; the new fence shuts out who carries it, wherever that is.
func (s *Service) pause(ctx context.Context, ref Ref) error {
	_, err := s.updateSession(ctx, ref, 0, func(v *Session) ([]events.Event, error) {
		if v.IsPaused {
			return nil, nil
		}
		v.IsPaused = true
		v.Fence++
		told := v.move(StatusStopped, ReasonTenantSuspended, time.Time{}, s.now())
		return append(told, v.endDowntime(s.now())...), nil
	})
	if err != nil {
		return err
	}
	return s.sessions.end(ctx, ref)
}

func (s *Service) resume(ctx context.Context, ref Ref) error {
	v, err := s.updateSession(ctx, ref, 0, func(v *Session) ([]events.Event, error) {
		v.IsPaused = false
		return nil, nil
	})
	if err == nil && v.IsLinked {
		s.sessions.planOpen(ref, 0)
	}
	return err
}

// liveFault turns an engine's error on a live operation into a fault; one that is a fault already says best what is wrong.
func (s *Service) liveFault(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	var rejected *Rejected
	switch {
	case err == nil:
		return nil
	case errors.As(err, &rejected):
		return fault.New(fault.Conflict, clean(rejected.Reason, mostWord), "WhatsApp refused this").WithCause(err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return errOffline(retrySoon).WithCause(err)
}

func errOffline(retry time.Duration) *fault.Error {
	return fault.New(fault.Unavailable, "session_offline", "the line is not connected to WhatsApp at the moment").WithRetryAfter(retry)
}
