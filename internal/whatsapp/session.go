package whatsapp

import (
	"slices"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Status is what a session is doing, as GET /api/whatsapp/status says.
type Status string

// The statuses of a session.
const (
	StatusStopped    Status = "stopped"    // nobody tries to connect
	StatusConnecting Status = "connecting" // on its way to WhatsApp
	StatusQR         Status = "qr"         // waits for its QR or code to be used
	StatusPairing    Status = "pairing"    // scanned, not yet connected
	StatusConnected  Status = "connected"  // messages flow
	StatusRestricted Status = "restricted" // messages flow, but WhatsApp keeps the account from writing first to new people
	StatusDegraded   Status = "degraded"   // open, but WhatsApp does not answer
	StatusLoggedOut  Status = "logged_out" // the link is gone; it must be linked anew
	StatusReplaced   Status = "replaced"   // somebody else connected as the same device
	StatusBanned     Status = "banned"     // WhatsApp refuses the account
)

// Reasons of a status that this package gives; an engine gives its own besides.
const (
	ReasonNeverLinked     = "never_linked"
	ReasonRequested       = "requested"        // somebody asked for it through the API
	ReasonRestored        = "restored"         // the process came back
	ReasonInterrupted     = "interrupted"      // the process ended before the link was made, and nothing went on with it for minutes
	ReasonTenantSuspended = "tenant_suspended" // the business is suspended
	ReasonStoreError      = "store_error"      // the database failed, so the connection was given up
	ReasonOpenFailed      = "open_failed"      // the engine could not start
	ReasonReachOutLock    = "reachout_lock"    // WhatsApp locked the account's reaching out to new people
	ReasonLockOver        = "lock_over"        // and the lock has ended
)

// moves is the one table of allowed changes of status; every status may become stopped.
var moves = map[Status][]Status{
	StatusStopped:    {StatusConnecting, StatusLoggedOut},
	StatusConnecting: {StatusQR, StatusPairing, StatusConnected, StatusRestricted, StatusDegraded, StatusLoggedOut, StatusReplaced, StatusBanned},
	StatusQR:         {StatusPairing, StatusConnecting, StatusConnected, StatusRestricted, StatusLoggedOut, StatusBanned},
	StatusPairing:    {StatusQR, StatusConnecting, StatusConnected, StatusRestricted, StatusDegraded, StatusLoggedOut, StatusReplaced, StatusBanned},
	StatusConnected:  {StatusRestricted, StatusConnecting, StatusDegraded, StatusLoggedOut, StatusReplaced, StatusBanned},
	StatusRestricted: {StatusConnected, StatusConnecting, StatusDegraded, StatusLoggedOut, StatusReplaced, StatusBanned},
	StatusDegraded:   {StatusConnecting, StatusConnected, StatusRestricted, StatusLoggedOut, StatusReplaced, StatusBanned},
	StatusLoggedOut:  {StatusConnecting},
	StatusReplaced:   {StatusConnecting, StatusLoggedOut, StatusBanned},
	StatusBanned:     {StatusConnecting, StatusLoggedOut},
}

// canBecome reports whether the table allows the change.
func (s Status) canBecome(to Status) bool {
	return to == StatusStopped || slices.Contains(moves[s], to)
}

// isFinal reports whether a term that reaches the status has ended: its engine tries no more.
func (s Status) isFinal() bool {
	switch s {
	case StatusStopped, StatusLoggedOut, StatusReplaced, StatusBanned:
		return true
	}
	return false
}

// IsRunning reports whether an engine is at work for a session of the status.
func (s Status) IsRunning() bool { return s != "" && !s.isFinal() }

// isUp reports whether messages flow.
func (s Status) isUp() bool { return s == StatusConnected || s == StatusRestricted }

// alertAfter is how long a linked line may be down before it is an alert.
const alertAfter = time.Minute

// defaultSessionName is the name of the session that a tenant has without asking.
const defaultSessionName = "default"

// Session is one WhatsApp account of a tenant: what it is, what it does now, and who may write for it.
type Session struct {
	Ref
	Name      string
	Status    Status
	Reason    string    // stable word that explains the status, may be ""
	Since     time.Time // when the status began
	Until     time.Time // when the status ends by itself, if that is known
	Locked    time.Time // until when WhatsApp keeps the account from writing first to new people; zero = it does not
	Identity  Identity  // who it is on WhatsApp; kept after the link is gone
	IsLinked  bool      // it has a link: connecting needs no QR
	IsPaused  bool      // its tenant is suspended
	DownSince time.Time // since when a line that should be up is not; zero while it is up or nobody expects it to be
	IsAlerted bool      // the alert for DownSince was raised
	Fence     int64     // grows with each term of ownership; only the term that holds it may write for the session
	Owner     string    // the process that took the fence last
	CreatedAt time.Time
}

// DefaultSession names the session that a tenant has without asking.
func DefaultSession(tenant id.Tenant) Ref {
	return Ref{Tenant: tenant, Session: id.FromSession(tenant.String())}
}

// isDefault reports whether the session is the one that its tenant has without asking.
func (r Ref) isDefault() bool { return r == DefaultSession(r.Tenant) }

// newSession makes a session that was never linked.
func newSession(ref Ref, name string, now time.Time) Session {
	return Session{Ref: ref, Name: name, Status: StatusStopped, Reason: ReasonNeverLinked, Since: now, CreatedAt: now}
}

// Number gives the E.164 number of a linked session, "" while there is no link.
func (s *Session) Number() string {
	if !s.IsLinked {
		return ""
	}
	return s.Identity.Contact.Number.Phone()
}

// isWanted reports whether some process should carry the session.
func (s *Session) isWanted() bool { return !s.IsPaused && (s.IsLinked || s.isRunning()) }

// isRunning reports whether an engine is at work for the session.
func (s *Session) isRunning() bool { return s.Status.IsRunning() }

// move changes the status and returns the events that tell of it: none when nothing changed or the table forbids it. A line that
// comes up while its account is locked is restricted.
func (s *Session) move(to Status, reason string, until, now time.Time) []events.Event {
	switch to {
	case StatusConnected:
		if s.Locked.After(now) {
			to, reason, until = StatusRestricted, ReasonReachOutLock, s.Locked
		}
	case StatusQR, StatusLoggedOut: // the next link may be another account
		s.Locked = time.Time{}
	}
	if s.Status == to {
		isNews := !s.Until.Equal(until)
		s.Reason, s.Until = reason, until
		if !isNews {
			return nil
		}
		return []events.Event{s.statusChanged()}
	}
	if !s.Status.canBecome(to) {
		return nil
	}
	s.Status, s.Reason, s.Since, s.Until = to, reason, now, until
	told := []events.Event{s.statusChanged()}
	if s.isUpOrUnwanted() {
		return append(told, s.endDowntime(now)...)
	}
	if s.DownSince.IsZero() && s.wasExpectedUp() {
		s.DownSince = now
	}
	return told
}

func (s *Session) statusChanged() events.Event {
	return &events.SessionStatusChanged{Tenant: s.Tenant, Session: s.Session, Status: string(s.Status), Reason: s.Reason, Number: s.Number(), Since: s.Since, Until: s.Until}
}

// isUpOrUnwanted reports whether there is no downtime to count: messages flow, or somebody wants the line down.
func (s *Session) isUpOrUnwanted() bool {
	return s.Status.isUp() || s.IsPaused || s.Status == StatusLoggedOut && s.Reason == ReasonRequested
}

// wasExpectedUp reports whether the business counts on the line: it is linked, or lost its link without asking.
func (s *Session) wasExpectedUp() bool {
	return s.IsLinked || s.Status == StatusLoggedOut || s.Status == StatusBanned
}

// endDowntime forgets the downtime and returns the end of its alert, if one was raised.
func (s *Session) endDowntime(now time.Time) []events.Event {
	wasAlerted := s.IsAlerted
	s.DownSince, s.IsAlerted = time.Time{}, false
	if !wasAlerted {
		return nil
	}
	return []events.Event{&events.SessionAlert{Tenant: s.Tenant, Session: s.Session, Status: string(s.Status), Reason: s.Reason, Since: now}}
}

// mustWait tells how long the session must not be opened by itself: until WhatsApp's ban of the account is over.
func (s *Session) mustWait(now time.Time) time.Duration {
	if s.Status != StatusBanned {
		return 0
	}
	return max(0, s.Until.Sub(now))
}

// alertDue gives the instant from which the downtime is an alert; ok is false when there is none to raise.
func (s *Session) alertDue() (at time.Time, ok bool) {
	return s.DownSince.Add(alertAfter), !s.DownSince.IsZero() && !s.IsAlerted
}

// raiseAlert marks the downtime as alerted and returns its event.
func (s *Session) raiseAlert() events.Event {
	s.IsAlerted = true
	return &events.SessionAlert{Tenant: s.Tenant, Session: s.Session, Down: true, Status: string(s.Status), Reason: s.Reason, Since: s.DownSince}
}

// QRCode is what a phone scans to link a session.
type QRCode struct {
	Text      string // what the picture holds
	ExpiresAt time.Time
}
