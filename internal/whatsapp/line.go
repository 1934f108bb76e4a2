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
	if _, err := s.store.FindSession(ctx, ref); err != nil {
		return Session{}, err
	}
	if _, err := s.send(ctx, errand(ref, ErrandInit)); err != nil {
		return Session{}, err
	}
	return s.store.FindSession(ctx, ref)
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
	if !v.IsLinked && v.isRunning() {
		code, err := s.send(ctx, errand(v.Ref, ErrandQR))
		if err != nil {
			return QRCode{}, err
		}
		if code.Code != "" && code.ExpiresAt.After(s.now()) {
			return QRCode{Text: code.Code, ExpiresAt: code.ExpiresAt}, nil
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
	if !v.isRunning() {
		return "", withStatus(fault.New(fault.Conflict, reasonNotLinking, "the line is not being linked; start it with POST /api/whatsapp/init"), v)
	}
	e := errand(v.Ref, ErrandPairCode)
	e.Number = digits
	answer, err := s.send(ctx, e)
	if f, ok := fault.As(err); ok && f.Reason == reasonNotLinking {
		err = withStatus(f, v)
	}
	return answer.Code, err
}

// Restart closes the session's connection and opens another.
func (s *Service) Restart(ctx context.Context, p id.Principal, session id.Session) (Session, error) {
	ref := sessionOf(p.Tenant, session)
	if _, err := s.store.FindSession(ctx, ref); err != nil {
		return Session{}, err
	}
	if _, err := s.send(ctx, errand(ref, ErrandRestart)); err != nil {
		return Session{}, err
	}
	return s.store.FindSession(ctx, ref)
}

// Logout removes the session's link, on WhatsApp's side too when the line is connected, and deletes its keys. What is queued fails.
func (s *Service) Logout(ctx context.Context, p id.Principal, session id.Session) (Session, error) {
	ref := sessionOf(p.Tenant, session)
	if _, err := s.store.FindSession(ctx, ref); err != nil {
		return Session{}, err
	}
	if _, err := s.send(ctx, errand(ref, ErrandLogout)); err != nil {
		return Session{}, err
	}
	return s.store.FindSession(ctx, ref)
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
	s.peers.Announce()
	return s.sessions.end(ctx, ref)
}

func (s *Service) resume(ctx context.Context, ref Ref) error {
	_, err := s.updateSession(ctx, ref, 0, func(v *Session) ([]events.Event, error) {
		v.IsPaused = false
		return nil, nil
	})
	if err == nil {
		s.peers.Announce()
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
