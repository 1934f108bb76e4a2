package auth_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/id"
)

func TestCredentialsAreExchangedForATokenThatNeedsNoQuestion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	session := b.login(t, "ana@example.com")
	by := b.caller(t, session)
	key, text, err := b.CreateAPIKey(t.Context(), by, b.tenant, auth.NewAPIKey{Name: "erp", Scopes: []string{"chats:read", "users:read"}})
	require.NoError(t, err)

	byPerson, err := b.Exchange(t.Context(), "Bearer "+session.AccessToken, "")
	require.NoError(t, err)
	byKey, err := b.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	require.Equal(t, b.clock.now().Add(auth.InternalLifetime), byKey.ExpiresAt)
	service := auth.NewVerifier(published{b.Service}, b.clock.now)
	person, err := service.Verify(t.Context(), "Bearer "+byPerson.Token)
	require.NoError(t, err)
	require.Equal(t, by.Principal, person.Principal)
	require.True(t, person.Internal)
	machine, err := service.Verify(t.Context(), "Bearer "+byKey.Token)
	require.NoError(t, err)
	require.Equal(t, id.Principal{Tenant: b.tenant, APIKey: key.ID, Role: id.Admin, Scopes: []string{"chats:read", "users:read"}}, machine.Principal)

	access, err := service.Verify(t.Context(), "Bearer "+session.AccessToken)
	require.NoError(t, err)
	require.False(t, access.Internal, "who logs in may have logged out since")

	b.clock.advance(auth.InternalLifetime + 29*time.Second)
	_, err = service.Verify(t.Context(), "Bearer "+byKey.Token)
	require.NoError(t, err, "clocks of two machines differ")
	b.clock.advance(2 * time.Second)
	_, err = service.Verify(t.Context(), "Bearer "+byKey.Token)
	requireUnauthenticated(t, err, "expired")
}

// published is what another process knows of the keys.
type published struct{ *auth.Service }

func (p published) FindKey(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	keys, err := p.PublicKeys(ctx)
	for _, k := range keys {
		if k.KID == kid {
			return base64.RawURLEncoding.DecodeString(k.X)
		}
	}
	return nil, err
}

func TestAnInternalTokenIsNoCredentialOfACaller(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	session := b.login(t, "ana@example.com")
	grant, err := b.Exchange(t.Context(), "Bearer "+session.AccessToken, "")
	require.NoError(t, err)
	_, err = b.Authenticate(t.Context(), "Bearer "+grant.Token, "")
	requireUnauthenticated(t, err, "from outside")
	_, err = b.Exchange(t.Context(), "Bearer "+grant.Token, "")
	requireUnauthenticated(t, err, "it cannot be made longer")
	require.NoError(t, b.Logout(t.Context(), from, "", "Bearer "+grant.Token))
	_, err = b.Authenticate(t.Context(), "Bearer "+session.AccessToken, "")
	require.NoError(t, err, "nor end a log-in")
}

func TestAGrantNeverOutlivesItsCredentials(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	session := b.login(t, "ana@example.com")
	end := b.clock.now().Add(9*time.Minute + 30*time.Second)
	_, text, err := b.CreateAPIKey(t.Context(), b.caller(t, session), b.tenant, auth.NewAPIKey{Name: "erp", Scopes: []string{"chats:read"}, ExpiresAt: end})
	require.NoError(t, err)
	b.clock.advance(9 * time.Minute)
	byPerson, err := b.Exchange(t.Context(), "Bearer "+session.AccessToken, "")
	require.NoError(t, err)
	require.Equal(t, b.clock.now().Add(time.Minute), byPerson.ExpiresAt)
	byKey, err := b.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	require.Equal(t, end, byKey.ExpiresAt)
	b.clock.advance(30 * time.Second)
	_, err = b.Exchange(t.Context(), "", text)
	requireUnauthenticated(t, err, "expired")
}

func TestOtherProcessesAreToldWhenRightsChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var other *auth.Service
	deps, told := b.deps, 0
	deps.Changed = func() { told++; other.Forget() }
	other = b.another()
	svc := auth.New(deps)
	b.user(t, "ana@example.com", id.Admin)
	session := b.login(t, "ana@example.com")
	by := b.caller(t, session)
	key, text, err := svc.CreateAPIKey(t.Context(), by, b.tenant, auth.NewAPIKey{Name: "erp", Scopes: []string{"chats:read"}})
	require.NoError(t, err)
	_, err = other.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	require.Zero(t, told)
	require.NoError(t, svc.RevokeAPIKey(t.Context(), by, b.tenant, key.ID))
	_, err = other.Exchange(t.Context(), "", text)
	requireUnauthenticated(t, err, "revoked elsewhere")
	_, err = other.Exchange(t.Context(), "Bearer "+session.AccessToken, "")
	require.NoError(t, err)
	require.NoError(t, svc.Logout(t.Context(), from, session.RefreshToken, ""))
	_, err = other.Exchange(t.Context(), "Bearer "+session.AccessToken, "")
	requireUnauthenticated(t, err, "logged out elsewhere")
	require.Equal(t, 2, told)
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	session := b.login(t, "ana@example.com")
	good, err := b.Exchange(t.Context(), "Bearer "+session.AccessToken, "")
	require.NoError(t, err)
	parsed, _, err := jwt.NewParser().ParseUnverified(good.Token, jwt.MapClaims{})
	require.NoError(t, err)
	kid := parsed.Header["kid"]
	keys, err := b.PublicKeys(t.Context())
	require.NoError(t, err)
	forge := func(method jwt.SigningMethod, with any) string {
		token := jwt.NewWithClaims(method, parsed.Claims)
		token.Header["kid"] = kid
		text, err := token.SignedString(with)
		require.NoError(t, err)
		return text
	}
	part := strings.Split(good.Token, ".")
	for name, text := range map[string]string{
		"unsigned": forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), "signed with the public key": forge(jwt.SigningMethodHS256, []byte(keys[0].X)),
		"without signature": part[0] + "." + part[1] + ".", "another signature": part[0] + "." + part[1] + "." + part[2][:10] + strings.Repeat("A", len(part[2])-10),
	} {
		_, err = b.Verifier().Verify(t.Context(), "Bearer "+text)
		requireUnauthenticated(t, err, name)
	}
	_, err = b.Verifier().Verify(t.Context(), good.Token)
	requireUnauthenticated(t, err, "without the word Bearer")
}
