// Package httpapi is the REST face of tenants: the operator's list of businesses, and a business's own settings.
package httpapi

import (
	"context"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/tenants"
)

const tag = "tenants"

// Register adds the operations to api. It does not touch svc, which may be nil when only the document is wanted.
func Register(api *httpkit.API, svc *tenants.Service) {
	registerTenants(api, svc)
	registerSettings(api, svc)
}

// callerOf says who calls and from where.
func callerOf(ctx context.Context, p id.Principal) tenants.Caller {
	return tenants.Caller{Principal: p, Address: httpkit.ClientAddress(ctx), RequestID: httpkit.RequestID(ctx)}
}
