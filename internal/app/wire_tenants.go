package app

import (
	"turnero/internal/events"
	"turnero/internal/platform/httpkit"
	"turnero/internal/tenants"
	tenantsclient "turnero/internal/tenants/client"
	tenantsapi "turnero/internal/tenants/httpapi"
	tenantsstore "turnero/internal/tenants/sqlstore"
)

func buildTenants(c *core) error {
	c.tenants = tenants.New(tenants.Deps{Store: tenantsstore.New(c.db, c.events, c.jobs), Users: c.users(), Now: c.now,
		Logger: c.logger.With("module", "tenants"), Changed: c.tenantsChanged})
	register(c.jobs, &events.DiscardTenant{}, c.tenants.HandleDiscard)
	tenantsclient.Serve(c.questions, c.tenants)
	return nil
}

func tenantsRoutes(c *core, api *httpkit.API) { tenantsapi.Register(api, c.tenants) }
