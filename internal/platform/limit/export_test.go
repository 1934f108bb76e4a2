package limit

import "time"

// Len gives the number of keys that are kept.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.buckets.entries)
}

// Len gives the number of keys that are kept.
func (r *Redis) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys.entries)
}

// WithServerTime makes the server count by the given clock, for a test that cannot wait.
func (r *Redis) WithServerTime(now func() time.Time) *Redis {
	r.serverTime = now
	return r
}
