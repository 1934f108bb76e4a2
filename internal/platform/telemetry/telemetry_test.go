package telemetry_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/telemetry"
)

func TestLogLinesCarryTheRequestsID(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := telemetry.NewLogger(&out, "json", "warn")
	ctx := httpkit.WithRequestID(t.Context(), "r-1")
	logger.With("module", "x").InfoContext(ctx, "quiet")
	require.Empty(t, out.String())
	logger.With("module", "x").WarnContext(ctx, "loud")
	require.Contains(t, out.String(), `"request_id":"r-1"`)
	require.Contains(t, out.String(), `"module":"x"`)
}

func TestRequestsAreCountedByPatternNotByPath(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	m.Gauge("turnero_test_depth", "Depth.", func() float64 { return 7 })
	h := m.CountRequests(telemetry.NoteRoute(mux))
	for _, path := range []string{"/things/1", "/things/2", "/nowhere/secret"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("MADEUP", "/things/1", nil))
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Contains(t, w.Body.String(), `turnero_http_request_duration_seconds_count{method="GET",route="/things/{id}",status="4xx"} 2`)
	require.Contains(t, w.Body.String(), `route="unmatched"`)
	require.NotContains(t, w.Body.String(), "secret")
	require.Contains(t, w.Body.String(), `method="other"`)
	require.NotContains(t, w.Body.String(), "MADEUP")
	require.Contains(t, w.Body.String(), "turnero_test_depth 7")
}
