package live_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"turnero/internal/platform/live"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
)

const stream = "turnero:events:x"

// onServer has one process publish and another listen over a server of the test's own.
func onServer(t *testing.T) (s *redistest.Server, p pair) {
	t.Helper()
	s = redistest.Start(t)
	log := &sqlLog{}
	a, b := live.NewRedis(log, s.Dial(), "x", quiet), live.NewRedis(log, s.Dial(), "x", quiet)
	run(t, a)
	run(t, b)
	return s, pair{log, a.Publish, b.Listen}
}

// arrives publishes until one event has come faster than by a poll, that is over Redis.
func arrives(t *testing.T, p pair, l *live.Listener) {
	t.Helper()
	late := time.Now().Add(patience)
	for {
		begin := time.Now()
		p.publish(p.log.append("a"))
		next(t, l, 1)
		if time.Since(begin) < 50*time.Millisecond {
			return
		}
		require.True(t, time.Now().Before(late), "events do not come over redis")
	}
}

func TestARedisInTroubleCostsOnePollAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]struct {
		begin, end func(t *testing.T, s *redistest.Server)
	}{
		"emptied": {begin: func(t *testing.T, s *redistest.Server) {
			require.NoError(t, s.Dial().Client().FlushAll(t.Context()).Err())
		}},
		"away":   {begin: func(_ *testing.T, s *redistest.Server) { s.Kill() }, end: func(_ *testing.T, s *redistest.Server) { s.Restart(false) }},
		"frozen": {begin: func(_ *testing.T, s *redistest.Server) { s.Pause() }, end: func(_ *testing.T, s *redistest.Server) { s.Resume() }},
		"with something else under the name": {begin: func(t *testing.T, s *redistest.Server) {
			require.NoError(t, s.Dial().Client().Set(t.Context(), stream, "strange", 0).Err())
		}, end: func(t *testing.T, s *redistest.Server) {
			require.NoError(t, s.Dial().Client().Del(t.Context(), stream).Err())
		}},
		"with numbers from the future": {begin: func(t *testing.T, s *redistest.Server) {
			c := s.Dial().Client()
			require.NoError(t, c.Do(t.Context(), "XADD", stream, "99999999999999-0", "to", "1", "events", "[]").Err())
			require.NoError(t, c.Del(t.Context(), stream).Err())
		}},
		"with entries that nobody can read": {begin: func(t *testing.T, s *redistest.Server) {
			require.NoError(t, s.Dial().Client().Do(t.Context(), "XADD", stream, "*", "to", "9999", "events", "?").Err())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := onServer(t)
			l := p.listen("a", 0)
			defer l.Close()
			arrives(t, p, l)
			at := p.log.append("b")[0].Seq
			trouble.begin(t, s)
			var slowest time.Duration
			for range 5 {
				begin := time.Now()
				p.publish(p.log.append("a"))
				require.Greater(t, next(t, l, 1)[0].Seq, at)
				slowest = max(slowest, time.Since(begin))
			}
			t.Logf("slowest %v", slowest)
			require.Less(t, slowest, 2*time.Second)
			if trouble.end != nil {
				trouble.end(t, s)
			}
			arrives(t, p, l)
			none(t, l)
		})
	}
}

func TestTheStreamStaysShort(t *testing.T) {
	t.Parallel()
	s, p := onServer(t)
	l := p.listen("a", 0)
	defer l.Close()
	for range 3000 {
		p.publish(p.log.append("a"))
		next(t, l, 1)
	}
	n, err := s.Dial().Client().XLen(t.Context(), stream).Result()
	require.NoError(t, err)
	require.Less(t, n, int64(1000))
}

func TestNothingIsLeftRunningBehindAFanout(t *testing.T) {
	s := redistest.Start(t)
	before := goleak.IgnoreCurrent()
	conn, err := redisconn.Open(t.Context(), s.URL())
	require.NoError(t, err)
	log := &sqlLog{}
	f := live.NewRedis(log, conn, "x", quiet)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	l := f.Listen("a", 0)
	f.Publish(log.append("a"))
	next(t, l, 1)
	cancel()
	require.NoError(t, <-ended)
	require.NoError(t, conn.Close())
	goleak.VerifyNone(t, before)
}
