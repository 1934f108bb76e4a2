package wameow_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.uber.org/goleak"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/internal/whatsapp/wastore"
	"turnero/wasim"
)

// seed is the one network seed of this process: the root key that clients trust is global.
const seed = "wameow"

// patience is how long a test waits for something that should happen.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(herdVariable) == "" { // short enough for the tests of dead links, long enough for busy machines
		whatsmeow.KeepAliveIntervalMin, whatsmeow.KeepAliveIntervalMax = 2*time.Second, 2500*time.Millisecond
		whatsmeow.KeepAliveResponseDeadline = 3 * time.Second
	}
	if err := claim(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener")); err != nil {
			fmt.Fprintln(os.Stderr, "left behind:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// claim sets what is global in the libraries before any network or client runs.
func claim() error {
	root := wasim.RootKeyFor(seed)
	_, err := wameow.New(wameow.Options{Devices: noDevices{}, HTTPClient: http.DefaultClient, RootKey: &root, Logger: quiet()})
	return err
}

var numbers atomic.Int64

// newNumber gives a phone number that no other test has.
func newNumber() string { return fmt.Sprintf("5491155%06d", numbers.Add(1)) }

func newRef() whatsapp.Ref { return whatsapp.Ref{Tenant: id.NewTenant(), Session: id.NewSession()} }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// logger writes to standard error when WAMEOW_LOG is set.
func logger() *slog.Logger {
	if os.Getenv("WAMEOW_LOG") == "" {
		return quiet()
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func newNetwork(t *testing.T) *wasim.Network {
	t.Helper()
	n, err := wasim.New(t.Context(), wasim.Options{Seed: seed, FastPair: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// noDevices is a device store that nobody uses.
type noDevices struct{ wameow.DeviceStore }

func (noDevices) Network() wameow.Network { return wameow.NetworkSim }

// devices is the product's device store, with a row for every session that a test thinks of.
type devices struct {
	*wastore.Store
	db *sqlkit.DB
}

var _ wameow.DeviceStore = devices{}

func newDevices(t *testing.T, db *sqlkit.DB) devices {
	t.Helper()
	keys, err := secret.NewKeyring(db, secret.Master{1}, time.Now)
	require.NoError(t, err)
	s, err := wastore.Open(t.Context(), wastore.Options{DB: db, Keys: keys, Network: string(wameow.NetworkSim), Logger: logger()})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return devices{s, db}
}

func (d devices) Network() wameow.Network { return wameow.Network(d.Store.Network()) }

func (d devices) Load(ctx context.Context, term whatsapp.Term) (*store.Device, error) {
	_, err := d.db.Handle().Write().NewRaw(`INSERT INTO whatsapp_sessions (tenant_id, id, name, status, reason, since, until, locked, number, lid, push_name, is_linked, is_paused,
		down_since, is_alerted, fence, owner, created_at) VALUES (?, ?, '', 'connected', '', 0, 0, 0, '', '', '', 1, 0, 0, 0, ?, '', 0)`, term.Tenant, term.Session, term.Fence).Exec(ctx)
	if err != nil && !sqlkit.IsUnique(err) {
		return nil, err
	}
	return d.Store.Load(ctx, term)
}

// termOf gives the one term that a session has in these tests.
func termOf(ref whatsapp.Ref) whatsapp.Term { return whatsapp.Term{Ref: ref, Fence: 1} }

func fileDevices(t *testing.T, path string) devices {
	t.Helper()
	db, err := sqlkit.Open(t.Context(), "sqlite:"+path, 4)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = migrate.Up(t.Context(), db)
	require.NoError(t, err)
	return newDevices(t, db)
}

// eachStore runs fn with a device store on every database.
func eachStore(t *testing.T, fn func(t *testing.T, devices wameow.DeviceStore)) {
	t.Helper()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) { fn(t, newDevices(t, db)) })
}

func newEngine(t *testing.T, n *wasim.Network, devices wameow.DeviceStore) *wameow.Engine {
	t.Helper()
	return newEngineWith(t, n, n.HTTPClient(), devices)
}

func newEngineWith(t *testing.T, n *wasim.Network, client *http.Client, devices wameow.DeviceStore) *wameow.Engine {
	t.Helper()
	root := n.RootKey()
	e, err := wameow.New(wameow.Options{Devices: devices, HTTPClient: client, RootKey: &root, Logger: logger()})
	require.NoError(t, err)
	wameow.Hurry(e)
	return e
}

// open opens a session and closes it when the test ends.
func open(t *testing.T, e *wameow.Engine, ref whatsapp.Ref, s *sink) whatsapp.Line {
	t.Helper()
	l, err := e.Open(t.Context(), termOf(ref), s)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

// bench is a linked session with a customer, for tests of what happens then.
type bench struct {
	*testing.T
	net                *wasim.Network
	engine             *wameow.Engine
	ref                whatsapp.Ref
	sink               *sink
	line               whatsapp.Line
	business, customer string
}

func newBench(t *testing.T, devices wameow.DeviceStore) *bench {
	t.Helper()
	return newBenchOn(t, newNetwork(t), devices)
}

func newBenchOn(t *testing.T, n *wasim.Network, devices wameow.DeviceStore) *bench {
	t.Helper()
	return newBenchWith(t, n, n.HTTPClient(), devices)
}

func newBenchWith(t *testing.T, n *wasim.Network, client *http.Client, devices wameow.DeviceStore) *bench {
	t.Helper()
	b := &bench{T: t, net: n, ref: newRef(), sink: newSink(), business: newNumber(), customer: newNumber()}
	_, err := b.net.AddPhone(b.business, "Peluquería")
	require.NoError(t, err)
	_, err = b.net.AddPhone(b.customer, "Ana")
	require.NoError(t, err)
	b.engine = newEngineWith(t, b.net, client, devices)
	b.line = open(t, b.engine, b.ref, b.sink)
	link(t, b.net, b.sink, b.business)
	return b
}

// simpleBench is a bench on SQLite.
func simpleBench(t *testing.T) *bench {
	t.Helper()
	return newBench(t, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
}

// link scans the code that a session shows and waits until it is connected.
func link(t *testing.T, n *wasim.Network, s *sink, number string) {
	t.Helper()
	code := s.await(t, "a code", func() bool { return s.code != "" })
	require.NoError(t, n.Scan(number, code.code))
	s.awaitState(t, whatsapp.LinkConnected)
}

func (b *bench) fault(f wasim.Fault) {
	b.Helper()
	if f.Number == "" && f.Kind != "http_503" { // which strikes before anybody says who they are
		f.Number = b.business
	}
	_, err := b.net.Fault(f)
	require.NoError(b, err)
}

// write writes from the customer's phone to the business.
func (b *bench) write(text string) string {
	b.Helper()
	waID, err := b.net.Send(b.Context(), b.customer, b.business, text)
	require.NoError(b, err)
	return waID
}

// send sends to the customer and keeps the text for whoever asks for it again.
func (b *bench) send(text string) (whatsapp.Outgoing, whatsapp.Sent, error) {
	m := whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: whatsapp.NumberAddress(b.customer), Text: text}
	b.sink.keep(m)
	sent, err := b.line.Send(b.Context(), m)
	return m, sent, err
}

// sendAgain sends a message until it is settled, as a session does.
func (b *bench) sendAgain(m whatsapp.Outgoing) (sent whatsapp.Sent, err error) {
	b.Helper()
	eventually(b, "the message is settled", func() bool {
		sent, err = b.line.Send(b.Context(), m)
		return !errors.Is(err, whatsapp.ErrNotConnected) && !errors.Is(err, whatsapp.ErrUnknownOutcome)
	})
	return sent, err
}

// shown gives the texts that a phone shows from a sender.
func (b *bench) shown(phone, from string) []string {
	b.Helper()
	list, err := b.net.Messages(phone, "")
	require.NoError(b, err)
	var texts []string
	for _, m := range list {
		if m.From == from {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func eventually(t testing.TB, what string, isTrue func() bool) {
	t.Helper()
	require.Eventually(t, isTrue, patience, 10*time.Millisecond, what)
}

// clean checks that the network saw nothing that a sound client does not do.
func (b *bench) clean() {
	b.Helper()
	s := b.net.Stats()
	require.Zero(b, s.RatchetReuse, "ratchet reuse")
	require.Zero(b, s.StaleCounters, "stale counters")
	require.Zero(b, s.IDReuse, "reuse of message IDs")
	require.Zero(b, s.DecryptErrors, "decrypt errors")
	require.Zero(b, s.Panics, "panics of the network")
}

// sink is a session that remembers everything. Its hooks, set before something happens, may refuse it.
type sink struct {
	mu        sync.Mutex
	changed   chan struct{} // closed and made anew with every change
	messages  []whatsapp.Incoming
	receipts  []whatsapp.Receipt
	states    []whatsapp.LinkChange
	learned   []whatsapp.ContactIDs
	locks     []whatsapp.Restriction
	unlinked  []string
	identity  *whatsapp.Identity
	code      string
	codeUntil time.Time
	codes     int
	texts     map[string]whatsapp.Outgoing

	onReceived func(m whatsapp.Incoming) error
	onReceipt  func(r whatsapp.Receipt) error
	onUnlinked func() error
	onLock     func() error
	onSentText func(waID string)
}

var _ whatsapp.Sink = (*sink)(nil)

func newSink() *sink {
	return &sink{changed: make(chan struct{}), texts: map[string]whatsapp.Outgoing{}}
}

// moment is what a sink knew when a condition came true.
type moment struct {
	code      string
	codeUntil time.Time
	states    []whatsapp.LinkChange
	messages  []whatsapp.Incoming
}

// await waits until isTrue, which is asked with the sink's lock held.
func (s *sink) await(t testing.TB, what string, isTrue func() bool) moment {
	t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		if isTrue() {
			m := moment{s.code, s.codeUntil, slices.Clone(s.states), slices.Clone(s.messages)}
			s.mu.Unlock()
			return m
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			s.mu.Lock()
			defer s.mu.Unlock()
			require.FailNow(t, "never came: "+what, "states: %v", s.states)
		}
	}
}

func (s *sink) lastState() whatsapp.LinkState {
	if len(s.states) == 0 {
		return ""
	}
	return s.states[len(s.states)-1].State
}

func (s *sink) awaitState(t testing.TB, want whatsapp.LinkState) whatsapp.LinkChange {
	t.Helper()
	m := s.await(t, "state "+string(want), func() bool { return s.lastState() == want })
	return m.states[len(m.states)-1]
}

// awaitConnectedAgain waits for a connection after the n-th change of state.
func (s *sink) awaitConnectedAgain(t testing.TB, n int) {
	t.Helper()
	s.await(t, "another connection", func() bool {
		return len(s.states) > n && slices.ContainsFunc(s.states[n:], func(c whatsapp.LinkChange) bool { return c.State == whatsapp.LinkConnected }) &&
			s.lastState() == whatsapp.LinkConnected
	})
}

func (s *sink) stateCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.states)
}

// awaitTexts waits until the session has taken the texts, in this order and no others.
func (s *sink) awaitTexts(t testing.TB, want ...string) []whatsapp.Incoming {
	t.Helper()
	m := s.await(t, fmt.Sprintf("%d messages", len(want)), func() bool { return len(s.messages) >= len(want) })
	got := make([]string, 0, len(want))
	for _, in := range m.messages {
		got = append(got, in.Text)
	}
	require.Equal(t, want, got)
	return m.messages
}

func (s *sink) keep(m whatsapp.Outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[m.WAID] = m
}

// note makes a change and wakes those who wait.
func (s *sink) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sink) Received(_ context.Context, m whatsapp.Incoming) error {
	s.mu.Lock()
	hook := s.onReceived
	s.mu.Unlock()
	if hook != nil {
		if err := hook(m); err != nil {
			return err
		}
	}
	s.note(func() {
		if !slices.ContainsFunc(s.messages, func(k whatsapp.Incoming) bool { return k.WAID == m.WAID && k.Chat == m.Chat }) {
			s.messages = append(s.messages, m)
		}
	})
	return nil
}

func (s *sink) Receipt(_ context.Context, r whatsapp.Receipt) error {
	s.mu.Lock()
	hook := s.onReceipt
	s.mu.Unlock()
	if hook != nil {
		if err := hook(r); err != nil {
			return err
		}
	}
	s.note(func() { s.receipts = append(s.receipts, r) })
	return nil
}

func (s *sink) Linked(_ context.Context, who whatsapp.Identity) error {
	s.note(func() { s.identity = &who })
	return nil
}

func (s *sink) Unlinked(_ context.Context, reason string) error {
	if s.onUnlinked != nil {
		if err := s.onUnlinked(); err != nil {
			return err
		}
	}
	s.note(func() { s.unlinked = append(s.unlinked, reason) })
	return nil
}

func (s *sink) Learned(_ context.Context, c whatsapp.ContactIDs) error {
	s.note(func() { s.learned = append(s.learned, c) })
	return nil
}

func (s *sink) Changed(_ context.Context, c whatsapp.LinkChange) {
	s.note(func() { s.states = append(s.states, c) })
}

func (s *sink) Restricted(_ context.Context, r whatsapp.Restriction) error {
	s.mu.Lock()
	hook := s.onLock
	s.mu.Unlock()
	if hook != nil {
		if err := hook(); err != nil {
			return err
		}
	}
	s.note(func() { s.locks = append(s.locks, r) })
	return nil
}

func (s *sink) QR(_ context.Context, code string, until time.Time) {
	s.note(func() {
		s.code, s.codeUntil = code, until
		if code != "" {
			s.codes++
		}
	})
}

func (s *sink) SentText(_ context.Context, chat whatsapp.Address, waID string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.texts[waID]
	if s.onSentText != nil {
		s.onSentText(waID)
	}
	return m.Text, ok && m.To == chat, nil
}

var errNotNow = errors.New("the database is away")

// newNetworkIn makes a network that goes on where the folder's last one ended.
func newNetworkIn(t *testing.T, dir string) *wasim.Network {
	t.Helper()
	n, err := wasim.New(t.Context(), wasim.Options{Seed: seed, FastPair: true, Dir: filepath.Join(dir, "wasim")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// loseSessions makes the phones of a closed network forget what they agreed with everybody.
func loseSessions(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "wasim", "wasim.db"))
	require.NoError(t, err)
	_, err = db.Exec(`DELETE FROM kv WHERE k LIKE 'ses/%'`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

// silentServer takes WebSocket connections and says nothing on them.
type silentServer struct {
	*httptest.Server
	connected chan struct{}
}

func newSilentServer(t *testing.T) *silentServer {
	t.Helper()
	s := &silentServer{connected: make(chan struct{}, 8)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		s.connected <- struct{}{}
		for {
			if _, _, err = ws.Read(r.Context()); err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// client reaches the server whatever address it asks for.
func (s *silentServer) client() *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DialTLSContext: dial}}
}
