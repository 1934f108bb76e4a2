package lease

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Memory is the Locks of one process. Nothing is remembered from an earlier process, so nothing needs to be waited for.
type Memory struct {
	ttl time.Duration
	now Clock

	mu   sync.Mutex
	held map[string]lock
}

var _ Locks = (*Memory)(nil)

type lock struct {
	owner Owner
	until time.Duration
	seq   int64 // of the owner's latest call that locked it
}

// NewMemory makes the Locks of one process. With a TTL of 0 a lock stands until it is released, which is right for a process
// that is alone: there is nobody who could take over.
func NewMemory(ttl time.Duration, now Clock) *Memory {
	return &Memory{ttl: ttl, now: now, held: map[string]lock{}}
}

// TTL implements Locks.
func (m *Memory) TTL() time.Duration { return m.ttl }

// Take implements Locks.
func (m *Memory) Take(_ context.Context, self Owner, seq int64, keys []string) ([]bool, error) {
	return m.each(keys, func(key string) bool {
		l, found := m.held[key]
		if found && l.owner.ID != self.ID && m.stands(l) {
			return false
		}
		m.held[key] = m.locked(l, self, seq)
		return true
	}), nil
}

// Renew implements Locks.
func (m *Memory) Renew(_ context.Context, self Owner, seq int64, keys []string) ([]bool, error) {
	return m.each(keys, func(key string) bool {
		l, found := m.held[key]
		if found && l.owner.ID != self.ID {
			return false
		}
		m.held[key] = m.locked(l, self, seq)
		return true
	}), nil
}

// Release implements Locks.
func (m *Memory) Release(_ context.Context, self Owner, seq int64, keys []string) error {
	m.each(keys, func(key string) bool {
		if l := m.held[key]; l.owner.ID == self.ID && l.seq < seq {
			delete(m.held, key)
		}
		return true
	})
	return nil
}

// Leave implements Locks.
func (m *Memory) Leave(context.Context, Owner) error { return nil }

// Owners implements Locks.
func (m *Memory) Owners(_ context.Context, keys []string) (map[string]Owner, error) {
	out := map[string]Owner{}
	m.each(keys, func(key string) bool {
		if l, found := m.held[key]; found && m.stands(l) {
			out[key] = l.owner
		}
		return true
	})
	return out, nil
}

// List implements Locks.
func (m *Memory) List(_ context.Context, prefix string) (map[string]Owner, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]Owner{}
	for key, l := range m.held {
		if strings.HasPrefix(key, prefix) && m.stands(l) {
			out[key] = l.owner
		}
	}
	return out, nil
}

// locked is the lock l anew.
func (m *Memory) locked(l lock, self Owner, seq int64) lock {
	if l.owner.ID == self.ID {
		seq = max(seq, l.seq)
	}
	return lock{self, m.now() + m.ttl, seq}
}

func (m *Memory) stands(l lock) bool { return m.ttl == 0 || m.now() < l.until }

func (m *Memory) each(keys []string, fn func(key string) bool) []bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]bool, len(keys))
	for i, key := range keys {
		out[i] = fn(key)
	}
	return out
}
