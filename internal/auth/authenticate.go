package auth

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// Standing is what a log-in is worth at this moment.
type Standing struct {
	Role      id.Role   // as it is now, which may not be what an older token says
	Active    bool      // the person
	RevokedAt time.Time // of the log-in; zero while it stands
}

// Authenticate turns the credentials of a request, its Authorization and X-API-Key headers ("" = absent), into the
// principal it acts as. Whatever does not hold, a suspended business included, is a fault (Unauthenticated). What it has
// verified it believes for up to standingAge; a change made in this process counts at once, one made in another as soon as
// this one hears of it (see Forget).
func (s *Service) Authenticate(ctx context.Context, authorization, apiKey string) (id.Principal, error) {
	e, err := s.identify(ctx, authorization, apiKey)
	return e.principal, err
}

// Grant is what a caller's credentials are exchanged for.
type Grant struct {
	Token     string    // internal: for services of the installation, to be sent as a bearer token
	ExpiresAt time.Time // of the token, and never later than the credentials
	Principal id.Principal
}

// Exchange does what Authenticate does, and gives a token for the principal that services verify without asking anybody
// (see Verifier). Who holds on to it holds on to what was true when it was made.
func (s *Service) Exchange(ctx context.Context, authorization, apiKey string) (Grant, error) {
	e, err := s.identify(ctx, authorization, apiKey)
	if err != nil {
		return Grant{}, err
	}
	until := s.now().Add(InternalLifetime)
	if !e.expires.IsZero() && e.expires.Before(until) {
		until = e.expires
	}
	token, err := s.tokens.make(ctx, e.principal, internalAudience, until)
	return Grant{token, until, e.principal}, err
}

// OneCredential refuses a request that shows no credentials, or more than one (Unauthenticated).
func OneCredential(authorization, apiKey string) error {
	switch {
	case authorization != "" && apiKey != "":
		return fault.New(fault.Unauthenticated, "two_credentials", "send either an access token or an API key, not both")
	case authorization == "" && apiKey == "":
		return fault.New(fault.Unauthenticated, "no_credentials", "log in, or send an API key")
	}
	return nil
}

// identify settles whose the credentials are.
func (s *Service) identify(ctx context.Context, authorization, apiKey string) (standingEntry, error) {
	if err := OneCredential(authorization, apiKey); err != nil {
		return standingEntry{}, err
	}
	who, credential := s.authenticateKey, apiKey
	if authorization != "" {
		who, credential = s.authenticatePerson, authorization
	}
	e, err := who(ctx, credential)
	if err != nil {
		return standingEntry{}, err
	}
	active, err := s.tenantMayAct(ctx, e.principal.Tenant)
	if err != nil {
		return standingEntry{}, err
	}
	if !active {
		return standingEntry{}, fault.New(fault.Unauthenticated, "tenant_not_active", "this business is suspended")
	}
	return e, nil
}

func (s *Service) authenticatePerson(ctx context.Context, authorization string) (standingEntry, error) {
	text, err := bearerToken(authorization)
	if err != nil {
		return standingEntry{}, err
	}
	return s.known.get("bearer:"+text, func() (id.Principal, time.Time, error) {
		token, err := s.tokens.verify(ctx, text, s.tokens.audience)
		if err != nil {
			return id.Principal{}, time.Time{}, err
		}
		p := token.Principal
		st, err := s.store.FindStanding(ctx, p.Tenant, p.Login, p.User)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return id.Principal{}, time.Time{}, err
		}
		if err != nil || !st.Active || !st.RevokedAt.IsZero() || p.Tenant.IsZero() != (st.Role == id.SuperAdmin) {
			return id.Principal{}, time.Time{}, fault.New(fault.Unauthenticated, "login_ended", "this log-in has ended; log in again")
		}
		p.Role = st.Role
		return p, token.Until, nil
	})
}

func (s *Service) authenticateKey(ctx context.Context, text string) (standingEntry, error) {
	return s.known.get("key:"+text, func() (id.Principal, time.Time, error) {
		now := s.now()
		key, err := s.store.FindAPIKeyByHash(ctx, hashSecret(text))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return id.Principal{}, time.Time{}, err
		}
		if err != nil || !key.isInForce(now) {
			return id.Principal{}, time.Time{}, fault.New(fault.Unauthenticated, "invalid_api_key", "this API key is not valid")
		}
		if now.Sub(key.LastUsedAt) >= lastUseStep {
			if err = s.store.TouchAPIKey(ctx, key.Tenant, key.ID, now, now.Add(-lastUseStep)); err != nil {
				s.logger.WarnContext(ctx, "last use of an api key not recorded", "tenant_id", key.Tenant.String(), "api_key_id", key.ID.String(), "error", err.Error())
			}
		}
		return id.Principal{Tenant: key.Tenant, APIKey: key.ID, Role: id.Admin, Scopes: key.Scopes}, key.ExpiresAt, nil
	})
}

const (
	// standingAge is how long a verified credential is believed without looking again.
	standingAge = 2 * time.Second
	// standingEntries bounds the cache; when it is full it begins anew.
	standingEntries = 20_000
)

// standingCache remembers which credentials were found good, by their SHA-256.
type standingCache struct {
	now func() time.Time

	mu      sync.RWMutex
	round   int // grows with each clear: what was read before one is not kept after it
	entries map[[sha256.Size]byte]standingEntry
}

type standingEntry struct {
	principal id.Principal
	until     time.Time // to be believed
	expires   time.Time // of the credential itself; zero = never
}

func newStandingCache(now func() time.Time) *standingCache {
	return &standingCache{now: now, entries: map[[sha256.Size]byte]standingEntry{}}
}

// get gives what is known of a credential (its kind, a colon, itself), asking load when nothing is. load also says until when its answer is good at
// the longest (the zero time: for ever). Errors are not kept.
func (c *standingCache) get(credential string, load func() (id.Principal, time.Time, error)) (standingEntry, error) {
	name := sha256.Sum256([]byte(credential))
	start := c.now()
	c.mu.RLock()
	e, ok := c.entries[name]
	round := c.round
	c.mu.RUnlock()
	if ok && start.Before(e.until) {
		return e, nil
	}
	p, expires, err := load()
	if err != nil {
		return standingEntry{}, err
	}
	e = standingEntry{p, start.Add(standingAge), expires}
	if !expires.IsZero() && expires.Before(e.until) {
		e.until = expires
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.round == round {
		if len(c.entries) >= standingEntries {
			clear(c.entries)
		}
		c.entries[name] = e
	}
	return e, nil
}

// clear forgets everything: somebody has lost or changed rights.
func (c *standingCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	clear(c.entries)
}
