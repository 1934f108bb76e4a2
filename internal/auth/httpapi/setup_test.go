package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/auth/httpapi"
	"turnero/internal/auth/sqlstore"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/limit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit/sqltest"
)

const password = "correcto caballo batería"

// bundle is the API of the module on a real listener, with a business, its admin and its employee.
type bundle struct {
	t        *testing.T
	svc      *auth.Service
	keys     *auth.Keyring // as another process has it
	ahead    atomic.Int64  // how far the clock of the service is ahead
	url      string
	tenant   id.Tenant
	ana, eva auth.User
	admin    string // access tokens
	employee string
	operator string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupWith(t, limit.Rate{Tokens: 1000, Per: time.Second, Burst: 1000})
}

func setupWith(t *testing.T, accounts limit.Rate) *bundle {
	t.Helper()
	db := sqltest.Fresh(t, "sqlite")
	silent := slog.New(slog.DiscardHandler)
	b := &bundle{t: t, tenant: id.NewTenant()}
	now := func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
	store := sqlstore.New(db, outbox.New(db, bus.NewMemory(), now, silent))
	b.keys = auth.NewKeyring(store, plain{}, now)
	svc := auth.New(auth.Deps{
		Store: store, Sealer: plain{}, Tenants: allActive{},
		AccountLimit: limit.NewMemory(accounts, time.Now), AddressLimit: limit.NewMemory(limit.Rate{Tokens: 1000, Per: time.Second, Burst: 1000}, time.Now),
		Now: now, Logger: silent, Cost: auth.HashCost{MemoryKiB: 64, Passes: 1, Lanes: 1},
	})
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", func(ctx context.Context, r *http.Request) (id.Principal, error) {
		return svc.Authenticate(ctx, r.Header.Get("Authorization"), r.Header.Get("X-API-Key"))
	}, silent)
	httpapi.Register(api, svc)
	require.NoError(t, api.Check())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	b.svc, b.url = svc, server.URL
	b.ana, b.eva = b.person("ana@example.com", id.Admin), b.person("eva@example.com", id.Employee)
	_, err := svc.CreateSuperAdmin(t.Context(), "root@example.com", "Root", password)
	require.NoError(t, err)
	b.admin, b.employee, b.operator = b.login("ana@example.com"), b.login("eva@example.com"), b.login("root@example.com")
	return b
}

func (b *bundle) person(email string, role id.Role) auth.User {
	b.t.Helper()
	u, err := b.svc.CreateUser(b.t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: email, Name: "Somebody", Role: role, Password: password})
	require.NoError(b.t, err)
	return u.User
}

func (b *bundle) login(email string) string {
	b.t.Helper()
	s, err := b.svc.Login(b.t.Context(), auth.Caller{}, email, password)
	require.NoError(b.t, err)
	return s.AccessToken
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// call sends a request; token "" sends none, one that begins with tk_ goes as an API key. More headers follow as name, value.
func (b *bundle) call(token, method, path, body string, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(b.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case strings.HasPrefix(token, "tk_"):
		r.Header.Set("X-API-Key", token)
	case token != "":
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	out := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if out.raw != "" {
		require.NoError(b.t, json.Unmarshal([]byte(out.raw), &out.body), out.raw)
	}
	return out
}

// fields lists the fields that a problem document names.
func (a answer) fields() []string {
	var out []string
	errs, _ := a.body["errors"].([]any)
	for _, e := range errs {
		out = append(out, e.(map[string]any)["field"].(string))
	}
	return out
}

type allActive struct{}

func (allActive) IsActive(context.Context, id.Tenant) (bool, error) { return true, nil }

// plain seals nothing.
type plain struct{}

func (plain) Seal(_ context.Context, _ id.Tenant, _ string, plaintext []byte) (string, error) {
	return base64.StdEncoding.EncodeToString(plaintext), nil
}

func (plain) Open(_ context.Context, _ id.Tenant, _, sealed string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(sealed)
}
