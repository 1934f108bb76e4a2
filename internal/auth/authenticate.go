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
// verified it believes for up to standingAge; a change made in this process counts at once.
func (s *Service) Authenticate(ctx context.Context, authorization, apiKey string) (id.Principal, error) {
	var p id.Principal
	var err error
	switch {
	case authorization != "" && apiKey != "":
		return id.Principal{}, fault.New(fault.Unauthenticated, "two_credentials", "send either an access token or an API key, not both")
	case authorization != "":
		p, err = s.authenticatePerson(ctx, authorization)
	case apiKey != "":
		p, err = s.authenticateKey(ctx, apiKey)
	default:
		return id.Principal{}, fault.New(fault.Unauthenticated, "no_credentials", "log in, or send an API key")
	}
	if err != nil {
		return id.Principal{}, err
	}
	active, err := s.tenantMayAct(ctx, p.Tenant)
	if err != nil {
		return id.Principal{}, err
	}
	if !active {
		return id.Principal{}, fault.New(fault.Unauthenticated, "tenant_not_active", "this business is suspended")
	}
	return p, nil
}

func (s *Service) authenticatePerson(ctx context.Context, authorization string) (id.Principal, error) {
	text, err := bearerToken(authorization)
	if err != nil {
		return id.Principal{}, err
	}
	return s.known.get("bearer:"+text, func() (id.Principal, time.Time, error) {
		p, until, err := s.tokens.verify(ctx, text)
		if err != nil {
			return id.Principal{}, time.Time{}, err
		}
		st, err := s.store.FindStanding(ctx, p.Tenant, p.Login, p.User)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return id.Principal{}, time.Time{}, err
		}
		if err != nil || !st.Active || !st.RevokedAt.IsZero() || p.Tenant.IsZero() != (st.Role == id.SuperAdmin) {
			return id.Principal{}, time.Time{}, fault.New(fault.Unauthenticated, "login_ended", "this log-in has ended; log in again")
		}
		p.Role = st.Role
		return p, until, nil
	})
}

func (s *Service) authenticateKey(ctx context.Context, text string) (id.Principal, error) {
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
	until     time.Time
}

func newStandingCache(now func() time.Time) *standingCache {
	return &standingCache{now: now, entries: map[[sha256.Size]byte]standingEntry{}}
}

// get gives what is known of a credential (its kind, a colon, itself), asking load when nothing is. load also says until when its answer is good at
// the longest (the zero time: for ever). Errors are not kept.
func (c *standingCache) get(credential string, load func() (id.Principal, time.Time, error)) (id.Principal, error) {
	name := sha256.Sum256([]byte(credential))
	start := c.now()
	c.mu.RLock()
	e, ok := c.entries[name]
	round := c.round
	c.mu.RUnlock()
	if ok && start.Before(e.until) {
		return e.principal, nil
	}
	p, until, err := load()
	if err != nil {
		return id.Principal{}, err
	}
	if limit := start.Add(standingAge); until.IsZero() || until.After(limit) {
		until = limit
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.round == round {
		if len(c.entries) >= standingEntries {
			clear(c.entries)
		}
		c.entries[name] = standingEntry{p, until}
	}
	return p, nil
}

// clear forgets everything: somebody has lost or changed rights.
func (c *standingCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	clear(c.entries)
}
