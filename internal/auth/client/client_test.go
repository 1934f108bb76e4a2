package client_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/auth/client"
	"turnero/internal/auth/httpapi"
	"turnero/internal/auth/sqlstore"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/cache"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/peer"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit/sqltest"
)

var (
	quiet  = slog.New(slog.DiscardHandler)
	master = secret.Master{3, 1}
)

type everything struct{}

func (everything) Allow(context.Context, string) (bool, time.Duration, error) { return true, 0, nil }
func (everything) IsActive(context.Context, id.Tenant) (bool, error)          { return true, nil }

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// bundle is a process that runs auth, and another one's client.
type bundle struct {
	svc    *auth.Service
	store  *sqlstore.Store
	ring   *secret.Keyring
	server *httptest.Server
	clock  *clock
	shared cache.Cache
	client *client.Client
	keys   *client.KeySet
	asked  atomic.Int64 // exchanges
	sets   atomic.Int64 // readings of the published keys
	tenant id.Tenant
	user   auth.User
	by     auth.Caller
	access string
}

const password = "correcto caballo batería"

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{clock: &clock{at: time.Now()}, tenant: id.NewTenant()}
	db := sqltest.Fresh(t, "sqlite")
	var err error
	b.ring, err = secret.NewKeyring(db, master, b.clock.now)
	require.NoError(t, err)
	b.store = sqlstore.New(db, outbox.New(db, bus.NewMemory(), b.clock.now, quiet))
	b.shared = cache.NewMemory(100, b.clock.now)
	b.svc = auth.New(auth.Deps{Store: b.store, Sealer: b.ring, Tenants: everything{},
		AccountLimit: everything{}, AddressLimit: everything{}, Now: b.clock.now, Logger: quiet, Cost: auth.HashCost{MemoryKiB: 64, Passes: 1, Lanes: 1},
		Changed: func() {
			require.NoError(t, b.shared.Clear(context.Background()))
			b.client.Forget()
		}})
	mux := http.NewServeMux()
	httpapi.Register(httpkit.New(mux, "t", "1", nil, quiet), b.svc)
	client.Serve(peer.NewServer(mux, master.DeriveKey(peer.KeyPurpose), b.clock.now, quiet), b.svc)
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/internal/auth/exchange":
			b.asked.Add(1)
		case "/.well-known/jwks.json":
			b.sets.Add(1)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	b.client = b.another()
	made, err := b.svc.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: "ana@example.com", Name: "Ana", Role: id.Admin, Password: password})
	require.NoError(t, err)
	b.user = made.User
	session, err := b.svc.Login(t.Context(), auth.Caller{Address: "192.0.2.1"}, "ana@example.com", password)
	require.NoError(t, err)
	b.access = "Bearer " + session.AccessToken
	p, err := b.svc.Authenticate(t.Context(), b.access, "")
	require.NoError(t, err)
	b.by = auth.Caller{Principal: p}
	return b
}

// another is the client of one more process.
func (b *bundle) another() *client.Client {
	b.keys = client.NewKeySet([]string{"http://127.0.0.1:1", b.server.URL}, b.clock.now, quiet)
	target := peer.NewTarget(peer.NewClient(master.DeriveKey(peer.KeyPurpose), b.clock.now), []string{b.server.URL}, b.clock.now)
	return client.New(client.Options{Auth: target, Keys: b.keys, Shared: b.shared, Now: b.clock.now})
}

func (b *bundle) key(t *testing.T) (auth.APIKey, string) {
	t.Helper()
	key, text, err := b.svc.CreateAPIKey(t.Context(), b.by, b.tenant, auth.NewAPIKey{Name: "erp", Scopes: []string{"chats:read"}})
	require.NoError(t, err)
	return key, text
}

func TestCredentialsAreExchangedOnceForAllProcesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, text := b.key(t)
	other := b.another()
	want := id.Principal{Tenant: b.tenant, APIKey: key.ID, Role: id.Admin, Scopes: []string{"chats:read"}}
	var tokens []string
	for range 3 {
		for _, c := range []*client.Client{b.client, other} {
			caller, err := c.Exchange(t.Context(), "", text)
			require.NoError(t, err)
			require.Equal(t, want, caller.Principal)
			tokens = append(tokens, caller.Token)
			p, err := c.Verify(t.Context(), "Bearer "+caller.Token)
			require.NoError(t, err)
			require.Equal(t, want, p)
		}
	}
	for _, token := range tokens {
		require.Equal(t, tokens[0], token)
	}
	require.EqualValues(t, 1, b.asked.Load())
	b.clock.advance(11 * time.Second)
	_, err := b.client.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	require.EqualValues(t, 2, b.asked.Load())

	person, err := b.client.Exchange(t.Context(), b.access, "")
	require.NoError(t, err)
	require.Equal(t, b.by.Principal, person.Principal)
	for _, bad := range [][2]string{{"", ""}, {b.access, text}, {"", "tk_x"}, {"Bearer x", ""}, {"Bearer " + person.Token, ""}} {
		_, err = b.client.Exchange(t.Context(), bad[0], bad[1])
		require.True(t, fault.Is(err, fault.Unauthenticated), "%v: %v", bad, err)
	}
}

func TestARightThatIsTakenAwayIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, text := b.key(t)
	_, err := b.client.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	p, err := b.client.Verify(t.Context(), b.access)
	require.NoError(t, err)
	require.Equal(t, b.by.Principal, p)

	require.NoError(t, b.svc.RevokeAPIKey(t.Context(), b.by, b.tenant, key.ID))
	_, err = b.client.Exchange(t.Context(), "", text)
	require.True(t, fault.HasReason(err, "invalid_api_key"), err)
	require.NoError(t, b.svc.Logout(t.Context(), b.by, "", b.access))
	_, err = b.client.Verify(t.Context(), b.access)
	require.True(t, fault.HasReason(err, "login_ended"), "an access token shown to a service: %v", err)
}

func TestWithoutTheWakeUpARightIsGoneWithinSeconds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, text := b.key(t)
	deaf := b.another()
	_, err := deaf.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	keys, err := b.svc.ListAPIKeys(t.Context(), b.tenant, id.APIKey{}, 10)
	require.NoError(t, err)
	require.NoError(t, b.svc.RevokeAPIKey(t.Context(), b.by, b.tenant, keys[0].ID))
	b.clock.advance(2 * time.Second)
	_, err = deaf.Exchange(t.Context(), "", text)
	require.True(t, fault.HasReason(err, "invalid_api_key"), err)
}

func TestTokensAreReadWhileAuthIsDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, text := b.key(t)
	caller, err := b.client.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	b.server.Close()
	b.clock.advance(70 * time.Second)
	_, err = b.client.Verify(t.Context(), "Bearer "+caller.Token)
	require.NoError(t, err, "the keys are known")
	_, err = b.client.Exchange(t.Context(), "", text)
	require.True(t, fault.HasReason(err, "target_unavailable"), err)
	_, err = b.another().Verify(t.Context(), "Bearer "+caller.Token)
	require.True(t, fault.HasReason(err, "target_unavailable"), "a process that has never read the keys: %v", err)
}

func TestMadeUpKeysCostAuthNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.client.Verify(t.Context(), b.access)
	require.NoError(t, err)
	before := b.sets.Load()
	require.EqualValues(t, 1, before)
	for i := range 20 {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "turnero", "aud": "turnero-internal", "exp": b.clock.now().Add(time.Minute).Unix(), "sub": b.user.ID.String()})
		token.Header["kid"], token.Header["alg"] = string(rune('a'+i)), "EdDSA"
		text, err := token.SignedString([]byte("x"))
		require.NoError(t, err)
		_, err = b.client.Verify(t.Context(), "Bearer "+text)
		require.True(t, fault.Is(err, fault.Unauthenticated), err)
	}
	require.Equal(t, before, b.sets.Load(), "within the pause")
	b.clock.advance(6 * time.Second)
	for range 20 {
		_, err = b.keys.FindKey(t.Context(), "made up")
		require.NoError(t, err)
	}
	require.Equal(t, before+1, b.sets.Load())
}

func TestARotationIsFollowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, text := b.key(t)
	old, err := b.client.Exchange(t.Context(), "", text)
	require.NoError(t, err)
	require.NoError(t, auth.NewKeyring(b.store, b.ring, b.clock.now).Rotate(t.Context()))
	b.clock.advance(time.Minute) // as long as an internal token lives at least
	_, err = b.client.Verify(t.Context(), "Bearer "+old.Token)
	require.NoError(t, err)
	b.clock.advance(3 * time.Minute)
	fresh, err := b.client.Exchange(t.Context(), "", text)
	require.NoError(t, err, "signed with the new key, which is read when it is met")
	first, _, err := jwt.NewParser().ParseUnverified(old.Token, jwt.MapClaims{})
	require.NoError(t, err)
	second, _, err := jwt.NewParser().ParseUnverified(fresh.Token, jwt.MapClaims{})
	require.NoError(t, err)
	require.NotEqual(t, first.Header["kid"], second.Header["kid"])
}

func TestTheKeysAreReadBeforeTheyAreNeeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.keys.Run(ctx) }()
	require.Eventually(t, func() bool { return b.sets.Load() == 1 }, 5*time.Second, 5*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

func TestPeopleAreAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	exists, err := b.client.UserExists(t.Context(), b.tenant, b.user.ID)
	require.NoError(t, err)
	require.True(t, exists)
	exists, err = b.client.UserExists(t.Context(), id.NewTenant(), b.user.ID)
	require.NoError(t, err)
	require.False(t, exists, "another business's")

	err = b.client.CheckFirstAdmin(t.Context(), "ana@example.com", "Eva", "")
	require.True(t, fault.HasReason(err, "email_taken"), err)
	require.NoError(t, b.client.CheckFirstAdmin(t.Context(), "eva@example.com", "Eva", ""))
	fresh := id.NewTenant()
	user, madeUp, err := b.client.CreateFirstAdmin(t.Context(), fresh, "eva@example.com", "Eva", "")
	require.NoError(t, err)
	require.NotEmpty(t, madeUp)
	exists, err = b.client.UserExists(t.Context(), fresh, user)
	require.NoError(t, err)
	require.True(t, exists)
	require.NoError(t, b.client.DiscardUsers(t.Context(), fresh))
	exists, err = b.client.UserExists(t.Context(), fresh, user)
	require.NoError(t, err)
	require.False(t, exists)
}
