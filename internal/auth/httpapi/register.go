package httpapi

import (
	"context"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

const tag = "auth"

// Register adds the operations to api. It does not touch svc, which may be nil when only the document is wanted.
func Register(api *httpkit.API, svc *auth.Service) {
	registerLogin(api, svc)
	registerAccount(api, svc)
	registerUsers(api, svc)
	registerAPIKeys(api, svc)
	registerAudit(api, svc)
	registerKeys(api, svc)
}

// callerOf says who calls and from where.
func callerOf(ctx context.Context, p id.Principal) auth.Caller {
	return auth.Caller{Principal: p, Address: httpkit.ClientAddress(ctx), RequestID: httpkit.RequestID(ctx)}
}

// page cuts a list that was asked for with one item more than wanted, which tells whether there is another page.
func page[V, W any](items []V, limit int, wire func(V) W, position func(V) any) httpkit.Page[W] {
	out := httpkit.Page[W]{Items: make([]W, 0, len(items))}
	if len(items) > limit {
		items = items[:limit]
		out.NextCursor = httpkit.EncodeCursor(position(items[limit-1]))
	}
	for _, v := range items {
		out.Items = append(out.Items, wire(v))
	}
	return out
}
