package outbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/platform/trouble/troubletest"
)

func TestADatabaseThatIsAwayIsToldOfOnce(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		var outage troubletest.Outage
		l := outbox.NewWithOptions(outage.Of(db), bus.NewMemory(), time.Now, outage.Logger(), outbox.Options{Lease: time.Minute})
		var got seen
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error { got.add(rec); return nil })
		start(t, l)
		tenant := id.NewTenant()
		appendAll(t, l, db, note(tenant, id.NewChat(), 1))
		got.waitFor(t, 1)
		require.Empty(t, outage.Told())

		outage.Begin(t, 30)
		outage.RequireNothingTwice(t)
		require.Contains(t, outage.Told(), "events not read")
		require.Contains(t, outage.Told(), "events not numbered")
		outage.End()
		appendAll(t, l, db, note(tenant, id.NewChat(), 2))
		got.waitFor(t, 2)
		require.Eventually(t, func() bool {
			return strings.Contains(outage.Told(), `msg="works again" what="events not numbered"`) &&
				strings.Contains(outage.Told(), `msg="works again" what="events not read"`)
		}, patience, 5*time.Millisecond)
		outage.RequireNothingTwice(t)
	})
}
