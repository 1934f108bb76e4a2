package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/gateway"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/peer"
	"turnero/test/port"
)

// gone is the address of a process that is not there.
func gone(t *testing.T) string {
	t.Helper()
	n, err := port.Free()
	require.NoError(t, err)
	return fmt.Sprintf("http://127.0.0.1:%d", n)
}

func service(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// nothing is the input and the output of the operations of these tests.
type nothing struct{}

// routed is an edge whose target "whatsapp" runs at the addresses.
func routed(t *testing.T, addresses ...string) http.Handler {
	t.Helper()
	api := httpkit.New(http.NewServeMux(), "t", "1", nil, nil)
	op := func(method, path string, public bool) {
		httpkit.Handle(api, httpkit.Op{ID: method + path, Method: method, Path: path, Public: public, Roles: []id.Role{id.Admin}},
			func(context.Context, id.Principal, *nothing) (*nothing, error) { return nil, nil })
	}
	op(http.MethodGet, "/api/chats", false)
	op(http.MethodGet, "/api/chats/x", false)
	op(http.MethodPost, "/api/chats", false)
	op(http.MethodPost, "/api/chats/open", true)
	local := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "local ", r.URL.Path) })
	client := peer.NewClient([]byte("key of thirty-two bytes, or about"), time.Now)
	trusted := peer.NewServer(http.NewServeMux(), []byte("key of thirty-two bytes, or about"), time.Now, slog.New(slog.DiscardHandler))
	router := gateway.NewRouter(gateway.RouterOptions{
		Routes: []gateway.Route{{"/api/auth", "auth"}, {"/api/chats", "whatsapp"}, {"/api/chats/own", "auth"}}, Local: local,
		Remotes: map[string][]string{"whatsapp": addresses}, Operation: api.OperationOf, Mark: client.Mark, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Exchange: func(r *http.Request) (string, error) {
			if r.Header.Get("X-API-Key") != "good" {
				return "", fault.New(fault.Unauthenticated, "invalid_api_key", "no")
			}
			return "internal", nil
		}})
	return gateway.Handler(gateway.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now, RequestTimeout: 5 * time.Second, TrustProxy: true, PassedOn: trusted.IsMarked}, router)
}

func TestRequestsGoToTheTargetThatServesThem(t *testing.T) {
	t.Parallel()
	h := routed(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "private, max-age=60")
		fmt.Fprintf(w, "remote %s %s %s", r.URL.RequestURI(), r.Header.Get("X-Request-ID"), r.Header.Get("X-Forwarded-For"))
	}))
	for path, want := range map[string]string{
		"/api/auth/login": "local /api/auth/login", "/api/chats": "remote /api/chats r1 203.0.113.5", "/api/chats/x?a=%2F": "remote /api/chats/x?a=%2F r1 203.0.113.5",
		"/api/chatsx": "local /api/chatsx", "/api/chats/own/2": "local /api/chats/own/2", "/": "local /", "/internal/whatsapp/live": "local /internal/whatsapp/live",
	} {
		w := get(h, path, "X-Request-ID", "r1", "X-Forwarded-For", "203.0.113.5", "X-API-Key", "good")
		require.Equal(t, want, w.Body.String(), path)
	}
	w := get(h, "/api/chats", "X-API-Key", "good")
	require.Equal(t, []string{"nosniff"}, w.Header().Values("X-Content-Type-Options"), "said once")
	require.Equal(t, []string{"private, max-age=60"}, w.Header().Values("Cache-Control"), "the service knows better")
}

func TestCredentialsGoNoFurtherThanTheEdge(t *testing.T) {
	t.Parallel()
	h := routed(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q %q", r.Header.Get("Authorization"), r.Header.Get("X-API-Key"))
	}))
	require.Equal(t, `"Bearer internal" ""`, get(h, "/api/chats", "X-API-Key", "good").Body.String())
	w := get(h, "/api/chats", "X-API-Key", "bad")
	require.Equal(t, 401, w.Code)
	require.Contains(t, w.Body.String(), "invalid_api_key")
	require.Equal(t, `"" ""`, get(h, "/api/chats/none", "X-API-Key", "bad", "Authorization", "Bearer mine").Body.String(), "an operation that does not exist needs none")
	r := httptest.NewRequest(http.MethodPost, "/api/chats/open", nil)
	r.Header.Set("Authorization", "Bearer mine")
	r.Header.Set("X-API-Key", "bad")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	require.Equal(t, `"Bearer mine" ""`, rec.Body.String(), "what anybody may do reads the header itself")
}

func TestTheWordOfAGatewayIsTaken(t *testing.T) {
	t.Parallel()
	key := []byte("key of thirty-two bytes, or about")
	trusted := peer.NewServer(http.NewServeMux(), key, time.Now, slog.New(slog.DiscardHandler))
	h := gateway.Handler(gateway.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now, RequestTimeout: time.Second, PerAddress: &limiter{left: map[string]int{}}, PassedOn: trusted.IsMarked},
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, httpkit.ClientAddress(r.Context())) }))
	marked := http.Header{}
	require.NoError(t, peer.NewClient(key, time.Now).Mark(marked))
	for range 5 {
		w := get(h, "/api/x", "X-Forwarded-For", "203.0.113.5", "X-Turnero-Peer", marked.Get("X-Turnero-Peer"))
		require.Equal(t, "203.0.113.5", w.Body.String(), "and it has counted the request")
	}
	for _, mark := range []string{"", "Bearer x"} {
		w := get(h, "/api/x", "X-Forwarded-For", "203.0.113.5", "X-Turnero-Peer", mark)
		require.Equal(t, "192.0.2.1", w.Body.String())
	}
	require.Equal(t, 429, get(h, "/api/x").Code)
}

func TestATargetThatIsDownIsUnavailableUntilItIsBack(t *testing.T) {
	t.Parallel()
	address := gone(t)
	h := routed(t, address)
	w := get(h, "/api/chats", "X-API-Key", "good")
	require.Equal(t, 503, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Contains(t, w.Body.String(), "target_unavailable")
	require.NotContains(t, w.Body.String(), strings.TrimPrefix(address, "http://"))

	l, err := net.Listen("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	back := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "back") })}}
	back.Start()
	t.Cleanup(back.Close)
	require.Equal(t, "back", get(h, "/api/chats", "X-API-Key", "good").Body.String())
}

func TestRequestsAreSpreadAndGoOnWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	post := func(h http.Handler) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/api/chats", strings.NewReader("text"))
		r.Header.Set("X-API-Key", "good")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	var one, two, cut atomic.Int64
	count := func(n *atomic.Int64) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			_, _ = io.Copy(w, r.Body)
		}
	}
	h := routed(t, service(t, count(&one)), gone(t), service(t, count(&two)))
	for range 12 {
		require.Equal(t, 200, get(h, "/api/chats", "X-API-Key", "good").Code)
		w := post(h)
		require.Equal(t, 200, w.Code, "what never left may go elsewhere: %s", w.Body)
		require.Equal(t, "text", w.Body.String())
	}
	require.Positive(t, one.Load())
	require.Positive(t, two.Load())

	broken := func(http.ResponseWriter, *http.Request) { cut.Add(1); panic(http.ErrAbortHandler) }
	ok := service(t, count(&one))
	require.Equal(t, 200, get(routed(t, ok, service(t, broken)), "/api/chats", "X-API-Key", "good").Code, "reading may be repeated")
	require.EqualValues(t, 1, cut.Load())
	require.Equal(t, 503, post(routed(t, ok, service(t, broken))).Code, "writing may not")
	require.EqualValues(t, 2, cut.Load())
}

func TestARequestThatTakesTooLongSaysSo(t *testing.T) {
	t.Parallel()
	h := routed(t, service(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := httptest.NewRequest(http.MethodGet, "/api/chats", nil).WithContext(ctx)
	r.Header.Set("X-API-Key", "good")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 503, w.Code)
	require.Contains(t, w.Body.String(), `"timeout"`)
}
