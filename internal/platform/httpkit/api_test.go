package httpkit_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type input struct {
	ID   string `path:"id"`
	Body struct {
		Name string `json:"name" minLength:"2"`
		Age  int    `json:"age,omitempty"`
	}
}
type output struct{ Body struct{ Who, ID string } }

func setup(t *testing.T, p id.Principal, fail error) (*httpkit.API, http.Handler) {
	t.Helper()
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", func(_ context.Context, r *http.Request) (id.Principal, error) {
		if r.Header.Get("Authorization") == "" {
			return id.Principal{}, fault.New(fault.Unauthenticated, "no_credentials", "log in first")
		}
		return p, nil
	}, slog.New(slog.DiscardHandler))
	httpkit.Handle(api, httpkit.Op{ID: "x", Method: http.MethodPost, Path: "/x/{id}", Roles: []id.Role{id.Admin}, Scope: "x:write"},
		func(_ context.Context, p id.Principal, in *input) (*output, error) {
			if fail != nil {
				return nil, fail
			}
			out := &output{}
			out.Body.Who, out.Body.ID = p.Actor(), in.ID
			return out, nil
		})
	return api, mux
}

func call(h http.Handler, body string, login bool) (*httptest.ResponseRecorder, map[string]any) {
	r := httptest.NewRequest(http.MethodPost, "/x/7", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if login {
		r.Header.Set("Authorization", "Bearer t")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var got map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &got)
	return w, got
}

func TestCallerIsCheckedBeforeTheHandlerRuns(t *testing.T) {
	t.Parallel()
	admin := id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}
	_, h := setup(t, admin, nil)
	w, _ := call(h, `{"name":"ana"}`, true)
	require.Equal(t, 200, w.Code)
	w, got := call(h, `{"name":"ana"}`, false)
	require.Equal(t, 401, w.Code)
	require.Equal(t, "no_credentials", got["code"])
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.NotEmpty(t, w.Header().Get("WWW-Authenticate"))

	employee := admin
	employee.Role = id.Employee
	_, h = setup(t, employee, nil)
	w, _ = call(h, `{"name":"ana"}`, true)
	require.Equal(t, 403, w.Code)

	homeless := admin
	homeless.Tenant = id.Tenant{}
	_, h = setup(t, homeless, nil)
	w, _ = call(h, `{"name":"ana"}`, true)
	require.Equal(t, 401, w.Code)

	key := id.Principal{Tenant: id.NewTenant(), APIKey: id.NewAPIKey(), Role: id.Admin, Scopes: []string{"y:read"}}
	_, h = setup(t, key, nil)
	w, got = call(h, `{"name":"ana"}`, true)
	require.Equal(t, 403, w.Code)
	require.Equal(t, "x:write", got["scope"])
	key.Scopes = nil
	_, h = setup(t, key, nil)
	w, _ = call(h, `{"name":"ana"}`, true)
	require.Equal(t, 403, w.Code, "a key without scopes may do nothing")
	key.Scopes = []string{"x:write"}
	api, h := setup(t, key, nil)
	w, _ = call(h, `{"name":"ana"}`, true)
	require.Equal(t, 200, w.Code)
	httpkit.Handle(api, httpkit.Op{ID: "people", Method: http.MethodPost, Path: "/x/7", Roles: []id.Role{id.Admin}},
		func(context.Context, id.Principal, *struct{}) (*struct{}, error) { return nil, nil })
	w, got = call(h, "", true)
	require.Equal(t, 403, w.Code)
	require.Equal(t, "not_for_api_keys", got["code"])
}

func TestBadInputNamesTheFieldAndTheRule(t *testing.T) {
	t.Parallel()
	_, h := setup(t, id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}, nil)
	for body, field := range map[string]string{`{"name":"a"}`: "name", `{"name":"ana","secret":"s3cr3t"}`: "secret", `{"name":7}`: "name", `{}`: "name",
		`{"NAME":"ana"}`: "name", `{"name":"ana","Name":"x"}`: "Name", `{"name":"ana","age":99999999999999999999999}`: "age"} {
		w, got := call(h, body, true)
		require.Equal(t, 422, w.Code, body)
		first := got["errors"].([]any)[0].(map[string]any)
		require.Equal(t, field, first["field"], body)
		require.NotContains(t, w.Body.String(), "s3cr3t")
	}
	for _, body := range []string{`{"name":`, `{"name":"ana"} {}`, "{\"name\":\"an\xff\"}"} {
		w, _ := call(h, body, true)
		require.Equal(t, 400, w.Code, body)
	}
	w, got := call(h, `{"name":"`+strings.Repeat("a", 2<<20)+`"}`, true)
	require.Equal(t, 413, w.Code, got)
}

func TestAWrongMethodIsToldWhichThereAre(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", nil, slog.New(slog.DiscardHandler))
	nothing := func(context.Context, id.Principal, *struct{}) (*struct{}, error) { return nil, nil }
	httpkit.Handle(api, httpkit.Op{ID: "a", Method: http.MethodGet, Path: "/api/a/{id}", Public: true}, nothing)
	httpkit.Handle(api, httpkit.Op{ID: "b", Method: http.MethodPatch, Path: "/api/a/{id}", Public: true}, nothing)
	mux.HandleFunc("/api/", api.NoSuchOperation)
	for path, want := range map[string]int{"/api/a/1": 405, "/api/a/1/": 404, "/api/a": 404, "/api/": 404} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, path, nil))
		require.Equal(t, want, w.Code, path)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		if want == 405 {
			require.Equal(t, "GET, HEAD, PATCH", w.Header().Get("Allow"))
			require.Contains(t, w.Body.String(), "method_not_allowed")
		}
	}
}

func TestFaultsKeepTheirDetailsAndOtherErrorsTellNothing(t *testing.T) {
	t.Parallel()
	admin := id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}
	_, h := setup(t, admin, fault.New(fault.Unavailable, "session_not_linked", "link the line first").WithRetryAfter(1500*time.Millisecond).WithDetail("alternatives", []int{1, 2}).WithDetail("status", "stopped"))
	w, got := call(h, `{"name":"ana"}`, true)
	require.Equal(t, 503, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Equal(t, "session_not_linked", got["code"])
	require.Len(t, got["alternatives"], 2)
	require.EqualValues(t, 503, got["status"], "an extension hides no member of the document")
	require.Equal(t, "stopped", got["_status"])

	_, h = setup(t, admin, errors.New("dial tcp 10.0.0.1: password=x"))
	w, _ = call(h, `{"name":"ana"}`, true)
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "password")
}

func TestAnOperationWithoutRolesStopsTheStart(t *testing.T) {
	t.Parallel()
	api, _ := setup(t, id.Principal{}, nil)
	require.NoError(t, api.Check())
	httpkit.Handle(api, httpkit.Op{ID: "y", Method: http.MethodGet, Path: "/y"}, func(context.Context, id.Principal, *struct{}) (*struct{}, error) { return nil, nil })
	require.ErrorContains(t, api.Check(), "declares no role")
}

func TestTheCallersAddressIsThatOfTheConnectionUnlessSomebodyKnowsBetter(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", nil, slog.New(slog.DiscardHandler))
	type answer struct{ Body struct{ Address string } }
	httpkit.Handle(api, httpkit.Op{ID: "a", Method: http.MethodGet, Path: "/a", Public: true},
		func(ctx context.Context, _ id.Principal, _ *struct{}) (*answer, error) {
			out := &answer{}
			out.Body.Address = httpkit.ClientAddress(ctx)
			return out, nil
		})
	for _, known := range []string{"", "203.0.113.7"} {
		r := httptest.NewRequest(http.MethodGet, "/a", nil)
		r.RemoteAddr = "[::1]:4321"
		want := "::1"
		if known != "" {
			r = r.WithContext(httpkit.WithClientAddress(r.Context(), known))
			want = known
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		require.JSONEq(t, `{"Address":"`+want+`"}`, w.Body.String())
	}
}
