package app

import (
	"context"
	"time"

	"turnero/internal/auth"
	authclient "turnero/internal/auth/client"
	authapi "turnero/internal/auth/httpapi"
	authstore "turnero/internal/auth/sqlstore"
	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/limit"
)

func buildAuth(c *core) error {
	attempts := func(name string, n int) limit.Limiter {
		return c.limiter("login-"+name, limit.Rate{Tokens: n, Per: auth.RecommendedAttemptWindow, Burst: n})
	}
	c.auth = auth.New(auth.Deps{Store: authstore.New(c.db, c.events), Sealer: c.keys, Tenants: activeTenants{c},
		AccountLimit: attempts("account", auth.RecommendedAccountAttempts), AddressLimit: attempts("address", auth.RecommendedAddressAttempts),
		Now: c.now, Logger: c.logger.With("module", "auth"), Changed: c.rightsChanged})
	register(c.jobs, &events.RecordAudit{}, c.auth.HandleRecordAudit)
	c.every(time.Hour, "expired log-ins", c.auth.Sweep)
	authclient.Serve(c.questions, c.auth)
	return nil
}

func authRoutes(c *core, api *httpkit.API) { authapi.Register(api, c.auth) }

// activeTenants gives auth the tenants module, which is built after it.
type activeTenants struct{ c *core }

// IsActive implements auth.Tenants.
func (a activeTenants) IsActive(ctx context.Context, tenant id.Tenant) (bool, error) {
	return a.c.tenantBook().IsActive(ctx, tenant)
}

// userExists reports whether an active person works for the tenant.
func (c *core) userExists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error) {
	return c.users().UserExists(ctx, tenant, user)
}
