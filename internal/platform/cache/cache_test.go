package cache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/platform/cache"
	"turnero/internal/platform/redisconn/redistest"
)

var quiet = slog.New(slog.DiscardHandler)

// each runs the test on every implementation; made is an empty cache.
func each(t *testing.T, test func(t *testing.T, made func() cache.Cache)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, func() cache.Cache { return cache.NewMemory(1000, time.Now) })
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, func() cache.Cache { return cache.NewRedis(redistest.Shared(t), redistest.Name(), time.Now, quiet) })
	})
}

// has asserts what is kept under the key, "" for nothing.
func has(t testing.TB, c cache.Cache, key, want string) cache.Stamp {
	t.Helper()
	value, stamp, ok := c.Get(t.Context(), key)
	require.Equal(t, want != "", ok, key)
	require.Equal(t, want, string(value))
	return stamp
}

func TestWhatIsPutIsThereUntilItExpires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, made func() cache.Cache) {
		c := made()
		stamp := has(t, c, "a", "")
		c.Put(t.Context(), "a", []byte("one\ntwo\x00"), time.Minute, stamp)
		c.Put(t.Context(), "A", []byte("other"), 30*time.Millisecond, stamp)
		has(t, c, "a", "one\ntwo\x00")
		require.Eventually(t, func() bool { _, _, ok := c.Get(context.Background(), "A"); return !ok }, 5*time.Second, 5*time.Millisecond)
		has(t, c, "a", "one\ntwo\x00")
		c.Put(t.Context(), "a", []byte("two"), time.Minute, stamp)
		has(t, c, "a", "two")
	})
}

func TestNothingFromBeforeAClearIsKeptAfterIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, made func() cache.Cache) {
		c := made()
		stamp := has(t, c, "a", "")
		c.Put(t.Context(), "a", []byte("x"), time.Minute, stamp)
		require.NoError(t, c.Clear(t.Context()))
		has(t, c, "a", "")
		c.Put(t.Context(), "a", []byte("read before"), time.Minute, stamp)
		c.Put(t.Context(), "a", []byte("no stamp"), time.Minute, "")
		stamp = has(t, c, "a", "")
		c.Put(t.Context(), "a", []byte("read after"), time.Minute, stamp)
		has(t, c, "a", "read after")
	})
}

// The same promise under any interleaving: a reader never sees a version that was replaced before the last Clear.
func TestReadersNeverSeeWhatAClearHasEnded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, made func() cache.Cache) {
		rapid.Check(t, func(r *rapid.T) {
			c, ctx := made(), context.Background()
			version, cleared := 0, 0
			type reading struct {
				stamp cache.Stamp
				saw   int
			}
			var open []reading
			for range rapid.IntRange(1, 20).Draw(r, "steps") {
				switch rapid.IntRange(0, 3).Draw(r, "step") {
				case 0: // somebody changes it and clears
					version++
					require.NoError(r, c.Clear(ctx))
					cleared = version
				case 1: // a reader asks, and looks it up when it is not there
					value, stamp, ok := c.Get(ctx, "k")
					if ok {
						require.Equal(r, fmt.Sprint(cleared), string(value))
					} else {
						open = append(open, reading{stamp, version})
					}
				case 2: // a reader puts what it saw
					if len(open) > 0 {
						i := rapid.IntRange(0, len(open)-1).Draw(r, "reader")
						c.Put(ctx, "k", []byte(fmt.Sprint(open[i].saw)), time.Minute, open[i].stamp)
						open = append(open[:i], open[i+1:]...)
					}
				}
			}
		})
	})
}

func TestOfAsksOnceAndKeepsNoErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, made func() cache.Cache) {
		c, calls := made(), 0
		type thing struct{ Name string }
		load := func(ttl time.Duration, err error) func(context.Context) (thing, time.Duration, error) {
			return func(context.Context) (thing, time.Duration, error) { calls++; return thing{"n"}, ttl, err }
		}
		_, err := cache.Of(t.Context(), c, "k", load(time.Minute, errors.New("no")))
		require.EqualError(t, err, "no")
		for range 2 {
			_, err = cache.Of(t.Context(), c, "k", load(0, nil))
			require.NoError(t, err)
		}
		require.Equal(t, 3, calls, "neither an error nor what must not be kept is kept")
		for range 3 {
			got, err := cache.Of(t.Context(), c, "k", load(time.Minute, nil))
			require.NoError(t, err)
			require.Equal(t, thing{"n"}, got)
		}
		require.Equal(t, 4, calls)
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := cache.NewMemory(50, time.Now)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 500 {
				key := fmt.Sprint(w, "-", i)
				_, stamp, _ := c.Get(context.Background(), key)
				c.Put(context.Background(), key, []byte("x"), time.Minute, stamp)
			}
		})
	}
	wg.Wait()
	kept := 0
	for w := range 4 {
		for i := range 500 {
			if _, _, ok := c.Get(context.Background(), fmt.Sprint(w, "-", i)); ok {
				kept++
			}
		}
	}
	require.LessOrEqual(t, kept, 50)
	require.Positive(t, kept)
}

func TestProcessesShareOneRedisCache(t *testing.T) {
	t.Parallel()
	conn, name := redistest.Shared(t), redistest.Name()
	one, two := cache.NewRedis(conn, name, time.Now, quiet), cache.NewRedis(conn, name, time.Now, quiet)
	stamp := has(t, one, "a", "")
	one.Put(t.Context(), "a", []byte("x"), time.Minute, stamp)
	has(t, two, "a", "x")
	has(t, cache.NewRedis(conn, redistest.Name(), time.Now, quiet), "a", "")
	require.NoError(t, two.Clear(t.Context()))
	has(t, one, "a", "")
}

func TestARedisThatIsGoneOrEmptiedIsAnEmptyCache(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := cache.NewRedis(s.Dial(), "x", time.Now, quiet)
	stamp := has(t, c, "a", "")
	c.Put(t.Context(), "a", []byte("x"), time.Minute, stamp)
	require.NoError(t, s.Dial().Client().FlushAll(t.Context()).Err())
	c.Put(t.Context(), "b", []byte("asked before"), time.Minute, stamp)
	has(t, c, "a", "")
	has(t, c, "b", "")

	s.Kill()
	has(t, c, "a", "")
	require.Error(t, c.Clear(t.Context()))
	start := time.Now()
	for range 50 {
		has(t, c, "a", "")
	}
	require.Less(t, time.Since(start), 5*askLimit, "a lost server does not cost every request its time-out")
	value, err := cache.Of(t.Context(), c, "a", func(context.Context) (string, time.Duration, error) { return "v", time.Minute, nil })
	require.NoError(t, err)
	require.Equal(t, "v", value)

	s.Restart(false)
	require.Eventually(t, func() bool {
		_, stamp, ok := c.Get(context.Background(), "a")
		c.Put(context.Background(), "a", []byte("back"), time.Minute, stamp)
		return ok
	}, 10*time.Second, 20*time.Millisecond)
}

const askLimit = 100 * time.Millisecond
