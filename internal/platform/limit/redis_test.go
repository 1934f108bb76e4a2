package limit_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/platform/limit"
	"turnero/internal/platform/redisconn/redistest"
)

// hourly refills so slowly that a test sees its burst only.
var hourly = limit.Rate{Tokens: 1, Per: time.Hour, Burst: 20}

// shared gives limiters of as many processes, on the test's own server.
func shared(s *redistest.Server, n int, rate limit.Rate) []limit.Limiter {
	out := make([]limit.Limiter, n)
	for i := range out {
		out[i] = limit.NewRedis(s.Dial(), "x", rate, limit.RedisOptions{Instances: func() int { return n }})
	}
	return out
}

// back waits until the limiter asks the server again.
func back(t *testing.T, s *redistest.Server, l limit.Limiter) {
	t.Helper()
	watcher := s.Dial().Client()
	deadline := time.Now().Add(10 * time.Second)
	for key := strconv.FormatInt(time.Now().UnixNano(), 36); watcher.Exists(context.Background(), "turnero:limit:x:"+key).Val() == 0; time.Sleep(10 * time.Millisecond) {
		allowed(t, l, key)
		require.True(t, time.Now().Before(deadline), "the limit is not shared again")
	}
}

func TestProcessesShareOneLimitExactly(t *testing.T) {
	t.Parallel()
	conn, name := redistest.Shared(t), redistest.Name()
	var all []limit.Limiter
	for range 3 {
		all = append(all, limit.NewRedis(conn, name, hourly, limit.RedisOptions{}))
	}
	require.Equal(t, 20, rush(t, 300, all...))
}

func TestTheServersClockRefills(t *testing.T) {
	t.Parallel()
	l := limit.NewRedis(redistest.Shared(t), redistest.Name(), limit.Rate{Tokens: 20, Per: time.Second, Burst: 2}, limit.RedisOptions{})
	start, got := time.Now(), 0
	for deadline := start.Add(10 * time.Second); got < 12 && time.Now().Before(deadline); {
		ok, retryAfter, err := l.Allow(t.Context(), "a")
		require.NoError(t, err)
		if ok {
			got++
			continue
		}
		<-time.After(retryAfter)
	}
	require.Equal(t, 12, got)
	require.GreaterOrEqual(t, time.Since(start), 490*time.Millisecond, "ten tokens take half a second")
}

func TestFullBucketsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	l := shared(s, 1, limit.Rate{Tokens: 100, Per: time.Second, Burst: 1})[0]
	require.True(t, allowed(t, l, "a"))
	watcher := s.Dial().Client()
	require.EqualValues(t, 1, watcher.DBSize(t.Context()).Val())
	require.Eventually(t, func() bool { return watcher.DBSize(context.Background()).Val() == 0 }, 10*time.Second, 20*time.Millisecond)
}

func TestLostRedisLetsThroughAtMostOnePerProcess(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(s *redistest.Server){
		"killed": func(s *redistest.Server) { s.Kill() },
		"frozen": func(s *redistest.Server) { s.Pause() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			all := shared(s, 3, hourly)
			require.Equal(t, 20, rush(t, 60, all...))
			lose(s)
			start := time.Now()
			require.LessOrEqual(t, rush(t, 300, all...), 3)
			require.Less(t, time.Since(start), 5*time.Second)
		})
	}
}

func TestADrainedLimitStaysDrainedWhenRedisLosesItsData(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(t *testing.T, s *redistest.Server){
		"emptied": func(t *testing.T, s *redistest.Server) {
			require.NoError(t, s.Dial().Client().FlushAll(t.Context()).Err())
		},
		"restarted": func(_ *testing.T, s *redistest.Server) { s.Restart(false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			all := shared(s, 3, hourly)
			require.Equal(t, 20, rush(t, 60, all...))
			empty(t, s)
			got := rush(t, 60, all...)
			for _, l := range all {
				back(t, s, l)
			}
			got += rush(t, 60, all...)
			require.LessOrEqual(t, got, 3)
		})
	}
}

func TestAnOutageEndsByItself(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := shared(s, 2, hourly)
	require.True(t, allowed(t, all[0], "a"))
	require.True(t, allowed(t, all[1], "a"))
	s.Pause()
	require.True(t, allowed(t, all[0], "a"), "one each")
	require.True(t, allowed(t, all[1], "a"))
	require.False(t, allowed(t, all[0], "a"))
	s.Resume()
	back(t, s, all[0])
	back(t, s, all[1])
	got := rush(t, 60, all...)
	require.LessOrEqual(t, got, 16, "what was given out meanwhile is taken off")
	require.GreaterOrEqual(t, got, 14, "a question that froze with the server may have cost its token, too")
}

func TestWhoGivesUpWaitingIsToldSo(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	l := shared(s, 1, hourly)[0]
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err := l.Allow(ctx, "a")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	s.Resume()
	require.True(t, allowed(t, l, "a"), "which says nothing of the server")
}

func TestAClockThatIsSetBackBlocksNobody(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := limit.NewRedis(redistest.Shared(t), redistest.Name(), limit.Rate{Tokens: 1, Per: time.Second, Burst: 2}, limit.RedisOptions{}).WithServerTime(c.now)
	require.True(t, allowed(t, l, "a"))
	require.True(t, allowed(t, l, "a"))
	require.False(t, allowed(t, l, "a"))
	c.advance(-time.Hour)
	require.False(t, allowed(t, l, "a"))
	c.advance(2 * time.Second)
	require.True(t, allowed(t, l, "a"))
	require.True(t, allowed(t, l, "a"))
}

func TestAFloodOfKeysIsBoundedWithRedisLost(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	l := limit.NewRedis(s.Dial(), "x", hourly, limit.RedisOptions{})
	s.Kill()
	for i := range 150_000 {
		require.True(t, allowed(t, l, strconv.Itoa(i)))
	}
	require.LessOrEqual(t, l.Len(), 100_000)
}

// cut makes a connection fail while it is set.
type cut struct{ atomic.Bool }

var errCut = errors.New("cut")

func (c *cut) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cut) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *cut) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.Load() {
			cmd.SetErr(errCut)
			return errCut
		}
		return next(ctx, cmd)
	}
}

func TestWhateverHappensTheLimitIsExceededByAtMostOnePerProcess(t *testing.T) {
	t.Parallel()
	conn := redistest.Dial(t, redistest.Start(t).URL())
	lost := &cut{}
	conn.Client().AddHook(lost)
	const processes = 3
	rate := limit.Rate{Tokens: 2, Per: time.Second, Burst: 9}
	rapid.Check(t, func(t *rapid.T) {
		lost.Store(false)
		c, name := newClock(), redistest.Name()
		var all []limit.Limiter
		for range processes {
			o := limit.RedisOptions{Now: c.now, Instances: func() int { return processes }}
			all = append(all, limit.NewRedis(conn, name, rate, o).WithServerTime(c.now))
		}
		ask := func(i int, key string) bool {
			ok, _, err := all[i].Allow(context.Background(), key)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		start, granted := c.now(), 0
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				i := rapid.IntRange(0, processes-1).Draw(t, "who")
				for range rapid.IntRange(1, 12).Draw(t, "times") {
					if ask(i, "a") {
						granted++
					}
				}
			},
			"wait": func(t *rapid.T) { c.advance(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond) },
			"lose": func(*rapid.T) {
				lost.Store(true)
				for i := range all {
					ask(i, "another") // everybody notices
				}
			},
			"find": func(*rapid.T) {
				lost.Store(false)
				c.advance(time.Second) // beyond the next try
				for i := range all {
					ask(i, "another") // everybody has told its debts
				}
			},
			"": func(t *rapid.T) {
				bound := float64(rate.Burst) + c.now().Sub(start).Seconds()*2 + processes
				if float64(granted) > bound+1e-3 {
					t.Fatalf("%d were allowed, which is more than %.3f", granted, bound)
				}
			},
		})
	})
}
