package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
)

func requireUnauthenticated(t *testing.T, err error, hint any) {
	t.Helper()
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err), "%v: %v", hint, err)
}

func TestOnlyWholeTokensOfOursInTimeAreAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	s := b.login(t, "ana@example.com")
	good := s.AccessToken
	b.caller(t, s)
	part := strings.Split(good, ".")
	require.Len(t, part, 3)
	header := func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }
	var head struct{ Alg, Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(part[0])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &head))
	require.Equal(t, "EdDSA", head.Alg)

	for name, authorization := range map[string]string{
		"nothing":                "Bearer ",
		"no scheme":              good,
		"another scheme":         "Basic " + good,
		"cut":                    "Bearer " + good[:len(good)-2],
		"unsigned":               "Bearer " + header(`{"alg":"none","kid":"`+head.Kid+`"}`) + "." + part[1] + ".",
		"another algorithm":      "Bearer " + header(`{"alg":"HS256","kid":"`+head.Kid+`"}`) + "." + part[1] + "." + part[2],
		"without key ID":         "Bearer " + header(`{"alg":"EdDSA"}`) + "." + part[1] + "." + part[2],
		"a key ID of no key":     "Bearer " + header(`{"alg":"EdDSA","kid":"x"}`) + "." + part[1] + "." + part[2],
		"a number as key ID":     "Bearer " + header(`{"alg":"EdDSA","kid":7}`) + "." + part[1] + "." + part[2],
		"another's claims":       "Bearer " + part[0] + "." + header(`{"sub":"x"}`) + "." + part[2],
		"a refresh token":        "Bearer " + s.RefreshToken,
		"an API key's lookalike": "Bearer tk_x",
	} {
		_, err := b.Authenticate(t.Context(), authorization, "")
		requireUnauthenticated(t, err, name)
	}
	_, err = b.Authenticate(t.Context(), "bearer "+good, "")
	require.NoError(t, err, "schemes have no letter case")
	_, err = b.Authenticate(t.Context(), "", "")
	requireUnauthenticated(t, err, "no credentials")
	_, err = b.Authenticate(t.Context(), "Bearer "+good, "tk_x")
	requireUnauthenticated(t, err, "two credentials")

	b.clock.advance(10*time.Minute - time.Second)
	_, err = b.Authenticate(t.Context(), "Bearer "+good, "")
	require.NoError(t, err)
	b.clock.advance(time.Second)
	_, err = b.Authenticate(t.Context(), "Bearer "+good, "")
	require.True(t, fault.HasReason(err, "token_expired"), err)
}

// TestClaimsAreRequired signs with the installation's own key what the service would never sign.
func TestClaimsAreRequired(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana := b.user(t, "ana@example.com", id.Admin)
	p := b.caller(t, b.login(t, "ana@example.com"))
	keys, err := b.store.ListSigningKeys(t.Context(), 1)
	require.NoError(t, err)
	seed, err := sealer{}.Open(t.Context(), id.Tenant{}, "signing_keys:"+keys[0].KID, keys[0].SealedSeed)
	require.NoError(t, err)
	now := b.clock.now()
	complete := func() jwt.MapClaims {
		return jwt.MapClaims{"iss": "turnero", "aud": "turnero-api", "sub": ana.ID.String(), "tenant": b.tenant.String(), "role": "tenant_admin",
			"sid": p.Login.String(), "exp": now.Add(time.Minute).Unix(), "iat": now.Unix()}
	}
	try := func(change func(jwt.MapClaims), key ed25519.PrivateKey) error {
		c := complete()
		change(c)
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
		token.Header["kid"] = keys[0].KID
		text, err := token.SignedString(key)
		require.NoError(t, err)
		_, err = b.Authenticate(t.Context(), "Bearer "+text, "")
		return err
	}
	ours := ed25519.NewKeyFromSeed(seed)
	require.NoError(t, try(func(jwt.MapClaims) {}, ours))
	for name, change := range map[string]func(jwt.MapClaims){
		"no issuer":            func(c jwt.MapClaims) { delete(c, "iss") },
		"another issuer":       func(c jwt.MapClaims) { c["iss"] = "someone" },
		"no audience":          func(c jwt.MapClaims) { delete(c, "aud") },
		"another audience":     func(c jwt.MapClaims) { c["aud"] = []string{"someone"} },
		"no expiry":            func(c jwt.MapClaims) { delete(c, "exp") },
		"expired":              func(c jwt.MapClaims) { c["exp"] = now.Unix() },
		"no subject":           func(c jwt.MapClaims) { delete(c, "sub") },
		"subject of no person": func(c jwt.MapClaims) { c["sub"] = b.tenant.String() },
		"no log-in":            func(c jwt.MapClaims) { delete(c, "sid") },
		"another's log-in":     func(c jwt.MapClaims) { c["sid"] = id.NewLogin().String() },
		"another tenant":       func(c jwt.MapClaims) { c["tenant"] = id.NewTenant().String() },
		"no tenant":            func(c jwt.MapClaims) { delete(c, "tenant") },
		"another person":       func(c jwt.MapClaims) { c["sub"] = id.NewUser().String() },
	} {
		requireUnauthenticated(t, try(change, ours), name)
	}
	_, theirs, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	requireUnauthenticated(t, try(func(jwt.MapClaims) {}, theirs), "another key")

	require.NoError(t, try(func(c jwt.MapClaims) { c["role"] = "super_admin" }, ours))
	c := complete()
	c["role"] = "super_admin"
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	token.Header["kid"] = keys[0].KID
	text, err := token.SignedString(ours)
	require.NoError(t, err)
	who, err := b.Authenticate(t.Context(), "Bearer "+text, "")
	require.NoError(t, err)
	require.Equal(t, id.Admin, who.Role, "the role is the person's present one, not the token's")
}

func TestLosingAccessCountsAtOnceHereAndSoonElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	eva := b.user(t, "eva@example.com", id.Employee)
	key, text, err := b.CreateAPIKey(t.Context(), auth.Caller{}, b.tenant, auth.NewAPIKey{Name: "shop", Scopes: []string{"chats:read"}})
	require.NoError(t, err)
	bearer := "Bearer " + b.login(t, "eva@example.com").AccessToken
	other := b.another()
	here := func() error { _, err := b.Authenticate(t.Context(), bearer, ""); return err }
	there := func() error { _, err := other.Authenticate(t.Context(), bearer, ""); return err }
	hereKey := func() error { _, err := b.Authenticate(t.Context(), "", text); return err }
	thereKey := func() error { _, err := other.Authenticate(t.Context(), "", text); return err }
	for _, try := range []func() error{here, there, hereKey, thereKey} {
		require.NoError(t, try())
	}

	b.tenants.suspend(b.tenant, true)
	for _, try := range []func() error{here, there, hereKey, thereKey} {
		requireUnauthenticated(t, try(), "suspended")
	}
	b.tenants.suspend(b.tenant, false)
	for _, try := range []func() error{here, there, hereKey, thereKey} {
		require.NoError(t, try(), "reopened")
	}

	no := false
	_, err = b.UpdateUser(t.Context(), auth.Caller{}, b.tenant, eva.ID, auth.UserPatch{Active: &no})
	require.NoError(t, err)
	require.NoError(t, b.RevokeAPIKey(t.Context(), auth.Caller{}, b.tenant, key.ID))
	requireUnauthenticated(t, here(), "deactivated")
	requireUnauthenticated(t, hereKey(), "revoked")
	require.NoError(t, there(), "another process may believe what it read for two seconds")
	require.NoError(t, thereKey())
	b.clock.advance(2 * time.Second)
	requireUnauthenticated(t, there(), "deactivated")
	requireUnauthenticated(t, thereKey(), "revoked")

	yes := true
	_, err = b.UpdateUser(t.Context(), auth.Caller{}, b.tenant, eva.ID, auth.UserPatch{Active: &yes})
	require.NoError(t, err)
	requireUnauthenticated(t, here(), "a log-in that was ended stays so")
	b.login(t, "eva@example.com")
}

func TestARoleCountsFromTheMomentItIsGiven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	eva := b.user(t, "eva@example.com", id.Employee)
	s := b.login(t, "eva@example.com")
	require.Equal(t, id.Employee, b.caller(t, s).Role)
	role := id.Admin
	_, err := b.UpdateUser(t.Context(), auth.Caller{}, b.tenant, eva.ID, auth.UserPatch{Role: &role})
	require.NoError(t, err)
	require.Equal(t, id.Admin, b.caller(t, s).Role)
}

func TestTheSigningKeyIsKeptSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	b.login(t, "ana@example.com")
	keys, err := b.store.ListSigningKeys(t.Context(), 5)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.True(t, strings.HasPrefix(keys[0].SealedSeed, "|signing_keys:"+keys[0].KID+"|"), "sealed for the platform and for its own row")
}
