package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// The suite of appointments.Store: each test is one promise of it, kept on every database.

func requireNotFound(t *testing.T, err error, what string) {
	t.Helper()
	require.True(t, fault.Is(err, fault.NotFound), "%s: %v", what, err)
}

func TestStoreKeepsTheSetUp(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx := t.Context()
		l := appointments.Location{ID: id.NewLocation(), Name: "Casa «Ñandú»", Zone: "America/Santiago", Address: "Av. 1\n2º", CreatedAt: today,
			Policy: appointments.Policy{Notice: 90 * time.Minute, HorizonDays: 30, ClosureDates: appointments.CloseCalendar}}
		fresh, err := b.store.CreateLocation(ctx, b.tenant, l)
		require.NoError(t, err)
		require.True(t, fresh)
		fresh, err = b.store.CreateLocation(ctx, b.tenant, l)
		require.NoError(t, err)
		require.False(t, fresh, "the same ID again")
		l.Name, l.Policy.Notice = "Casa", 0
		require.NoError(t, b.store.UpdateLocation(ctx, b.tenant, l))
		got, err := b.store.FindLocation(ctx, b.tenant, l.ID)
		require.NoError(t, err)
		require.Equal(t, l, got)

		o := appointments.Offering{ID: id.NewService(), Name: "Corte", Description: "con 💈", Duration: 45 * time.Minute, Before: 5 * time.Minute, After: 10 * time.Minute,
			Step: 15 * time.Minute, Price: appointments.Money{Amount: 1 << 40, Currency: "ARS"}, Active: true, CreatedAt: today}
		require.NoError(t, b.store.CreateOffering(ctx, b.tenant, o))
		o.Active, o.Price = false, appointments.Money{}
		require.NoError(t, b.store.UpdateOffering(ctx, b.tenant, o))
		gotOffering, err := b.store.FindOffering(ctx, b.tenant, o.ID)
		require.NoError(t, err)
		require.Equal(t, o, gotOffering)

		m := appointments.Staff{ID: id.NewStaff(), Name: "Ana", Location: l.ID, Active: true, Services: []id.Service{o.ID}, CreatedAt: today,
			Hours:  []appointments.Shift{{Day: time.Saturday, From: 22 * 60, To: 26 * 60}},
			Breaks: []appointments.Shift{{Day: time.Saturday, From: 24 * 60, To: 24*60 + 15}}}
		require.NoError(t, b.store.CreateStaff(ctx, b.tenant, m))
		m.Name, m.Services = "Ana María", nil
		require.NoError(t, b.store.UpdateStaff(ctx, b.tenant, m))
		gotStaff, err := b.store.FindStaff(ctx, b.tenant, m.ID)
		require.NoError(t, err)
		require.Empty(t, gotStaff.Services)
		gotStaff.Services = nil
		require.Equal(t, m, gotStaff)

		dates := appointments.Closure{ID: id.NewClosure(), Location: l.ID, First: when.Date{Year: 2026, Month: 12, Day: 24}, Last: when.Date{Year: 2027, Month: 1, Day: 2}, Reason: "verano", CreatedAt: today}
		hours := appointments.Closure{ID: id.NewClosure(), Location: l.ID, Staff: m.ID, Span: appointments.Span{From: today, To: today.Add(time.Hour)}, CreatedAt: today.Add(time.Second)}
		require.NoError(t, b.store.CreateClosure(ctx, b.tenant, dates))
		require.NoError(t, b.store.CreateClosure(ctx, b.tenant, hours))
		all, err := b.store.ListClosures(ctx, b.tenant)
		require.NoError(t, err)
		require.Equal(t, []appointments.Closure{dates, hours}, all)
		require.NoError(t, b.store.DeleteClosure(ctx, b.tenant, dates.ID))
		_, err = b.store.FindClosure(ctx, b.tenant, dates.ID)
		requireNotFound(t, err, "deleted closure")
	})
}

func TestStoreKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx, other := t.Context(), id.NewTenant()
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		a, err := b.svc.Book(ctx, b.tenant, appointments.BookCommand{Service: o.ID, Staff: ana.ID, Start: appointments.At(at(25, "10:00")),
			Customer: appointments.CustomerRef{Name: "Eva", Phone: "+5491122334455", WhatsApp: "77@lid"}})
		require.NoError(t, err)
		h, err := b.svc.Hold(ctx, b.tenant, appointments.HoldCommand{Service: o.ID, Staff: ana.ID, Start: appointments.At(at(25, "11:00"))})
		require.NoError(t, err)
		c, _, err := b.svc.CreateClosure(ctx, b.tenant, noKey, appointments.Closure{First: when.Date{Year: 2026, Month: 5, Day: 1}}, false)
		require.NoError(t, err)

		s := b.store
		find := map[string]error{
			"location":         second(s.FindLocation(ctx, other, a.Location.ID)),
			"update location":  s.UpdateLocation(ctx, other, a.Location),
			"service":          second(s.FindOffering(ctx, other, o.ID)),
			"update service":   s.UpdateOffering(ctx, other, o),
			"staff":            second(s.FindStaff(ctx, other, ana.ID)),
			"update staff":     s.UpdateStaff(ctx, other, ana),
			"closure":          second(s.FindClosure(ctx, other, c.ID)),
			"delete closure":   s.DeleteClosure(ctx, other, c.ID),
			"customer":         second(s.FindCustomer(ctx, other, a.Customer.ID)),
			"update customer":  s.UpdateCustomer(ctx, other, a.Customer, ""),
			"appointment":      second(s.FindAppointment(ctx, other, a.ID)),
			"lock appointment": second(s.LockAppointment(ctx, other, a.ID)),
			"hold":             second(s.FindHold(ctx, other, h.ID)),
			"plan":             second(s.LoadPlan(ctx, other, appointments.PlanQuery{Service: o.ID})),
		}
		for what, err := range find {
			requireNotFound(t, err, what)
		}
		gone, err := s.DeleteHold(ctx, other, h.ID)
		require.NoError(t, err)
		require.False(t, gone)
		require.Error(t, s.UpdateAppointment(ctx, other, &a))
		require.NoError(t, s.DeleteExpiredHolds(ctx, other, []id.Staff{ana.ID}, h.ExpiresAt))
		_, matched, err := s.MatchCustomer(ctx, other, "77@lid", "+541122334455")
		require.NoError(t, err)
		require.False(t, matched)
		for what, n := range map[string]int{
			"locations":    length(s.ListLocations(ctx, other)),
			"services":     length(s.ListOfferings(ctx, other)),
			"staff":        length(s.ListStaff(ctx, other)),
			"closures":     length(s.ListClosures(ctx, other)),
			"customers":    length(s.ListCustomers(ctx, other, appointments.CustomerQuery{Limit: 10})),
			"appointments": length(s.ListAppointments(ctx, other, appointments.AppointmentQuery{Limit: 10})),
		} {
			require.Zero(t, n, what)
		}
		kept, err := s.FindAppointment(ctx, b.tenant, a.ID)
		require.NoError(t, err)
		require.Equal(t, a, kept)
		_, err = s.FindHold(ctx, b.tenant, h.ID)
		require.NoError(t, err)
	})
}

func second[T any](_ T, err error) error { return err }

func length[T any](list []T, err error) int {
	if err != nil {
		return -1
	}
	return len(list)
}

func TestStoreTellsLettersApart(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		_, err := b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Start: appointments.At(at(25, "10:00")), Customer: appointments.CustomerRef{Name: "Eva", WhatsApp: "aB@lid"}})
		require.NoError(t, err)
		_, found, err := b.store.MatchCustomer(t.Context(), b.tenant, "Ab@lid", "")
		require.NoError(t, err)
		require.False(t, found)
		for table, key := range map[string]string{"services": o.ID.String(), "staff": ana.ID.String(), "booking_locks": ana.ID.String()} {
			for _, text := range []string{key, strings.ToUpper(key)} {
				n, err := db.Handle().Read().NewSelect().TableExpr("?", bun.Ident(table)).Where("tenant_id = ?", b.tenant).Where("id = ?", text).Count(t.Context())
				require.NoError(t, err)
				require.Equal(t, text == key, n == 1, "%s by %s", table, text)
			}
		}
	})
}

func TestStoreMatchesACustomerByWhatsAppThenByPhone(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx := t.Context()
		add := func(name, whatsapp, fold string) appointments.Customer {
			c := appointments.Customer{ID: id.NewCustomer(), Name: name, WhatsApp: whatsapp, Phone: fold, CreatedAt: today}
			fresh, err := b.store.CreateCustomer(ctx, b.tenant, c, fold)
			require.NoError(t, err)
			require.True(t, fresh)
			return c
		}
		eva, flor := add("Eva", "1@lid", ""), add("Flor Núñez", "", "+541122334455")
		add("Sin datos", "", "")
		add("Tampoco", "", "")
		for _, c := range []struct {
			whatsapp, fold string
			want           string
		}{{"1@lid", "", "Eva"}, {"", "+541122334455", "Flor Núñez"}, {"1@lid", "+541122334455", "Eva"}, {"2@lid", "+541122334455", "Flor Núñez"}, {"2@lid", "+1", ""}, {"", "", ""}} {
			got, found, err := b.store.MatchCustomer(ctx, b.tenant, c.whatsapp, c.fold)
			require.NoError(t, err)
			require.Equal(t, c.want != "", found)
			require.Equal(t, c.want, got.Name)
		}
		fresh, err := b.store.CreateCustomer(ctx, b.tenant, appointments.Customer{ID: id.NewCustomer(), Name: "Otra", WhatsApp: eva.WhatsApp}, "")
		require.NoError(t, err)
		require.False(t, fresh)
		for search, want := range map[string]int{"nun": 1, "NÚÑ": 1, "223344": 1, "%": 0, "a": 3, "": 4} {
			require.Equal(t, want, length(b.store.ListCustomers(ctx, b.tenant, appointments.CustomerQuery{Search: search, Limit: 10})), search)
		}
		page, err := b.store.ListCustomers(ctx, b.tenant, appointments.CustomerQuery{After: flor.ID, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []appointments.Customer{eva}, page)
	})
}

func TestStoreListsAppointmentsByEachFilterInOrder(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx := t.Context()
		o := b.offering(60, 60)
		ana, beto := b.person("Ana", o), b.person("Beto", o)
		var made []appointments.Appointment
		for i, start := range []time.Time{at(25, "10:00"), at(25, "10:00"), at(25, "11:00"), at(26, "09:00")} {
			staff := []appointments.Staff{ana, beto, ana, beto}[i]
			a, err := b.book(o, staff, start, "Cliente")
			require.NoError(t, err)
			made = append(made, a)
		}
		cancelled, err := b.svc.Cancel(ctx, b.tenant, made[2].ID, "x", "")
		require.NoError(t, err)
		list := func(q appointments.AppointmentQuery) []id.Appointment {
			if q.Limit == 0 {
				q.Limit = 10
			}
			found, err := b.store.ListAppointments(ctx, b.tenant, q)
			require.NoError(t, err)
			out := []id.Appointment{}
			for _, a := range found {
				out = append(out, a.ID)
			}
			return out
		}
		ids := func(index ...int) []id.Appointment {
			out := []id.Appointment{}
			for _, i := range index {
				out = append(out, made[i].ID)
			}
			return out
		}
		require.Equal(t, ids(0, 1, 2, 3), list(appointments.AppointmentQuery{}))
		require.Equal(t, ids(0, 1), list(appointments.AppointmentQuery{Limit: 2}))
		require.Equal(t, ids(1, 2, 3), list(appointments.AppointmentQuery{After: appointments.AppointmentPosition{Start: made[0].Start, ID: made[0].ID}}))
		require.Equal(t, ids(0, 2), list(appointments.AppointmentQuery{Staff: ana.ID}))
		require.Equal(t, ids(2), list(appointments.AppointmentQuery{Statuses: []appointments.Status{appointments.Cancelled}}))
		require.Equal(t, ids(3), list(appointments.AppointmentQuery{Customer: made[3].Customer.ID}))
		require.Equal(t, ids(0, 1, 2, 3), list(appointments.AppointmentQuery{Location: made[0].Location.ID}))
		require.Empty(t, list(appointments.AppointmentQuery{Location: id.NewLocation()}))
		require.Equal(t, ids(0, 1), list(appointments.AppointmentQuery{Span: appointments.Span{From: at(25, "10:30"), To: at(25, "11:00")}}), "those that overlap the range")
		require.Equal(t, ids(2, 3), list(appointments.AppointmentQuery{Span: appointments.Span{From: at(25, "11:00")}}))

		stale := cancelled
		stale.Version--
		require.True(t, fault.HasReason(b.store.UpdateAppointment(ctx, b.tenant, &stale), "stale_version"))
		version := cancelled.Version
		require.NoError(t, b.store.UpdateAppointment(ctx, b.tenant, &cancelled))
		require.Equal(t, version+1, cancelled.Version)
	})
}

// counting counts the statements that go through a database.
type counting struct{ n atomic.Int64 }

func (c *counting) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *counting) AfterQuery(context.Context, *bun.QueryEvent) {}

func TestStoreLoadsAPlanInFourStatements(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx := t.Context()
		o := b.offering(30, 30)
		var people []appointments.Staff
		for range 20 {
			people = append(people, b.person("Ana", o))
		}
		b.person("Zoe")
		a, err := b.book(o, people[0], at(25, "10:00"), "Eva")
		require.NoError(t, err)
		gone, err := b.book(o, people[0], at(25, "12:00"), "Flor")
		require.NoError(t, err)
		_, err = b.svc.Cancel(ctx, b.tenant, gone.ID, "x", "")
		require.NoError(t, err)
		h, err := b.svc.Hold(ctx, b.tenant, appointments.HoldCommand{Service: o.ID, Staff: people[0].ID, Start: appointments.At(at(25, "11:00"))})
		require.NoError(t, err)
		_, _, err = b.svc.CreateClosure(ctx, b.tenant, noKey, appointments.Closure{First: when.Date{Year: 2026, Month: 3, Day: 27}}, false)
		require.NoError(t, err)
		_, _, err = b.svc.CreateClosure(ctx, b.tenant, noKey, appointments.Closure{First: when.Date{Year: 2026, Month: 9, Day: 27}}, false)
		require.NoError(t, err)

		hook := &counting{}
		seen := newBench(t, db.Observed(hook)) // the same business, with its statements counted
		seen.tenant = b.tenant
		q := appointments.PlanQuery{Service: o.ID, Starts: appointments.Span{From: today, To: at(28, "00:00")}, Now: today}
		p, err := seen.store.LoadPlan(ctx, b.tenant, q)
		require.NoError(t, err)
		require.EqualValues(t, 4, hook.n.Load())
		require.Len(t, p.Staff, 20)
		require.Len(t, p.Closures, 1)
		require.Equal(t, o, p.Offering)
		require.Len(t, p.Busy[people[0].ID], 2)

		hook.n.Store(0)
		found, err := seen.svc.Availability(ctx, b.tenant, appointments.AvailabilityQuery{Service: o.ID, From: today, To: at(28, "00:00")})
		require.NoError(t, err)
		require.NotEmpty(t, found.Slots)
		require.EqualValues(t, 4, hook.n.Load())

		q.Now = h.ExpiresAt
		busy := func() []appointments.Span {
			p, err := seen.store.LoadPlan(ctx, b.tenant, q)
			require.NoError(t, err)
			for i, s := range p.Busy[people[0].ID] {
				p.Busy[people[0].ID][i] = appointments.Span{From: s.From.UTC(), To: s.To.UTC()}
			}
			return p.Busy[people[0].ID]
		}
		require.Equal(t, []appointments.Span{a.Occupied}, busy(), "an expired hold occupies nothing")
		q.Appointment, q.Now = a.ID, today
		require.Equal(t, []appointments.Span{h.Occupied}, busy())
		q.Hold = h.ID
		require.Empty(t, busy())
		q.Hold, q.Appointment, q.Starts = id.Hold{}, id.Appointment{}, appointments.Span{From: at(25, "10:30"), To: at(25, "10:31")}
		require.Len(t, busy(), 1, "only what one of the starts can meet")

		for what, q := range map[string]appointments.PlanQuery{
			"service":  {Service: id.NewService()},
			"staff":    {Service: o.ID, Staff: id.NewStaff()},
			"location": {Service: o.ID, Location: id.NewLocation()},
		} {
			_, err = seen.store.LoadPlan(ctx, b.tenant, q)
			requireNotFound(t, err, what)
		}
	})
}

func TestStoreRollsEverythingBackTogether(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx, fell := t.Context(), errors.New("fell")
		err := b.store.InTx(ctx, func(tx appointments.Store) error {
			require.NoError(t, tx.Emit(ctx, &events.AppointmentBooked{AppointmentFacts: events.AppointmentFacts{Tenant: b.tenant}}))
			require.NoError(t, tx.EnqueueAt(ctx, &events.HandOffChat{Tenant: b.tenant, Chat: id.NewChat()}, today.Add(time.Hour)))
			_, err := tx.ClaimKey(ctx, b.tenant, "op", appointments.Idempotency{Key: "k", BodyHash: "h"}, "first", today)
			require.NoError(t, err)
			_, err = tx.CreateLocation(ctx, b.tenant, appointments.Location{ID: id.NewLocation(), Zone: "UTC"})
			require.NoError(t, err)
			return fell
		})
		require.ErrorIs(t, err, fell)
		for _, table := range []string{"outbox", "jobs", "idempotency_keys", "locations"} {
			require.Zero(t, b.rows(table), table)
		}
		before, err := b.store.ClaimKey(ctx, b.tenant, "op", appointments.Idempotency{Key: "k", BodyHash: "h"}, "second", today)
		require.NoError(t, err)
		require.Empty(t, before)
		before, err = b.store.ClaimKey(ctx, b.tenant, "op", appointments.Idempotency{Key: "k", BodyHash: "h"}, "third", today)
		require.NoError(t, err)
		require.Equal(t, "second", before)
	})
}
