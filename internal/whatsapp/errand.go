package whatsapp

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// ErrandKind is what is to be done with a session where it is carried.
type ErrandKind string

// The sorts of errand.
const (
	ErrandInit     ErrandKind = "init"
	ErrandRestart  ErrandKind = "restart"
	ErrandLogout   ErrandKind = "logout"
	ErrandQR       ErrandKind = "qr"
	ErrandPairCode ErrandKind = "pair_code" // Number
	ErrandLookup   ErrandKind = "lookup"    // Number
	ErrandMarkRead ErrandKind = "mark_read" // Chat, Sender, WAIDs
	ErrandTyping   ErrandKind = "typing"    // Chat, On
)

// Errand is something that only the owner of a session can do.
type Errand struct {
	Tenant  id.Tenant  `json:"tenant"`
	Session id.Session `json:"session"`
	Kind    ErrandKind `json:"kind"`
	Number  string     `json:"number,omitempty"` // digits
	Chat    string     `json:"chat,omitempty"`   // a WhatsApp ID, as Sender
	Sender  string     `json:"sender,omitempty"`
	WAIDs   []string   `json:"waIds,omitempty"`
	On      bool       `json:"on,omitempty"`
}

// Answer is what came of an errand.
type Answer struct {
	Code      string    `json:"code,omitempty"`     // of ErrandQR and ErrandPairCode
	ExpiresAt time.Time `json:"expiresAt,omitzero"` // of ErrandQR
	Number    string    `json:"number,omitempty"`   // of ErrandLookup: the person's addresses
	LID       string    `json:"lid,omitempty"`      // of ErrandLookup
	Found     bool      `json:"isFound,omitempty"`  // of ErrandLookup
}

func (e *Errand) ref() Ref { return Ref{e.Tenant, e.Session} }

func errand(ref Ref, kind ErrandKind) Errand {
	return Errand{Tenant: ref.Tenant, Session: ref.Session, Kind: kind}
}

// reasonNotLinking is the reason of asking for a code while there is nothing to type it for.
const reasonNotLinking = "not_linking"

// reasonNotOwner is the reason of the fault with which a process refuses an errand for a session that it does not carry.
const reasonNotOwner = "not_owner"

func errNotOwner() *fault.Error {
	return fault.New(fault.Unavailable, reasonNotOwner, "the line is moving between processes; try again").WithRetryAfter(retrySoon)
}

// HandleErrand does what another process asks. It refuses what it does not carry with Unavailable "not_owner".
func (s *Service) HandleErrand(ctx context.Context, e Errand) (Answer, error) {
	if e.Tenant.IsZero() || e.Session.IsZero() {
		return Answer{}, fault.BadField("session", "must name a session and its tenant")
	}
	return s.perform(ctx, e)
}

// mostAsked is how often an errand is tried while the session moves from one process to another.
const mostAsked = 3

// send does an errand where the session is carried: here, or in another process. One that nobody carries is this process's to do.
func (s *Service) send(ctx context.Context, e Errand) (answer Answer, err error) {
	for range mostAsked {
		if owner, elsewhere := s.sessions.elsewhere(e.ref()); elsewhere {
			answer, err = s.peers.Ask(ctx, owner, e)
		} else {
			answer, err = s.perform(ctx, e)
		}
		if !fault.HasReason(err, reasonNotOwner) {
			return answer, err
		}
		if s.sessions.lookAround(ctx) != nil {
			break
		}
	}
	return answer, errOffline(retrySoon).WithCause(err)
}

func (s *Service) perform(ctx context.Context, e Errand) (Answer, error) {
	switch e.Kind {
	case ErrandInit, ErrandRestart:
		return Answer{}, s.startHere(ctx, e.ref(), e.Kind == ErrandRestart)
	case ErrandLogout:
		return Answer{}, s.logoutHere(ctx, e.ref())
	case ErrandQR:
		return s.codeHere(e.ref())
	}
	return s.performLive(ctx, e)
}

// performLive does what needs an open line.
func (s *Service) performLive(ctx context.Context, e Errand) (Answer, error) {
	t := s.sessions.term(e.ref())
	if t == nil {
		return Answer{}, s.absence(e.ref())
	}
	line, status, ok := t.live()
	switch {
	case e.Kind == ErrandPairCode && (!ok || status != StatusQR):
		return Answer{}, fault.New(fault.Conflict, reasonNotLinking, "the line is not ready for a code; ask again when its status is qr")
	case e.Kind != ErrandPairCode && (!ok || !status.isUp()):
		return Answer{}, errOffline(retrySoon)
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	switch e.Kind {
	case ErrandPairCode:
		code, err := line.PairCode(ctx, e.Number)
		return Answer{Code: code}, s.liveFault(err)
	case ErrandLookup:
		ids, ok, err := line.Lookup(ctx, e.Number)
		return Answer{Found: ok, Number: ids.Number.String(), LID: ids.LID.String()}, s.liveFault(err)
	}
	chat, err := ParseAddress(e.Chat)
	if err != nil {
		return Answer{}, fault.BadField("chat", "must be a WhatsApp ID")
	}
	switch e.Kind {
	case ErrandTyping:
		return Answer{}, s.liveFault(line.Typing(ctx, chat, e.On))
	case ErrandMarkRead:
		sender := addressOrZero(e.Sender)
		return Answer{}, s.liveFault(line.MarkRead(ctx, chat, sender, e.WAIDs))
	}
	return Answer{}, fault.BadField("kind", "must be a kind of errand")
}

// absence is the fault of a session without a line here.
func (s *Service) absence(ref Ref) error {
	if _, elsewhere := s.sessions.elsewhere(ref); elsewhere || !s.sessions.carries(ref) {
		return errNotOwner()
	}
	return errOffline(retryLater)
}

// startHere has this process carry a session from now on, and opens it, anew if it is open and isAgain says so.
func (s *Service) startHere(ctx context.Context, ref Ref, isAgain bool) error {
	if err := s.sessions.mustCarry(ctx, ref); err != nil {
		return err
	}
	s.sessions.want(ref)
	_, err := s.updateSession(ctx, ref, 0, func(v *Session) ([]events.Event, error) {
		if v.IsPaused {
			return nil, errPaused()
		}
		if v.isRunning() && !isAgain {
			return nil, nil
		}
		return v.move(StatusConnecting, ReasonRequested, time.Time{}, s.now()), nil
	})
	switch {
	case err != nil:
		return err
	case isAgain:
		s.sessions.later(0, func(ctx context.Context) { s.sessions.reopen(ctx, ref) })
	default:
		s.sessions.planOpen(ref, 0)
	}
	return nil
}

// codeHere gives the QR that the session shows; the answer is empty while there is none.
func (s *Service) codeHere(ref Ref) (Answer, error) {
	t := s.sessions.term(ref)
	if t == nil {
		if !s.sessions.carries(ref) {
			return Answer{}, errNotOwner()
		}
		return Answer{}, nil
	}
	code := t.code()
	return Answer{Code: code.Text, ExpiresAt: code.ExpiresAt}, nil
}

// logoutHere removes the link of a session, on WhatsApp's side too when the line is open, and deletes its keys.
func (s *Service) logoutHere(ctx context.Context, ref Ref) error {
	if err := s.sessions.mustCarry(ctx, ref); err != nil {
		return err
	}
	if err := s.sessions.logout(ctx, ref); err != nil {
		return err
	}
	_, err := s.unlinkWith(ctx, ref, 0, func(v *Session) []events.Event {
		v.Fence++
		to := StatusStopped
		if v.IsLinked || v.Status == StatusLoggedOut {
			to = StatusLoggedOut
		}
		told := v.move(to, ReasonRequested, time.Time{}, s.now())
		return append(told, v.endDowntime(s.now())...)
	})
	return err
}
