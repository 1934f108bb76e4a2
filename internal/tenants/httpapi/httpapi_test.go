package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/tenants"
	"turnero/internal/tenants/httpapi"
	"turnero/internal/tenants/sqlstore"
)

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	zone  = "America/Argentina/Buenos_Aires"
)

// bundle is the API of the module on a real listener. A request acts as the principal that its token names.
type bundle struct {
	t          *testing.T
	svc        *tenants.Service
	url        string
	principals map[string]id.Principal
	tenant     tenants.Tenant
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := sqltest.Fresh(t, "sqlite")
	silent := slog.New(slog.DiscardHandler)
	wake := bus.NewMemory()
	svc := tenants.New(tenants.Deps{Store: sqlstore.New(db, outbox.New(db, wake, time.Now, silent), jobs.New(db, wake, time.Now, silent)), Users: people{}, Now: time.Now, Logger: silent})
	b := &bundle{t: t, svc: svc, principals: map[string]id.Principal{}}
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", func(_ context.Context, r *http.Request) (id.Principal, error) {
		p, ok := b.principals[r.Header.Get("Authorization")]
		if !ok {
			return id.Principal{}, fault.New(fault.Unauthenticated, "no_credentials", "log in")
		}
		return p, nil
	}, silent)
	httpapi.Register(api, svc)
	require.NoError(t, api.Check())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url = server.URL

	made, err := svc.CreateTenant(t.Context(), tenants.Caller{}, tenants.NewTenant{Name: "Demo", Zone: zone, Admin: tenants.FirstAdmin{Email: "demo@example.com", Name: "Demo"}})
	require.NoError(t, err)
	b.tenant = made.Tenant
	b.principals["operator"] = id.Principal{User: id.NewUser(), Role: id.SuperAdmin}
	b.principals["admin"] = id.Principal{Tenant: b.tenant.ID, User: id.NewUser(), Role: id.Admin}
	b.principals["employee"] = id.Principal{Tenant: b.tenant.ID, User: id.NewUser(), Role: id.Employee}
	b.principals["reader"] = id.Principal{Tenant: b.tenant.ID, APIKey: id.NewAPIKey(), Role: id.Admin, Scopes: []string{"settings:read"}}
	return b
}

type answer struct {
	status int
	raw    string
	body   map[string]any
}

func (b *bundle) call(who, method, path, body string, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(b.t, err)
	r.Header.Set("Authorization", who)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	out := answer{status: res.StatusCode, raw: string(raw)}
	require.NoError(b.t, json.Unmarshal(raw, &out.body), out.raw)
	return out
}

func (a answer) fields() []string {
	var out []string
	errs, _ := a.body["errors"].([]any)
	for _, e := range errs {
		out = append(out, e.(map[string]any)["field"].(string))
	}
	return out
}

// people stands for auth.
type people struct{}

func (people) CheckFirstAdmin(_ context.Context, email, _, _ string) error {
	if !strings.Contains(email, "@") {
		return fault.BadField("email", "must be an e-mail address")
	}
	return nil
}

func (people) CreateFirstAdmin(_ context.Context, _ id.Tenant, email, _, password string) (id.User, string, error) {
	if email == "taken@example.com" {
		return id.User{}, "", fault.New(fault.Conflict, "email_taken", "somebody has this e-mail address already")
	}
	if password == "" {
		return id.NewUser(), "made-up", nil
	}
	return id.NewUser(), "", nil
}

func (people) DiscardUsers(context.Context, id.Tenant) error { return nil }

func TestAnOperatorRunsTheListOfBusinesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"name":"Peluquería Ana","zone":"America/Montevideo","language":"pt","admin":{"email":"ana@example.com","name":"Ana"}}`
	made := b.call("operator", post, "/api/tenants", body, "Idempotency-Key", "k")
	require.Equal(t, 201, made.status, made.raw)
	require.Equal(t, "peluqueria-ana", made.body["slug"])
	require.Equal(t, "active", made.body["status"])
	admin := made.body["admin"].(map[string]any)
	require.Equal(t, "made-up", admin["temporaryPassword"])
	require.Equal(t, map[string]any{"name": "Peluquería Ana", "slug": "peluqueria-ana", "zone": "America/Montevideo", "language": "pt", "country": "UY", "address": "",
		"reminderOffsets": []any{1440.0, 120.0}, "botEnabled": true, "greeting": ""}, made.body["settings"])
	again := b.call("operator", post, "/api/tenants", body, "Idempotency-Key", "k")
	require.Equal(t, 201, again.status, again.raw)
	require.Equal(t, made.body["id"], again.body["id"])
	require.Equal(t, admin["id"], again.body["admin"].(map[string]any)["id"])
	require.NotContains(t, again.raw, "made-up")
	other := b.call("operator", post, "/api/tenants", strings.Replace(body, "Ana", "Bea", 1), "Idempotency-Key", "k")
	require.Equal(t, 422, other.status)
	require.Equal(t, "idempotency_key_reused", other.body["code"])

	path := "/api/tenants/" + made.body["id"].(string)
	require.Equal(t, "suspended", b.call("operator", post, path+"/suspend", "").body["status"])
	require.Equal(t, "suspended", b.call("operator", get, path, "").body["status"])
	list := b.call("operator", get, "/api/tenants?status=suspended", "")
	require.Len(t, list.body["items"], 1)
	require.Equal(t, "active", b.call("operator", post, path+"/reopen", "").body["status"])
	changed := b.call("operator", patch, path, `{"slug":"ana","name":"Ana","greeting":"¡Hola!"}`)
	require.Equal(t, 200, changed.status, changed.raw)
	require.Equal(t, "ana", changed.body["slug"])
	require.Equal(t, "Ana", changed.body["name"])
	first := b.call("operator", get, "/api/tenants?limit=1", "")
	second := b.call("operator", get, "/api/tenants?limit=1&cursor="+first.body["nextCursor"].(string), "")
	require.Equal(t, made.body["id"], second.body["items"].([]any)[0].(map[string]any)["id"])
	require.NotContains(t, second.body, "nextCursor")

	taken := b.call("operator", post, "/api/tenants", `{"name":"X","zone":"UTC","admin":{"email":"taken@example.com","name":"X"}}`)
	require.Equal(t, 409, taken.status)
	require.Equal(t, "email_taken", taken.body["code"])
	double := b.call("operator", post, "/api/tenants", `{"name":"X","slug":"ana","zone":"UTC","admin":{"email":"x@example.com","name":"X"}}`)
	require.Equal(t, 409, double.status)
	require.Equal(t, "slug_taken", double.body["code"])
	require.Len(t, b.call("operator", get, "/api/tenants", "").body["items"], 2)
}

func TestABusinessReadsAndChangesItsSettings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, who := range []string{"admin", "employee", "reader"} {
		got := b.call(who, get, "/api/settings", "")
		require.Equal(t, 200, got.status, got.raw)
		require.Equal(t, "Demo", got.body["name"])
	}
	got := b.call("admin", patch, "/api/settings", `{"name":"Lo de Ana","zone":"America/Santiago","language":"en","country":"CL","address":"Corrientes 1234","reminderOffsets":[5,20160],"botEnabled":false,"greeting":"Hi"}`)
	require.Equal(t, 200, got.status, got.raw)
	require.Equal(t, map[string]any{"name": "Lo de Ana", "slug": "demo", "zone": "America/Santiago", "language": "en", "country": "CL", "address": "Corrientes 1234",
		"reminderOffsets": []any{20160.0, 5.0}, "botEnabled": false, "greeting": "Hi"}, got.body)
	got = b.call("admin", patch, "/api/settings", `{"reminderOffsets":[],"address":""}`)
	require.Equal(t, 200, got.status, got.raw)
	require.Equal(t, []any{}, got.body["reminderOffsets"])
	require.Equal(t, "", got.body["address"])
	require.Equal(t, "Lo de Ana", got.body["name"])
	require.Equal(t, got.body, b.call("employee", get, "/api/settings", "").body)
}

func TestBadInputNamesTheFieldAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tenant := "/api/tenants/" + b.tenant.ID.String()
	before := b.call("operator", get, tenant, "").raw
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		fields                  []string
	}{
		{"admin", patch, "/api/settings", `{"colour":"red"}`, 422, []string{"colour"}},
		{"admin", patch, "/api/settings", `{"slug":"x"}`, 422, []string{"slug"}},
		{"admin", patch, "/api/settings", `{"status":"active"}`, 422, []string{"status"}},
		{"admin", patch, "/api/settings", `{"name":7}`, 422, []string{"name"}},
		{"admin", patch, "/api/settings", `{"name":""}`, 422, []string{"name"}},
		{"admin", patch, "/api/settings", `{"zone":"Buenos Aires"}`, 422, []string{"zone"}},
		{"admin", patch, "/api/settings", `{"zone":"Local"}`, 422, []string{"zone"}},
		{"admin", patch, "/api/settings", `{"language":"fr"}`, 422, []string{"language"}},
		{"admin", patch, "/api/settings", `{"country":"Argentina"}`, 422, []string{"country"}},
		{"admin", patch, "/api/settings", `{"botEnabled":"yes"}`, 422, []string{"botEnabled"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":60}`, 422, []string{"reminderOffsets"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":["60"]}`, 422, []string{"reminderOffsets[0]"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":[60.5]}`, 422, []string{"reminderOffsets[0]"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":[4]}`, 422, []string{"reminderOffsets"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":[9223372036854775807]}`, 422, []string{"reminderOffsets"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":[-9223372036854775808]}`, 422, []string{"reminderOffsets"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":[60,60]}`, 422, []string{"reminderOffsets"}},
		{"admin", patch, "/api/settings", `{"reminderOffsets":[10,20,30,40,50]}`, 422, []string{"reminderOffsets"}},
		{"admin", patch, "/api/settings", `{"name":"","zone":"x","reminderOffsets":[1]}`, 422, []string{"name", "zone", "reminderOffsets"}},
		{"admin", patch, "/api/settings", `[]`, 422, []string{"body"}},
		{"admin", patch, "/api/settings", `{"name":`, 400, nil},
		{"admin", patch, "/api/settings", `{"greeting":"` + strings.Repeat("a", 2<<20) + `"}`, 413, nil},
		{"operator", post, "/api/tenants", `{}`, 422, []string{"admin", "name", "zone"}},
		{"operator", post, "/api/tenants", `{"name":"X","zone":"UTC","admin":{}}`, 422, []string{"admin.email", "admin.name"}},
		{"operator", post, "/api/tenants", `{"name":"X","zone":"UTC","admin":{"email":"x","name":"X"}}`, 422, []string{"admin.email"}},
		{"operator", post, "/api/tenants", `{"name":"X","zone":"Mars","slug":"A B","admin":{"email":"x@example.com","name":"X"}}`, 422, []string{"zone", "slug"}},
		{"operator", patch, tenant, `{"status":"suspended"}`, 422, []string{"status"}},
		{"operator", patch, tenant, `{"slug":"A"}`, 422, []string{"slug"}},
		{"operator", get, "/api/tenants?status=pending", "", 422, []string{"status"}},
		{"operator", get, "/api/tenants?cursor=x", "", 422, []string{"cursor"}},
	} {
		got := b.call(c.who, c.method, c.path, c.body)
		name := c.method + " " + c.path + " " + c.body[:min(len(c.body), 80)]
		require.Equal(t, c.status, got.status, "%s: %s", name, got.raw)
		if c.fields != nil {
			require.Equal(t, c.fields, got.fields(), "%s: %s", name, got.raw)
		}
	}
	require.Equal(t, before, b.call("operator", get, tenant, "").raw)
	require.Len(t, b.call("operator", get, "/api/tenants", "").body["items"], 1)
}

func TestEachRoleMayDoItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tenant := "/api/tenants/" + b.tenant.ID.String()
	for _, op := range [][2]string{{get, "/api/tenants"}, {post, "/api/tenants"}, {get, tenant}, {patch, tenant}, {post, tenant + "/suspend"}, {post, tenant + "/reopen"}} {
		for _, who := range []string{"admin", "employee", "reader"} {
			require.Equal(t, 403, b.call(who, op[0], op[1], "").status, op)
		}
		require.Equal(t, 401, b.call("nobody", op[0], op[1], "").status, op)
	}
	require.Equal(t, 403, b.call("employee", patch, "/api/settings", `{"name":"X"}`).status)
	denied := b.call("reader", patch, "/api/settings", `{"name":"X"}`)
	require.Equal(t, 403, denied.status)
	require.Equal(t, "settings:write", denied.body["scope"])
	require.Equal(t, 403, b.call("operator", get, "/api/settings", "").status, "an operator has no business of their own")
}

func TestABusinessThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := b.call("operator", get, "/api/tenants/"+id.NewTenant().String(), "")
	require.Equal(t, 404, want.status)
	for _, text := range []string{"x", strings.ToUpper(b.tenant.ID.String()), id.NewUser().String()} {
		for _, op := range [][3]string{{get, "", ""}, {patch, "", `{"name":"X"}`}, {post, "/suspend", ""}, {post, "/reopen", ""}} {
			require.Equal(t, want.raw, b.call("operator", op[0], "/api/tenants/"+text+op[1], op[2]).raw)
		}
	}
}

func TestTheDocumentNeedsNoService(t *testing.T) {
	t.Parallel()
	api := httpkit.New(http.NewServeMux(), "test", "1", nil, nil)
	httpapi.Register(api, nil)
	require.NoError(t, api.Check())
	raw, err := json.Marshal(api.OpenAPI())
	require.NoError(t, err)
	require.Contains(t, string(raw), `"/api/settings"`)
	require.Contains(t, string(raw), `TenantsSettingsBody`)
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.Contains(t, doc.Components.Schemas["CreatedTenantOutputBody"].Properties, "settings")
	require.Contains(t, doc.Components.Schemas["CreatedTenantOutputBody"].Properties, "admin")
	require.Contains(t, doc.Components.Schemas["UpdateTenantInputBody"].Properties, "slug")
	require.Contains(t, doc.Components.Schemas["UpdateTenantInputBody"].Properties, "botEnabled")
}
