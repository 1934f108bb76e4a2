package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/idempotency"
)

// APIKeyBody is an API key on the wire, without its text.
type APIKeyBody struct {
	ID         string     `json:"id" example:"key_01j9z3k5w8e0r9v6c2m4x7b1qd"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"the first characters of the key" example:"tk_Zk3vP0"`
	Scopes     []string   `json:"scopes"`
	CreatedBy  string     `json:"createdBy"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty" doc:"absent = never"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty" doc:"to the minute; absent = never"`
	RevokedAt  *time.Time `json:"revokedAt,omitempty" doc:"absent while in force"`
}

func apiKeyBodyOf(k auth.APIKey) APIKeyBody {
	return APIKeyBody{ID: k.ID.String(), Name: k.Name, Hint: k.Hint, Scopes: k.Scopes, CreatedBy: k.CreatedBy, CreatedAt: k.CreatedAt,
		ExpiresAt: instant(k.ExpiresAt), LastUsedAt: instant(k.LastUsedAt), RevokedAt: instant(k.RevokedAt)}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type createAPIKeyInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request gives the key made by the first, without its text"`
	Body           struct {
		Name      string     `json:"name" maxLength:"400" doc:"1 to 100 characters" example:"web shop"`
		Scopes    []string   `json:"scopes" nullable:"false" maxItems:"50" doc:"what it may do" example:"[\"appointments:read\",\"appointments:write\"]"`
		ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"in the future; absent = never"`
	}
}

type createdAPIKeyOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		APIKeyBody
		Key string `json:"key,omitempty" doc:"to be sent as X-API-Key; shown this once"`
	}
}

type apiKeysInput struct{ httpkit.PageInput }

type apiKeysOutput struct{ Body httpkit.Page[APIKeyBody] }

type apiKeyInput struct {
	ID string `path:"id"`
}

func registerAPIKeys(api *httpkit.API, svc *auth.Service) {
	admins := []id.Role{id.Admin}
	httpkit.Handle(api, httpkit.Op{ID: "create-api-key", Method: http.MethodPost, Path: "/api/api-keys", Tag: tag, Roles: admins, Status: http.StatusCreated,
		Summary: "Make an API key for the business's own systems"}, createAPIKey(svc))
	httpkit.Handle(api, httpkit.Op{ID: "list-api-keys", Method: http.MethodGet, Path: "/api/api-keys", Tag: tag, Roles: admins,
		Summary: "List the API keys, revoked ones included"}, listAPIKeys(svc))
	httpkit.Handle(api, httpkit.Op{ID: "revoke-api-key", Method: http.MethodDelete, Path: "/api/api-keys/{id}", Tag: tag, Roles: admins, Status: http.StatusNoContent,
		Summary: "End an API key at once", Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, p id.Principal, in *apiKeyInput) (*noOutput, error) {
			key, err := id.ParseAPIKey(in.ID)
			if err != nil {
				return nil, fault.NotFoundf("API key")
			}
			return nil, svc.RevokeAPIKey(ctx, callerOf(ctx, p), p.Tenant, key)
		})
}

func createAPIKey(svc *auth.Service) func(context.Context, id.Principal, *createAPIKeyInput) (*createdAPIKeyOutput, error) {
	return func(ctx context.Context, p id.Principal, in *createAPIKeyInput) (*createdAPIKeyOutput, error) {
		wanted := auth.NewAPIKey{Name: in.Body.Name, Scopes: in.Body.Scopes, IdempotencyKey: in.IdempotencyKey, BodyHash: idempotency.Hash(in.Body)}
		if in.Body.ExpiresAt != nil {
			wanted.ExpiresAt = *in.Body.ExpiresAt
		}
		key, text, err := svc.CreateAPIKey(ctx, callerOf(ctx, p), p.Tenant, wanted)
		out := &createdAPIKeyOutput{CacheControl: "no-store"}
		out.Body.APIKeyBody, out.Body.Key = apiKeyBodyOf(key), text
		return out, err
	}
}

func listAPIKeys(svc *auth.Service) func(context.Context, id.Principal, *apiKeysInput) (*apiKeysOutput, error) {
	return func(ctx context.Context, p id.Principal, in *apiKeysInput) (*apiKeysOutput, error) {
		var after id.APIKey
		if err := httpkit.DecodeCursor(in.Cursor, &after); err != nil {
			return nil, err
		}
		keys, err := svc.ListAPIKeys(ctx, p.Tenant, after, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return &apiKeysOutput{Body: page(keys, in.Limit, apiKeyBodyOf, func(k auth.APIKey) any { return k.ID })}, nil
	}
}
