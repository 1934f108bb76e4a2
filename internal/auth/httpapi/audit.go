package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type auditInput struct {
	httpkit.PageInput
	Tenant string `query:"tenant" doc:"for a super-admin: only what concerns this business"`
	Action string `query:"action" pattern:"^[a-z_.]+$" maxLength:"64" doc:"only this act" example:"login.failed"`
}

type auditBody struct {
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	Tenant    string            `json:"tenant,omitempty" doc:"whom it concerns; absent = the platform"`
	Actor     string            `json:"actor" doc:"ID of a user or API key, \"anonymous\" or \"system\""`
	Action    string            `json:"action" example:"user.deactivated"`
	Target    string            `json:"target,omitempty" doc:"ID of what was acted upon"`
	Address   string            `json:"address,omitempty" doc:"network address of the caller"`
	RequestID string            `json:"requestId,omitempty"`
	Detail    map[string]string `json:"detail,omitempty"`
}

type auditOutput struct{ Body httpkit.Page[auditBody] }

func registerAudit(api *httpkit.API, svc *auth.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-audit", Method: http.MethodGet, Path: "/api/audit", Tag: tag, Roles: []id.Role{id.SuperAdmin, id.Admin}, Scope: "audit:read",
		Summary: "Who did what, newest first", Description: "An admin sees what concerns the own business; a super-admin everything, or one business with `?tenant=`."},
		func(ctx context.Context, p id.Principal, in *auditInput) (*auditOutput, error) {
			q, err := in.query()
			if err != nil {
				return nil, err
			}
			entries, err := svc.ListAudit(ctx, callerOf(ctx, p), q)
			if err != nil {
				return nil, err
			}
			return &auditOutput{Body: page(entries, in.Limit, auditBodyOf, func(e auth.AuditEntry) any { return e.Position() })}, nil
		})
}

func (in *auditInput) query() (auth.AuditQuery, error) {
	q := auth.AuditQuery{Action: in.Action, Limit: in.Limit + 1}
	if in.Tenant != "" {
		tenant, err := id.ParseTenant(in.Tenant)
		if err != nil {
			return q, fault.NotFoundf("tenant")
		}
		q.Tenant = tenant
	}
	return q, httpkit.DecodeCursor(in.Cursor, &q.After)
}

func auditBodyOf(e auth.AuditEntry) auditBody {
	return auditBody{ID: e.ID.String(), At: e.At, Tenant: e.Tenant.String(), Actor: e.Actor, Action: e.Action, Target: e.Target, Address: e.Address,
		RequestID: e.RequestID, Detail: e.Detail}
}
