// Package limit bounds how often something may be done: a token bucket per key.
package limit

import (
	"context"
	"sync"
	"time"
)

// Limiter says whether one more attempt under a key fits its rate.
type Limiter interface {
	// Allow takes one token of the key. When there is none, ok is false and retryAfter says when there will be one.
	Allow(ctx context.Context, key string) (ok bool, retryAfter time.Duration, err error)
}

// Rate is a token bucket's size and refill.
type Rate struct {
	Tokens int           // gained per Per, on average
	Per    time.Duration // the time in which Tokens are gained
	Burst  int           // the most that are kept
}

// maxKeys bounds the memory of one limiter. Full buckets are forgotten first: forgetting them changes nothing.
const maxKeys = 100_000

// Memory is the Limiter of one process.
type Memory struct {
	rate Rate
	now  func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	swept   time.Time
}

var _ Limiter = (*Memory)(nil)

type bucket struct {
	tokens float64
	at     time.Time
}

// NewMemory makes the Limiter of one process.
func NewMemory(rate Rate, now func() time.Time) *Memory {
	return &Memory{rate: rate, now: now, buckets: map[string]*bucket{}, swept: now()}
}

// perSecond is the refill in tokens per second.
func (m *Memory) perSecond() float64 { return float64(m.rate.Tokens) / m.rate.Per.Seconds() }

// Allow implements Limiter.
func (m *Memory) Allow(_ context.Context, key string) (bool, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.sweep(now)
	b := m.buckets[key]
	if b == nil {
		b = &bucket{tokens: float64(m.rate.Burst), at: now}
		m.buckets[key] = b
	}
	b.tokens = m.level(b, now)
	b.at = now
	if b.tokens < 1 {
		return false, time.Duration((1 - b.tokens) / m.perSecond() * float64(time.Second)), nil
	}
	b.tokens--
	return true, 0, nil
}

func (m *Memory) level(b *bucket, now time.Time) float64 {
	gained := max(0, now.Sub(b.at).Seconds()) * m.perSecond()
	return min(float64(m.rate.Burst), b.tokens+gained)
}

// sweep forgets full buckets now and then. When too many keys are in use at once it forgets a tenth of them, whichever: a
// flood of made-up keys then costs accuracy, not memory, and one sweep is paid by many calls.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < time.Minute && len(m.buckets) < maxKeys {
		return
	}
	m.swept = now
	for key, b := range m.buckets {
		if m.level(b, now) >= float64(m.rate.Burst) {
			delete(m.buckets, key)
		}
	}
	if len(m.buckets) <= maxKeys*9/10 {
		return
	}
	for key := range m.buckets {
		if delete(m.buckets, key); len(m.buckets) <= maxKeys*9/10 {
			return
		}
	}
}
