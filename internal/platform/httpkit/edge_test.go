package httpkit_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

func TestARawOperationChecksItsCallerAndIsDocumented(t *testing.T) {
	t.Parallel()
	admin := id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}
	api, h := setup(t, admin, nil)
	serve := func(path string, login bool) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if login {
			r.Header.Set("Authorization", "Bearer t")
		}
		r = r.WithContext(httpkit.WithRequestID(r.Context(), "r-7"))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	api.Raw(httpkit.Op{ID: "raw", Method: http.MethodGet, Path: "/raw/{id}/{rest...}", Summary: "Raw.", Roles: []id.Role{id.Admin}}, func(w http.ResponseWriter, r *http.Request, p id.Principal) {
		_, _ = io.WriteString(w, p.Actor()+" "+r.PathValue("id"))
	})
	api.Raw(httpkit.Op{ID: "staff", Method: http.MethodGet, Path: "/staff", Roles: []id.Role{id.Employee}}, func(http.ResponseWriter, *http.Request, id.Principal) {
		t.Error("the wrong role got in")
	})
	require.NoError(t, api.Check())
	require.Equal(t, admin.User.String()+" 9", serve("/raw/9/x", true).Body.String())
	w := serve("/raw/9/x", false)
	require.Equal(t, 401, w.Code)
	require.Contains(t, w.Body.String(), `"requestId":"r-7"`)
	require.Equal(t, 403, serve("/staff", true).Code)

	doc, err := json.Marshal(api.OpenAPI())
	require.NoError(t, err)
	for _, part := range []string{`"/raw/{id}/{rest...}"`, `"name":"rest"`, `"operationId":"raw"`, `"x-roles":["tenant_admin"]`} {
		require.Contains(t, string(doc), part)
	}
	require.Len(t, api.Operations(), 3)
}

func TestCursorsRoundTripAndForeignOnesAreRefused(t *testing.T) {
	t.Parallel()
	type position struct {
		At int64
		ID string
	}
	rapid.Check(t, func(t *rapid.T) {
		in := position{rapid.Int64().Draw(t, "at"), rapid.String().Draw(t, "id")}
		var out position
		require.NoError(t, httpkit.DecodeCursor(httpkit.EncodeCursor(in), &out))
		require.Equal(t, in.At, out.At)
		require.Equal(t, strings.ToValidUTF8(in.ID, "\uFFFD"), out.ID)
	})
	var p position
	require.NoError(t, httpkit.DecodeCursor("", &p))
	require.Zero(t, p)
	null, part, more := "bnVsbA", "eyJBdCI6MX0", "eyJBdCI6MSwiSUQiOiJhIiwieCI6MX0" // null, {"At":1}, {"At":1,"ID":"a","x":1}
	for _, foreign := range []string{"!", "e30x", "e30", null, part, more, httpkit.EncodeCursor("text"), httpkit.EncodeCursor([]int{1})} {
		err := httpkit.DecodeCursor(foreign, &p)
		require.True(t, fault.Is(err, fault.Invalid), foreign)
	}
}

func TestEveryFaultHasAStatus(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{
		fault.New(fault.Invalid, "r", "m"): 422, fault.New(fault.Unauthenticated, "r", "m"): 401, fault.New(fault.Forbidden, "r", "m"): 403,
		fault.NotFoundf("thing"): 404, fault.New(fault.Conflict, "r", "m"): 409, fault.New(fault.TooLarge, "r", "m"): 413, fault.New(fault.TooMany, "r", "m"): 429,
		fault.New(fault.Unavailable, "r", "m"): 503, fault.New(fault.Internal, "r", "m"): 500, fault.New("made up", "r", "m"): 500,
		errors.New("x"): 500, context.DeadlineExceeded: 503,
	} {
		w := httptest.NewRecorder()
		httpkit.WriteProblem(w, httptest.NewRequest(http.MethodGet, "/", nil), err)
		require.Equal(t, want, w.Code, err)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
}

func TestAnOperationThatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", nil, slog.New(slog.DiscardHandler))
	httpkit.Handle(api, httpkit.Op{ID: "slow", Method: http.MethodGet, Path: "/slow", Public: true, Timeout: time.Millisecond},
		func(ctx context.Context, _ id.Principal, _ *struct{}) (*struct{}, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/slow", nil))
	require.Equal(t, 503, w.Code)
	require.Contains(t, w.Body.String(), `"code":"timeout"`)
}

type appended struct {
	Name string `json:"name"`
}

// AppendJSON implements httpkit.JSONAppender, and shows that it did.
func (a appended) AppendJSON(b []byte) []byte { return append(b, `{"name":"by hand"}`...) }

func TestABodyMayWriteItself(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	api := httpkit.New(mux, "test", "1", nil, slog.New(slog.DiscardHandler))
	type answer struct{ Body appended }
	httpkit.Handle(api, httpkit.Op{ID: "it", Method: http.MethodGet, Path: "/it", Public: true},
		func(context.Context, id.Principal, *struct{}) (*answer, error) {
			return &answer{appended{"by reflection"}}, nil
		})
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/it", nil))
	require.JSONEq(t, `{"name":"by hand"}`, w.Body.String())
}
