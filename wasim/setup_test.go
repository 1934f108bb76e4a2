package wasim_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite"

	"turnero/wasim"
)

// seed is the same in all tests, because the root that clients trust is one per process.
const seed = "wasim tests"

// patience is how long a test waits for something that must happen.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	whatsmeow.WACertPubKey = wasim.RootKeyFor(seed)
	if addr := os.Getenv("WASIM_CHILD_ADDR"); addr != "" {
		serveInChild(os.Getenv("WASIM_CHILD_DIR"), addr)
		return
	}
	// The library leaves its reader behind when a frame arrives in the moment of a disconnect.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete"))
}

func newNetwork(t testing.TB, change ...func(*wasim.Options)) *wasim.Network {
	t.Helper()
	o := wasim.Options{Seed: seed, FastPair: true}
	for _, c := range change {
		c(&o)
	}
	n, err := wasim.New(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// gate makes a client's event handler refuse events, which leaves them unacknowledged.
type gate func(event any) bool

// client is a real WhatsApp client with a store of its own.
type client struct {
	*whatsmeow.Client
	t      testing.TB
	http   *http.Client
	path   string
	store  *sqlstore.Container
	events chan any
	stop   context.CancelFunc

	mu      sync.Mutex
	refuses gate
	seen    map[string]bool
}

// newClient makes a client that is not linked yet.
func newClient(t testing.TB, n *wasim.Network) *client {
	t.Helper()
	return newClientAt(t, n.HTTPClient())
}

func newClientAt(t testing.TB, way *http.Client) *client {
	t.Helper()
	c := &client{t: t, path: filepath.Join(t.TempDir(), "client.db")}
	c.openAt(way)
	t.Cleanup(func() { c.close() })
	return c
}

// open makes the client from its store, as a program does that starts.
func (c *client) open(n *wasim.Network) {
	c.t.Helper()
	c.openAt(n.HTTPClient())
}

func (c *client) openAt(way *http.Client) {
	c.t.Helper()
	c.http = way
	db, err := sql.Open("sqlite", "file:"+c.path+"?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"+
		"&_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(c.t, err)
	db.SetMaxOpenConns(1)
	c.store = sqlstore.NewWithDB(db, "sqlite", waLog.Noop)
	require.NoError(c.t, c.store.Upgrade(context.Background()))
	device, err := c.store.GetFirstDevice(context.Background())
	require.NoError(c.t, err)
	c.use(device)
}

// use makes the client of a device in the store.
func (c *client) use(device *store.Device) {
	log := waLog.Noop
	if os.Getenv("WASIM_TEST_LOG") != "" {
		log = waLog.Stdout(filepath.Base(filepath.Dir(c.path)), os.Getenv("WASIM_TEST_LOG"), false)
	}
	c.Client = whatsmeow.NewClient(device, log)
	c.BackgroundEventCtx, c.stop = context.WithCancel(context.Background())
	c.SynchronousAck = true
	c.EnableDecryptedEventBuffer = true
	c.ManualHistorySyncDownload = true
	c.SetWebsocketHTTPClient(c.http)
	c.SetPreLoginHTTPClient(c.http)
	c.SetMediaHTTPClient(c.http)
	events := make(chan any, 4096)
	c.events = events
	c.AddEventHandlerWithSuccessStatus(func(event any) bool {
		c.mu.Lock()
		refuses := c.refuses
		c.mu.Unlock()
		if refuses != nil && refuses(event) {
			return false
		}
		events <- event
		return true
	})
}

func (c *client) refuse(g gate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = g
}

func (c *client) close() {
	c.Disconnect()
	c.stop()            // the library's way back forgets a Disconnect that comes while it connects
	_ = c.store.Close() // in a store that is gone nothing needs to be kept
	c.http.CloseIdleConnections()
}

// copyOfStore makes a copy of the client's store as it is now, whole although the client goes on, and returns its path.
func (c *client) copyOfStore() string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "copy.db")
	db, err := sql.Open("sqlite", "file:"+c.path+"?_pragma=busy_timeout(10000)")
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, db.Close()) }()
	_, err = db.ExecContext(context.Background(), "VACUUM INTO ?", path)
	require.NoError(c.t, err)
	return path
}

// reopen stops the client and makes it again from its store.
func (c *client) reopen(n *wasim.Network) {
	c.t.Helper()
	c.close()
	c.open(n)
}

// linked makes a client and links it to a number.
func linked(t testing.TB, n *wasim.Network, number string) *client {
	t.Helper()
	c := newClient(t, n)
	require.NoError(t, c.Connect())
	qr := await(c, func(e *events.QR) bool { return true })
	require.NoError(t, n.Scan(number, qr.Codes[0]))
	await(c, func(e *events.PairSuccess) bool { return true })
	await(c, func(e *events.Connected) bool { return true })
	return c
}

// await returns the next event of a type for which match is true.
func await[T any](c *client, match func(T) bool) T {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-c.events:
			if event, ok := e.(T); ok && match(event) {
				return event
			}
		case <-deadline:
			var zero T
			require.FailNow(c.t, "the event did not come", "%T", zero)
			return zero
		}
	}
}

func (c *client) awaitText(text string) *events.Message {
	c.t.Helper()
	return await(c, func(e *events.Message) bool { return words(e.Message) == text })
}

func words(m *waE2E.Message) string {
	if m.Conversation != nil {
		return m.GetConversation()
	}
	return m.GetExtendedTextMessage().GetText()
}

// say sends a text and returns its ID.
func (c *client) say(to, text string, extra ...whatsmeow.SendRequestExtra) string {
	c.t.Helper()
	id, err := c.trySay(to, text, extra...)
	require.NoError(c.t, err)
	return id
}

func (c *client) trySay(to, text string, extra ...whatsmeow.SendRequestExtra) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := c.SendMessage(ctx, jid(to), &waE2E.Message{Conversation: proto.String(text)}, extra...)
	return r.ID, err
}

func jid(number string) types.JID { return types.NewJID(number, types.DefaultUserServer) }

// shows waits until a phone shows a message.
func shows(t testing.TB, n *wasim.Network, number string, match func(wasim.Message) bool) wasim.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := n.WaitMessage(ctx, number, match)
	require.NoError(t, err)
	return m
}

func hasText(text string) func(wasim.Message) bool {
	return func(m wasim.Message) bool { return m.Text == text }
}

// write sends a text as the user of a phone.
func write(t testing.TB, n *wasim.Network, from, to, text string) string {
	t.Helper()
	id, err := n.Send(context.Background(), from, to, text)
	require.NoError(t, err)
	return id
}

// eventually polls a condition until it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, patience, 5*time.Millisecond, what)
}

// lines collects what a network logs.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// get asks the control API of a network.
func get(t testing.TB, n *wasim.Network, path string) map[string]any {
	t.Helper()
	response, err := n.HTTPClient().Get("https://wasim" + path)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var answer map[string]any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer
}

// numberOf gives each test numbers of its own.
func numberOf(i int) string { return fmt.Sprintf("54911555%05d", i) }
