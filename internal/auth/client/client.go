package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/cache"
	"turnero/internal/platform/peer"
)

const (
	// nearAge is how long this process believes what it knows of credentials.
	nearAge = 2 * time.Second
	// farAge is how long all processes together do.
	farAge = 10 * time.Second
	// nearEntries bounds what this process knows.
	nearEntries = 20_000
)

// Options are what a Client works with.
type Options struct {
	Auth   *peer.Target // the processes that run auth
	Keys   *KeySet      // their published keys
	Shared cache.Cache  // of all processes that exchange credentials
	Now    func() time.Time
}

// Client is auth in another process. It is safe for concurrent use.
type Client struct {
	auth     *peer.Target
	verifier *auth.Verifier
	near     *cache.Memory
	far      cache.Cache
	now      func() time.Time
}

// New makes a client.
func New(o Options) *Client {
	return &Client{auth: o.Auth, verifier: auth.NewVerifier(o.Keys, o.Now), near: cache.NewMemory(nearEntries, o.Now), far: o.Shared, now: o.Now}
}

// Caller is who shows certain credentials, with a token that says so to services.
type Caller struct {
	Principal id.Principal
	Token     string
}

// Exchange turns the credentials of a request, its Authorization and X-API-Key headers ("" = absent), into its caller. The
// faults are those of auth.Service's Authenticate; Unavailable when auth has to be asked and does not answer.
func (c *Client) Exchange(ctx context.Context, authorization, apiKey string) (Caller, error) {
	if err := auth.OneCredential(authorization, apiKey); err != nil {
		return Caller{}, err
	}
	q := exchangeQuestion{authorization, apiKey}
	key := q.name()
	return cache.Of(ctx, c.near, key, func(ctx context.Context) (Caller, time.Duration, error) {
		g, err := cache.Of(ctx, c.far, key, func(ctx context.Context) (g grant, _ time.Duration, err error) {
			err = c.auth.Ask(ctx, askExchange, q, &g)
			return g, min(farAge, g.ExpiresAt.Sub(c.now())), err
		})
		if err != nil {
			return Caller{}, 0, err
		}
		v, err := c.verifier.Verify(ctx, "Bearer "+g.Token)
		return Caller{v.Principal, g.Token}, min(nearAge, g.ExpiresAt.Sub(c.now())), err
	})
}

// name is under what the credentials are known: nothing from which they could be had.
func (q exchangeQuestion) name() string {
	sum := sha256.Sum256([]byte("bearer:" + q.Authorization + "\nkey:" + q.APIKey))
	return hex.EncodeToString(sum[:])
}

// Verify tells whose the token of an Authorization header is: an internal one by itself, an access token as Exchange does.
func (c *Client) Verify(ctx context.Context, authorization string) (id.Principal, error) {
	v, err := c.verifier.Verify(ctx, authorization)
	if err != nil || v.Internal {
		return v.Principal, err
	}
	caller, err := c.Exchange(ctx, authorization, "")
	return caller.Principal, err
}

// Forget drops what this process believes of credentials.
func (c *Client) Forget() { _ = c.near.Clear(context.Background()) }

// UserExists reports whether an active person works for the tenant.
func (c *Client) UserExists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error) {
	var out existsAnswer
	err := c.auth.Ask(ctx, askUserExists, userQuestion{tenant, user}, &out)
	return out.Exists, err
}

// CheckFirstAdmin is auth.Service's.
func (c *Client) CheckFirstAdmin(ctx context.Context, email, name, password string) error {
	return c.auth.Ask(ctx, askCheckAdmin, adminQuestion{Email: email, Name: name, Password: password}, nil)
}

// CreateFirstAdmin is auth.Service's. When the outcome is unknown, DiscardUsers puts it right.
func (c *Client) CreateFirstAdmin(ctx context.Context, tenant id.Tenant, email, name, password string) (id.User, string, error) {
	var out adminAnswer
	err := c.auth.Do(ctx, doCreateAdmin, adminQuestion{tenant, email, name, password}, &out)
	return out.User, out.MadeUp, err
}

// DiscardUsers is auth.Service's.
func (c *Client) DiscardUsers(ctx context.Context, tenant id.Tenant) error {
	return c.auth.Ask(ctx, askDiscard, tenantQuestion{tenant}, nil)
}
