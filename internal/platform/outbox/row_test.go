package outbox_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestEventsOfAGroupCommitAreToldInTheOrderInWhichTheyWereMade(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		const each = 30
		_, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE test_fences (tenant_id VARCHAR(64) NOT NULL, id VARCHAR(64) NOT NULL, fence BIGINT NOT NULL, PRIMARY KEY (tenant_id, id))")
		require.NoError(t, err)
		_, err = db.SQL().ExecContext(t.Context(), "INSERT INTO test_fences VALUES ('t', 's', 1)")
		require.NoError(t, err)
		l := newLog(db, bus.NewMemory())
		var got seen
		l.Consume("c", nil, func(_ context.Context, rec outbox.Record) error { got.add(rec); return nil })
		start(t, l)
		stale := errors.New("stale")
		committer := groupcommit.New(db, groupcommit.Fences{Table: "test_fences", Stale: stale})
		t.Cleanup(committer.Close)

		tenant, chat := id.NewTenant(), id.NewChat()
		outcomes := make(chan error, each)
		for n := range each {
			one, err := l.Row(note(tenant, chat, 2*n))
			require.NoError(t, err)
			two, err := l.Row(note(tenant, chat, 2*n+1))
			require.NoError(t, err)
			committer.Enqueue(&groupcommit.Member{Fence: groupcommit.Fence{Tenant: "t", ID: "s", Value: 1}, Rows: []groupcommit.Row{two, one},
				Done: func(err error) { l.Wake(); outcomes <- err }})
		}
		refused, err := l.Row(note(tenant, chat, -1))
		require.NoError(t, err)
		err = committer.Submit(t.Context(), &groupcommit.Member{Fence: groupcommit.Fence{Tenant: "t", ID: "s", Value: 2}, Rows: []groupcommit.Row{refused}})
		require.ErrorIs(t, err, stale)
		for range each {
			require.NoError(t, <-outcomes)
		}
		appendAll(t, l, db, note(tenant, chat, 2*each))
		recs := got.waitFor(t, 2*each+1)
		require.Len(t, recs, 2*each+1)
		for i, rec := range recs {
			require.Equal(t, i, numberOf(rec))
			require.EqualValues(t, i+1, rec.Seq)
			require.Equal(t, tenant.String(), rec.Tenant)
			require.Equal(t, chat.String(), rec.OrderKey)
		}
	})
}
