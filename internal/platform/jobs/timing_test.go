package jobs

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestDelaysGrowToTenMinutes(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 10: 512 * time.Second, 11: 10 * time.Minute, 100: 10 * time.Minute} {
		lowest, highest := time.Hour, time.Duration(0)
		for range 200 {
			d := backoff(attempt)
			lowest, highest = min(lowest, d), max(highest, d)
		}
		require.GreaterOrEqual(t, lowest, want*8/10)
		require.LessOrEqual(t, highest, want*12/10)
		require.Less(t, lowest, highest, "jobs that failed together do not come back together")
	}
}

func TestPositionsRiseWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &Queue{}
		start := time.Now()
		last := int64(0)
		for i, now := range []time.Time{start, start, start.Add(time.Second), start.Add(-time.Hour), start.Add(-time.Hour), start.Add(time.Minute)} {
			pos := q.nextPos(now)
			require.Greater(t, pos, last, i)
			last = pos
		}
		require.Equal(t, start.Add(time.Minute).UnixNano(), last, "and follow it again")
	})
}

func TestADefaultLeaseIsRescuedInTime(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]time.Duration{"sqlite": 30 * time.Second, "postgres": 9 * time.Second, "mariadb": 9 * time.Second} {
		q := New(sqltest.Fresh(t, name), bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		require.LessOrEqual(t, q.opts.Lease+q.opts.Lease/4+poll, limit, "a lease runs out, somebody looks, somebody claims")
		require.LessOrEqual(t, q.opts.Lease/4, 5*time.Second, "renewed every five seconds or more often")
	}
}
