package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/auth/sqlstore"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

const password = "correcto caballo batería"

// cheap keeps the tests fast; the work of a real hash is not what they are about.
var cheap = auth.HashCost{MemoryKiB: 64, Passes: 1, Lanes: 1}

// bundle is a service on an empty SQLite database, with its surroundings in the test's hand.
type bundle struct {
	*auth.Service
	store    *sqlstore.Store
	db       *sqlkit.DB
	clock    *clock
	tenants  *tenantStates
	accounts *limiter
	address  *limiter
	deps     auth.Deps
	tenant   id.Tenant
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupOn(t, sqltest.Fresh(t, "sqlite"))
}

func setupOn(t *testing.T, db *sqlkit.DB) *bundle {
	t.Helper()
	b := &bundle{db: db, clock: &clock{at: time.Date(2026, 3, 25, 13, 0, 0, 0, time.UTC)}, tenants: &tenantStates{suspended: map[id.Tenant]bool{}},
		accounts: &limiter{}, address: &limiter{}, tenant: id.NewTenant()}
	b.store = sqlstore.New(db, outbox.New(db, bus.NewMemory(), b.clock.now, slog.New(slog.DiscardHandler)))
	b.deps = auth.Deps{Store: b.store, Sealer: sealer{}, Tenants: b.tenants, AccountLimit: b.accounts, AddressLimit: b.address, Now: b.clock.now,
		Logger: slog.New(slog.DiscardHandler), Cost: cheap}
	b.Service = auth.New(b.deps)
	return b
}

// another is a second process on the same database.
func (b *bundle) another() *auth.Service { return auth.New(b.deps) }

// from is a request that nobody has logged in for.
var from = auth.Caller{Address: "192.0.2.7", RequestID: "req-1"}

// user adds a person with the usual password.
func (b *bundle) user(t *testing.T, email string, role id.Role) auth.User {
	t.Helper()
	u, err := b.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: email, Name: "Somebody", Role: role, Password: password})
	require.NoError(t, err)
	return u.User
}

func (b *bundle) login(t *testing.T, email string) auth.Session {
	t.Helper()
	s, err := b.Login(t.Context(), from, email, password)
	require.NoError(t, err)
	return s
}

// caller is who the access token says.
func (b *bundle) caller(t *testing.T, s auth.Session) auth.Caller {
	t.Helper()
	p, err := b.Authenticate(t.Context(), "Bearer "+s.AccessToken, "")
	require.NoError(t, err)
	return auth.Caller{Principal: p, Address: from.Address, RequestID: "req-2"}
}

// acts lists what the audit log tells of the tenant, newest first.
func (b *bundle) acts(t *testing.T, tenant id.Tenant) []string {
	t.Helper()
	entries, err := b.store.ListAudit(t.Context(), auth.AuditQuery{Tenant: tenant, Limit: 100})
	require.NoError(t, err)
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Action
	}
	return out
}

// events lists the names of the events written to the outbox.
func (b *bundle) events(t *testing.T) []string {
	t.Helper()
	rows, err := b.db.SQL().QueryContext(t.Context(), "SELECT name FROM outbox ORDER BY pos")
	require.NoError(t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		out = append(out, name)
	}
	require.NoError(t, rows.Err())
	return out
}

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// tenantStates says that every tenant is active but those that the test suspends.
type tenantStates struct {
	mu        sync.Mutex
	suspended map[id.Tenant]bool
}

func (s *tenantStates) IsActive(_ context.Context, tenant id.Tenant) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.suspended[tenant], nil
}

func (s *tenantStates) suspend(tenant id.Tenant, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended[tenant] = suspended
}

// limiter allows everything until most attempts were made under one key; it remembers the keys.
type limiter struct {
	mu   sync.Mutex
	most int // 0 = no limit
	seen map[string]int
}

func (l *limiter) Allow(_ context.Context, key string) (bool, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[string]int{}
	}
	l.seen[key]++
	return l.most == 0 || l.seen[key] <= l.most, 42 * time.Second, nil
}

func (l *limiter) keys() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// sealer is no encryption at all, but it tells when a text is opened in another place than it was sealed for.
type sealer struct{}

func (sealer) Seal(_ context.Context, tenant id.Tenant, place string, plaintext []byte) (string, error) {
	return tenant.String() + "|" + place + "|" + base64.StdEncoding.EncodeToString(plaintext), nil
}

func (sealer) Open(_ context.Context, tenant id.Tenant, place, sealed string) ([]byte, error) {
	rest, ok := strings.CutPrefix(sealed, tenant.String()+"|"+place+"|")
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return base64.StdEncoding.DecodeString(rest)
}
