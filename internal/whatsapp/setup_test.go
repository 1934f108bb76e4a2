package whatsapp_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/leased"
	"turnero/internal/whatsapp/sqlstore"
)

// bench is one module on a database of its own, with an engine that the test plays.
type bench struct {
	t       *testing.T
	db      *sqlkit.DB
	store   *sqlstore.Store
	engine  *fakeEngine
	svc     *whatsapp.Service
	tenant  id.Tenant
	admin   id.Principal
	users   fakeUsers
	stopped chan struct{}
	stop    context.CancelFunc
}

func setup(t *testing.T) *bench {
	t.Helper()
	return setupOn(t, sqltest.Fresh(t, "sqlite"))
}

func setupOn(t *testing.T, db *sqlkit.DB) *bench {
	t.Helper()
	tenant := id.NewTenant()
	b := &bench{t: t, db: db, tenant: tenant, engine: newFakeEngine(), users: fakeUsers{}, admin: id.Principal{Tenant: tenant, User: id.NewUser(), Role: id.Admin}}
	quiet := slog.New(slog.DiscardHandler)
	wakes := bus.NewMemory()
	committer := groupcommit.New(db, groupcommit.Fences{Table: "whatsapp_sessions", Stale: whatsapp.ErrStaleFence})
	t.Cleanup(committer.Close)
	b.store = sqlstore.New(db, outbox.New(db, wakes, time.Now, quiet)).Together(committer)
	processes := leased.Alone(wakes, quiet)
	b.svc = whatsapp.New(whatsapp.Deps{Store: b.store, Engine: b.engine, Claims: processes, Peers: processes, Users: b.users, ParsePhone: parsePhone, FoldPhone: foldPhone, Now: time.Now, Logger: quiet})
	return b
}

// run carries the sessions until the test ends.
func (b *bench) run() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	b.stop, b.stopped = cancel, make(chan struct{})
	done := b.stopped
	go func() {
		defer close(done)
		if err := b.svc.Manager().Run(ctx); err != nil {
			b.t.Errorf("run: %v", err)
		}
	}()
	b.t.Cleanup(b.halt)
}

// halt stops carrying and waits until nothing runs.
func (b *bench) halt() {
	b.stop()
	<-b.stopped
}

// linked gives the default session, linked as the number and connected.
func (b *bench) linked() *fakeLine {
	b.t.Helper()
	return b.link(id.Session{}, whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: number("5491100000000"), LID: lid("900")}, PushName: "Peluquería"})
}

// linkedBesides gives another session of the name, linked and connected.
func (b *bench) linkedBesides(name string) *fakeLine {
	b.t.Helper()
	session, err := b.svc.AddSession(b.t.Context(), b.admin, name, "")
	require.NoError(b.t, err)
	return b.link(session.Session, whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: number("5491100000002")}})
}

func (b *bench) link(session id.Session, as whatsapp.Identity) *fakeLine {
	b.t.Helper()
	if b.stop == nil {
		b.run()
	}
	_, err := b.svc.Init(b.t.Context(), b.admin, session)
	require.NoError(b.t, err)
	line := b.engine.next(b.t)
	for line.ref.Tenant != b.tenant { // of another test on the same database
		line = b.engine.next(b.t)
	}
	ctx := b.t.Context()
	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkQR})
	line.sink.QR(ctx, "2@code", time.Now().Add(time.Minute))
	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkPairing})
	require.NoError(b.t, line.sink.Linked(ctx, as))
	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkConnected})
	return line
}

func (b *bench) status() whatsapp.Session {
	b.t.Helper()
	s, err := b.svc.FindSession(b.t.Context(), b.admin, id.Session{})
	require.NoError(b.t, err)
	return s
}

// messages lists all messages of a chat, oldest first.
func (b *bench) messages(chat string) []whatsapp.Message {
	b.t.Helper()
	out, err := b.svc.ListMessages(b.t.Context(), b.admin, id.Session{}, chat, whatsapp.MessageCursor{}, 200)
	require.NoError(b.t, err)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func (b *bench) chats() []whatsapp.ChatEntry {
	b.t.Helper()
	out, err := b.svc.ListChats(b.t.Context(), b.admin, whatsapp.ChatQuery{Limit: 200})
	require.NoError(b.t, err)
	return out
}

func (b *bench) message(m id.Message) whatsapp.Message {
	b.t.Helper()
	out, err := b.store.FindMessage(b.t.Context(), b.tenant, m)
	require.NoError(b.t, err)
	return out
}

func (b *bench) queue(chat, text string) whatsapp.Message {
	b.t.Helper()
	m, err := b.svc.Queue(b.t.Context(), b.admin, whatsapp.SendCommand{Chat: chat, Text: text})
	require.NoError(b.t, err)
	return m
}

// told lists the events of the tenant with the name, in the order in which they were written.
func told[E any, P interface {
	*E
	events.Event
}](b *bench) []E {
	b.t.Helper()
	var zero P = new(E)
	rows, err := b.db.SQL().QueryContext(b.t.Context(), "SELECT payload FROM outbox WHERE tenant_id = '"+b.tenant.String()+"' AND name = '"+zero.EventName()+"' ORDER BY pos")
	require.NoError(b.t, err)
	defer rows.Close()
	var out []E
	for rows.Next() {
		var payload string
		require.NoError(b.t, rows.Scan(&payload))
		ev, err := events.Decode(zero.EventName(), []byte(payload))
		require.NoError(b.t, err)
		out = append(out, *ev.(P))
	}
	require.NoError(b.t, rows.Err())
	return out
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 10*time.Second, 2*time.Millisecond, what)
}

func number(digits string) whatsapp.Address { return whatsapp.NumberAddress(digits) }

func lid(user string) whatsapp.Address {
	a, err := whatsapp.ParseAddress(user + "@lid")
	if err != nil {
		panic(err)
	}
	return a
}

func parsePhone(_ context.Context, _ id.Tenant, text string) (string, bool, error) {
	digits := strings.NewReplacer(" ", "", "-", "", "+", "").Replace(text)
	return digits, len(digits) >= 8 && strings.Trim(digits, "0123456789") == "", nil
}

func foldPhone(digits string) string {
	if rest, ok := strings.CutPrefix(digits, "549"); ok {
		return "54" + rest
	}
	return digits
}

type fakeUsers map[id.User]bool

func (f fakeUsers) Exists(_ context.Context, _ id.Tenant, user id.User) (bool, error) {
	return f[user], nil
}

// fakeEngine opens lines that the test plays.
type fakeEngine struct {
	opened chan *fakeLine

	mu     sync.Mutex
	fail   error // of Open
	forgot []whatsapp.Ref
}

func newFakeEngine() *fakeEngine { return &fakeEngine{opened: make(chan *fakeLine, 1000)} }

func (e *fakeEngine) Open(ctx context.Context, t whatsapp.Term, sink whatsapp.Sink) (whatsapp.Line, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return nil, e.fail
	}
	line := &fakeLine{ctx: ctx, ref: t.Ref, sink: sink}
	e.opened <- line
	return line, nil
}

func (e *fakeEngine) Forget(_ context.Context, t whatsapp.Term) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgot = append(e.forgot, t.Ref)
	return nil
}

func (e *fakeEngine) failWith(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = err
}

// next waits for the next line that is opened.
func (e *fakeEngine) next(t *testing.T) *fakeLine {
	t.Helper()
	select {
	case line := <-e.opened:
		return line
	case <-time.After(5 * time.Minute): // by the clock of the bubble where there is one
		require.FailNow(t, "no line was opened")
		return nil
	}
}

// fakeLine is a line whose phone and network the test plays.
type fakeLine struct {
	ctx  context.Context
	ref  whatsapp.Ref
	sink whatsapp.Sink

	mu        sync.Mutex
	answer    func(ctx context.Context, m whatsapp.Outgoing) (whatsapp.Sent, error) // nil: everything is acknowledged
	attempts  []whatsapp.Outgoing
	read      []string
	typing    []bool
	isClosed  bool
	loggedOut int
}

func (l *fakeLine) onSend(answer func(ctx context.Context, m whatsapp.Outgoing) (whatsapp.Sent, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = answer
}

func (l *fakeLine) Send(ctx context.Context, m whatsapp.Outgoing) (whatsapp.Sent, error) {
	l.mu.Lock()
	l.attempts = append(l.attempts, m)
	answer := l.answer
	l.mu.Unlock()
	if answer == nil {
		return whatsapp.Sent{At: time.Now()}, nil
	}
	return answer(ctx, m)
}

func (l *fakeLine) texts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, m := range l.attempts {
		out = append(out, m.Text)
	}
	return out
}

func (l *fakeLine) PairCode(_ context.Context, digits string) (string, error) {
	if digits == "5491199999999" {
		return "", whatsapp.ErrNotConnected
	}
	return "ABCD-EFGH", nil
}

func (l *fakeLine) MarkRead(_ context.Context, _, _ whatsapp.Address, waIDs []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = append(l.read, waIDs...)
	return nil
}

func (l *fakeLine) Typing(_ context.Context, _ whatsapp.Address, on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.typing = append(l.typing, on)
	return nil
}

func (l *fakeLine) Lookup(_ context.Context, digits string) (whatsapp.ContactIDs, bool, error) {
	switch digits {
	case "5491100000404":
		return whatsapp.ContactIDs{}, false, nil
	case "5491100000500":
		return whatsapp.ContactIDs{}, false, errors.New("stream closed")
	}
	return whatsapp.ContactIDs{Number: number(digits), LID: lid("77")}, true, nil
}

func (l *fakeLine) Logout(ctx context.Context) error {
	l.mu.Lock()
	l.loggedOut++
	l.mu.Unlock()
	return l.sink.Unlinked(ctx, "logged_out")
}

func (l *fakeLine) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isClosed = true
}

func (l *fakeLine) closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isClosed
}

// text is an incoming text from a person.
func text(waID string, from whatsapp.ContactIDs, words string) whatsapp.Incoming {
	return whatsapp.Incoming{WAID: waID, Chat: from.Canonical(), Peer: from, Sender: from, PushName: "Ana", Type: "text", Text: words, Timestamp: time.Now()}
}
