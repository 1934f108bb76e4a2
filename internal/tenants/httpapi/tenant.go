package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/idempotency"
	"turnero/internal/tenants"
)

// TenantBody is a business on the wire. It is exported because the OpenAPI document leaves out what is embedded unexported.
type TenantBody struct {
	ID        string       `json:"id" example:"ten_01j9z3k5w8e0r9v6c2m4x7b1qd"`
	Name      string       `json:"name"`
	Slug      string       `json:"slug"`
	Status    string       `json:"status" enum:"active,suspended"`
	Settings  settingsBody `json:"settings"`
	CreatedAt time.Time    `json:"createdAt"`
}

func tenantBodyOf(t tenants.Tenant) TenantBody {
	return TenantBody{ID: t.ID.String(), Name: t.Settings.Name, Slug: t.Slug, Status: string(t.Status), Settings: settingsBodyOf(t), CreatedAt: t.CreatedAt}
}

type tenantOutput struct{ Body TenantBody }

type firstAdminInput struct {
	Email    string `json:"email" maxLength:"320"`
	Name     string `json:"name" maxLength:"400" doc:"1 to 100 characters"`
	Password string `json:"password,omitempty" maxLength:"1000" doc:"10 to 200 characters; without it one is made up and returned once"`
}

type createTenantInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request gives the business made by the first, without the password"`
	Body           struct {
		Name     string          `json:"name" maxLength:"400" doc:"1 to 100 characters"`
		Slug     string          `json:"slug,omitempty" maxLength:"100" doc:"names the booking page; made from the name when absent"`
		Zone     string          `json:"zone" maxLength:"100" doc:"name in the IANA time zone database" example:"America/Argentina/Buenos_Aires"`
		Language string          `json:"language,omitempty" enum:"es,en,pt" doc:"es when absent"`
		Country  string          `json:"country,omitempty" maxLength:"10" doc:"ISO 3166-1 alpha-2; that of the zone when absent"`
		Address  string          `json:"address,omitempty" maxLength:"1200" doc:"at most 300 characters"`
		Admin    firstAdminInput `json:"admin" doc:"the person with whom the business begins"`
	}
}

type firstAdminBody struct {
	ID                string `json:"id"`
	Email             string `json:"email"`
	Name              string `json:"name"`
	TemporaryPassword string `json:"temporaryPassword,omitempty" doc:"the password made up for them, shown this once"`
}

type createdTenantOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		TenantBody
		Admin firstAdminBody `json:"admin"`
	}
}

type tenantsInput struct {
	httpkit.PageInput
	Status string `query:"status" enum:"active,suspended"`
}

type tenantsOutput struct{ Body httpkit.Page[TenantBody] }

type tenantInput struct {
	ID string `path:"id"`
}

// tenant reads the path's ID: what is not one names no business.
func (in tenantInput) tenant() (id.Tenant, error) {
	tenant, err := id.ParseTenant(in.ID)
	if err != nil {
		return id.Tenant{}, fault.NotFoundf("tenant")
	}
	return tenant, nil
}

type updateTenantInput struct {
	ID   string `path:"id"`
	Body struct {
		SettingsPatch
		Slug *string `json:"slug,omitempty" maxLength:"100" doc:"names the booking page"`
	}
}

func registerTenants(api *httpkit.API, svc *tenants.Service) {
	op := func(name, method, path, summary string, errs ...int) httpkit.Op {
		return httpkit.Op{ID: name, Method: method, Path: path, Tag: tag, Roles: []id.Role{id.SuperAdmin}, Summary: summary, Errors: errs}
	}
	create := op("create-tenant", http.MethodPost, "/api/tenants", "Add a business with its first admin", http.StatusConflict)
	create.Status, create.Description = http.StatusCreated, "Both are made or neither."
	httpkit.Handle(api, create, createTenant(svc))
	httpkit.Handle(api, op("list-tenants", http.MethodGet, "/api/tenants", "List the businesses"), listTenants(svc))
	httpkit.Handle(api, op("get-tenant", http.MethodGet, "/api/tenants/{id}", "One business", http.StatusNotFound),
		onTenant(func(ctx context.Context, _ tenants.Caller, tenant id.Tenant) (tenants.Tenant, error) {
			return svc.FindTenant(ctx, tenant)
		}))
	httpkit.Handle(api, op("update-tenant", http.MethodPatch, "/api/tenants/{id}", "Change a business's slug or settings", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, p id.Principal, in *updateTenantInput) (*tenantOutput, error) {
			return onTenant(func(ctx context.Context, by tenants.Caller, tenant id.Tenant) (tenants.Tenant, error) {
				return svc.UpdateTenant(ctx, by, tenant, tenants.Patch{SettingsPatch: in.Body.domain(), Slug: in.Body.Slug})
			})(ctx, p, &tenantInput{ID: in.ID})
		})
	httpkit.Handle(api, op("suspend-tenant", http.MethodPost, "/api/tenants/{id}/suspend", "Stop a business's log-ins, keys and line", http.StatusNotFound),
		onTenant(func(ctx context.Context, by tenants.Caller, tenant id.Tenant) (tenants.Tenant, error) {
			return svc.Suspend(ctx, by, tenant)
		}))
	httpkit.Handle(api, op("reopen-tenant", http.MethodPost, "/api/tenants/{id}/reopen", "Undo a suspension", http.StatusNotFound),
		onTenant(func(ctx context.Context, by tenants.Caller, tenant id.Tenant) (tenants.Tenant, error) {
			return svc.Reopen(ctx, by, tenant)
		}))
}

// onTenant makes the handler of an operation on the business that the path names.
func onTenant(do func(context.Context, tenants.Caller, id.Tenant) (tenants.Tenant, error)) func(context.Context, id.Principal, *tenantInput) (*tenantOutput, error) {
	return func(ctx context.Context, p id.Principal, in *tenantInput) (*tenantOutput, error) {
		tenant, err := in.tenant()
		if err != nil {
			return nil, err
		}
		t, err := do(ctx, callerOf(ctx, p), tenant)
		return &tenantOutput{Body: tenantBodyOf(t)}, err
	}
}

func createTenant(svc *tenants.Service) func(context.Context, id.Principal, *createTenantInput) (*createdTenantOutput, error) {
	return func(ctx context.Context, p id.Principal, in *createTenantInput) (*createdTenantOutput, error) {
		b := in.Body
		fingerprint := b
		fingerprint.Admin.Password = ""
		created, err := svc.CreateTenant(ctx, callerOf(ctx, p), tenants.NewTenant{Name: b.Name, Slug: b.Slug, Zone: b.Zone, Language: b.Language, Country: b.Country,
			Address: b.Address, Admin: tenants.FirstAdmin(b.Admin), IdempotencyKey: in.IdempotencyKey,
			BodyHash: idempotency.Hash([]any{fingerprint, b.Admin.Password != ""})})
		out := &createdTenantOutput{CacheControl: "no-store"}
		out.Body.TenantBody = tenantBodyOf(created.Tenant)
		out.Body.Admin = firstAdminBody{ID: created.FirstAdmin.String(), Email: b.Admin.Email, Name: b.Admin.Name, TemporaryPassword: created.Password}
		return out, err
	}
}

func listTenants(svc *tenants.Service) func(context.Context, id.Principal, *tenantsInput) (*tenantsOutput, error) {
	return func(ctx context.Context, _ id.Principal, in *tenantsInput) (*tenantsOutput, error) {
		var after id.Tenant
		if err := httpkit.DecodeCursor(in.Cursor, &after); err != nil {
			return nil, err
		}
		items, err := svc.ListTenants(ctx, tenants.Status(in.Status), after, in.Limit+1)
		if err != nil {
			return nil, err
		}
		out := &tenantsOutput{Body: httpkit.Page[TenantBody]{Items: []TenantBody{}}}
		if len(items) > in.Limit {
			items = items[:in.Limit]
			out.Body.NextCursor = httpkit.EncodeCursor(items[in.Limit-1].ID)
		}
		for _, t := range items {
			out.Body.Items = append(out.Body.Items, tenantBodyOf(t))
		}
		return out, nil
	}
}
