package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/gateway"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/live"
	"turnero/internal/platform/outbox"
)

// limiter allows a number of requests per key and no more.
type limiter struct {
	mu   sync.Mutex
	left map[string]int
}

func (l *limiter) Allow(_ context.Context, key string) (bool, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, known := l.left[key]
	if !known {
		n = 2
	}
	l.left[key] = n - 1
	return n > 0, 3 * time.Second, nil
}

func edge(o gateway.Options, h http.HandlerFunc) http.Handler {
	o.Logger, o.Now, o.RequestTimeout = slog.New(slog.DiscardHandler), time.Now, time.Second
	return gateway.Handler(o, h)
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryAnswerCarriesAnIDAndTheHeadersThatProtectABrowser(t *testing.T) {
	t.Parallel()
	var seen string
	h := edge(gateway.Options{}, func(_ http.ResponseWriter, r *http.Request) { seen = httpkit.RequestID(r.Context()) })
	w := get(h, "/api/x")
	require.NotEmpty(t, seen)
	require.Equal(t, seen, w.Header().Get("X-Request-ID"))
	for name, part := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'self'", "Cache-Control": "no-store"} {
		require.Contains(t, w.Header().Get(name), part, name)
	}
	require.Equal(t, "abc-1", get(h, "/", "X-Request-ID", "abc-1").Header().Get("X-Request-ID"))
	require.NotContains(t, get(h, "/", "X-Request-ID", "a b\"c").Header().Get("X-Request-ID"), " ")
}

func TestAnAddressOverItsRateIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	h := edge(gateway.Options{PerAddress: &limiter{left: map[string]int{}}, TrustProxy: true}, func(http.ResponseWriter, *http.Request) {})
	for range 2 {
		require.Equal(t, 200, get(h, "/api/x", "X-Forwarded-For", "203.0.113.9, 198.51.100.1").Code)
	}
	w := get(h, "/api/x", "X-Forwarded-For", "203.0.113.77, 198.51.100.1")
	require.Equal(t, 429, w.Code, "what the caller writes before our proxy's entry makes no new address")
	require.Equal(t, "3", w.Header().Get("Retry-After"))
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, 200, get(h, "/api/x", "X-Forwarded-For", "198.51.100.2").Code)
	require.Equal(t, 200, get(h, "/health", "X-Forwarded-For", "198.51.100.1").Code, "probes are not counted")
}

func TestAPanicIsAProblemAndTheProcessGoesOn(t *testing.T) {
	t.Parallel()
	h := edge(gateway.Options{}, func(http.ResponseWriter, *http.Request) { panic("secret inside") })
	w := get(h, "/api/x")
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "secret")
}

func TestOnlyListedOriginsMayCall(t *testing.T) {
	t.Parallel()
	h := edge(gateway.Options{CORSOrigins: []string{"https://panel.example"}}, func(http.ResponseWriter, *http.Request) {})
	require.Equal(t, "https://panel.example", get(h, "/api/x", "Origin", "https://panel.example").Header().Get("Access-Control-Allow-Origin"))
	require.Empty(t, get(h, "/api/x", "Origin", "https://evil.example").Header().Get("Access-Control-Allow-Origin"))
	closed := edge(gateway.Options{}, func(http.ResponseWriter, *http.Request) {})
	require.Empty(t, get(closed, "/api/x", "Origin", "https://panel.example").Header().Get("Access-Control-Allow-Origin"))
}

func TestReadinessFollowsTheProcessAndItsChecks(t *testing.T) {
	t.Parallel()
	open, broken := true, error(nil)
	h := gateway.Ready(func() bool { return open }, []gateway.Check{{Name: "database", Run: func(context.Context) error { return broken }}})
	require.Equal(t, 200, get(h, "/ready").Code)
	broken = context.DeadlineExceeded
	require.Equal(t, 503, get(h, "/ready").Code)
	broken, open = nil, false
	w := get(h, "/ready")
	require.Equal(t, 503, w.Code)
	require.Contains(t, w.Body.String(), "stopping")
}

func TestReadinessSaysWhatIsDegraded(t *testing.T) {
	t.Parallel()
	silent := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	fine := func(ctx context.Context) error { return ctx.Err() }
	checks := []gateway.Check{{Name: "redis", Run: silent, Optional: true}, {Name: "database", Run: fine}}
	w := get(gateway.Ready(func() bool { return true }, checks), "/ready")
	require.Equal(t, 200, w.Code, "it can work without")
	require.JSONEq(t, `{"ready":true,"checks":{"redis":"failed","database":"ok"}}`, w.Body.String(), "one that is silent takes no time from the others")
	checks[0], checks[1] = gateway.Check{Name: "database", Run: silent}, gateway.Check{Name: "redis", Run: fine, Optional: true}
	w = get(gateway.Ready(func() bool { return true }, checks), "/ready")
	require.Equal(t, 503, w.Code)
	require.JSONEq(t, `{"ready":false,"checks":{"redis":"ok","database":"failed"}}`, w.Body.String())
}

// memoryLog is an event log in memory.
type memoryLog struct {
	mu      sync.Mutex
	records []outbox.Record
}

func (m *memoryLog) After(_ context.Context, tenant string, seq int64, limit int) ([]outbox.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []outbox.Record
	for _, r := range m.records {
		if r.Tenant == tenant && r.Seq > seq && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memoryLog) AfterAll(_ context.Context, seq int64, limit int) ([]outbox.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[min(int(seq), len(m.records)):min(int(seq)+limit, len(m.records))], nil
}

func (m *memoryLog) Head(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.records)), nil
}

func (m *memoryLog) append(tenant id.Tenant) []outbox.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	ev := &events.SettingsChanged{Tenant: tenant}
	payload, _ := json.Marshal(ev)
	m.records = append(m.records, outbox.Record{Seq: int64(len(m.records) + 1), ID: id.NewEvent(), Tenant: tenant.String(), Name: ev.EventName(), Payload: payload, At: time.Now()})
	return m.records[len(m.records)-1:]
}

func TestAListenerHearsItsTenantsEventsAndResumesWithoutGapOrDouble(t *testing.T) {
	t.Parallel()
	log, mine := &memoryLog{}, id.NewTenant()
	fanout := live.NewMemory(log, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = fanout.Run(ctx) })
	defer running.Wait()
	defer stop()
	closing := make(chan struct{})
	mux := http.NewServeMux()
	api := httpkit.New(mux, "t", "1", func(context.Context, *http.Request) (id.Principal, error) {
		return id.Principal{Tenant: mine, User: id.NewUser(), Role: id.Admin}, nil
	}, slog.New(slog.DiscardHandler))
	(&gateway.Stream{Log: log, Live: fanout, Closing: closing}).Register(api)
	server := httptest.NewServer(gateway.Handler(gateway.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now, RequestTimeout: time.Second}, mux))
	defer server.Close()
	listen := func(last string) *bufio.Scanner {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/events", nil)
		require.NoError(t, err)
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { resp.Body.Close() })
		require.Equal(t, 200, resp.StatusCode)
		return bufio.NewScanner(resp.Body)
	}
	next := func(s *bufio.Scanner) (seq string) {
		for s.Scan() {
			if v, ok := strings.CutPrefix(s.Text(), "id: "); ok {
				seq = v
			}
			if v, ok := strings.CutPrefix(s.Text(), "data: "); ok {
				var data struct{ Data events.SettingsChanged }
				require.NoError(t, json.Unmarshal([]byte(v), &data))
				require.Equal(t, mine, data.Data.Tenant)
				return seq
			}
		}
		return "closed"
	}
	log.append(mine) // before anybody listens
	s := listen("")
	require.True(t, s.Scan(), "the stream is open")
	fanout.Publish(log.append(id.NewTenant()))
	fanout.Publish(log.append(mine))
	require.Equal(t, "3", next(s))
	log.append(mine)
	resumed := listen("1")
	require.Equal(t, "3", next(resumed))
	require.Equal(t, "4", next(resumed))

	require.Equal(t, 422, get(mux, "/api/events", "Last-Event-ID", "x").Code)
	close(closing)
	require.Equal(t, "closed", next(resumed))
}

func TestAStreamEndsWithTheCredentialsThatItBeganWith(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		admin := id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}
		var trouble atomic.Pointer[fault.Error]
		authenticate := func(context.Context, *http.Request) (id.Principal, error) {
			if f := trouble.Load(); f != nil {
				return id.Principal{}, f
			}
			return admin, nil
		}
		mux := http.NewServeMux()
		api := httpkit.New(mux, "t", "1", authenticate, slog.New(slog.DiscardHandler))
		log := &memoryLog{}
		(&gateway.Stream{Log: log, Live: live.NewMemory(log, slog.New(slog.DiscardHandler)), Authenticate: authenticate, Closing: make(chan struct{})}).Register(api)
		ended := make(chan struct{})
		go func() { get(mux, "/api/events"); close(ended) }()
		isOpen := func() bool {
			time.Sleep(time.Minute)
			synctest.Wait()
			select {
			case <-ended:
				return false
			default:
				return true
			}
		}
		require.True(t, isOpen())
		trouble.Store(fault.New(fault.Unavailable, "down", "the database does not answer"))
		require.True(t, isOpen(), "what cannot be checked is believed")
		trouble.Store(fault.New(fault.Unauthenticated, "login_ended", "this log-in has ended"))
		require.False(t, isOpen())
	})
}
