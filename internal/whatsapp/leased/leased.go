package leased

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/lease"
	"turnero/internal/platform/peer"
	"turnero/internal/whatsapp"
)

const (
	sessionPrefix = "s/"
	processPrefix = "p/"
	topicChanged  = "whatsapp.sessions" // who carries what, or what there is to carry, has changed
	topicQueue    = "whatsapp.queue/"   // a session has something to send

	holdEvery  = time.Second
	holdLook   = 250 * time.Millisecond
	holdLimit  = time.Second // for one statement
	leaveLimit = 2 * time.Second
)

// ErrandPath is where a process answers errands.
const ErrandPath = "/internal/whatsapp/errand"

// Hold is the part of the store by which a process keeps its sessions without the locks; see whatsapp.SessionStore.
type Hold interface {
	HoldOn(ctx context.Context, process string, d time.Duration) (held bool, err error)
	LetGo(ctx context.Context, process string) error
}

// Options are what a Sessions stands on.
type Options struct {
	Holder *lease.Holder // its Run runs elsewhere
	Self   lease.Owner
	Bus    bus.Bus
	Client *peer.Client
	Hold   Hold
	TTL    time.Duration // of the locks; 0: they are this process's alone and stand for ever
	Logger *slog.Logger
}

// Sessions is one process's side: its claims, and its way to the others.
type Sessions struct {
	o         Options
	self      whatsapp.Process
	announced <-chan struct{}
	hasLeft   atomic.Bool

	mu   sync.Mutex
	refs map[string]whatsapp.Ref // of keys read before
}

var (
	_ whatsapp.Claims = (*Sessions)(nil)
	_ whatsapp.Peers  = (*Sessions)(nil)
)

// New makes the process's side. It hears others while Run runs.
func New(o Options) *Sessions {
	announced, _ := o.Bus.Subscribe(topicChanged)
	return &Sessions{o: o, self: whatsapp.Process(o.Self), announced: announced, refs: map[string]whatsapp.Ref{}}
}

// Run passes wake-ups of other processes to wake, and keeps the claims by the database while the locks cannot be reached, until ctx ends.
func (s *Sessions) Run(ctx context.Context, wake func(ref whatsapp.Ref) bool) error {
	stop := s.o.Bus.Follow(topicQueue, func(rest string) {
		if ref, ok := s.parse(sessionPrefix + rest); ok {
			wake(ref)
		}
	})
	defer stop()
	if s.o.TTL == 0 {
		<-ctx.Done()
		return nil
	}
	s.keepHolding(ctx)
	return nil
}

// keepHolding holds on to the sessions by the database while the locks are silent.
func (s *Sessions) keepHolding(ctx context.Context) {
	tick := time.NewTicker(holdLook)
	defer tick.Stop()
	isHolding, last := false, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		keys := s.o.Holder.Keys()
		switch {
		case s.o.Holder.Reachable() || len(keys) == 0:
			if isHolding && s.letGo(ctx) == nil {
				isHolding = false
				s.o.Logger.InfoContext(ctx, "whatsapp sessions are kept by their locks again", "count", len(keys))
			}
		case time.Since(last) >= holdEvery:
			held, err := s.holdOn(ctx, keys)
			if held {
				last = time.Now()
			}
			if !isHolding {
				s.o.Logger.WarnContext(ctx, "locks cannot be reached: whatsapp sessions are kept by the database", "count", len(keys), "held", held, "error", err)
			}
			isHolding = true // an error may have come after the commit
		}
	}
}

func (s *Sessions) holdOn(ctx context.Context, keys []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, holdLimit)
	defer cancel()
	since := s.o.Holder.Now()
	held, err := s.o.Hold.HoldOn(ctx, s.self.ID, s.o.TTL)
	if err != nil || !held {
		return false, err
	}
	s.o.Holder.Vouch(since, keys...)
	return true, nil
}

func (s *Sessions) letGo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), holdLimit)
	defer cancel()
	return s.o.Hold.LetGo(ctx, s.self.ID)
}

// Self implements whatsapp.Claims.
func (s *Sessions) Self() whatsapp.Process { return s.self }

// Claim implements whatsapp.Claims.
func (s *Sessions) Claim(ctx context.Context, refs ...whatsapp.Ref) (map[whatsapp.Ref]context.Context, error) {
	terms, err := s.o.Holder.Acquire(ctx, keysOf(refs)...)
	if err != nil {
		return nil, err
	}
	out := make(map[whatsapp.Ref]context.Context, len(terms))
	for _, t := range terms {
		if ref, ok := s.parse(t.Key); ok {
			out[ref] = t.Context()
		}
	}
	return out, nil
}

// Release implements whatsapp.Claims.
func (s *Sessions) Release(ctx context.Context, refs ...whatsapp.Ref) error {
	return s.o.Holder.Release(ctx, keysOf(refs)...)
}

// Ownership implements whatsapp.Claims. It makes the others count this process, too.
func (s *Sessions) Ownership(ctx context.Context) (whatsapp.Ownership, error) {
	if own := processPrefix + s.self.ID; !s.hasLeft.Load() && !s.o.Holder.Held(own) {
		if _, err := s.o.Holder.Acquire(ctx, own); err != nil {
			return whatsapp.Ownership{}, err
		}
	}
	locked, err := s.o.Holder.List(ctx, "")
	if err != nil {
		return whatsapp.Ownership{}, err
	}
	out := whatsapp.Ownership{Owners: make(map[whatsapp.Ref]whatsapp.Process, len(locked)), Processes: map[string]whatsapp.Process{s.self.ID: s.self},
		IsAlone: s.o.TTL == 0}
	for key, owner := range locked {
		if strings.HasPrefix(key, processPrefix) {
			out.Processes[owner.ID] = whatsapp.Process(owner)
		} else if ref, ok := s.parse(key); ok {
			out.Owners[ref] = whatsapp.Process(owner)
		}
	}
	s.forget(len(locked))
	return out, nil
}

// Leave implements whatsapp.Claims.
func (s *Sessions) Leave(ctx context.Context) error {
	s.hasLeft.Store(true)
	ctx, cancel := context.WithTimeout(ctx, leaveLimit)
	defer cancel()
	return s.o.Holder.Release(ctx, processPrefix+s.self.ID)
}

// Ask implements whatsapp.Peers.
func (s *Sessions) Ask(ctx context.Context, owner whatsapp.Process, e whatsapp.Errand) (out whatsapp.Answer, err error) {
	err = s.o.Client.Call(ctx, owner.Address, ErrandPath, e, &out)
	return out, err
}

// Serve has this process answer errands.
func Serve(server *peer.Server, handle func(ctx context.Context, e whatsapp.Errand) (whatsapp.Answer, error)) {
	peer.Handle(server, ErrandPath, handle)
}

// Wake implements whatsapp.Peers.
func (s *Sessions) Wake(ref whatsapp.Ref) {
	s.o.Bus.Wake(topicQueue + strings.TrimPrefix(keyOf(ref), sessionPrefix))
}

// Announce implements whatsapp.Peers.
func (s *Sessions) Announce() { s.o.Bus.Wake(topicChanged) }

// Announced implements whatsapp.Peers.
func (s *Sessions) Announced() <-chan struct{} { return s.announced }

func keyOf(ref whatsapp.Ref) string {
	return sessionPrefix + ref.Tenant.String() + "/" + ref.Session.String()
}

func keysOf(refs []whatsapp.Ref) []string {
	keys := make([]string, len(refs))
	for i, ref := range refs {
		keys[i] = keyOf(ref)
	}
	return keys
}

// parse reads a session's key. The same ones are read again and again, so they are remembered.
func (s *Sessions) parse(key string) (whatsapp.Ref, bool) {
	s.mu.Lock()
	ref, ok := s.refs[key]
	s.mu.Unlock()
	if ok {
		return ref, true
	}
	rest, isSession := strings.CutPrefix(key, sessionPrefix)
	first, second, _ := strings.Cut(rest, "/")
	tenant, err := id.ParseTenant(first)
	if err != nil || !isSession {
		return whatsapp.Ref{}, false
	}
	session, err := id.ParseSession(second)
	if err != nil {
		return whatsapp.Ref{}, false
	}
	ref = whatsapp.Ref{Tenant: tenant, Session: session}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs[key] = ref
	return ref, true
}

// forget drops what was remembered when most of it is gone.
func (s *Sessions) forget(present int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refs) > 2*present+1000 {
		clear(s.refs)
	}
}

// Alone makes the side of a process that has no others.
func Alone(b bus.Bus, logger *slog.Logger) *Sessions {
	self := lease.Owner{ID: "alone"}
	return New(Options{Holder: lease.New(lease.NewMemory(0, lease.SinceBoot), self, lease.Options{}), Self: self, Bus: b, Logger: logger})
}
