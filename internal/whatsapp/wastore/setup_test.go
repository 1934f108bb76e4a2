package wastore_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"

	"turnero/internal/id"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wastore"
)

// TestMain sets the Signal library's log, which that library would make at first use, without a lock.
func TestMain(m *testing.M) {
	var l logger.Loggable = silent{}
	logger.Setup(&l)
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Debug(string, string)   {}
func (silent) Info(string, string)    {}
func (silent) Warning(string, string) {}
func (silent) Error(string, string)   {}
func (silent) Configure(string)       {}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func keyring(t testing.TB, db *sqlkit.DB) *secret.Keyring {
	t.Helper()
	k, err := secret.NewKeyring(db, secret.Master{1}, time.Now)
	require.NoError(t, err)
	return k
}

func openStore(t testing.TB, db *sqlkit.DB) *wastore.Store {
	t.Helper()
	s, err := wastore.Open(t.Context(), wastore.Options{DB: db, Keys: keyring(t, db), Network: "sim", Logger: quiet()})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// newTerm makes a session and gives the right to write for it.
func newTerm(t testing.TB, db *sqlkit.DB, tenant id.Tenant) whatsapp.Term {
	t.Helper()
	term := whatsapp.Term{Ref: whatsapp.Ref{Tenant: tenant, Session: id.NewSession()}, Fence: 1}
	_, err := db.Handle().Write().NewRaw(`INSERT INTO whatsapp_sessions (tenant_id, id, name, status, reason, since, until, locked, number, lid, push_name, is_linked, is_paused,
		down_since, is_alerted, fence, owner, created_at) VALUES (?, ?, '', 'connected', '', 0, 0, 0, '', '', '', 1, 0, 0, 0, ?, '', 0)`, tenant, term.Session, term.Fence).Exec(t.Context())
	require.NoError(t, err)
	return term
}

// takeOver gives the session to another owner.
func takeOver(t testing.TB, db *sqlkit.DB, term whatsapp.Term) whatsapp.Term {
	t.Helper()
	term.Fence++
	_, err := db.Handle().Write().NewRaw("UPDATE whatsapp_sessions SET fence = ? WHERE tenant_id = ? AND id = ?", term.Fence, term.Tenant, term.Session).Exec(t.Context())
	require.NoError(t, err)
	return term
}

var numbers atomic.Int64

// link saves a new device as linking does.
func link(t testing.TB, d *store.Device) {
	t.Helper()
	require.Nil(t, d.ID)
	n := numbers.Add(1)
	number := types.NewJID(fmt.Sprintf("54911%06d", n), types.DefaultUserServer)
	number.Device = 7
	d.ID, d.LID = &number, types.NewJID(fmt.Sprintf("99%06d", n), types.HiddenUserServer)
	d.Account = &waAdv.ADVSignedDeviceIdentity{Details: []byte{1}, AccountSignatureKey: make([]byte, 32), AccountSignature: make([]byte, 64), DeviceSignature: make([]byte, 64)}
	require.NoError(t, d.Save(t.Context()))
}

// own is the store of this package.
type own struct {
	db      *sqlkit.DB
	store   *wastore.Store
	tenants [3]id.Tenant

	mu    sync.Mutex
	terms map[string]whatsapp.Term
}

func newOwn(t *testing.T, db *sqlkit.DB) *own {
	return &own{db: db, store: openStore(t, db), tenants: [3]id.Tenant{{}, id.NewTenant(), id.NewTenant()}, terms: map[string]whatsapp.Term{}}
}

func (o *own) Link(t *testing.T, tenant int) *store.Device {
	t.Helper()
	term := newTerm(t, o.db, o.tenants[tenant])
	d, err := o.store.Load(t.Context(), term)
	require.NoError(t, err)
	link(t, d)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.terms[d.ID.String()] = term
	return d
}

func (o *own) Again(t *testing.T, d *store.Device) *store.Device {
	t.Helper()
	o.mu.Lock()
	term := o.terms[d.ID.String()]
	o.mu.Unlock()
	again, err := o.store.Load(t.Context(), term)
	require.NoError(t, err)
	require.NotNil(t, again.ID)
	return again
}

func (o *own) SharesPairs() bool { return false }

// library is the store that comes with whatsmeow.
type library struct{ container *sqlstore.Container }

func (l library) Link(t *testing.T, _ int) *store.Device {
	t.Helper()
	d := l.container.NewDevice()
	link(t, d)
	return d
}

func (l library) Again(t *testing.T, d *store.Device) *store.Device {
	t.Helper()
	again, err := l.container.GetDevice(t.Context(), *d.ID)
	require.NoError(t, err)
	require.NotNil(t, again)
	return again
}

func (l library) SharesPairs() bool { return true }

// libraryPool opens an empty database for the library's store.
func libraryPool(t testing.TB, kind string) (pool *sql.DB, dialect string) {
	t.Helper()
	var err error
	if kind == "sqlite" {
		pool, err = sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "library.db")+"?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
		dialect = "sqlite"
		if err == nil {
			pool.SetMaxOpenConns(1)
		}
	} else {
		_ = stdlib.GetDefaultDriver()
		pool, err = sql.Open("pgx", sqltest.FreshURL(t, "postgres"))
		dialect = "postgres"
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return pool, dialect
}

func newLibrary(t testing.TB, kind string) library {
	t.Helper()
	pool, dialect := libraryPool(t, kind)
	return newLibraryOn(t, pool, dialect)
}

func newLibraryOn(t testing.TB, pool *sql.DB, dialect string) library {
	t.Helper()
	c := sqlstore.NewWithDB(pool, dialect, nil)
	require.NoError(t, c.Upgrade(t.Context()))
	return library{c}
}

func TestStoreDoesWhatWhatsmeowExpects(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) { conform(t, newOwn(t, db)) })
}

func TestTheLibrarysStoreDoesWhatIsExpectedOfOurs(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			conform(t, newLibrary(t, kind))
		})
	}
}
