// Package limit bounds how often something may be done: a token bucket per key.
//
// Memory counts for one process. Redis counts for all together, by the server's clock, exactly while the server answers. When
// it does not, each process gives out its share of the rate from a bucket of its own that begins with a single token: so all
// together exceed the limit by at most one per process. What was given out meanwhile is taken off when the server is back.
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

// Memory is the Limiter of one process.
type Memory struct {
	rate Rate
	now  func() time.Time

	mu      sync.Mutex
	buckets table[bucket]
}

var _ Limiter = (*Memory)(nil)

type bucket struct {
	tokens float64
	at     time.Time
}

// NewMemory makes the Limiter of one process.
func NewMemory(rate Rate, now func() time.Time) *Memory {
	return &Memory{rate: rate, now: now, buckets: newTable[bucket](now())}
}

// perSecond is the refill in tokens per second.
func (r Rate) perSecond() float64 { return float64(r.Tokens) / r.Per.Seconds() }

// Allow implements Limiter.
func (m *Memory) Allow(_ context.Context, key string) (bool, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.buckets.sweep(now, func(b *bucket) bool { return m.level(b, now) >= float64(m.rate.Burst) })
	b := m.buckets.of(key, func() *bucket { return &bucket{tokens: float64(m.rate.Burst), at: now} })
	ok, retryAfter := b.take(now, m.rate.perSecond(), float64(m.rate.Burst))
	return ok, retryAfter, nil
}

func (m *Memory) level(b *bucket, now time.Time) float64 {
	return b.level(now, m.rate.perSecond(), float64(m.rate.Burst))
}

// enough is a token but for rounding: whoever waited as long as told finds one.
const enough = 1 - 1e-6

// level is what is in the bucket now.
func (b *bucket) level(now time.Time, perSecond, burst float64) float64 {
	return min(burst, b.tokens+max(0, now.Sub(b.at).Seconds())*perSecond)
}

// take takes one token, or says when there will be one.
func (b *bucket) take(now time.Time, perSecond, burst float64) (ok bool, retryAfter time.Duration) {
	b.tokens, b.at = b.level(now, perSecond, burst), now
	if b.tokens < enough {
		return false, time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	b.tokens--
	return true, 0
}
