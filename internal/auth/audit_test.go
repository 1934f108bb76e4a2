package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

func TestTheTrailShowsToEachWhatConcernsThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := id.NewTenant()
	line := func(tenant id.Tenant, action string) {
		job := &events.RecordAudit{Tenant: tenant, Entry: id.NewAuditEntry(), At: b.clock.now(), Actor: "system", Action: action, Detail: map[string]string{"a": "b"}}
		for range 2 { // a job may run twice
			require.NoError(t, b.HandleRecordAudit(t.Context(), job))
		}
	}
	line(b.tenant, "settings.changed")
	line(other, "settings.changed")
	line(id.Tenant{}, "signing_key.rotated")
	list := func(p id.Principal, q auth.AuditQuery) int {
		q.Limit = 10
		entries, err := b.ListAudit(t.Context(), auth.Caller{Principal: p}, q)
		require.NoError(t, err)
		return len(entries)
	}
	admin, operator := id.Principal{Tenant: b.tenant, Role: id.Admin}, id.Principal{Role: id.SuperAdmin}
	require.Equal(t, 1, list(admin, auth.AuditQuery{}))
	require.Equal(t, 1, list(admin, auth.AuditQuery{Tenant: b.tenant}))
	require.Equal(t, 1, list(admin, auth.AuditQuery{Everyone: true}))
	require.Equal(t, 3, list(operator, auth.AuditQuery{}))
	require.Equal(t, 1, list(operator, auth.AuditQuery{Tenant: other}))
	require.Equal(t, 2, list(operator, auth.AuditQuery{Action: "settings.changed"}))
	_, err := b.ListAudit(t.Context(), auth.Caller{Principal: admin}, auth.AuditQuery{Tenant: other, Limit: 10})
	require.True(t, fault.Is(err, fault.NotFound))
}
