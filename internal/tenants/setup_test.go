package tenants_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/tenants"
	"turnero/internal/tenants/sqlstore"
)

const zone = "America/Argentina/Buenos_Aires"

// bundle is a service on an empty SQLite database, with its surroundings in the test's hand.
type bundle struct {
	*tenants.Service
	store *sqlstore.Store
	db    *sqlkit.DB
	clock *clock
	users *people
	deps  tenants.Deps
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupOn(t, sqltest.Fresh(t, "sqlite"))
}

func setupOn(t *testing.T, db *sqlkit.DB) *bundle {
	t.Helper()
	b := &bundle{db: db, clock: &clock{at: time.Date(2026, 3, 25, 13, 0, 0, 0, time.UTC)}, users: &people{at: map[id.Tenant]string{}}}
	silent := slog.New(slog.DiscardHandler)
	wake := bus.NewMemory()
	b.store = sqlstore.New(db, outbox.New(db, wake, b.clock.now, silent), jobs.New(db, wake, b.clock.now, silent))
	b.deps = tenants.Deps{Store: b.store, Users: b.users, Now: b.clock.now, Logger: silent}
	b.Service = tenants.New(b.deps)
	return b
}

// operator is a super-admin's request.
var operator = tenants.Caller{Principal: id.Principal{User: id.NewUser(), Role: id.SuperAdmin}, Address: "192.0.2.7", RequestID: "req-1"}

// wanted is a complete business.
func wanted() tenants.NewTenant {
	return tenants.NewTenant{Name: "Peluquería Ñandú", Zone: zone, Admin: tenants.FirstAdmin{Email: "ana@example.com", Name: "Ana", Password: "correcto caballo"}}
}

func (b *bundle) create(t *testing.T, name string) tenants.Tenant {
	t.Helper()
	in := wanted()
	in.Name, in.Admin.Email = name, id.NewUser().String()+"@example.com"
	out, err := b.CreateTenant(t.Context(), operator, in)
	require.NoError(t, err)
	return out.Tenant
}

// told lists the names of the events written to the outbox.
func (b *bundle) told(t *testing.T) []string {
	t.Helper()
	return b.texts(t, "SELECT name FROM outbox ORDER BY pos")
}

// audited lists the acts that the audit log is asked to record.
func (b *bundle) audited(t *testing.T) []events.RecordAudit {
	t.Helper()
	var out []events.RecordAudit
	for _, payload := range b.texts(t, "SELECT payload FROM jobs WHERE kind = 'audit.record' ORDER BY pos, id") {
		var job events.RecordAudit
		require.NoError(t, json.Unmarshal([]byte(payload), &job))
		out = append(out, job)
	}
	return out
}

// planned lists the discards that are planned, with their instants.
func (b *bundle) planned(t *testing.T) []events.DiscardTenant {
	t.Helper()
	var out []events.DiscardTenant
	for _, payload := range b.texts(t, "SELECT payload FROM jobs WHERE kind = 'tenants.discard' ORDER BY pos, id") {
		var job events.DiscardTenant
		require.NoError(t, json.Unmarshal([]byte(payload), &job))
		out = append(out, job)
	}
	return out
}

func (b *bundle) texts(t *testing.T, query string) []string {
	t.Helper()
	rows, err := b.db.SQL().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		out = append(out, text)
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

// people stands for auth: it knows who is the first admin of which business.
type people struct {
	mu      sync.Mutex
	at      map[id.Tenant]string // e-mail address of the first admin
	refuse  error                // what CheckFirstAdmin answers
	fail    error                // what CreateFirstAdmin answers, after making the person
	stall   func()               // what happens while CreateFirstAdmin runs
	discard error                // what DiscardUsers answers, doing nothing
}

func (p *people) CheckFirstAdmin(context.Context, string, string, string) error { return p.refuse }

func (p *people) CreateFirstAdmin(_ context.Context, tenant id.Tenant, email, _, password string) (id.User, string, error) {
	p.mu.Lock()
	for _, taken := range p.at {
		if taken == email {
			p.mu.Unlock()
			return id.User{}, "", fault.New(fault.Conflict, "email_taken", "somebody has this e-mail address already")
		}
	}
	p.at[tenant] = email
	p.mu.Unlock()
	if p.stall != nil {
		p.stall()
	}
	if p.fail != nil {
		return id.User{}, "", p.fail
	}
	if password == "" {
		return id.NewUser(), "made-up", nil
	}
	return id.NewUser(), "", nil
}

func (p *people) DiscardUsers(_ context.Context, tenant id.Tenant) error {
	if p.discard != nil {
		return p.discard
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.at, tenant)
	return nil
}

func (p *people) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.at)
}
