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

func TestAKeyActsForItsBusinessWithinItsScopes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, text, err := b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Name: "shop", Scopes: []string{"chats:write", "chats:read", "chats:write"}})
	require.NoError(t, err)
	require.Regexp(t, `^tk_[A-Za-z0-9_-]{43}$`, text)
	require.Equal(t, text[:9], key.Hint)
	p, err := b.Authenticate(t.Context(), "", text)
	require.NoError(t, err)
	require.Equal(t, id.Principal{Tenant: b.tenant, APIKey: key.ID, Role: id.Admin, Scopes: []string{"chats:read", "chats:write"}}, p)
	for _, bad := range []string{"tk_", text[:20], text + "x", strings.ToUpper(text), strings.TrimPrefix(text, "tk_"), key.Hash, " " + text, "tk_\x00\xff"} {
		_, err = b.Authenticate(t.Context(), "", bad)
		requireUnauthenticated(t, err, bad)
	}
	_, err = b.Authenticate(t.Context(), "Bearer "+text, "")
	requireUnauthenticated(t, err, "a key is no access token")
	b.user(t, "ana@example.com", id.Admin)
	access := b.login(t, "ana@example.com").AccessToken
	_, err = b.Authenticate(t.Context(), "Bearer "+access, "")
	require.NoError(t, err)
	_, err = b.Authenticate(t.Context(), "", access)
	requireUnauthenticated(t, err, "an access token is no key")
	list, err := b.ListAPIKeys(t.Context(), b.tenant, id.APIKey{}, 5)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NotContains(t, list[0].Hash, text[3:])
	require.Contains(t, b.acts(t, b.tenant), auth.ActAPIKeyCreated)
}

func TestEveryBrokenRuleOfANewKeyIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, _, err := b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Scopes: []string{"chats:read", "all", ""}, ExpiresAt: b.clock.now()})
	require.Equal(t, []string{"name", "scopes[1]", "scopes[2]", "expiresAt"}, fieldsOf(t, err))
	_, _, err = b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Name: "shop"})
	require.Equal(t, []string{"scopes"}, fieldsOf(t, err))
	_, _, err = b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Name: "shop", Scopes: []string{"chats:read"}, ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Equal(t, []string{"expiresAt"}, fieldsOf(t, err))
}

func TestAKeyEndsWhenItExpiresOrIsRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, brief, err := b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Name: "brief", Scopes: []string{"chats:read"}, ExpiresAt: b.clock.now().Add(time.Second)})
	require.NoError(t, err)
	key, text, err := b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Name: "shop", Scopes: []string{"chats:read"}})
	require.NoError(t, err)
	_, err = b.Authenticate(t.Context(), "", brief)
	require.NoError(t, err)
	b.clock.advance(time.Second)
	_, err = b.Authenticate(t.Context(), "", brief)
	requireUnauthenticated(t, err, "expired, though the cache is younger than two seconds")

	elsewhere := id.NewTenant()
	require.True(t, fault.Is(b.RevokeAPIKey(t.Context(), from, elsewhere, key.ID), fault.NotFound))
	_, err = b.Authenticate(t.Context(), "", text)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, b.RevokeAPIKey(t.Context(), from, b.tenant, key.ID))
		_, err = b.Authenticate(t.Context(), "", text)
		requireUnauthenticated(t, err, "revoked")
	}
	revoked := 0
	for _, act := range b.acts(t, b.tenant) {
		if act == auth.ActAPIKeyRevoked {
			revoked++
		}
	}
	require.Equal(t, 1, revoked)
}

func TestTheLastUseOfAKeyIsRecordedToTheMinute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, text, err := b.CreateAPIKey(t.Context(), from, b.tenant, auth.NewAPIKey{Name: "shop", Scopes: []string{"chats:read"}})
	require.NoError(t, err)
	lastUse := func() time.Time {
		k, err := b.store.FindAPIKey(t.Context(), b.tenant, key.ID)
		require.NoError(t, err)
		return k.LastUsedAt
	}
	require.True(t, lastUse().IsZero())
	first := b.clock.now()
	for range 29 {
		_, err = b.Authenticate(t.Context(), "", text)
		require.NoError(t, err)
		require.Equal(t, first, lastUse())
		b.clock.advance(2 * time.Second)
	}
	b.clock.advance(2 * time.Second)
	_, err = b.Authenticate(t.Context(), "", text)
	require.NoError(t, err)
	require.Equal(t, first.Add(time.Minute), lastUse())
}

func TestTheTextOfAKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := auth.NewAPIKey{Name: "shop", Scopes: []string{"chats:read"}, IdempotencyKey: "k", BodyHash: "h"}
	key, text, err := b.CreateAPIKey(t.Context(), from, b.tenant, in)
	require.NoError(t, err)
	require.NotEmpty(t, text)
	again, text, err := b.CreateAPIKey(t.Context(), from, b.tenant, in)
	require.NoError(t, err)
	require.Equal(t, key, again)
	require.Empty(t, text)
	list, err := b.ListAPIKeys(t.Context(), b.tenant, id.APIKey{}, 5)
	require.NoError(t, err)
	require.Len(t, list, 1)
}
