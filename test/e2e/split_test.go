package e2e_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	authstore "turnero/internal/auth/sqlstore"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/peer"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
)

// split is an installation whose services run in three processes, beside a network.
type split struct {
	*process // to call it by its gateway
	gateway  *daemon
	whatsapp *daemon
	services *daemon
	master   secret.Master
	database string
	root     login
}

func startSplit(t *testing.T, database string) *split {
	t.Helper()
	s, shared := newInstallation(t, database)
	sim := newDaemon(t, "the network", "/sim/phones", "sim", "--memory")
	run := func(name, targets string) *daemon {
		return newDaemon(t, name, "/ready", append([]string{"serve", "--target", targets, "--data", t.TempDir(), "--network", "sim", "--sim-url", sim.url()}, shared...)...)
	}
	s.services, s.whatsapp, s.gateway = run("the services", "auth,tenants,appointments,notifications"), run("whatsapp", "whatsapp"), run("the gateway", "gateway")
	route := ""
	for _, target := range []string{"auth", "tenants", "appointments", "notifications"} {
		route += target + "=" + s.services.url() + ","
	}
	for _, p := range []*daemon{s.services, s.whatsapp, s.gateway} {
		p.args = append(p.args, "--route", route+"whatsapp="+s.whatsapp.url())
	}
	// The order does not matter: whoever comes first finds the others later.
	for _, p := range []*daemon{sim, s.gateway, s.whatsapp, s.services} {
		p.start()
	}
	s.process = &process{t: t}
	s.Demo.BaseURL, s.Demo.SimURL = s.gateway.url(), sim.url()+"/sim"
	super := s.as(s.root)
	eventually(t, "the gateway finds the services", func() bool { status, _ := super.reason("GET", "/api/tenants"); return status == http.StatusOK })
	return s
}

// business makes a tenant with a shop and gives its admin.
func (s *split) business(t *testing.T, name, number string) (tenant string, admin *caller, who login) {
	t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	who = login{Email: "duena@" + number + ".example", Password: "una clave bien larga"}
	s.as(s.root).must(http.StatusCreated, "POST", "/api/tenants", object{"name": name, "zone": "America/Argentina/Buenos_Aires", "language": "es",
		"admin": object{"email": who.Email, "name": "Dueña", "password": who.Password}}, &made)
	s.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": number, "name": name}, nil)
	admin = s.as(who)
	setUpShop(t, admin)
	return made.ID, admin, who
}

// key makes an API key of the admin's business.
func (c *caller) key(scopes ...string) (string, *caller) {
	c.p.t.Helper()
	var made struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	c.must(http.StatusCreated, "POST", "/api/api-keys", object{"name": "sistema", "scopes": scopes}, &made)
	return made.ID, &caller{p: c.p, apiKey: made.Key}
}

// reason asks and gives the status and the code of the problem.
func (c *caller) reason(method, path string) (int, string) {
	c.p.t.Helper()
	status, _, raw := c.do(method, path, nil)
	var problem struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(raw, &problem)
	return status, problem.Code
}

const (
	splitPhone    = "5491155550001"
	splitOther    = "5491155550002"
	splitCustomer = "5491155550003"
	splitVisitor  = "5491155550004" // to whom nobody of the staff has written
)

func TestServicesInProcessesOfTheirOwnAreOneInstallation(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres", "mariadb"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			s := startSplit(t, database)
			_, admin, owner := s.business(t, "Peluquería", splitPhone)
			s.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": splitCustomer, "name": "Carla"}, nil)
			_, system := admin.key("whatsapp:read", "whatsapp:write", "chats:read", "chats:write", "appointments:read", "setup:read", "events:read")
			heard := listen(t, system)
			link(t, system, s.phone(splitPhone))
			bookAndRemind(t, s, admin, system)
			eventually(t, "the listener heard of the booking", func() bool { return strings.Contains(heard.String(), "event: appointment.booked") })
			_, other, otherLogin := s.business(t, "Otra", splitOther)
			seeNothingOfOthers(t, system, other)
			refuseWrongTokens(t, s, admin, system)
			takeRightsAway(t, s, other, otherLogin)
			rotateTheKey(t, s, admin, owner)
			describeTheWhole(t, s)
			surviveEachOther(t, s, admin, system)
			decryptFree(t, s.process)
		})
	}
}

// listen follows the business's events in the background.
func listen(t *testing.T, as *caller) *lockedBuffer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, as.p.Demo.BaseURL+"/api/events", nil)
	require.NoError(t, err)
	req.Header.Set("X-API-Key", as.apiKey)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	heard, done := &lockedBuffer{}, make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			_, _ = heard.Write([]byte(lines.Text() + "\n"))
		}
	}()
	t.Cleanup(func() { cancel(); <-done; resp.Body.Close() })
	return heard
}

func bookAndRemind(t *testing.T, s *split, admin, system *caller) {
	t.Helper()
	service, name := system.firstService()
	at := nextAfternoon(t, admin, service)
	// What one process is told of the settings counts in the others: the reminder falls due in 15 to 75 s.
	soon := time.Until(at) - 15*time.Second
	admin.must(http.StatusOK, "PATCH", "/api/settings", object{"reminderOffsets": []int{int(soon / time.Minute)}}, nil)
	customer := s.phone(splitCustomer)
	bookByChat(t, customer, splitPhone, strings.ToLower(name), at)
	require.Len(t, system.active(), 1)
	require.Equal(t, "Carla", system.active()[0].Customer.Name)
	before := len(customer.inbox())
	eventuallyWithin(t, 90*time.Second, "the reminder", func() bool { return len(customer.inbox()) > before })
	require.Contains(t, customer.inbox()[before].Text, at.Format("15:04"))
	system.must(http.StatusAccepted, "POST", "/api/chats/"+splitCustomer+"/messages", object{"type": "text", "text": "Nos vemos."}, nil)
	eventually(t, "the message", func() bool { in := customer.inbox(); return in[len(in)-1].Text == "Nos vemos." })
}

func seeNothingOfOthers(t *testing.T, system, other *caller) {
	t.Helper()
	chat := system.get("/api/chats")["items"].([]any)[0].(object)["id"].(string)
	for _, path := range []string{"/api/chats/" + chat, "/api/appointments/" + system.active()[0].ID} {
		status, _ := system.reason("GET", path)
		require.Equal(t, http.StatusOK, status, path)
		status, code := other.reason("GET", path)
		require.Equal(t, http.StatusNotFound, status, path)
		require.Equal(t, "not_found", code)
	}
}

// authAt is auth by the test's own hand on the installation's database, at another time or for somebody else.
func (s *split) authAt(t *testing.T, now func() time.Time, audience string) *auth.Service {
	t.Helper()
	db, err := sqlkit.Open(t.Context(), s.database, 2)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	keys, err := secret.NewKeyring(db, s.master, now)
	require.NoError(t, err)
	quiet := slog.New(slog.DiscardHandler)
	return auth.New(auth.Deps{Store: authstore.New(db, outbox.New(db, bus.NewMemory(), now, quiet)), Sealer: keys, Tenants: everybody{}, AccountLimit: everybody{},
		AddressLimit: everybody{}, Now: now, Logger: quiet, Audience: audience})
}

type everybody struct{}

func (everybody) Allow(context.Context, string) (bool, time.Duration, error) { return true, 0, nil }
func (everybody) IsActive(context.Context, id.Tenant) (bool, error)          { return true, nil }

func refuseWrongTokens(t *testing.T, s *split, admin, system *caller) {
	t.Helper()
	const path = "/api/chats"
	internal, err := s.authAt(t, time.Now, "").Exchange(t.Context(), "", system.apiKey)
	require.NoError(t, err)
	expired, err := s.authAt(t, func() time.Time { return time.Now().Add(-time.Hour) }, "").Exchange(t.Context(), "", system.apiKey)
	require.NoError(t, err)
	elsewhere, err := s.authAt(t, time.Now, "somebody-else").Login(t.Context(), auth.Caller{}, s.root.Email, s.root.Password)
	require.NoError(t, err)
	parts := strings.Split(internal.Token, ".")
	claims := jwt.MapClaims{}
	_, _, err = jwt.NewParser().ParseUnverified(internal.Token, claims)
	require.NoError(t, err)
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	claims["scopes"] = []string{"users:write"}
	more, err := json.Marshal(claims)
	require.NoError(t, err)
	wrong := map[string]string{"unsigned": unsigned, "changed": parts[0] + "." + base64.RawURLEncoding.EncodeToString(more) + "." + parts[2],
		"expired": expired.Token, "for somebody else": elsewhere.AccessToken, "nonsense": "x"}
	for _, p := range []*daemon{s.gateway, s.whatsapp, s.services} {
		for name, token := range wrong {
			status, _ := (&caller{p: s.process, token: token}).at(p).reason("GET", path)
			if p == s.services {
				status, _ = (&caller{p: s.process, token: token}).at(p).reason("GET", "/api/appointments")
			}
			require.Equal(t, http.StatusUnauthorized, status, "%s at %s", name, p.name)
		}
	}
	inside := &caller{p: s.process, token: internal.Token}
	inside.at(s.whatsapp).must(http.StatusOK, "GET", path, nil, nil)
	status, _ := inside.reason("GET", path)
	require.Equal(t, http.StatusUnauthorized, status, "an internal token is not for callers")
	status, code := inside.at(s.services).reason("GET", "/api/users")
	require.Equal(t, http.StatusForbidden, status, "scopes hold everywhere")
	require.Equal(t, "scope_missing", code)
	admin.at(s.whatsapp).must(http.StatusOK, "GET", path, nil, nil)
	status, _ = system.at(s.whatsapp).reason("GET", path)
	require.Equal(t, http.StatusUnauthorized, status, "API keys are for the gateway")

	for _, c := range []*caller{s.anybody(), admin, system, inside} {
		for _, p := range []*daemon{s.gateway, s.whatsapp, s.services} {
			for _, question := range []string{"/internal/auth/exchange", "/internal/whatsapp/errand", "/internal/x"} {
				status, _ := c.at(p).reason("POST", question)
				require.Equal(t, http.StatusUnauthorized, status, "%s at %s", question, p.name)
			}
		}
	}
	client := peer.NewClient(s.master.DeriveKey(peer.KeyPurpose), time.Now)
	defer client.Close()
	err = client.Call(t.Context(), s.gateway.url(), "/internal/auth/exchange", object{"apiKey": system.apiKey}, nil)
	require.ErrorIs(t, err, peer.ErrNotSent, "not even a process of the installation gets past the gateway")
	require.NoError(t, client.Call(t.Context(), s.services.url(), "/internal/auth/exchange", object{"apiKey": system.apiKey}, nil))
}

// rightsBound is within what a right that was taken away is gone: milliseconds, two seconds should a wake-up be late, and as
// much again for a machine that runs many tests at once.
const rightsBound = 4 * time.Second

func takeRightsAway(t *testing.T, s *split, admin *caller, who login) {
	t.Helper()
	gone := func(what string, c *caller, path, code string) {
		t.Helper()
		var got string
		eventuallyWithin(t, rightsBound, what, func() bool {
			_, got = c.reason("GET", path)
			return got == code
		})
	}
	key, system := admin.key("chats:read", "appointments:read")
	system.must(http.StatusOK, "GET", "/api/chats", nil, nil)
	system.must(http.StatusOK, "GET", "/api/appointments", nil, nil)
	admin.must(http.StatusNoContent, "DELETE", "/api/api-keys/"+key, nil, nil)
	gone("a revoked key is refused", system, "/api/chats", "invalid_api_key")

	second := s.as(who)
	second.must(http.StatusOK, "GET", "/api/chats", nil, nil)
	second.at(s.whatsapp).must(http.StatusOK, "GET", "/api/chats", nil, nil)
	second.must(http.StatusNoContent, "POST", "/api/auth/logout", nil, nil)
	gone("a log-out is known at the gateway", second, "/api/chats", "login_ended")
	gone("and at a service", second.at(s.whatsapp), "/api/chats", "login_ended")
	admin.must(http.StatusOK, "GET", "/api/chats", nil, nil)

	super := s.as(s.root)
	var tenants struct {
		Items []struct{ ID, Name string }
	}
	super.must(http.StatusOK, "GET", "/api/tenants", nil, &tenants)
	for _, tenant := range tenants.Items {
		if tenant.Name == "Otra" {
			super.must(http.StatusOK, "POST", "/api/tenants/"+tenant.ID+"/suspend", nil, nil)
		}
	}
	gone("a suspension is known", admin, "/api/chats", "tenant_not_active")
}

func describeTheWhole(t *testing.T, s *split) {
	t.Helper()
	var doc document
	s.anybody().must(http.StatusOK, "GET", "/openapi.json", nil, &doc)
	for _, path := range []string{"/api/auth/login", "/api/chats", "/api/appointments", "/api/settings", "/api/notifications", "/api/events"} {
		require.Contains(t, doc.Paths, path)
	}
	for _, p := range []*daemon{s.gateway, s.whatsapp, s.services} {
		for _, path := range []string{"/health", "/ready", "/metrics"} {
			s.anybody().at(p).must(http.StatusOK, "GET", path, nil, nil)
		}
	}
	status, headers, _ := s.anybody().do("GET", "/.well-known/jwks.json", nil)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, headers.Values("X-Request-Id"), 1)
	require.Len(t, headers.Values("X-Content-Type-Options"), 1)
	_, code := s.anybody().reason("GET", "/api/nothing")
	require.Equal(t, "no_such_operation", code)
	status, headers, _ = s.as(s.root).do("PUT", "/api/chats", nil)
	require.Equal(t, http.StatusMethodNotAllowed, status)
	require.NotEmpty(t, headers.Get("Allow"))
	require.NotEmpty(t, s.as(s.root).get("/api/audit")["items"])
}

// surviveEachOther ends each service in turn: its operations are unavailable, the others go on, and when it is back so is all.
func surviveEachOther(t *testing.T, s *split, admin, system *caller) {
	t.Helper()
	s.whatsapp.end(syscall.SIGKILL)
	status, headers, raw := system.do("GET", "/api/chats", nil)
	require.Equal(t, http.StatusServiceUnavailable, status, "%s", raw)
	require.Contains(t, string(raw), "target_unavailable")
	require.NotEmpty(t, headers.Get("Retry-After"))
	require.Equal(t, "application/problem+json", headers.Get("Content-Type"))
	admin.must(http.StatusOK, "GET", "/api/appointments", nil, nil)
	s.whatsapp.start()
	eventuallyWithin(t, 30*time.Second, "the line is back", func() bool {
		status, _, raw := system.do("GET", "/api/whatsapp/status", nil)
		return status == http.StatusOK && strings.Contains(string(raw), `"connected"`)
	})

	s.services.end(syscall.SIGTERM)
	status, headers, raw = admin.do("GET", "/api/appointments", nil)
	require.Equal(t, http.StatusServiceUnavailable, status, "%s", raw)
	require.NotEmpty(t, headers.Get("Retry-After"))
	s.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": splitVisitor, "name": "Vito"}, nil)
	s.phone(splitVisitor).write(splitPhone, "hola")
	s.services.start()
	admin.must(http.StatusOK, "GET", "/api/appointments", nil, nil)
	eventually(t, "the bot answers what came meanwhile", func() bool { return len(s.phone(splitVisitor).inbox()) > 0 })

	s.gateway.end(syscall.SIGTERM)
	s.gateway.start()
	system.must(http.StatusOK, "GET", "/api/chats", nil, nil)
}

func TestAServiceOfItsOwnSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	out, code := runBinary(t, "serve", "--target", "whatsapp", "--data", t.TempDir())
	require.NotZero(t, code)
	require.Contains(t, out, "database-url")
	require.Contains(t, out, "redis-url")
}
