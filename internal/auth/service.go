package auth

import (
	"context"
	"log/slog"
	"time"

	"turnero/internal/id"
)

// Tenants tells whether a business may act at this moment.
type Tenants interface {
	// IsActive reports whether the tenant exists, is complete and is not suspended.
	IsActive(ctx context.Context, tenant id.Tenant) (bool, error)
}

// Limiter bounds how often something may be tried.
type Limiter interface {
	// Allow counts one attempt under the key and reports whether it may go on; if not, retryAfter says when the next may.
	Allow(ctx context.Context, key string) (ok bool, retryAfter time.Duration, err error)
}

// Sealer encrypts small secrets at rest, with a key of the tenant's (zero = the platform's). place says where the text is
// kept; it opens only there.
type Sealer interface {
	Seal(ctx context.Context, tenant id.Tenant, place string, plaintext []byte) (string, error)
	Open(ctx context.Context, tenant id.Tenant, place, sealed string) ([]byte, error)
}

// Deps are what a Service works with. All but Issuer, Audience, Scopes, Cost and Changed are required.
type Deps struct {
	Store        Store
	Sealer       Sealer
	Tenants      Tenants
	AccountLimit Limiter // log-in attempts for one account; see RecommendedAccountAttempts
	AddressLimit Limiter // log-in attempts from one network address; see RecommendedAddressAttempts
	Now          func() time.Time
	Logger       *slog.Logger
	Issuer       string   // of access tokens; "" = "turnero"
	Audience     string   // of access tokens; "" = "turnero-api"
	Scopes       []string // that API keys can be given; nil = KnownScopes()
	Cost         HashCost // of new password hashes; zero = DefaultHashCost()
	// Changed is called after somebody lost or changed rights, so that other processes can be told; see Forget. May be nil.
	Changed func()
}

// The bounds that the limiters of log-in attempts should have: attempts per window.
const (
	RecommendedAccountAttempts = 10
	RecommendedAddressAttempts = 60
	RecommendedAttemptWindow   = 15 * time.Minute
)

// Service holds the rules of this module. Make it with New.
type Service struct {
	store        Store
	tenants      Tenants
	accountLimit Limiter
	addressLimit Limiter
	now          func() time.Time
	logger       *slog.Logger
	scopes       []string
	hasher       *hasher
	tokens       *tokenSigner
	known        *standingCache
	changed      func()
}

// New makes the service.
func New(d Deps) *Service {
	if d.Issuer == "" {
		d.Issuer = defaultIssuer
	}
	if d.Audience == "" {
		d.Audience = defaultAudience
	}
	if d.Scopes == nil {
		d.Scopes = KnownScopes()
	}
	now := exact(d.Now)
	if d.Changed == nil {
		d.Changed = func() {}
	}
	ring := NewKeyring(d.Store, d.Sealer, now)
	return &Service{
		store: d.Store, tenants: d.Tenants, accountLimit: d.AccountLimit, addressLimit: d.AddressLimit, now: now, logger: d.Logger,
		scopes: d.Scopes, hasher: newHasher(d.Cost), known: newStandingCache(now), changed: d.Changed,
		tokens: &tokenSigner{Verifier: Verifier{issuer: d.Issuer, audience: d.Audience, keys: ring, now: now}, ring: ring},
	}
}

// Verifier gives what reads tokens with the keys of this service.
func (s *Service) Verifier() *Verifier { return &s.tokens.Verifier }

// Forget drops what is believed of credentials: somebody has lost or changed rights in another process, or a business was
// suspended.
func (s *Service) Forget() { s.known.clear() }

// rightsChanged has this process and all others look anew.
func (s *Service) rightsChanged() {
	s.known.clear()
	s.changed()
}

// Caller is who asks for something and from where, as the edge knows it. The zero value is the program itself.
type Caller struct {
	id.Principal
	Address   string // network address, without port
	RequestID string
}

// actor names the caller in the audit log: a user's or an API key's ID, "anonymous" for a request that nobody has logged
// in for, "system" for the program itself.
func (c Caller) actor() string {
	switch a := c.Actor(); {
	case a != "":
		return a
	case c.Address != "" || c.RequestID != "":
		return "anonymous"
	}
	return "system"
}

// KnownScopes lists what an API key can be allowed to do.
func KnownScopes() []string {
	return []string{
		"whatsapp:read", "whatsapp:write", "chats:read", "chats:write", "chats:grant", "appointments:read", "appointments:write",
		"setup:read", "setup:write", "customers:read", "users:read", "users:write", "settings:read", "settings:write",
		"events:read", "audit:read",
	}
}
