package whatsapp

import (
	"context"
	"sync"
)

// slot is the place of one session: its term while it has one.
type slot struct {
	turn chan struct{} // held by whoever opens or closes the session

	mu       sync.Mutex
	term     *term
	failures int  // terms that failed since the line was last connected
	isWanted bool // somebody started it in this process
	plans    int  // how often its next opening was planned; only the last plan counts
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

// want notes that somebody starts the session, so that a restore which is under way does not take it for a left-over.
func (m *SessionManager) want(ref Ref) {
	s := m.slot(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isWanted = true
}

// plan replaces what was planned for the session; isLast tells whether the new plan still counts.
func (s *slot) plan() (isLast func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans++
	mine := s.plans
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.plans == mine
	}
}

func (s *slot) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isWanted
}

// stop forgets what was wanted and gives the term that is to be closed.
func (s *slot) stop() *term {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isWanted = false
	return s.term
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

// wake has a session look at its queue.
func (m *SessionManager) wake(ref Ref) {
	if t := m.term(ref); t != nil {
		t.out.wake()
	}
}
