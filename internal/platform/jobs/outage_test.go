package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/platform/trouble/troubletest"
)

func TestADatabaseThatIsAwayIsToldOfOnce(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		var outage troubletest.Outage
		q := jobs.NewWithOptions(outage.Of(db), bus.NewMemory(), time.Now, outage.Logger(), jobs.Options{Lease: time.Second})
		var got seen
		q.Register("test.task", newTask, got.handle)
		start(t, q)
		enqueue(t, q, db, time.Time{}, &task{N: 1})
		got.waitFor(t, 1)
		waitEmpty(t, q)
		require.Empty(t, outage.Told())

		outage.Begin(t, 15)
		outage.RequireNothingTwice(t)
		require.Contains(t, outage.Told(), "jobs not claimed")
		require.Contains(t, outage.Told(), "lost jobs not looked for")
		outage.End()
		enqueue(t, q, db, time.Time{}, &task{N: 2})
		got.waitFor(t, 2)
		require.Eventually(t, func() bool {
			return strings.Contains(outage.Told(), `msg="works again" what="jobs not claimed"`) &&
				strings.Contains(outage.Told(), `msg="works again" what="lost jobs not looked for"`)
		}, patience, 5*time.Millisecond)
		outage.RequireNothingTwice(t)
	})
}
