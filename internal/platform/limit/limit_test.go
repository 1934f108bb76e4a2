package limit_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/limit"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// implementations are all Limiters; each keeps the same rules.
var implementations = map[string]func(*testing.T, limit.Rate, *clock) limit.Limiter{
	"memory": func(_ *testing.T, r limit.Rate, c *clock) limit.Limiter { return limit.NewMemory(r, c.now) },
	"redis": func(t *testing.T, r limit.Rate, c *clock) limit.Limiter {
		return limit.NewRedis(redistest.Shared(t), redistest.Name(), r, limit.RedisOptions{Now: c.now}).WithServerTime(c.now)
	},
	"redis, out of reach": func(t *testing.T, r limit.Rate, c *clock) limit.Limiter {
		conn, err := redisconn.Open(t.Context(), os.Getenv(redistest.Env))
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		return spoiled{limit.NewRedis(conn, redistest.Name(), r, limit.RedisOptions{Now: c.now}), c, r}
	},
}

// spoiled is a limiter that has lost its server: keys begin with one token and have one above their burst.
type spoiled struct {
	limit.Limiter
	clock *clock
	rate  limit.Rate
}

func (s spoiled) begin(key string) {
	_, _, _ = s.Allow(context.Background(), key)
	s.clock.advance(s.rate.Per * time.Duration(s.rate.Burst+1) / time.Duration(s.rate.Tokens))
}

// extra is how many tokens the limiter may give out above its burst.
func extra(l limit.Limiter) int {
	if _, ok := l.(spoiled); ok {
		return 1
	}
	return 0
}

func each(t *testing.T, rate limit.Rate, fn func(t *testing.T, l limit.Limiter, c *clock)) {
	t.Helper()
	for name, make := range implementations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			l := make(t, rate, c)
			if s, ok := l.(spoiled); ok {
				s.begin("a")
				s.begin("b")
			}
			fn(t, l, c)
		})
	}
}

func allowed(t *testing.T, l limit.Limiter, key string) bool {
	t.Helper()
	ok, _, err := l.Allow(t.Context(), key)
	require.NoError(t, err)
	return ok
}

func TestAKeyHasItsBurstThenItsRate(t *testing.T) {
	t.Parallel()
	each(t, limit.Rate{Tokens: 60, Per: time.Minute, Burst: 3}, func(t *testing.T, l limit.Limiter, c *clock) {
		for range 3 + extra(l) {
			require.True(t, allowed(t, l, "a"))
		}
		ok, retryAfter, err := l.Allow(t.Context(), "a")
		require.NoError(t, err)
		require.False(t, ok)
		require.InDelta(t, time.Second, retryAfter, float64(10*time.Microsecond))
		require.True(t, allowed(t, l, "b"), "keys do not share")
		c.advance(retryAfter)
		require.True(t, allowed(t, l, "a"), "retryAfter is true to its word")
		require.False(t, allowed(t, l, "a"))
		c.advance(time.Hour)
		for range 3 + extra(l) {
			require.True(t, allowed(t, l, "a"))
		}
		require.False(t, allowed(t, l, "a"), "no more than the burst is kept")
	})
}

func TestRetryAfterIsTrueToItsWordAtOddRates(t *testing.T) {
	t.Parallel()
	each(t, limit.Rate{Tokens: 7, Per: 3 * time.Second, Burst: 2}, func(t *testing.T, l limit.Limiter, c *clock) {
		for range 50 {
			ok, retryAfter, err := l.Allow(t.Context(), "a")
			require.NoError(t, err)
			if ok {
				continue
			}
			require.Positive(t, retryAfter)
			c.advance(retryAfter)
			require.True(t, allowed(t, l, "a"))
		}
	})
}

func TestManyAtOnceGetNoMoreThanTheBurst(t *testing.T) {
	t.Parallel()
	each(t, limit.Rate{Tokens: 1, Per: time.Hour, Burst: 20}, func(t *testing.T, l limit.Limiter, _ *clock) {
		require.Equal(t, 20+extra(l), rush(t, 100, l))
	})
}

// rush asks as often as told under one key, at once and shared over the limiters, and gives how often it was allowed.
func rush(t *testing.T, times int, limiters ...limit.Limiter) int {
	t.Helper()
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			ok, _, err := limiters[i%len(limiters)].Allow(context.Background(), "a")
			if err != nil {
				t.Errorf("allow: %v", err)
			}
			if ok {
				granted.Add(1)
			}
		})
	}
	wg.Wait()
	return int(granted.Load())
}

func TestAFloodOfKeysDoesNotLiftALimitInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewMemory(limit.Rate{Tokens: 1, Per: time.Hour, Burst: 1}, time.Now)
		ok, _, _ := l.Allow(t.Context(), "mine")
		require.True(t, ok)
		for i := range 50_000 {
			_, _, _ = l.Allow(t.Context(), fmt.Sprint(i))
		}
		time.Sleep(2 * time.Minute)
		ok, _, _ = l.Allow(t.Context(), "mine")
		require.False(t, ok)
	})
}

func TestAFloodOfKeysIsBoundedInMemoryAndTime(t *testing.T) {
	t.Parallel()
	l := limit.NewMemory(limit.Rate{Tokens: 1, Per: time.Hour, Burst: 1}, time.Now)
	start := time.Now()
	for i := range 300_000 {
		ok, _, err := l.Allow(t.Context(), strconv.Itoa(i))
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.LessOrEqual(t, l.Len(), 100_000)
	require.Less(t, time.Since(start), 10*time.Second, "a sweep at every call would take minutes")
}
