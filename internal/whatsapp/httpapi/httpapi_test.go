package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/httpapi"
	"turnero/internal/whatsapp/leased"
	"turnero/internal/whatsapp/sqlstore"
)

// server is the API on a database of its own. A request acts as the principal whose name its Authorization header holds.
type server struct {
	t      *testing.T
	mux    *http.ServeMux
	engine *engine
	who    map[string]id.Principal
	users  map[id.User]bool
}

func setup(t *testing.T) *server {
	t.Helper()
	tenant := id.NewTenant()
	s := &server{t: t, mux: http.NewServeMux(), engine: &engine{opened: make(chan *line, 10)}, users: map[id.User]bool{}, who: map[string]id.Principal{
		"admin":    {Tenant: tenant, User: id.NewUser(), Role: id.Admin},
		"employee": {Tenant: tenant, User: id.NewUser(), Role: id.Employee},
		"key":      {Tenant: tenant, APIKey: id.NewAPIKey(), Role: id.Admin, Scopes: []string{"chats:read"}},
		"stranger": {Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin},
		"customer": {Tenant: tenant, User: id.NewUser(), Role: id.EndUser},
	}}
	s.users[s.who["employee"].User] = true
	quiet := slog.New(slog.DiscardHandler)
	db := sqltest.Fresh(t, "sqlite")
	wakes := bus.NewMemory()
	alone := leased.Alone(wakes, quiet)
	svc := whatsapp.New(whatsapp.Deps{Store: sqlstore.New(db, outbox.New(db, wakes, time.Now, quiet)), Engine: s.engine, Claims: alone, Peers: alone, Users: s, Now: time.Now, Logger: quiet,
		ParsePhone: func(_ context.Context, _ id.Tenant, text string) (string, bool, error) {
			digits := strings.NewReplacer("+", "", " ", "", "-", "").Replace(text)
			return digits, len(digits) > 7 && strings.Trim(digits, "0123456789") == "", nil
		},
		FoldPhone: func(digits string) string { return digits }})
	api := httpkit.New(s.mux, "test", "1", func(_ context.Context, r *http.Request) (id.Principal, error) {
		p, ok := s.who[r.Header.Get("Authorization")]
		if !ok {
			return p, fault.New(fault.Unauthenticated, "no_credentials", "log in")
		}
		return p, nil
	}, quiet)
	httpapi.Register(api, svc)
	require.NoError(t, api.Check())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- svc.Manager().Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return s
}

func (s *server) Exists(_ context.Context, _ id.Tenant, user id.User) (bool, error) {
	return s.users[user], nil
}

type answer struct {
	*httptest.ResponseRecorder
	body map[string]any
}

// call makes a request; headers are name, value, name, value …
func (s *server) call(who, method, path, body string, headers ...string) answer {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", who)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	a := answer{ResponseRecorder: w}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body)
	return a
}

func (s *server) ok(who, method, path, body string, headers ...string) map[string]any {
	s.t.Helper()
	a := s.call(who, method, path, body, headers...)
	require.Less(s.t, a.Code, 300, "%s %s: %s", method, path, a.Body)
	return a.body
}

// connected links the tenant's line.
func (s *server) connected() *line {
	s.t.Helper()
	s.ok("admin", "POST", "/api/whatsapp/init", "")
	l := <-s.engine.opened
	l.sink.Changed(s.t.Context(), whatsapp.LinkChange{State: whatsapp.LinkQR})
	require.NoError(s.t, l.sink.Linked(s.t.Context(), whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: whatsapp.NumberAddress("5491100000000")}, PushName: "Pelu"}))
	l.sink.Changed(s.t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	return l
}

// receive delivers a text from the person with the LID and number.
func (s *server) receive(l *line, waID, text string) {
	s.t.Helper()
	lid, err := whatsapp.ParseAddress("1001@lid")
	require.NoError(s.t, err)
	who := whatsapp.ContactIDs{LID: lid, Number: whatsapp.NumberAddress("5491122334455")}
	require.NoError(s.t, l.sink.Received(s.t.Context(), whatsapp.Incoming{WAID: waID, Chat: lid, Peer: who, Sender: who, PushName: "Ana", Type: "text", Text: text, Timestamp: time.Now()}))
}

type engine struct{ opened chan *line }

func (e *engine) Open(_ context.Context, _ whatsapp.Term, sink whatsapp.Sink) (whatsapp.Line, error) {
	l := &line{sink: sink}
	e.opened <- l
	return l, nil
}

func (e *engine) Forget(context.Context, whatsapp.Term) error { return nil }

type line struct {
	sink   whatsapp.Sink
	isMute atomic.Bool // acknowledges nothing
}

func (l *line) Send(context.Context, whatsapp.Outgoing) (whatsapp.Sent, error) {
	if l.isMute.Load() {
		return whatsapp.Sent{}, whatsapp.ErrNotConnected
	}
	return whatsapp.Sent{At: time.Now()}, nil
}
func (l *line) PairCode(context.Context, string) (string, error) { return "ABCD-EFGH", nil }
func (l *line) MarkRead(context.Context, whatsapp.Address, whatsapp.Address, []string) error {
	return nil
}
func (l *line) Typing(context.Context, whatsapp.Address, bool) error { return nil }
func (l *line) Lookup(_ context.Context, digits string) (whatsapp.ContactIDs, bool, error) {
	return whatsapp.ContactIDs{Number: whatsapp.NumberAddress(digits)}, !strings.HasSuffix(digits, "404"), nil
}
func (l *line) Logout(ctx context.Context) error { return l.sink.Unlinked(ctx, "logged_out") }
func (l *line) Close()                           {}

func TestALineIsLinkedThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := setup(t)
	unborn := s.ok("admin", "GET", "/api/whatsapp/status", "")
	require.Equal(t, "stopped", unborn["status"])
	require.Equal(t, unborn, s.ok("admin", "GET", "/api/whatsapp/status?session="+unborn["session"].(string), ""))
	require.Empty(t, s.ok("admin", "GET", "/api/chats?session="+unborn["session"].(string), "")["items"])
	require.Equal(t, "qr_not_available", s.call("admin", "GET", "/api/whatsapp/qr", "").body["code"])
	started := s.ok("admin", "POST", "/api/whatsapp/init?session="+unborn["session"].(string), "")
	require.Equal(t, "connecting", started["status"])
	l := <-s.engine.opened
	a := s.call("admin", "GET", "/api/whatsapp/qr", "")
	require.Equal(t, 409, a.Code)
	require.Equal(t, "1", a.Header().Get("Retry-After"))
	require.Equal(t, "connecting", a.body["sessionStatus"])
	require.EqualValues(t, 409, a.body["status"])

	l.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkQR})
	l.sink.QR(t.Context(), "2@ref,key,identity,secret", time.Now().Add(time.Minute))
	for accept, want := range map[string]string{"": "image/png", "*/*": "image/png", "image/png": "image/png", "image/avif,image/webp,*/*;q=0.8": "image/png",
		"application/json": "application/json", "application/json, text/plain, */*": "application/json", "image/png;q=0.5, application/json": "application/json", "application/json;q=0": "image/png"} {
		a = s.call("admin", "GET", "/api/whatsapp/qr", "", "Accept", accept)
		require.Equal(t, 200, a.Code)
		require.Equal(t, want, a.Header().Get("Content-Type"), accept)
		require.Equal(t, "no-store", a.Header().Get("Cache-Control"))
	}
	a = s.call("admin", "GET", "/api/whatsapp/qr", "", "Accept", "application/json")
	require.Equal(t, "2@ref,key,identity,secret", a.body["qr"])
	_, err := time.Parse(time.RFC3339, a.body["expiresAt"].(string))
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(s.call("admin", "GET", "/api/whatsapp/qr", "").Body.Bytes()))
	require.NoError(t, err)
	require.GreaterOrEqual(t, picture.Bounds().Dx(), 200)
	require.Equal(t, "ABCD-EFGH", s.ok("admin", "POST", "/api/whatsapp/pair-code", `{"phone":"+54 9 11 0000-0000"}`)["code"])

	require.NoError(t, l.sink.Linked(t.Context(), whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: whatsapp.NumberAddress("5491100000000")}, PushName: "Pelu"}))
	l.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	status := s.ok("employee", "GET", "/api/whatsapp/status", "")
	require.Equal(t, "connected", status["status"])
	require.Equal(t, "+5491100000000", status["number"])
	require.Equal(t, started["session"], status["session"])
	require.NotContains(t, status, "alert")
	require.Equal(t, "already_linked", s.call("admin", "GET", "/api/whatsapp/qr", "").body["code"])
	require.Equal(t, "connected", s.ok("admin", "POST", "/api/whatsapp/init", "")["status"])
	require.Equal(t, "connecting", s.ok("admin", "POST", "/api/whatsapp/restart", "")["status"])
	again := <-s.engine.opened
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	out := s.ok("admin", "POST", "/api/whatsapp/logout", "")
	require.Equal(t, "logged_out", out["status"])
	require.Equal(t, "", out["number"])
}

func TestLinesBesidesTheDefaultArePickedByQuery(t *testing.T) {
	t.Parallel()
	s := setup(t)
	a := s.call("admin", "POST", "/api/whatsapp/sessions", `{"name":"Norte"}`, "Idempotency-Key", "k")
	require.Equal(t, 201, a.Code)
	second := a.body["session"].(string)
	require.Equal(t, second, s.ok("admin", "POST", "/api/whatsapp/sessions", `{"name":"Norte"}`, "Idempotency-Key", "k")["session"])
	require.Equal(t, "idempotency_key_reused", s.call("admin", "POST", "/api/whatsapp/sessions", `{"name":"Sur"}`, "Idempotency-Key", "k").body["code"])
	require.Equal(t, second, s.ok("admin", "POST", "/api/whatsapp/init?session="+second, "")["session"])
	<-s.engine.opened
	require.Len(t, s.ok("admin", "GET", "/api/whatsapp/sessions", "")["items"], 1)
	require.Equal(t, "stopped", s.ok("admin", "GET", "/api/whatsapp/status", "")["status"])
	require.Equal(t, "connecting", s.ok("admin", "GET", "/api/whatsapp/status?session="+second, "")["status"])
	require.Empty(t, s.ok("stranger", "GET", "/api/whatsapp/sessions", "")["items"])
	nobodys := id.NewSession().String()
	for _, path := range []string{"GET /api/whatsapp/status", "GET /api/whatsapp/qr", "POST /api/whatsapp/init", "POST /api/whatsapp/restart", "POST /api/whatsapp/logout", "GET /api/chats",
		"GET /api/contacts/check?phone=5491122334455"} {
		method, path, _ := strings.Cut(path, " ")
		glue := "?"
		if strings.Contains(path, "?") {
			glue = "&"
		}
		foreign := s.call("stranger", method, path+glue+"session="+second, "")
		require.Equal(t, 404, foreign.Code, path)
		require.Equal(t, s.call("stranger", method, path+glue+"session="+nobodys, "").body, foreign.body, "somebody else's looks like nobody's")
		require.Equal(t, 422, s.call("admin", method, path+glue+"session=nonsense", "").Code, path)
	}
}

func TestChatsAndMessagesThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := setup(t)
	l := s.connected()
	for i, text := range []string{"hola", "quiero un turno", "¿hay lugar?"} {
		s.receive(l, string(rune('A'+i)), text)
	}
	chats := s.ok("admin", "GET", "/api/chats", "")["items"].([]any)
	require.Len(t, chats, 1)
	chat := chats[0].(map[string]any)
	require.Equal(t, "1001@lid", chat["whatsappId"])
	require.Equal(t, "+5491122334455", chat["phone"])
	require.Equal(t, "Ana", chat["name"])
	require.Equal(t, "bot", chat["mode"])
	require.EqualValues(t, 3, chat["unread"])
	require.Equal(t, "¿hay lugar?", chat["lastMessage"].(map[string]any)["text"])
	for _, name := range []string{chat["id"].(string), "1001@lid", "5491122334455@c.us", "5491122334455@s.whatsapp.net", "+5491122334455", "5491122334455", url.PathEscape("+54 9 11 2233-4455")} {
		got := s.ok("admin", "GET", "/api/chats/"+name, "")
		require.Equal(t, chat["id"], got["id"], name)
	}

	page := s.ok("admin", "GET", "/api/chats/1001@lid/messages?limit=2", "")
	require.Len(t, page["items"], 2)
	newest := page["items"].([]any)[0].(map[string]any)
	require.Equal(t, "¿hay lugar?", newest["text"])
	require.Equal(t, "in", newest["direction"])
	require.Equal(t, "1001@lid", newest["sender"])
	require.Equal(t, "received", newest["status"])
	rest := s.ok("admin", "GET", "/api/chats/1001@lid/messages?limit=2&cursor="+page["nextCursor"].(string), "")
	require.Len(t, rest["items"], 1)
	require.NotContains(t, rest, "nextCursor")

	sent := s.call("admin", "POST", "/api/chats/1001@lid/messages", `{"type":"text","text":"¡Sí!"}`)
	require.Equal(t, 202, sent.Code)
	require.Equal(t, "out", sent.body["direction"])
	require.Equal(t, "queued", sent.body["status"])
	require.Equal(t, s.who["admin"].User.String(), sent.body["sender"])
	require.Eventually(t, func() bool { return s.ok("admin", "GET", sent.Header().Get("Location"), "")["status"] == "sent" }, 5*time.Second, 5*time.Millisecond)
	waited := s.call("admin", "POST", "/api/chats/1001@lid/messages", `{"text":"¿a qué hora?"}`, "Prefer", "respond-async, wait=10")
	require.Equal(t, 200, waited.Code)
	require.Equal(t, "sent", waited.body["status"])
	require.Equal(t, "wait=10", waited.Header().Get("Preference-Applied"))

	require.Equal(t, 204, s.call("admin", "POST", "/api/chats/1001@lid/read", "").Code)
	require.EqualValues(t, 0, s.ok("admin", "GET", "/api/chats/1001@lid", "")["unread"])
	require.Equal(t, 204, s.call("admin", "POST", "/api/chats/1001@lid/typing", "").Code)
	require.Equal(t, 204, s.call("admin", "POST", "/api/chats/1001@lid/typing", `{"on":false}`).Code)
	require.NotNil(t, s.ok("admin", "GET", "/api/chats/1001@lid", "")["personUntil"], "a person wrote")
	handed := s.ok("admin", "POST", "/api/chats/1001@lid/handoff", "")
	require.Equal(t, "person", handed["mode"])
	require.NotContains(t, handed, "personUntil")
	require.Equal(t, "bot", s.ok("admin", "POST", "/api/chats/1001@lid/release", "")["mode"])
	check := s.ok("admin", "GET", "/api/contacts/check?phone="+url.QueryEscape("+54 9 11 2233-4455"), "")
	require.Equal(t, map[string]any{"phone": "+5491122334455", "exists": true, "whatsappId": "5491122334455@s.whatsapp.net"}, check)
	require.Equal(t, false, s.ok("admin", "GET", "/api/contacts/check?phone=5491100000404", "")["exists"])
}

func TestARepeatedRequestGivesTheSameMessageInItsPresentState(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.connected()
	send := func(body string) answer {
		return s.call("admin", "POST", "/api/chats/5491122334455/messages", body, "Idempotency-Key", "k1", "Prefer", "wait=10")
	}
	first, again := send(`{"text":"hola"}`), send(`{"type":"text","text":"hola"}`)
	require.Equal(t, first.body["id"], again.body["id"])
	require.Equal(t, "sent", again.body["status"])
	other := send(`{"text":"chau"}`)
	require.Equal(t, 422, other.Code)
	require.Equal(t, "idempotency_key_reused", other.body["code"])
	require.Len(t, s.ok("admin", "GET", "/api/chats/5491122334455/messages", "")["items"], 1)
}

func TestPermissionsThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.receive(s.connected(), "A", "hola")
	chat := s.ok("admin", "GET", "/api/chats/1001@lid", "")["id"].(string)
	user := s.who["employee"].User.String()
	require.Empty(t, s.ok("employee", "GET", "/api/chats", "")["items"])
	hidden := s.call("employee", "GET", "/api/chats/"+chat, "")
	require.Equal(t, 404, hidden.Code)
	require.Equal(t, s.call("employee", "GET", "/api/chats/"+id.NewChat().String(), "").body, hidden.body)
	require.Equal(t, 404, s.call("employee", "POST", "/api/chats/"+chat+"/messages", `{"text":"hola"}`).Code)

	require.Equal(t, 403, s.call("employee", "PUT", "/api/chats/"+chat+"/permissions/"+user, "").Code)
	require.Equal(t, 404, s.call("admin", "PUT", "/api/chats/"+chat+"/permissions/"+id.NewUser().String(), "").Code)
	require.Equal(t, 404, s.call("admin", "PUT", "/api/chats/"+chat+"/permissions/nobody", "").Code)
	require.Equal(t, 404, s.call("stranger", "PUT", "/api/chats/"+chat+"/permissions/"+user, "").Code)
	require.Equal(t, 204, s.call("admin", "PUT", "/api/chats/"+chat+"/permissions/"+user, "").Code)
	granted := s.ok("admin", "GET", "/api/chats/"+chat+"/permissions", "")["items"].([]any)
	require.Equal(t, user, granted[0].(map[string]any)["userId"])
	require.Len(t, s.ok("employee", "GET", "/api/chats", "")["items"], 1)
	require.Equal(t, 202, s.call("employee", "POST", "/api/chats/"+chat+"/messages", `{"text":"hola"}`).Code)
	require.Equal(t, 204, s.call("admin", "DELETE", "/api/chats/"+chat+"/permissions/"+user, "").Code)
	require.Equal(t, 404, s.call("employee", "GET", "/api/chats/"+chat, "").Code)
}

func TestRolesAndScopes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for who, want := range map[string]map[string]int{
		"admin":    {"GET /api/chats": 200, "POST /api/whatsapp/init": 200, "GET /api/whatsapp/status": 200},
		"employee": {"GET /api/chats": 200, "POST /api/whatsapp/init": 403, "GET /api/whatsapp/status": 200, "GET /api/whatsapp/qr": 403, "POST /api/whatsapp/logout": 403},
		"key":      {"GET /api/chats": 200, "POST /api/whatsapp/init": 403, "GET /api/whatsapp/status": 403},
		"customer": {"GET /api/chats": 403, "GET /api/whatsapp/status": 403},
		"":         {"GET /api/chats": 401, "POST /api/whatsapp/init": 401},
	} {
		for call, code := range want {
			method, path, _ := strings.Cut(call, " ")
			require.Equal(t, code, s.call(who, method, path, "").Code, "%s %s", who, call)
		}
	}
}

func TestBadInputIsNamedAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.connected()
	long := strings.Repeat("a", 4097)
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", "/api/chats/5491122334455/messages", `{}`, 422, "text"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":""}`, 422, "text"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":"  \n "}`, 422, "text"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":"a\u0000b"}`, 422, "text"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":"` + long + `"}`, 422, "text"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":7}`, 422, "text"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":"hola","color":"red"}`, 422, "color"},
		{"POST", "/api/chats/5491122334455/messages", `{"type":"image","text":"hola"}`, 422, "type"},
		{"POST", "/api/chats/5491122334455/messages", `{"text":`, 400, ""},
		{"POST", "/api/chats/5491122334455/messages", ``, 400, ""},
		{"POST", "/api/chats/5491122334455/messages", `{"text":"` + strings.Repeat("a", 2<<20) + `"}`, 413, ""},
		{"POST", "/api/chats/pepe/messages", `{"text":"hola"}`, 422, "chatId"},
		{"POST", "/api/chats/12@nowhere/messages", `{"text":"hola"}`, 422, "chatId"},
		{"POST", "/api/chats/status@broadcast/messages", `{"text":"hola"}`, 422, "chatId"},
		{"POST", "/api/chats/" + strings.Repeat("1", 201) + "/messages", `{"text":"hola"}`, 422, "chatId"},
		{"POST", "/api/chats/chat_nonsense/messages", `{"text":"hola"}`, 404, ""},
		{"GET", "/api/chats/chat_nonsense", ``, 404, ""},
		{"GET", "/api/chats/5491100000001", ``, 404, ""},
		{"GET", "/api/chats/pepe/messages", ``, 422, "chatId"},
		{"GET", "/api/chats?limit=0", ``, 422, "limit"},
		{"GET", "/api/chats?limit=999", ``, 422, "limit"},
		{"GET", "/api/chats?cursor=nonsense", ``, 422, "cursor"},
		{"GET", "/api/chats?kind=secret", ``, 422, "kind"},
		{"GET", "/api/chats?color=red", ``, 422, "color"},
		{"GET", "/api/contacts/check", ``, 422, "phone"},
		{"GET", "/api/contacts/check?phone=pepe", ``, 422, "phone"},
		{"POST", "/api/whatsapp/pair-code", `{"phone":"pepe"}`, 422, "phone"},
		{"POST", "/api/whatsapp/pair-code", `{}`, 422, "phone"},
		{"POST", "/api/whatsapp/sessions", `{"name":""}`, 422, "name"},
		{"POST", "/api/whatsapp/sessions", `{"name":"  "}`, 422, "name"},
		{"POST", "/api/whatsapp/sessions", `{"name":"` + strings.Repeat("a", 65) + `"}`, 422, "name"},
		{"POST", "/api/chats/5491122334455/typing", `{"on":"yes"}`, 422, "on"},
	} {
		a := s.call("admin", c.method, c.path, c.body)
		require.Equal(t, c.status, a.Code, "%s %s %.60s: %s", c.method, c.path, c.body, a.Body)
		require.Equal(t, "application/problem+json", a.Header().Get("Content-Type"))
		if c.field != "" {
			first := a.body["errors"].([]any)[0].(map[string]any)
			require.Contains(t, first["field"].(string)+" "+first["rule"].(string), c.field, "%s %s %.60s", c.method, c.path, c.body)
		}
	}
	require.Empty(t, s.ok("admin", "GET", "/api/chats", "")["items"])
	require.Len(t, s.ok("admin", "GET", "/api/whatsapp/sessions", "")["items"], 1)
}

func TestALineThatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, call := range []answer{
		s.call("admin", "POST", "/api/chats/5491122334455/messages", `{"text":"hola"}`),
		s.call("admin", "GET", "/api/contacts/check?phone=5491122334455", ""),
	} {
		require.Equal(t, 503, call.Code)
		require.Equal(t, "session_not_linked", call.body["code"])
	}
	l := s.connected()
	s.receive(l, "A", "hola")
	l.isMute.Store(true)
	l.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
	require.Equal(t, 202, s.call("admin", "POST", "/api/chats/5491122334455/messages", `{"text":"hola"}`).Code)
	for _, call := range []answer{
		s.call("admin", "GET", "/api/contacts/check?phone=5491122334455", ""),
		s.call("admin", "POST", "/api/chats/1001@lid/typing", ""),
	} {
		require.Equal(t, 503, call.Code)
		require.Equal(t, "session_offline", call.body["code"])
		require.NotEmpty(t, call.Header().Get("Retry-After"))
	}
}

func TestTheDocumentNeedsNoService(t *testing.T) {
	t.Parallel()
	api := httpkit.New(http.NewServeMux(), "test", "1", nil, slog.New(slog.DiscardHandler))
	httpapi.Register(api, nil)
	require.NoError(t, api.Check())
	raw, err := json.Marshal(api.OpenAPI())
	require.NoError(t, err)
	require.Contains(t, string(raw), `"/api/chats/{chatId}/permissions/{userId}"`)
	require.Contains(t, api.OpenAPI().Paths["/api/whatsapp/qr"].Get.Responses["200"].Content, "image/png")
}
