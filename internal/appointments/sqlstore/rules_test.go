package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestTheFirstSetUpMakesOneLocation(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		none, err := b.svc.Locations(t.Context(), b.tenant)
		require.NoError(t, err)
		require.Empty(t, none)
		_, errs := atOnce(6, func(i int) (appointments.Offering, error) {
			return b.svc.CreateOffering(t.Context(), b.tenant, noKey, appointments.Offering{Name: fmt.Sprint("Servicio ", i), Duration: time.Hour, Active: true})
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		all, err := b.svc.Locations(t.Context(), b.tenant)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, "America/Argentina/Buenos_Aires", all[0].Zone)
		require.Equal(t, "Corrientes 1234", all[0].Address)
		require.Equal(t, appointments.DefaultPolicy(), all[0].Policy)
	})
}

func TestACreationRepeatedWithItsKeyMakesOneThing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		key := appointments.Idempotency{Key: "k", BodyHash: "h"}
		made, errs := atOnce(6, func(int) (appointments.Offering, error) {
			return b.svc.CreateOffering(t.Context(), b.tenant, key, appointments.Offering{Name: "Corte", Duration: time.Hour, Active: true})
		})
		for i := range errs {
			require.NoError(t, errs[i])
			require.Equal(t, made[0], made[i])
		}
		require.Equal(t, 1, b.rows("services"))
	})
}

func TestAClosureAsksBeforeItCoversAppointmentsAndCancelsNone(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx := t.Context()
		o := b.offering(60, 60)
		ana, beto := b.person("Ana", o), b.person("Beto", o)
		for i := range 5 {
			_, err := b.book(o, ana, at(25, fmt.Sprintf("%d:00", 9+i)), "Cliente")
			require.NoError(t, err)
		}
		other, err := b.book(o, ana, at(26, "09:00"), "Cliente")
		require.NoError(t, err)
		holiday := appointments.Closure{First: when.Date{Year: 2026, Month: 3, Day: 25}, Reason: "feriado"}
		_, _, err = b.svc.CreateClosure(ctx, b.tenant, noKey, holiday, false)
		require.True(t, fault.HasReason(err, "closure_has_appointments"), "%v", err)
		f, _ := fault.As(err)
		require.Len(t, f.Details["appointments"], 5)
		require.Zero(t, b.rows("closures"))

		key := appointments.Idempotency{Key: "k", BodyHash: "h"}
		closed, kept, err := b.svc.CreateClosure(ctx, b.tenant, key, holiday, true)
		require.NoError(t, err)
		require.Len(t, kept, 5)
		again, keptAgain, err := b.svc.CreateClosure(ctx, b.tenant, key, holiday, true)
		require.NoError(t, err)
		require.Equal(t, closed, again)
		require.Equal(t, kept, keptAgain)
		day := appointments.AvailabilityQuery{Service: o.ID, First: holiday.First, Last: holiday.First}
		found, err := b.svc.Availability(ctx, b.tenant, day)
		require.NoError(t, err)
		require.Empty(t, found.Slots)
		for _, a := range kept {
			still, err := b.svc.Appointment(ctx, b.tenant, a.ID)
			require.NoError(t, err)
			require.Equal(t, appointments.Booked, still.Status)
		}
		_, err = b.book(o, beto, at(25, "10:00"), "Cliente")
		require.True(t, fault.HasReason(err, "closure") && fault.Is(err, fault.Conflict), "%v", err)
		require.Len(t, appointments.Alternatives(err), 3)

		require.NoError(t, b.svc.DeleteClosure(ctx, b.tenant, closed.ID))
		_, err = b.book(o, beto, at(25, "10:00"), "Cliente")
		require.NoError(t, err)
		_, kept, err = b.svc.CreateClosure(ctx, b.tenant, noKey, appointments.Closure{Staff: beto.ID, Span: appointments.Span{From: at(26, "09:00"), To: at(26, "10:00")}}, false)
		require.NoError(t, err, "%s is somebody else's", other.ID)
		require.Empty(t, kept)
	})
}

func TestANewZoneAsksWhatBecomesOfAppointments(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		ctx := t.Context()
		o := b.offering(60, 60)
		ana := b.person("Ana", o)
		a, err := b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		move := func(zone string, keep appointments.Keep) error {
			_, err := b.svc.UpdateLocation(ctx, b.tenant, a.Location.ID, keep, func(l *appointments.Location) { l.Zone = zone })
			return err
		}
		find := func() appointments.Appointment {
			got, err := b.svc.Appointment(ctx, b.tenant, a.ID)
			require.NoError(t, err)
			return got
		}
		require.True(t, fault.HasReason(move("America/Bogota", appointments.KeepNothing), "zone_has_appointments"))
		require.True(t, fault.Is(move("America/Atlantis", appointments.KeepWall), fault.Invalid))
		require.Equal(t, a, find(), "a refusal changes nothing")

		require.NoError(t, move("America/Bogota", appointments.KeepInstant))
		got := find()
		require.Equal(t, a.Start, got.Start)
		require.Equal(t, "08:00", got.Location.In(got.Start).Format("15:04"))

		require.NoError(t, move("America/Argentina/Buenos_Aires", appointments.KeepWall))
		got = find()
		require.Equal(t, "08:00", got.Location.In(got.Start).Format("15:04"))
		require.Equal(t, at(25, "08:00"), got.Start)
		require.Equal(t, at(25, "09:00"), got.End)
		require.Equal(t, appointments.Span{From: got.Start, To: got.End}, got.Occupied)
		last := b.events("appointment.rescheduled")[1].(*events.AppointmentRescheduled)
		require.Equal(t, a.Start, last.OldStart)
		require.Equal(t, "America/Argentina/Buenos_Aires", last.Zone)

		_, err = b.svc.Cancel(ctx, b.tenant, a.ID, "x", "")
		require.NoError(t, err)
		require.NoError(t, move("America/Bogota", appointments.KeepNothing), "nothing ahead, nothing to ask")
	})
}

func TestOnePersonIsOneCustomer(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		b.person("Ana", o)
		hour := 9
		book := func(ref appointments.CustomerRef) appointments.Customer {
			a, err := b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Start: appointments.At(at(25, fmt.Sprintf("%d:00", hour))), Customer: ref})
			require.NoError(t, err)
			hour++
			return a.Customer
		}
		chat := id.NewChat()
		first := book(appointments.CustomerRef{Name: "Eva", Phone: "+5491122334455"})
		require.Equal(t, "+5491122334455", first.Phone)
		byChat := book(appointments.CustomerRef{Name: "evita ✨", Phone: "+541122334455", WhatsApp: "7@lid", Chat: chat})
		require.Equal(t, first.ID, byChat.ID, "the same number in another spelling")
		require.Equal(t, "Eva", byChat.Name, "a name that is known stays")
		require.Equal(t, chat, byChat.Chat)
		require.Equal(t, first.ID, book(appointments.CustomerRef{WhatsApp: "7@lid"}).ID)
		require.Equal(t, first.ID, book(appointments.CustomerRef{ID: first.ID}).ID)
		require.Equal(t, first.ID, book(appointments.CustomerRef{Name: "Eva", Phone: "91122334455"}).ID, "as dialled in the country")
		require.NotEqual(t, first.ID, book(appointments.CustomerRef{Name: "Eva"}).ID, "a name alone tells nobody apart")
		require.NotEqual(t, first.ID, book(appointments.CustomerRef{Name: "Eva", WhatsApp: "8@lid"}).ID)
		require.Equal(t, 3, b.rows("customers"))

		_, err := b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Start: appointments.At(at(26, "09:00")), Customer: appointments.CustomerRef{Name: "Eva", Phone: "hola"}})
		f, _ := fault.As(err)
		require.Equal(t, "customer.phone", f.Fields[0].Name)
		_, err = b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Start: appointments.At(at(26, "09:00")), Customer: appointments.CustomerRef{ID: id.NewCustomer()}})
		requireNotFound(t, err, "somebody else's customer")
	})
}

func TestAlternativesAreLookedForAsFarAsCanBeBooked(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(60, 60)
		ana := appointments.Staff{Name: "Ana", Active: true, Services: []id.Service{o.ID}, Hours: []appointments.Shift{{Day: time.Wednesday, From: 10 * 60, To: 11 * 60}}}
		ana, err := b.svc.CreateStaff(t.Context(), b.tenant, noKey, ana)
		require.NoError(t, err)
		_, err = b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		_, err = b.book(o, ana, at(25, "10:00"), "Flor")
		require.True(t, fault.HasReason(err, "slot_taken"), "%v", err)
		var got []time.Time
		for _, slot := range appointments.Alternatives(err) {
			got = append(got, slot.Start.UTC())
		}
		require.Equal(t, []time.Time{at(32, "10:00"), at(39, "10:00"), at(46, "10:00")}, got, "one a week")

		b.person("Beto", o)
		_, err = b.book(o, ana, at(25, "10:00"), "Flor")
		require.Equal(t, "Ana", appointments.Alternatives(err)[0].Staff.Name, "with the one who was asked for, as long as there are enough")
		_, err = b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Start: appointments.At(at(25, "08:00")), Customer: appointments.CustomerRef{Name: "x"}})
		require.True(t, fault.HasReason(err, "closed"), "%v", err)
		got = nil
		for _, slot := range appointments.Alternatives(err) {
			got = append(got, slot.Start.UTC())
		}
		require.Equal(t, []time.Time{at(25, "09:00"), at(25, "10:00"), at(25, "11:00")}, got, "the nearest")
	})
}

// TestWhateverIsDoneNothingOverlapsAndTheListIsTrue does random things to a business and holds the promises after each.
func TestWhateverIsDoneNothingOverlapsAndTheListIsTrue(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, db)
		ctx := t.Context()
		offerings := []appointments.Offering{b.offering(30, 15), b.offering(60, 30)}
		offerings[0].After = 10 * time.Minute
		_, err := b.svc.UpdateOffering(ctx, b.tenant, offerings[0].ID, func(o *appointments.Offering) { *o = offerings[0] })
		require.NoError(rt, err)
		people := []appointments.Staff{b.person("Ana", offerings...), b.person("Beto", offerings[1])}
		for range rapid.IntRange(3, 10).Draw(rt, "steps") {
			b.step(ctx, rt, offerings, people)
			b.requireApart(rt)
		}
	})
}

// step does one thing and wants it to succeed exactly when the list of slots says so.
func (b *bench) step(ctx context.Context, t *rapid.T, offerings []appointments.Offering, people []appointments.Staff) {
	o := rapid.SampledFrom(offerings).Draw(t, "service")
	m := rapid.SampledFrom(people).Draw(t, "staff")
	start := at(25, "08:30").Add(time.Duration(rapid.IntRange(0, 44).Draw(t, "quarters")) * 15 * time.Minute)
	found, err := b.svc.Availability(ctx, b.tenant, appointments.AvailabilityQuery{Service: o.ID, Staff: m.ID, From: start, To: start.Add(time.Second)})
	require.NoError(t, err)
	isListed := len(found.Slots) > 0
	open, err := b.store.ListAppointments(ctx, b.tenant, appointments.AppointmentQuery{Statuses: []appointments.Status{appointments.Booked}, Limit: 100})
	require.NoError(t, err)
	switch what := rapid.SampledFrom([]string{"book", "book", "hold", "move", "cancel", "wait"}).Draw(t, "what"); {
	case what == "book":
		_, err = b.book(o, m, start, "Cliente")
		b.requireAsListed(t, isListed, err)
	case what == "hold":
		_, err = b.svc.Hold(ctx, b.tenant, appointments.HoldCommand{Service: o.ID, Staff: m.ID, Start: appointments.At(start)})
		b.requireAsListed(t, isListed, err)
	case what == "move" && len(open) > 0:
		to := appointments.At(start)
		_, err = b.svc.Reschedule(ctx, b.tenant, rapid.SampledFrom(open).Draw(t, "appointment").ID, appointments.RescheduleCommand{Start: &to})
		if err != nil {
			_, isRefusal := appointments.ReasonOf(err)
			require.True(t, isRefusal, "%v", err)
		}
	case what == "cancel" && len(open) > 0:
		_, err = b.svc.Cancel(ctx, b.tenant, rapid.SampledFrom(open).Draw(t, "appointment").ID, "x", "")
		require.NoError(t, err)
	case what == "wait":
		b.clock.set(b.clock.Now().Add(4 * time.Minute)) // some holds expire
	}
}

func (b *bench) requireAsListed(t *rapid.T, isListed bool, err error) {
	if isListed {
		require.NoError(t, err)
		return
	}
	_, isRefusal := appointments.ReasonOf(err)
	require.True(t, isRefusal, "%v", err)
}

// requireApart looks at everything that occupies time and wants no two ranges of one person to meet.
func (b *bench) requireApart(t *rapid.T) {
	var rows []struct {
		StaffID      string
		OccupiedFrom int64
		OccupiedTo   int64
	}
	err := b.db.Handle().Read().NewRaw(`SELECT staff_id, occupied_from, occupied_to FROM appointments WHERE tenant_id = ? AND status <> 'cancelled'
		UNION ALL SELECT staff_id, occupied_from, occupied_to FROM holds WHERE tenant_id = ? AND expires_at > ?`, b.tenant, b.tenant, sqlkit.Micros(b.clock.Now())).Scan(context.Background(), &rows)
	require.NoError(t, err)
	for i, x := range rows {
		for _, y := range rows[:i] {
			require.False(t, x.StaffID == y.StaffID && x.OccupiedFrom < y.OccupiedTo && y.OccupiedFrom < x.OccupiedTo, "%v meets %v", x, y)
		}
	}
}
