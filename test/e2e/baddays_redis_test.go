package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestWithoutRedisWorkGoesOnAndReadinessSaysSo(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := openShop(t, sqltest.FreshURL(t, "postgres"), "--redis-url", redis.URL())
	both := []*daemon{s.serve("one"), s.serve("two")}
	for _, d := range both {
		d.start()
	}
	carla := s.found(both[0])
	works := func(when string) {
		t.Helper()
		carla.write(s.number, when)
		for i, d := range both {
			text := fmt.Sprintf("%s %d", when, i)
			require.Equal(t, http.StatusAccepted, s.send(d, carla, text).status, when)
			eventually(t, text+" arrives", func() bool { return len(carla.texts(text)) == 1 })
		}
		eventually(t, "what came in is stored", func() bool {
			for _, m := range s.admin.history(s.admin.chatWith(carla.number).ID) {
				if m.Text == when {
					return true
				}
			}
			return false
		})
	}
	redisIs := func(state string, up float64) {
		t.Helper()
		eventually(t, "redis is seen as "+state, func() bool {
			for _, d := range both {
				status, checks := d.state()
				if status != http.StatusOK || checks["redis"] != state {
					return false
				}
				if n, ok := d.metric("turnero_redis_up"); !ok || n != up {
					return false
				}
			}
			return true
		})
	}
	redisIs("ok", 1)
	works("with redis")
	for _, away := range []struct {
		name      string
		end, back func()
	}{
		{"killed and emptied", redis.Kill, func() { redis.Restart(false) }},
		{"frozen", redis.Pause, redis.Resume},
	} {
		away.end()
		redisIs("failed", 0)
		works("redis is " + away.name)
		away.back()
		redisIs("ok", 1)
		works("redis is back after it was " + away.name)
	}
	for _, d := range both {
		require.NotContains(t, d.logs.String(), "whatsapp term ended", "the line was never in doubt")
	}
	eventuallyWithin(t, 20*time.Second, "one process carries the line", func() bool {
		one, _ := both[0].metric(`turnero_whatsapp_sessions{status="connected"}`)
		two, _ := both[1].metric(`turnero_whatsapp_sessions{status="connected"}`)
		return one+two == 1
	})
}
