package app

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/auth"
	authapi "turnero/internal/auth/httpapi"
	authstore "turnero/internal/auth/sqlstore"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/gateway"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/limit"
)

func buildAuth(c *core) error {
	attempts := func(n int) limit.Limiter {
		return limit.NewMemory(limit.Rate{Tokens: n, Per: auth.RecommendedAttemptWindow, Burst: n}, c.now)
	}
	c.auth = auth.New(auth.Deps{Store: authstore.New(c.db, c.events), Sealer: c.keys, Tenants: activeTenants{c},
		AccountLimit: attempts(auth.RecommendedAccountAttempts), AddressLimit: attempts(auth.RecommendedAddressAttempts),
		Now: c.now, Logger: c.logger.With("module", "auth")})
	register(c.jobs, &events.RecordAudit{}, c.auth.HandleRecordAudit)
	c.every(time.Hour, "expired log-ins", c.auth.Sweep)
	c.tenantLimit = limit.NewMemory(limit.Rate{Tokens: c.cfg.RateTenant, Per: time.Second, Burst: 4 * c.cfg.RateTenant}, c.now)
	return nil
}

func authRoutes(c *core, api *httpkit.API) { authapi.Register(api, c.auth) }

// authenticate settles who makes a request, and counts it against its tenant's rate.
func (c *core) authenticate(ctx context.Context, r *http.Request) (id.Principal, error) {
	p, err := c.auth.Authenticate(ctx, r.Header.Get("Authorization"), r.Header.Get("X-API-Key"))
	if err != nil || p.Tenant.IsZero() {
		return p, err
	}
	ok, retryAfter, err := c.tenantLimit.Allow(ctx, p.Tenant.String())
	if err != nil {
		return id.Principal{}, err
	}
	if !ok {
		return id.Principal{}, gateway.TooManyRequests(retryAfter)
	}
	return p, nil
}

// activeTenants gives auth the tenants module, which is built after it.
type activeTenants struct{ c *core }

// IsActive implements auth.Tenants.
func (a activeTenants) IsActive(ctx context.Context, tenant id.Tenant) (bool, error) {
	return a.c.tenants.IsActive(ctx, tenant)
}

// userExists reports whether an active person works for the tenant.
func (c *core) userExists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error) {
	u, err := c.auth.FindUser(ctx, tenant, user)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && u.Active, err
}
