package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
)

const another = "otra batería correcta"

func TestChangingThePasswordEndsTheOtherLogins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	here, phone := b.login(t, "ana@example.com"), b.login(t, "ana@example.com")
	b.caller(t, phone) // now it is in the cache
	by := b.caller(t, here)

	require.Equal(t, []string{"currentPassword"}, fieldsOf(t, b.ChangePassword(t.Context(), by, "not the password", another)))
	require.Equal(t, []string{"newPassword"}, fieldsOf(t, b.ChangePassword(t.Context(), by, password, "short")))
	require.Equal(t, []string{"newPassword"}, fieldsOf(t, b.ChangePassword(t.Context(), by, password, password)))
	b.caller(t, phone)

	require.NoError(t, b.ChangePassword(t.Context(), by, password, another))
	_, err := b.Authenticate(t.Context(), "Bearer "+phone.AccessToken, "")
	require.True(t, fault.HasReason(err, "login_ended"), err)
	_, err = b.Refresh(t.Context(), from, phone.RefreshToken)
	requireInvalidRefresh(t, err)
	b.caller(t, b.refresh(t, here.RefreshToken))
	_, err = b.Login(t.Context(), from, "ana@example.com", password)
	require.True(t, fault.Is(err, fault.Unauthenticated))
	_, err = b.Login(t.Context(), from, "ana@example.com", another)
	require.NoError(t, err)
	require.Contains(t, b.acts(t, b.tenant), auth.ActPasswordChanged)
}

func TestGuessingThePresentPasswordIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana := b.user(t, "ana@example.com", id.Admin)
	by := b.caller(t, b.login(t, "ana@example.com"))
	b.accounts.most = 2
	for range 2 {
		require.True(t, fault.Is(b.ChangePassword(t.Context(), by, "a wrong guess", another), fault.Invalid))
	}
	runs := b.HashRuns()
	require.True(t, fault.Is(b.ChangePassword(t.Context(), by, password, another), fault.TooMany))
	require.Equal(t, runs, b.HashRuns())
	require.Equal(t, 3, b.accounts.keys()["password:"+ana.ID.String()])
}

func TestAResetPasswordIsShownOnceAndEndsAllLogins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, eva := b.user(t, "ana@example.com", id.Admin), b.user(t, "eva@example.com", id.Employee)
	by, hers := b.caller(t, b.login(t, "ana@example.com")), b.login(t, "eva@example.com")
	made, err := b.ResetPassword(t.Context(), by, b.tenant, eva.ID)
	require.NoError(t, err)
	_, err = b.Authenticate(t.Context(), "Bearer "+hers.AccessToken, "")
	require.True(t, fault.Is(err, fault.Unauthenticated))
	_, err = b.Login(t.Context(), from, "eva@example.com", password)
	require.True(t, fault.Is(err, fault.Unauthenticated))
	s, err := b.Login(t.Context(), from, "eva@example.com", made)
	require.NoError(t, err)
	require.True(t, s.User.Temporary)
	_, err = b.ResetPassword(t.Context(), by, b.tenant, ana.ID)
	require.True(t, fault.HasReason(err, "own_account"), err)
}

func TestTheOperatorSetsAnyPasswordByAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	hers := b.login(t, "ana@example.com")
	used, err := b.SetPassword(t.Context(), "Ana@example.com", another)
	require.NoError(t, err)
	require.Equal(t, another, used)
	_, err = b.Authenticate(t.Context(), "Bearer "+hers.AccessToken, "")
	require.True(t, fault.Is(err, fault.Unauthenticated))
	made, err := b.SetPassword(t.Context(), "ana@example.com", "")
	require.NoError(t, err)
	_, err = b.Login(t.Context(), from, "ana@example.com", made)
	require.NoError(t, err)
	_, err = b.SetPassword(t.Context(), "nobody@example.com", another)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.SetPassword(t.Context(), "ana@example.com", "short")
	require.True(t, fault.Is(err, fault.Invalid))
	_, err = b.SetPassword(t.Context(), "ana", another)
	require.True(t, fault.Is(err, fault.Invalid))
}
