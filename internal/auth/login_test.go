package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
)

func TestSomebodyWhoKnowsThePasswordGetsTokensThatAct(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana := b.user(t, "Ana@Example.com", id.Admin)
	require.Equal(t, auth.Email("ana@example.com"), ana.Email)

	s, err := b.Login(t.Context(), from, " ANA@example.COM ", password)
	require.NoError(t, err)
	require.Equal(t, ana.ID, s.User.ID)
	require.Equal(t, 10*time.Minute, s.ExpiresIn)
	p, err := b.Authenticate(t.Context(), "Bearer "+s.AccessToken, "")
	require.NoError(t, err)
	require.False(t, p.Login.IsZero())
	require.Equal(t, id.Principal{Tenant: b.tenant, User: ana.ID, Role: id.Admin, Login: p.Login}, p)
	require.Equal(t, []string{"login.ok", "user.created"}, b.acts(t, b.tenant))

	entries, err := b.store.ListAudit(t.Context(), auth.AuditQuery{Tenant: b.tenant, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, ana.ID.String(), entries[0].Actor)
	require.Equal(t, "192.0.2.7", entries[0].Address)
	require.Equal(t, "req-1", entries[0].RequestID)
}

func TestEveryRefusedLoginGetsTheSameAnswerForTheSameWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	gone := b.user(t, "gone@example.com", id.Employee)
	no := false
	_, err := b.UpdateUser(t.Context(), auth.Caller{}, b.tenant, gone.ID, auth.UserPatch{Active: &no})
	require.NoError(t, err)
	suspended := id.NewTenant()
	_, _, err = b.CreateFirstAdmin(t.Context(), suspended, "late@example.com", "Late", password)
	require.NoError(t, err)
	b.tenants.suspend(suspended, true)

	var want error
	for _, c := range []struct{ name, email, password string }{
		{"unknown user", "nobody@example.com", password},
		{"wrong password", "ana@example.com", "incorrecto caballo"},
		{"deactivated user", "gone@example.com", password},
		{"suspended tenant", "late@example.com", password},
		{"not an address", "not an address", password},
		{"nothing at all", "", ""},
		{"a password beyond measure", "ana@example.com", strings.Repeat("x", 100_000)},
	} {
		before := b.HashRuns()
		_, err := b.Login(t.Context(), from, c.email, c.password)
		require.Equal(t, fault.Unauthenticated, fault.CodeOf(err), c.name)
		require.Equal(t, int64(1), b.HashRuns()-before, c.name)
		if want == nil {
			want = err
		}
		require.Equal(t, want, err, c.name)
	}
	require.Contains(t, b.acts(t, b.tenant), "login.failed")
	require.Len(t, b.acts(t, id.Tenant{}), 3)
}

func TestTooManyAttemptsAreRefusedBeforeAnythingIsHashed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	b.accounts.most = 3
	for range 3 {
		_, err := b.Login(t.Context(), from, "ana@example.com", "wrong password")
		require.True(t, fault.Is(err, fault.Unauthenticated))
	}
	before := b.HashRuns()
	_, err := b.Login(t.Context(), from, "ANA@example.com", password)
	f, ok := fault.As(err)
	require.True(t, ok)
	require.Equal(t, fault.TooMany, f.Code)
	require.Equal(t, 42*time.Second, f.RetryAfter)
	require.Equal(t, before, b.HashRuns())

	b.address.most = 5
	_, err = b.Login(t.Context(), from, "somebody@example.com", password)
	require.True(t, fault.Is(err, fault.Unauthenticated), err)
	_, err = b.Login(t.Context(), from, "another@example.com", password)
	require.True(t, fault.Is(err, fault.TooMany), err)
	require.NotContains(t, b.accounts.keys(), "login:another@example.com")
	elsewhere := from
	elsewhere.Address = "198.51.100.9"
	_, err = b.Login(t.Context(), elsewhere, "another@example.com", password)
	require.True(t, fault.Is(err, fault.Unauthenticated), err)
}

func TestAPasswordHashedWithAnotherCostIsHashedAnewAtLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana := b.user(t, "ana@example.com", id.Admin)
	b.deps.Cost = auth.HashCost{MemoryKiB: 128, Passes: 2, Lanes: 1}
	b.Service = b.another()
	b.login(t, "ana@example.com")
	now, err := b.store.FindUser(t.Context(), b.tenant, ana.ID)
	require.NoError(t, err)
	require.NotEqual(t, ana.PasswordHash, now.PasswordHash)
	require.True(t, strings.HasPrefix(now.PasswordHash, "$argon2id$v=19$m=128,t=2,p=1$"), now.PasswordHash)
	runs := b.HashRuns()
	b.login(t, "ana@example.com")
	require.Equal(t, runs+1, b.HashRuns())
}

func TestLoginsOfOnePersonAtOnceAllSucceedThoughTheHashIsMadeAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	b.deps.Cost = auth.HashCost{MemoryKiB: 128, Passes: 2, Lanes: 1}
	b.Service = b.another()
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			_, err := b.Login(t.Context(), from, "ana@example.com", password)
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
}
