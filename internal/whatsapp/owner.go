package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
)

// How the sessions of a process are opened and closed.
const (
	mostOpening   = 16                   // terms begun at the same time
	openStep      = 2 * time.Millisecond // by which each session widens the spread of those that are opened together
	openSpread    = 2 * time.Second      // its widest
	firstBackoff  = time.Second
	mostBackoff   = time.Minute
	pauseReplaced = 30 * time.Second // shortest, after somebody else connected as the same device
	drainTime     = 3 * time.Second  // for sends under way when a session is handed over
)

// errNotWanted ends the opening of a session that should not run.
var errNotWanted = errors.New("whatsapp: the session is not to be opened")

// notYet ends the opening of a session that must wait for so long.
type notYet time.Duration

// Error implements error.
func (n notYet) Error() string {
	return "whatsapp: the session must not be opened for " + time.Duration(n).String()
}

// backoff gives the pause before the n-th attempt (from 1) after failures: it doubles, and a half of it is random.
func backoff(n int) time.Duration {
	pause := mostBackoff
	if n < 7 {
		pause = min(firstBackoff<<max(0, n-1), mostBackoff)
	}
	return pause/2 + rand.N(pause/2)
}

// SessionManager holds the sessions that this process carries: it claims its share of all, opens one term of ownership for
// each, opens it again when it fails, watches for lines that stay down, and hands all over when the process stops.
type SessionManager struct {
	svc     *Service
	engine  Engine
	claims  Claims
	peers   Peers
	agenda  *agenda
	taken   atomic.Int64  // sessions that were claimed to be opened and are not yet
	opening chan struct{} // bounds how many terms are begun at once
	running atomic.Bool

	mu    sync.Mutex
	slots map[Ref]*slot
	mine  map[Ref]context.Context // what was claimed, with the claim's context
	seen  Ownership               // as last looked at
	// resting are the sessions of the installation that should be carried and for which no engine is at work, as last listed.
	resting map[Ref]Status
}

func newSessionManager(svc *Service, d Deps) *SessionManager {
	return &SessionManager{svc: svc, engine: d.Engine, claims: d.Claims, peers: d.Peers, agenda: newAgenda(), opening: make(chan struct{}, mostOpening),
		slots: map[Ref]*slot{}, mine: map[Ref]context.Context{}}
}

// Run carries this process's share of the sessions until ctx ends; then it lets sends under way finish, closes every line, hands the sessions
// over and returns when nothing runs any more.
func (m *SessionManager) Run(ctx context.Context) error {
	if m.running.Swap(true) {
		return errors.New("whatsapp: the sessions are carried already")
	}
	defer m.running.Store(false)
	var work sync.WaitGroup
	work.Go(func() { m.balance(ctx) })
	for ctx.Err() == nil {
		due, next, ok := m.agenda.takeDue(m.svc.clock())
		for _, t := range due {
			work.Go(func() { t.do(ctx) })
		}
		m.sleep(ctx, next, ok)
	}
	m.leave(context.WithoutCancel(ctx))
	work.Wait()
	m.leave(context.WithoutCancel(ctx)) // what was being opened meanwhile
	return nil
}

// sleep waits for the next task, a new one, or the end.
func (m *SessionManager) sleep(ctx context.Context, next time.Time, hasNext bool) {
	var due <-chan time.Time
	if hasNext {
		timer := time.NewTimer(next.Sub(m.svc.clock()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-due:
	case <-m.agenda.poke:
	}
}

// later plans work of the manager.
func (m *SessionManager) later(pause time.Duration, do func(ctx context.Context)) {
	m.agenda.add(m.svc.clock().Add(pause), do)
}

func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}

// interrupt stops a session that was being linked when its owner ended, longer ago than anybody waits for a code, unless somebody has started it again since.
func (m *SessionManager) interrupt(ctx context.Context, ref Ref) {
	_, err := m.svc.updateSession(ctx, ref, 0, func(s *Session) ([]events.Event, error) {
		if s.IsLinked || m.slot(ref).wanted() {
			return nil, nil
		}
		return s.move(StatusStopped, ReasonInterrupted, time.Time{}, m.svc.now()), nil
	})
	if err != nil {
		m.later(backoff(1), func(ctx context.Context) { m.interrupt(ctx, ref) })
	}
}

// planOpen opens a session after a pause, unless it is open by then or something else was planned for it.
func (m *SessionManager) planOpen(ref Ref, pause time.Duration) {
	m.planOpenThen(ref, pause, func() {})
}

// planOpenThen is planOpen that calls done afterwards, whatever became of it.
func (m *SessionManager) planOpenThen(ref Ref, pause time.Duration, done func()) {
	isLast := m.slot(ref).plan()
	m.later(pause, func(ctx context.Context) {
		defer done()
		if isLast() {
			m.open(ctx, ref)
		}
	})
}

// open begins a term of a session that should run and has none here.
func (m *SessionManager) open(ctx context.Context, ref Ref) {
	slot := m.slot(ref)
	if slot.take(ctx) != nil {
		return
	}
	defer slot.release()
	if t := slot.current(); t != nil && !t.ended() {
		return
	}
	m.begin(ctx, slot, ref)
}

// reopen ends a session's term, if it has one, and begins another.
func (m *SessionManager) reopen(ctx context.Context, ref Ref) {
	slot := m.slot(ref)
	if slot.take(ctx) != nil {
		return
	}
	defer slot.release()
	m.endTerm(slot)
	m.begin(ctx, slot, ref)
}

// begin takes the fence and opens the line, if the session is this process's to carry. The caller has the slot's turn.
func (m *SessionManager) begin(ctx context.Context, slot *slot, ref Ref) {
	select {
	case m.opening <- struct{}{}:
		defer func() { <-m.opening }()
	case <-ctx.Done():
		return
	}
	m.endTerm(slot)
	claim, err := m.held(ref)
	var t *term
	if err == nil {
		t, err = m.newTerm(claim, ref)
	}
	if err == nil {
		slot.set(t)
		err = m.connect(t)
	}
	var wait notYet
	switch {
	case errors.As(err, &wait):
		m.planOpen(ref, time.Duration(wait))
		return
	case err == nil || errors.Is(err, errNotWanted) || errors.Is(err, errNotMine) || fault.Is(err, fault.NotFound) || ctx.Err() != nil:
		return
	case errors.Is(err, errHeld):
		m.giveUp(ctx, ref)
		return
	}
	m.svc.log.Warn("whatsapp session not opened", "tenant", ref.Tenant.String(), "session", ref.Session.String(), "error", err.Error())
	m.planOpen(ref, backoff(slot.fails()))
}

// newTerm takes the fence of a session that should run. The term ends with the claim at the latest.
//
// The last owner may hold on to its sessions without the locks. That is looked at before: a hold that begins afterwards is of an owner which
// still had its lock then, and so is not one whose session could be claimed.
func (m *SessionManager) newTerm(claim context.Context, ref Ref) (*term, error) {
	ctx, cancel := context.WithTimeout(claim, storeTimeout)
	defer cancel()
	before, err := m.svc.store.FindSession(ctx, ref)
	if err != nil {
		return nil, err
	}
	self := m.claims.Self().ID
	if before.Owner != "" && before.Owner != self {
		if held, err := m.svc.store.IsHolding(ctx, before.Owner); err != nil || held {
			return nil, errors.Join(err, errHeld)
		}
	}
	if wait := before.mustWait(m.svc.now()); before.isWanted() && wait > 0 {
		return nil, notYet(wait)
	}
	var refused error
	session, err := m.svc.turnSession(ctx, Term{Ref: ref}, func(s *Session) []events.Event {
		switch refused = nil; {
		case !s.isWanted():
			refused = errNotWanted
		case s.Owner != before.Owner:
			refused = errHeld // somebody else was quicker
		default:
			s.Fence++
			s.Owner = self
			return s.move(StatusConnecting, ReasonRestored, time.Time{}, m.svc.now())
		}
		return nil
	})
	if err = errors.Join(err, refused); err != nil {
		return nil, err
	}
	return newTerm(claim, m, session), nil
}

func (m *SessionManager) connect(t *term) error {
	line, err := m.engine.Open(t.ctx, t.Term, t)
	if err != nil {
		t.over()
		t.cancel(err)
		return fmt.Errorf("open line: %w", err)
	}
	t.opened(line)
	return nil
}

// endTerm closes the slot's term, if it has one. The caller has the slot's turn.
func (m *SessionManager) endTerm(slot *slot) {
	if t := slot.current(); t != nil {
		t.close()
		slot.set(nil)
	}
}

// end closes a session in this process and returns when nothing of it runs any more.
func (m *SessionManager) end(ctx context.Context, ref Ref) error {
	slot := m.slot(ref)
	if err := slot.take(ctx); err != nil {
		return err
	}
	defer slot.release()
	m.endTerm(slot)
	return nil
}

// reap closes the line of a term that has ended by itself. It is done elsewhere, since the engine may be in the middle of telling.
func (m *SessionManager) reap(t *term) {
	m.later(0, func(ctx context.Context) { m.closeEnded(ctx, t) })
}

// reapAndGiveUp is reap for a session that somebody else has taken.
func (m *SessionManager) reapAndGiveUp(t *term) {
	m.later(0, func(ctx context.Context) {
		m.closeEnded(ctx, t)
		m.giveUp(ctx, t.Ref)
	})
}

func (m *SessionManager) closeEnded(ctx context.Context, t *term) {
	slot := m.slot(t.Ref)
	if slot.take(ctx) != nil {
		return
	}
	defer slot.release()
	if slot.current() != t {
		return
	}
	m.endTerm(slot)
	if t.isLoggedOut() {
		m.forget(ctx, t.Term)
	}
}

// forget deletes the keys of a link that is gone, in case the engine was stopped before it had done so.
func (m *SessionManager) forget(ctx context.Context, t Term) {
	if err := m.engine.Forget(ctx, t); err != nil {
		m.svc.log.Warn("whatsapp keys not deleted", "tenant", t.Tenant.String(), "session", t.Session.String(), "error", err.Error())
	}
}

// reopenAfterFailure closes the line of a term that failed and opens the session again after a pause.
func (m *SessionManager) reopenAfterFailure(t *term) {
	m.reap(t)
	m.planOpen(t.Ref, backoff(m.slot(t.Ref).fails()))
}

// connected forgets a session's failures.
func (m *SessionManager) connected(ref Ref) {
	s := m.slot(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = 0
}

// ended handles a term whose engine tries no more: its line is closed, and the session is opened again where that may help.
func (m *SessionManager) ended(t *term, s Session) {
	m.reap(t)
	if !s.IsLinked {
		return
	}
	switch s.Status {
	case StatusReplaced:
		m.planOpen(t.Ref, max(pauseReplaced, backoff(m.slot(t.Ref).fails()+4)))
	case StatusStopped:
		m.planOpen(t.Ref, max(backoff(m.slot(t.Ref).fails()+4), s.Until.Sub(m.svc.now())))
	case StatusBanned:
		if !s.Until.IsZero() {
			m.planOpen(t.Ref, max(firstBackoff, s.Until.Sub(m.svc.now())))
		}
	}
}

// watch plans the alert of a line that is down.
func (m *SessionManager) watch(s Session) {
	at, ok := s.alertDue()
	if !ok {
		return
	}
	m.later(at.Sub(m.svc.now()), func(ctx context.Context) { m.raiseAlert(ctx, s.Ref) })
}

// raiseAlert raises the alert of a line that is still down.
func (m *SessionManager) raiseAlert(ctx context.Context, ref Ref) {
	session, err := m.svc.updateSession(ctx, ref, 0, func(s *Session) ([]events.Event, error) {
		if at, ok := s.alertDue(); !ok || at.After(m.svc.now()) {
			return nil, nil
		}
		return []events.Event{s.raiseAlert()}, nil
	})
	switch {
	case err == nil:
		m.watch(session) // it may have come up and gone down again since
	case !fault.Is(err, fault.NotFound) && ctx.Err() == nil:
		m.later(backoff(3), func(ctx context.Context) { m.raiseAlert(ctx, ref) })
	}
}

// logout removes the link of a session on WhatsApp's side, when its line is open, and its keys.
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
