package whatsapp

import (
	"context"
	"sync"
	"time"
)

// slot is the place of one session: its term while it has one.
type slot struct {
	turn chan struct{} // held by whoever opens or closes the session

	mu        sync.Mutex
	term      *term
	failures  int       // terms that failed since the line was last connected
	isWanted  bool      // somebody started it in this process, and it has not been looked at since
	avoided   time.Time // until when this process leaves it alone
	isPlanned bool      // it will be opened later
	plans     int       // how often its next opening was planned; only the last plan counts
}

func (m *SessionManager) slot(ref Ref) *slot {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slots[ref]
	if s == nil {
		s = &slot{turn: make(chan struct{}, 1)}
		m.slots[ref] = s
	}
	return s
}

// take gives the slot's turn to the caller, who must give it back with release.
func (s *slot) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slot) release() { <-s.turn }

func (s *slot) current() *term {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term
}

func (s *slot) set(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term = t
}

// unset takes a term away, unless another one has followed it.
func (s *slot) unset(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term == t {
		s.term = nil
	}
}

func (s *slot) avoid(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.avoided = until
}

func (s *slot) isAvoided(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.avoided)
}

// want notes that somebody starts the session, so that a restore which is under way does not take it for a left-over.
func (m *SessionManager) want(ref Ref) {
	s := m.slot(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isWanted = true
}

// plan replaces what was planned for the session; isLast tells, once, whether the new plan still counts.
func (s *slot) plan() (isLast func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans++
	s.isPlanned = true
	mine := s.plans
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.plans != mine {
			return false
		}
		s.isPlanned = false
		return true
	}
}

// cancelPlan forgets what was planned.
func (s *slot) cancelPlan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans++
	s.isPlanned = false
}

// isIdle reports whether the session has no term, nobody is at work to give it one, and nobody will.
func (s *slot) isIdle() bool {
	select {
	case s.turn <- struct{}{}:
		defer s.release()
	default:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term == nil && !s.isPlanned
}

func (s *slot) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isWanted
}

// unwant forgets that somebody started the session.
func (s *slot) unwant() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isWanted = false
}

// fails counts a failure and returns how many there were since the line was last connected.
func (s *slot) fails() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures++
	return s.failures
}

// term gives the session's term in this process, nil when there is none.
func (m *SessionManager) term(ref Ref) *term {
	m.mu.Lock()
	s := m.slots[ref]
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.current()
}

// wake has a session look at its queue, wherever it is carried.
func (m *SessionManager) wake(ref Ref) {
	if !m.Wake(ref) {
		m.peers.Wake(ref)
	}
}

// offer gives a message to its session's sender, as sender.offer says.
func (m *SessionManager) offer(q Queued) bool {
	t := m.term(q.Ref)
	return t != nil && t.out.offer(q)
}

// Wake has a session look at its queue; it reports whether this process carries it.
func (m *SessionManager) Wake(ref Ref) bool {
	t := m.term(ref)
	if t == nil {
		return false
	}
	t.out.wake()
	return true
}
