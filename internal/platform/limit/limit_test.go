package limit_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/limit"
)

// implementations are all Limiters; each keeps the same rules.
var implementations = map[string]func(limit.Rate) limit.Limiter{
	"memory": func(r limit.Rate) limit.Limiter { return limit.NewMemory(r, time.Now) },
}

func TestAKeyHasItsBurstThenItsRate(t *testing.T) {
	t.Parallel()
	for name, make := range implementations {
		synctest.Test(t, func(t *testing.T) {
			l := make(limit.Rate{Tokens: 60, Per: time.Minute, Burst: 3})
			allowed := func(key string) bool {
				ok, _, err := l.Allow(t.Context(), key)
				require.NoError(t, err, name)
				return ok
			}
			for range 3 {
				require.True(t, allowed("a"))
			}
			ok, retryAfter, err := l.Allow(t.Context(), "a")
			require.NoError(t, err)
			require.False(t, ok)
			require.Equal(t, time.Second, retryAfter)
			require.True(t, allowed("b"), "keys do not share")
			time.Sleep(retryAfter)
			require.True(t, allowed("a"), "retryAfter is true to its word")
			require.False(t, allowed("a"))
			time.Sleep(time.Hour)
			for range 3 {
				require.True(t, allowed("a"))
			}
			require.False(t, allowed("a"), "no more than the burst is kept")
		})
	}
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
