// Package cache keeps for a moment what was looked up, so that the next one who asks need not look again.
//
// Memory serves one process, Redis all that share a server. Whatever is kept can be had again: a cache that does not answer
// is an empty one, and reading or writing it never fails. Of gets the value under a key, from the cache or from whoever
// knows it.
//
// Clear forgets everything, and with it what is being looked up at that moment: a reader takes a stamp with its question,
// and what it then puts under a stamp from before the Clear is dropped. So nothing that was read before a change can be kept
// after the change's Clear.
package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Stamp says between which two Clears a value was asked for. The zero Stamp is none: nothing is kept under it.
type Stamp string

// Cache is a bounded place for short-lived copies.
type Cache interface {
	// Get gives what is kept under the key, and the stamp under which to Put it when nothing is.
	Get(ctx context.Context, key string) (value []byte, stamp Stamp, ok bool)
	// Put keeps the value for ttl, unless something was cleared since the stamp was given.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration, stamp Stamp)
	// Clear forgets everything. An error means that others may go on to read what was there, until it expires.
	Clear(ctx context.Context) error
}

// Of gives the value under the key, asking load when none is kept. load says for how long its answer may be kept (zero or
// less: not at all); its errors are not kept. Values travel as JSON.
func Of[V any](ctx context.Context, c Cache, key string, load func(ctx context.Context) (V, time.Duration, error)) (V, error) {
	var v V
	raw, stamp, ok := c.Get(ctx, key)
	if ok && json.Unmarshal(raw, &v) == nil {
		return v, nil
	}
	v, ttl, err := load(ctx)
	if err != nil || ttl <= 0 {
		return v, err
	}
	if raw, err = json.Marshal(v); err != nil {
		return v, fmt.Errorf("encode for cache: %w", err)
	}
	c.Put(ctx, key, raw, ttl, stamp)
	return v, nil
}

// Memory is the Cache of one process.
type Memory struct {
	most int
	now  func() time.Time

	mu      sync.RWMutex
	round   Stamp
	clears  uint64
	entries map[string]entry
}

var _ Cache = (*Memory)(nil)

type entry struct {
	value []byte
	until time.Time
}

// NewMemory makes the Cache of one process, which keeps at most so many entries: beyond that it forgets those that have
// expired, or else a tenth of all, whichever.
func NewMemory(most int, now func() time.Time) *Memory {
	return &Memory{most: most, now: now, round: "0", entries: map[string]entry{}}
}

// Get implements Cache. The value must not be changed.
func (m *Memory) Get(_ context.Context, key string) ([]byte, Stamp, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, ok := m.entries[key]
	if !ok || !m.now().Before(e.until) {
		return nil, m.round, false
	}
	return e.value, m.round, true
}

// Put implements Cache.
func (m *Memory) Put(_ context.Context, key string, value []byte, ttl time.Duration, stamp Stamp) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if stamp != m.round {
		return
	}
	if _, ok := m.entries[key]; !ok && len(m.entries) >= m.most {
		m.makeRoom(now)
	}
	m.entries[key] = entry{value, now.Add(ttl)}
}

func (m *Memory) makeRoom(now time.Time) {
	for key, e := range m.entries {
		if !now.Before(e.until) {
			delete(m.entries, key)
		}
	}
	for key := range m.entries {
		if len(m.entries) <= m.most*9/10 {
			return
		}
		delete(m.entries, key)
	}
}

// Clear implements Cache. It never fails.
func (m *Memory) Clear(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clears++
	m.round = Stamp(fmt.Sprint(m.clears))
	clear(m.entries)
	return nil
}
