package whatsapp

import (
	"context"
	"log/slog"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Users answers whether a person works for a tenant.
type Users interface {
	Exists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error)
}

// Observer is told what is worth counting. Fields left nil are not called; none may block.
type Observer struct {
	LinesDown func(n int)                              // so many lines of the installation have been down for a minute; told every few seconds
	Received  func(kind ChatKind)                      // a new incoming message is stored
	Sent      func(queued time.Duration)               // WhatsApp acknowledged a message, so long after it was queued
	Failed    func(reason string)                      // an outgoing message failed
	TermEnded func(reason string)                      // a term of ownership ended otherwise than by being asked to
	Attempt   func(took time.Duration, outcome string) // one attempt to send: "sent", "rejected", "offline", "unknown"
}

// Deps is what the module needs.
type Deps struct {
	Store  Store
	Engine Engine
	Claims Claims
	Peers  Peers
	Users  Users
	// ParsePhone reads a phone number as people of the tenant's country write it and gives its digits in international form; a sign in front is
	// taken off. ok is false for what is no number.
	ParsePhone func(ctx context.Context, tenant id.Tenant, text string) (digits string, ok bool, err error)
	// FoldPhone gives the form in which two ways to write one mobile number (Argentina's 54/549, Mexico's 52/521, Brazil's ninth digit) are the same.
	FoldPhone func(digits string) string
	Now       func() time.Time
	Logger    *slog.Logger
	Observer  Observer
}

// Service is the module: what the API, other modules' commands and the engines may do with sessions, chats and messages.
type Service struct {
	store    Store
	users    Users
	peers    Peers
	parse    func(ctx context.Context, tenant id.Tenant, text string) (string, bool, error)
	fold     func(digits string) string
	now      func() time.Time // in UTC and whole microseconds, as it is stored
	clock    func() time.Time // for measuring: unlike now it does not jump when somebody sets the clock
	log      *slog.Logger
	observe  Observer
	outcomes *outcomes
	sessions *SessionManager
}

// New makes the module. Its lines stay closed until Manager().Run is called.
func New(d Deps) *Service {
	s := &Service{store: d.Store, users: d.Users, peers: d.Peers, parse: d.ParsePhone, fold: d.FoldPhone, clock: d.Now, log: d.Logger, observe: d.Observer.complete(),
		outcomes: newOutcomes()}
	s.now = func() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }
	s.sessions = newSessionManager(s, d)
	return s
}

// Now gives the module's time, by which it decides who has a chat.
func (s *Service) Now() time.Time { return s.now() }

// Manager gives what carries the sessions in this process.
func (s *Service) Manager() *SessionManager { return s.sessions }

// complete replaces missing functions by ones that do nothing.
func (o Observer) complete() Observer {
	if o.LinesDown == nil {
		o.LinesDown = func(int) {}
	}
	if o.Received == nil {
		o.Received = func(ChatKind) {}
	}
	if o.Sent == nil {
		o.Sent = func(time.Duration) {}
	}
	if o.Failed == nil {
		o.Failed = func(string) {}
	}
	if o.TermEnded == nil {
		o.TermEnded = func(string) {}
	}
	if o.Attempt == nil {
		o.Attempt = func(time.Duration, string) {}
	}
	return o
}

// emit appends events in the transaction.
func emit(ctx context.Context, tx Store, told ...events.Event) error {
	for _, ev := range told {
		if ev == nil {
			continue
		}
		if err := tx.Emit(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}
