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
	failures int // terms that failed since the line was last connected
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
