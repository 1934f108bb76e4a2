package httpapi_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/auth/httpapi"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/limit"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

func TestLoggingInRefreshingAndLeaving(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.call("", post, "/api/auth/login", `{"email":"Ana@Example.com","password":"`+password+`"}`)
	require.Equal(t, 200, in.status, in.raw)
	require.Equal(t, "no-store", in.header.Get("Cache-Control"))
	require.Equal(t, "Bearer", in.body["tokenType"])
	require.EqualValues(t, 600, in.body["expiresIn"])
	user := in.body["user"].(map[string]any)
	require.Equal(t, map[string]any{"id": b.ana.ID.String(), "tenant": b.tenant.String(), "email": "ana@example.com", "name": "Somebody", "role": "tenant_admin", "active": true,
		"mustChangePassword": false, "createdAt": b.ana.CreatedAt.Format(time.RFC3339Nano)}, user)
	require.NotContains(t, in.raw, "argon2")

	me := b.call(in.body["accessToken"].(string), get, "/api/auth/me", "")
	require.Equal(t, 200, me.status, me.raw)
	require.Equal(t, user, me.body)

	next := b.call("", post, "/api/auth/refresh", fmt.Sprintf(`{"refreshToken":%q}`, in.body["refreshToken"]))
	require.Equal(t, 200, next.status, next.raw)
	require.NotEqual(t, in.body["refreshToken"], next.body["refreshToken"])
	again := b.call("", post, "/api/auth/refresh", fmt.Sprintf(`{"refreshToken":%q}`, in.body["refreshToken"]))
	require.Equal(t, next.body["refreshToken"], again.body["refreshToken"])

	require.Equal(t, 204, b.call("", post, "/api/auth/logout", fmt.Sprintf(`{"refreshToken":%q}`, next.body["refreshToken"])).status)
	gone := b.call(next.body["accessToken"].(string), get, "/api/auth/me", "")
	require.Equal(t, 401, gone.status)
	require.Equal(t, "login_ended", gone.body["code"])
	require.Equal(t, 401, b.call("", post, "/api/auth/refresh", fmt.Sprintf(`{"refreshToken":%q}`, next.body["refreshToken"])).status)

	require.Equal(t, 204, b.call(b.employee, post, "/api/auth/logout", "").status, "the access token tells which log-in")
	require.Equal(t, 401, b.call(b.employee, get, "/api/auth/me", "").status)
	nothing := b.call("", post, "/api/auth/logout", "")
	require.Equal(t, 422, nothing.status)
	require.Equal(t, []string{"refreshToken"}, nothing.fields())
}

func TestRefusedLoginsLookAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var first string
	for _, body := range []string{`{"email":"nobody@example.com","password":"x"}`, `{"email":"ana@example.com","password":"x"}`, `{"email":"","password":""}`, `{"email":"@","password":"` + password + `"}`} {
		got := b.call("", post, "/api/auth/login", body)
		require.Equal(t, 401, got.status, got.raw)
		require.Equal(t, "invalid_credentials", got.body["code"])
		if first == "" {
			first = got.raw
		}
		require.Equal(t, first, got.raw)
	}
}

func TestTooManyAttemptsAreToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	b := setupWith(t, limit.Rate{Tokens: 1, Per: 10 * time.Minute, Burst: 3}) // one each was used by the set-up
	for range 2 {
		require.Equal(t, 401, b.call("", post, "/api/auth/login", `{"email":"ana@example.com","password":"x"}`).status)
	}
	got := b.call("", post, "/api/auth/login", `{"email":"ana@example.com","password":"`+password+`"}`)
	require.Equal(t, 429, got.status, got.raw)
	require.Equal(t, "too_many_attempts", got.body["code"])
	var seconds int
	_, err := fmt.Sscan(got.header.Get("Retry-After"), &seconds)
	require.NoError(t, err)
	require.InDelta(t, 600, seconds, 5)
}

func TestChangingThePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.login("ana@example.com")
	wrong := b.call(b.admin, post, "/api/auth/password", `{"currentPassword":"x","newPassword":"otra batería correcta"}`)
	require.Equal(t, 422, wrong.status)
	require.Equal(t, []string{"currentPassword"}, wrong.fields())
	short := b.call(b.admin, post, "/api/auth/password", `{"currentPassword":"`+password+`","newPassword":"short"}`)
	require.Equal(t, []string{"newPassword"}, short.fields())
	done := b.call(b.admin, post, "/api/auth/password", `{"currentPassword":"`+password+`","newPassword":"otra batería correcta"}`)
	require.Equal(t, 204, done.status, done.raw)
	require.Equal(t, 401, b.call(second, get, "/api/auth/me", "").status)
	require.Equal(t, 200, b.call(b.admin, get, "/api/auth/me", "").status)
}

func TestPeopleAreAddedListedAndChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.call(b.admin, post, "/api/users", `{"email":"Zoe@example.com","name":" Zoe ","role":"tenant_user"}`, "Idempotency-Key", "k1")
	require.Equal(t, 201, made.status, made.raw)
	require.Equal(t, "zoe@example.com", made.body["email"])
	require.Equal(t, "Zoe", made.body["name"])
	require.Equal(t, true, made.body["mustChangePassword"])
	require.NotEmpty(t, made.body["temporaryPassword"])
	again := b.call(b.admin, post, "/api/users", `{"email":"Zoe@example.com","name":" Zoe ","role":"tenant_user"}`, "Idempotency-Key", "k1")
	require.Equal(t, 201, again.status)
	require.Equal(t, made.body["id"], again.body["id"])
	require.NotContains(t, again.body, "temporaryPassword")
	other := b.call(b.admin, post, "/api/users", `{"email":"zoe@example.org","name":"Zoe","role":"tenant_user"}`, "Idempotency-Key", "k1")
	require.Equal(t, 422, other.status)
	require.Equal(t, "idempotency_key_reused", other.body["code"])
	taken := b.call(b.admin, post, "/api/users", `{"email":"EVA@example.com","name":"Eva","role":"tenant_user"}`)
	require.Equal(t, 409, taken.status)
	require.Equal(t, "email_taken", taken.body["code"])

	path := "/api/users/" + made.body["id"].(string)
	one := b.call(b.admin, get, path, "")
	require.Equal(t, 200, one.status)
	require.Equal(t, made.body["id"], one.body["id"])
	var seen []string
	for cursor := ""; ; {
		list := b.call(b.admin, get, "/api/users?limit=2&cursor="+cursor, "")
		require.Equal(t, 200, list.status, list.raw)
		for _, item := range list.body["items"].([]any) {
			seen = append(seen, item.(map[string]any)["id"].(string))
		}
		next, more := list.body["nextCursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	require.Equal(t, []string{b.ana.ID.String(), b.eva.ID.String(), made.body["id"].(string)}, seen)

	reset := b.call(b.admin, post, path+"/reset-password", "")
	require.Equal(t, 200, reset.status, reset.raw)
	require.Equal(t, 200, b.call("", post, "/api/auth/login", fmt.Sprintf(`{"email":"zoe@example.com","password":%q}`, reset.body["temporaryPassword"])).status)
	changed := b.call(b.admin, patch, path, `{"active":false,"name":"Zoé"}`)
	require.Equal(t, 200, changed.status, changed.raw)
	require.Equal(t, false, changed.body["active"])
	require.Equal(t, "Zoé", changed.body["name"])
	require.Equal(t, 401, b.call("", post, "/api/auth/login", fmt.Sprintf(`{"email":"zoe@example.com","password":%q}`, reset.body["temporaryPassword"])).status)
	require.Equal(t, 200, b.call(b.admin, patch, path, `{}`).status)
	own := b.call(b.admin, patch, "/api/users/"+b.ana.ID.String(), `{"active":false}`)
	require.Equal(t, 409, own.status)
	require.Equal(t, "own_account", own.body["code"])
}

func TestBadInputNamesTheField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	eva := "/api/users/" + b.eva.ID.String()
	for _, c := range []struct {
		method, path, body string
		status             int
		fields             []string
	}{
		{post, "/api/auth/login", `{"email":"ana@example.com"}`, 422, []string{"password"}},
		{post, "/api/auth/login", `{"email":7,"password":"x"}`, 422, []string{"email"}},
		{post, "/api/auth/login", `{"email":"a","password":"x","remember":true}`, 422, []string{"remember"}},
		{post, "/api/auth/login", `{"email":`, 400, nil},
		{post, "/api/auth/login", ``, 400, nil},
		{post, "/api/auth/login", `[]`, 422, []string{"body"}},
		{post, "/api/auth/login", `{"email":"` + strings.Repeat("a", 2<<20) + `"}`, 413, nil},
		{post, "/api/auth/refresh", `{}`, 422, []string{"refreshToken"}},
		{post, "/api/users", `{"email":"x","name":"","role":"tenant_user","password":"short"}`, 422, []string{"email", "name", "password"}},
		{post, "/api/users", `{"email":"x@example.com","name":"X","role":"super_admin"}`, 422, []string{"role"}},
		{post, "/api/users", `{"email":"x@example.com","name":"X","role":"tenant_user","tenant":"` + id.NewTenant().String() + `"}`, 422, []string{"tenant"}},
		{patch, eva, `{"active":"no"}`, 422, []string{"active"}},
		{patch, eva, `{"email":"x@example.com"}`, 422, []string{"email"}},
		{patch, eva, `{"name":""}`, 422, []string{"name"}},
		{patch, eva, `{"role":"end_user"}`, 422, []string{"role"}},
		{get, "/api/users?limit=0", "", 422, []string{"limit"}},
		{get, "/api/users?limit=many", "", 422, []string{"limit"}},
		{get, "/api/users?cursor=nonsense", "", 422, []string{"cursor"}},
		{get, "/api/users?sort=name", "", 422, []string{"sort"}},
		{post, "/api/api-keys", `{"name":"shop","scopes":[]}`, 422, []string{"scopes"}},
		{post, "/api/api-keys", `{"name":"shop"}`, 422, []string{"scopes"}},
		{post, "/api/api-keys", `{"name":"shop","scopes":["everything"]}`, 422, []string{"scopes[0]"}},
		{post, "/api/api-keys", `{"name":"shop","scopes":null}`, 422, []string{"scopes"}},
		{post, "/api/api-keys", `{"name":"shop","scopes":["chats:read"],"expiresAt":"tomorrow"}`, 422, []string{"expiresAt"}},
		{post, "/api/api-keys", `{"name":"shop","scopes":["chats:read"],"expiresAt":"2020-01-01T00:00:00Z"}`, 422, []string{"expiresAt"}},
		{get, "/api/audit?cursor=e30x", "", 422, []string{"cursor"}},
		{get, "/api/audit?action=%00", "", 422, []string{"action"}},
		{get, "/api/audit?action=%ff", "", 422, []string{"action"}},
	} {
		got := b.call(b.admin, c.method, c.path, c.body)
		name := c.method + " " + c.path + " " + c.body[:min(len(c.body), 80)]
		require.Equal(t, c.status, got.status, "%s: %s", name, got.raw)
		require.Equal(t, "application/problem+json", got.header.Get("Content-Type"), name)
		if c.fields != nil {
			require.Equal(t, c.fields, got.fields(), "%s: %s", name, got.raw)
		}
	}
	for _, key := range []string{"\xff\xfe", "clave única", strings.Repeat("k", 256)} {
		got := b.call(b.admin, post, "/api/users", `{"email":"x@example.com","name":"X","role":"tenant_user"}`, "Idempotency-Key", key)
		require.Equal(t, 422, got.status, got.raw)
		require.Equal(t, []string{"Idempotency-Key"}, got.fields())
	}
	list := b.call(b.admin, get, "/api/users", "")
	require.Len(t, list.body["items"], 2, "nothing was changed")
}

func TestWhatBelongsToOthersIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	elsewhere := id.NewTenant()
	stranger, err := b.svc.CreateUser(t.Context(), auth.Caller{}, elsewhere, auth.NewUser{Email: "x@example.org", Name: "X", Role: id.Employee})
	require.NoError(t, err)
	key, _, err := b.svc.CreateAPIKey(t.Context(), auth.Caller{}, elsewhere, auth.NewAPIKey{Name: "x", Scopes: []string{"chats:read"}})
	require.NoError(t, err)
	for _, op := range [][3]string{{get, "/api/users/%s", ""}, {patch, "/api/users/%s", `{"name":"X"}`}, {post, "/api/users/%s/reset-password", ""}, {remove, "/api/api-keys/%s", ""}} {
		theirs, fresh := stranger.ID.String(), id.NewUser().String()
		if strings.Contains(op[1], "keys") {
			theirs, fresh = key.ID.String(), id.NewAPIKey().String()
		}
		want := b.call(b.admin, op[0], fmt.Sprintf(op[1], fresh), op[2])
		require.Equal(t, 404, want.status, want.raw)
		for _, other := range []string{theirs, strings.ToUpper(theirs), "x", elsewhere.String(), "usr_'%20OR%201=1"} {
			got := b.call(b.admin, op[0], fmt.Sprintf(op[1], other), op[2])
			require.Equal(t, 404, got.status, other)
			require.Equal(t, want.raw, got.raw, other)
		}
	}
	require.Equal(t, 404, b.call(b.admin, get, "/api/audit?tenant="+elsewhere.String(), "").status)
	require.Equal(t, 404, b.call(b.admin, get, "/api/audit?tenant=x", "").status)
}

func TestEachRoleMayDoItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, op := range [][2]string{{get, "/api/users"}, {post, "/api/users"}, {get, "/api/users/x"}, {patch, "/api/users/x"}, {post, "/api/users/x/reset-password"}, {get, "/api/api-keys"},
		{post, "/api/api-keys"}, {remove, "/api/api-keys/x"}, {get, "/api/audit"}} {
		require.Equal(t, 403, b.call(b.employee, op[0], op[1], "").status, op)
		require.Equal(t, 401, b.call("", op[0], op[1], "").status, op)
		if op[1] != "/api/audit" {
			require.Equal(t, 403, b.call(b.operator, op[0], op[1], "").status, op)
		}
	}
	for _, token := range []string{b.employee, b.operator} {
		require.Equal(t, 200, b.call(token, get, "/api/auth/me", "").status)
	}
}

func TestAKeyIsShownOnceAndBoundToItsScopes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"name":"hr","scopes":["users:read","audit:read"],"expiresAt":"2099-01-01T00:00:00-03:00"}`
	made := b.call(b.admin, post, "/api/api-keys", body, "Idempotency-Key", "k")
	require.Equal(t, 201, made.status, made.raw)
	key := made.body["key"].(string)
	require.True(t, strings.HasPrefix(key, "tk_"))
	require.Equal(t, []any{"audit:read", "users:read"}, made.body["scopes"])
	require.Equal(t, "2099-01-01T03:00:00Z", made.body["expiresAt"])
	again := b.call(b.admin, post, "/api/api-keys", body, "Idempotency-Key", "k")
	require.Equal(t, made.body["id"], again.body["id"])
	require.NotContains(t, again.body, "key")

	require.Equal(t, 200, b.call(key, get, "/api/users", "").status)
	require.Equal(t, 200, b.call(key, get, "/api/audit", "").status)
	denied := b.call(key, post, "/api/users", `{"email":"x@example.com","name":"X","role":"tenant_user"}`)
	require.Equal(t, 403, denied.status)
	require.Equal(t, "users:write", denied.body["scope"])
	for _, op := range [][2]string{{get, "/api/api-keys"}, {post, "/api/api-keys"}, {get, "/api/auth/me"}, {post, "/api/auth/password"}} {
		require.Equal(t, 403, b.call(key, op[0], op[1], `{}`).status, "no key makes keys or is a person: %v", op)
	}
	list := b.call(b.admin, get, "/api/api-keys", "")
	require.Equal(t, 200, list.status)
	require.Len(t, list.body["items"], 1)
	require.NotContains(t, list.raw, key)
	require.Contains(t, list.raw, key[:9])
	require.Equal(t, 204, b.call(b.admin, remove, "/api/api-keys/"+made.body["id"].(string), "").status)
	require.Equal(t, 401, b.call(key, get, "/api/users", "").status)
	both := b.call(b.admin, get, "/api/users", "", "X-API-Key", key)
	require.Equal(t, 401, both.status)
}

func TestTheTrailIsReadInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.call("", post, "/api/auth/login", `{"email":"ana@example.com","password":"wrong"}`)
	var actions []string
	cursor := ""
	for {
		got := b.call(b.admin, get, "/api/audit?limit=2&cursor="+cursor, "")
		require.Equal(t, 200, got.status, got.raw)
		for _, item := range got.body["items"].([]any) {
			line := item.(map[string]any)
			actions = append(actions, line["action"].(string))
			require.Equal(t, b.tenant.String(), line["tenant"])
		}
		next, more := got.body["nextCursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	require.Equal(t, []string{"login.failed", "login.ok", "login.ok", "user.created", "user.created"}, actions)
	failed := b.call(b.admin, get, "/api/audit?action=login.failed", "")
	line := failed.body["items"].([]any)[0].(map[string]any)
	require.Equal(t, "127.0.0.1", line["address"])
	require.Equal(t, "anonymous", line["actor"])
	require.Equal(t, b.ana.ID.String(), line["target"])
	require.Equal(t, map[string]any{"email": "ana@example.com"}, line["detail"])

	all := b.call(b.operator, get, "/api/audit", "")
	require.Len(t, all.body["items"], 7)
	one := b.call(b.operator, get, "/api/audit?tenant="+b.tenant.String(), "")
	require.Len(t, one.body["items"], 5)
}

func TestPublishedKeysVerifyAccessTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.keys.Rotate(t.Context()))
	b.ahead.Store(int64(3 * time.Minute))
	newer := b.login("eva@example.com")
	got := b.call("", get, "/.well-known/jwks.json", "")
	require.Equal(t, 200, got.status)
	var set struct {
		Keys []struct{ Kty, Crv, X, Kid, Use, Alg string }
	}
	require.NoError(t, json.Unmarshal([]byte(got.raw), &set))
	require.Len(t, set.Keys, 2)
	signers := map[any]bool{}
	for _, token := range []string{b.admin, newer} {
		read, err := jwt.Parse(token, func(parsed *jwt.Token) (any, error) {
			i := slices.IndexFunc(set.Keys, func(k struct{ Kty, Crv, X, Kid, Use, Alg string }) bool { return k.Kid == parsed.Header["kid"] })
			require.GreaterOrEqual(t, i, 0)
			k := set.Keys[i]
			require.Equal(t, []string{"OKP", "Ed25519", "sig", "EdDSA"}, []string{k.Kty, k.Crv, k.Use, k.Alg})
			x, err := base64.RawURLEncoding.DecodeString(k.X)
			return ed25519.PublicKey(x), err
		}, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithTimeFunc(func() time.Time { return time.Now().Add(3 * time.Minute) }))
		require.NoError(t, err)
		signers[read.Header["kid"]] = true
	}
	require.Len(t, signers, 2)
	require.NotContains(t, got.raw, `"d"`)
}

func TestTheDocumentNeedsNoService(t *testing.T) {
	t.Parallel()
	api := httpkit.New(http.NewServeMux(), "test", "1", nil, nil)
	httpapi.Register(api, nil)
	require.NoError(t, api.Check())
	for _, op := range api.Operations() {
		require.Equal(t, "auth", op.Tag)
		require.NotEmpty(t, op.Summary)
		if op.Scope != "" {
			require.Contains(t, auth.KnownScopes(), op.Scope)
		}
	}
	raw, err := json.Marshal(api.OpenAPI())
	require.NoError(t, err)
	require.Contains(t, string(raw), `"/api/auth/login"`)
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.Contains(t, doc.Components.Schemas["CreatedUserOutputBody"].Properties, "email")
	require.Contains(t, doc.Components.Schemas["CreatedUserOutputBody"].Properties, "temporaryPassword")
	require.Contains(t, doc.Components.Schemas["CreatedAPIKeyOutputBody"].Properties, "scopes")
	require.NotContains(t, string(raw), `"name":"Authorization"`)
}
