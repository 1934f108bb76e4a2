package sqlstore_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

// The tests live on Friday 20 March 2026, 09:00 in Buenos Aires.
var today = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

// at gives the time of day on a date of March 2026 in Buenos Aires.
func at(day int, clock string) time.Time {
	t, err := time.ParseInLocation("2006-1-2 15:04", "2026-3-1 "+clock, time.FixedZone("", -3*3600))
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, day-1).UTC()
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// firms is one business for every tenant.
type firms struct{}

func (firms) Business(context.Context, id.Tenant) (appointments.Business, error) {
	return appointments.Business{Name: "Peluquería", Zone: "America/Argentina/Buenos_Aires", Address: "Corrientes 1234", Region: "AR"}, nil
}

// phones reads Argentine numbers well enough for tests: a mobile number may be written with or without its 9.
type phones struct{}

func (phones) Parse(text, region string) (string, error) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	if !strings.HasPrefix(text, "+") && region == "AR" {
		digits = "54" + digits
	}
	if len(digits) < 8 {
		return "", errors.New("too short")
	}
	return "+" + digits, nil
}

func (phones) Fold(e164 string) string { return strings.Replace(e164, "+549", "+54", 1) }

// bench is a business of a tenant of its own in one database.
type bench struct {
	t      *testing.T
	db     *sqlkit.DB
	store  *sqlstore.Store
	svc    *appointments.Service
	clock  *clock
	tenant id.Tenant
}

func newBench(t *testing.T, db *sqlkit.DB) *bench {
	t.Helper()
	c := &clock{now: today}
	logger := slog.New(slog.DiscardHandler)
	b := bus.NewMemory()
	store := sqlstore.New(db, outbox.New(db, b, c.Now, logger), jobs.New(db, b, c.Now, logger))
	svc := appointments.New(appointments.Deps{Store: store, Businesses: firms{}, Phones: phones{}, Now: c.Now})
	return &bench{t: t, db: db, store: store, svc: svc, clock: c, tenant: id.NewTenant()}
}

var noKey = appointments.Idempotency{}

// offering adds a service of the given minutes and step.
func (b *bench) offering(minutes, step int) appointments.Offering {
	b.t.Helper()
	o, err := b.svc.CreateOffering(b.t.Context(), b.tenant, noKey, appointments.Offering{Name: "Corte", Duration: time.Duration(minutes) * time.Minute,
		Step: time.Duration(step) * time.Minute, Price: appointments.Money{Amount: 1500000, Currency: "ARS"}, Active: true})
	require.NoError(b.t, err)
	return o
}

// person adds a staff member who performs the services from 9 to 18 on every day.
func (b *bench) person(name string, services ...appointments.Offering) appointments.Staff {
	b.t.Helper()
	m := appointments.Staff{Name: name, Active: true}
	for _, o := range services {
		m.Services = append(m.Services, o.ID)
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		m.Hours = append(m.Hours, appointments.Shift{Day: day, From: 9 * 60, To: 18 * 60})
	}
	m, err := b.svc.CreateStaff(b.t.Context(), b.tenant, noKey, m)
	require.NoError(b.t, err)
	return m
}

func (b *bench) book(o appointments.Offering, m appointments.Staff, start time.Time, name string) (appointments.Appointment, error) {
	return b.svc.Book(b.t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Staff: m.ID, Start: appointments.At(start),
		Customer: appointments.CustomerRef{Name: name}, Origin: appointments.OriginAPI, By: "usr_x"})
}

// told reads the names of the tenant's events, in order.
func (b *bench) told() []string {
	b.t.Helper()
	var names []string
	err := b.db.Handle().Read().NewSelect().TableExpr("outbox").Column("name").Where("tenant_id = ?", b.tenant.String()).Order("pos").Scan(b.t.Context(), &names)
	require.NoError(b.t, err)
	return names
}

// events reads the tenant's events of one name.
func (b *bench) events(name string) []events.Event {
	b.t.Helper()
	var rows []struct{ Payload string }
	err := b.db.Handle().Read().NewSelect().TableExpr("outbox").Column("payload").Where("tenant_id = ?", b.tenant.String()).Where("name = ?", name).Order("pos").Scan(b.t.Context(), &rows)
	require.NoError(b.t, err)
	out := make([]events.Event, len(rows))
	for i, r := range rows {
		out[i], err = events.Decode(name, []byte(r.Payload))
		require.NoError(b.t, err)
	}
	return out
}

// rows counts the tenant's rows of a table.
func (b *bench) rows(table string) int {
	b.t.Helper()
	n, err := b.db.Handle().Read().NewSelect().TableExpr("?", bun.Ident(table)).Where("tenant_id = ?", b.tenant).Count(b.t.Context())
	require.NoError(b.t, err)
	return int(n)
}
