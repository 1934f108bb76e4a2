package gateway_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/gateway"
)

func TestRequestsGoToTheTargetThatServesThem(t *testing.T) {
	t.Parallel()
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "remote %s %s %s", r.URL.Path, r.Header.Get("X-Request-ID"), r.Header.Get("X-Forwarded-For"))
	}))
	defer remote.Close()
	base, err := url.Parse(remote.URL)
	require.NoError(t, err)
	gone := httptest.NewServer(http.NotFoundHandler())
	goneURL, err := url.Parse(gone.URL)
	require.NoError(t, err)
	gone.Close()
	local := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "local ", r.URL.Path) })
	router := gateway.NewRouter([]gateway.Route{{"/api/auth", "auth"}, {"/api/chats", "whatsapp"}, {"/api/chats/own", "auth"}, {"/api/users", "missing"}},
		local, map[string]*url.URL{"whatsapp": base, "missing": goneURL})
	h := gateway.Handler(gateway.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now, RequestTimeout: 5 * time.Second, TrustProxy: true}, router)

	for path, want := range map[string]string{
		"/api/auth/login": "local /api/auth/login", "/api/chats": "remote /api/chats r1 203.0.113.5", "/api/chats/1": "remote /api/chats/1 r1 203.0.113.5",
		"/api/chatsx": "local /api/chatsx", "/api/chats/own/2": "local /api/chats/own/2", "/": "local /",
	} {
		require.Equal(t, want, get(h, path, "X-Request-ID", "r1", "X-Forwarded-For", "203.0.113.5").Body.String(), path)
	}
	w := get(h, "/api/users/1")
	require.Equal(t, 503, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Contains(t, w.Body.String(), "target_unavailable")
	require.NotContains(t, w.Body.String(), goneURL.Host)
}
