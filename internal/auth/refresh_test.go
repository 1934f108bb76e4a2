package auth_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func requireInvalidRefresh(t *testing.T, err error) {
	t.Helper()
	require.True(t, fault.HasReason(err, "invalid_refresh_token"), err)
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
}

func (b *bundle) refresh(t *testing.T, token string) auth.Session {
	t.Helper()
	s, err := b.Refresh(t.Context(), from, token)
	require.NoError(t, err)
	return s
}

func TestARefreshTokenIsGoodForOneUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana := b.user(t, "ana@example.com", id.Admin)
	first := b.login(t, "ana@example.com")
	second := b.refresh(t, first.RefreshToken)
	require.NotEqual(t, first.RefreshToken, second.RefreshToken)
	require.Equal(t, ana.ID, second.User.ID)
	b.caller(t, second)
	third := b.refresh(t, second.RefreshToken)
	require.NotEqual(t, second.RefreshToken, third.RefreshToken)

	b.clock.advance(10*time.Second + time.Microsecond)
	_, err := b.Refresh(t.Context(), from, first.RefreshToken)
	requireInvalidRefresh(t, err)
	_, err = b.Refresh(t.Context(), from, third.RefreshToken)
	requireInvalidRefresh(t, err)
	for _, s := range []auth.Session{first, second, third} {
		_, err = b.Authenticate(t.Context(), "Bearer "+s.AccessToken, "")
		require.True(t, fault.HasReason(err, "login_ended"), "reuse ends the access tokens of the family too")
	}
	require.Equal(t, "refresh.reused", b.acts(t, b.tenant)[0])
	require.Len(t, b.acts(t, b.tenant), 3, "reuse is recorded once")
}

func TestReuseEndsItsOwnFamilyOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	phone, laptop := b.login(t, "ana@example.com"), b.login(t, "ana@example.com")
	b.refresh(t, phone.RefreshToken)
	b.clock.advance(11 * time.Second)
	_, err := b.Refresh(t.Context(), from, phone.RefreshToken)
	requireInvalidRefresh(t, err)
	b.caller(t, laptop)
	b.refresh(t, laptop.RefreshToken)
}

func TestARetryWithinTenSecondsGetsTheSameSuccessor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	first := b.login(t, "ana@example.com")
	second := b.refresh(t, first.RefreshToken)
	b.clock.advance(10 * time.Second)
	again, err := b.another().Refresh(t.Context(), from, first.RefreshToken)
	require.NoError(t, err, "another process tells the same")
	require.Equal(t, second.RefreshToken, again.RefreshToken)
	b.caller(t, again)

	third := b.refresh(t, second.RefreshToken)
	require.NotEqual(t, second.RefreshToken, third.RefreshToken)
	b.clock.advance(time.Microsecond)
	_, err = b.Refresh(t.Context(), from, first.RefreshToken)
	requireInvalidRefresh(t, err)
}

func TestUsesOfOneTokenAtOnceGetTheSameSuccessor(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		b.user(t, "ana@example.com", id.Admin)
		first := b.login(t, "ana@example.com")
		var mu sync.Mutex
		successors := map[string]int{}
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				s, err := b.Refresh(t.Context(), from, first.RefreshToken)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				successors[s.RefreshToken]++
			})
		}
		wg.Wait()
		require.Len(t, successors, 1)
	})
}

func TestARefreshTokenWaitsThirtyDays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	first := b.login(t, "ana@example.com")
	b.clock.advance(30*24*time.Hour - time.Second)
	second := b.refresh(t, first.RefreshToken)
	b.clock.advance(30 * 24 * time.Hour)
	_, err := b.Refresh(t.Context(), from, second.RefreshToken)
	requireInvalidRefresh(t, err)
	require.NotContains(t, b.acts(t, b.tenant), "refresh.reused", "an expired token is no theft")

	b.clock.advance(time.Second)
	require.NoError(t, b.Sweep(t.Context()))
	for _, table := range []string{"logins", "refresh_tokens"} {
		var n int
		require.NoError(t, b.db.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n))
		require.Zero(t, n, table)
	}
}

func TestSweepingLeavesWhatIsStillGood(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	first := b.login(t, "ana@example.com")
	b.clock.advance(29 * 24 * time.Hour)
	second := b.refresh(t, first.RefreshToken)
	b.clock.advance(2 * 24 * time.Hour)
	require.NoError(t, b.Sweep(t.Context()))
	b.caller(t, b.refresh(t, second.RefreshToken))
}

func TestTextThatIsNoRefreshTokenIsRefusedAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	s := b.login(t, "ana@example.com")
	for _, text := range []string{"", "rt_", "rt_" + strings.Repeat("A", 43), s.AccessToken, s.RefreshToken + "A", s.RefreshToken[:10],
		strings.ToUpper(s.RefreshToken), "rt_" + strings.ToLower(s.RefreshToken[3:]), "rt_" + strings.Repeat("\x00", 43)} {
		_, err := b.Refresh(t.Context(), from, text)
		requireInvalidRefresh(t, err)
	}
	b.refresh(t, s.RefreshToken)
}

func TestNobodyRefreshesAfterLosingAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	eva := b.user(t, "eva@example.com", id.Employee)
	s := b.login(t, "eva@example.com")
	b.tenants.suspend(b.tenant, true)
	_, err := b.Refresh(t.Context(), from, s.RefreshToken)
	requireInvalidRefresh(t, err)
	b.clock.advance(time.Minute)
	b.tenants.suspend(b.tenant, false)
	s = b.refresh(t, s.RefreshToken) // a refused use was no use

	no := false
	_, err = b.UpdateUser(t.Context(), auth.Caller{}, b.tenant, eva.ID, auth.UserPatch{Active: &no})
	require.NoError(t, err)
	_, err = b.Refresh(t.Context(), from, s.RefreshToken)
	requireInvalidRefresh(t, err)
}

func TestLoggingOutEndsTheFamily(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	byRefresh, byAccess, stays := b.login(t, "ana@example.com"), b.login(t, "ana@example.com"), b.login(t, "ana@example.com")
	b.caller(t, byRefresh) // now it is in the cache
	newer := b.refresh(t, byRefresh.RefreshToken)
	require.NoError(t, b.Logout(t.Context(), from, byRefresh.RefreshToken, ""), "any token of the family will do")
	require.NoError(t, b.Logout(t.Context(), from, "", "Bearer "+byAccess.AccessToken))
	for _, s := range []auth.Session{byRefresh, newer, byAccess} {
		_, err := b.Authenticate(t.Context(), "Bearer "+s.AccessToken, "")
		require.True(t, fault.Is(err, fault.Unauthenticated))
		_, err = b.Refresh(t.Context(), from, s.RefreshToken)
		requireInvalidRefresh(t, err)
	}
	b.caller(t, stays)

	lines := len(b.acts(t, b.tenant))
	require.NoError(t, b.Logout(t.Context(), from, byRefresh.RefreshToken, ""))
	require.NoError(t, b.Logout(t.Context(), from, "nonsense", ""))
	require.NoError(t, b.Logout(t.Context(), from, "", "Bearer nonsense"))
	require.Len(t, b.acts(t, b.tenant), lines)
	require.True(t, fault.Is(b.Logout(t.Context(), from, "", ""), fault.Invalid))
}

func TestTheDatabaseAloneGivesNoRefreshToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	first := b.login(t, "ana@example.com")
	second := b.refresh(t, first.RefreshToken)
	rows, err := b.db.SQL().QueryContext(t.Context(), "SELECT token_hash, successor_salt FROM refresh_tokens")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var hash, salt string
		require.NoError(t, rows.Scan(&hash, &salt))
		for _, secret := range []string{first.RefreshToken, second.RefreshToken} {
			require.NotContains(t, secret, hash)
			require.NotEqual(t, secret[3:], salt)
		}
		for _, guess := range []string{hash, salt, "rt_" + hash[:43]} {
			_, err = b.Refresh(t.Context(), from, guess)
			requireInvalidRefresh(t, err)
		}
	}
	require.NoError(t, rows.Err())
}
