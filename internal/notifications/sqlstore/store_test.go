package sqlstore_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/notifications"
	"turnero/internal/notifications/sqlstore"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

var start = time.Date(2026, 3, 27, 18, 0, 0, 0, time.UTC) // 15:00 in Buenos Aires

type bundle struct {
	svc      *notifications.Service
	store    *sqlstore.Store
	db       *sqlkit.DB
	now      time.Time
	standing notifications.Standing
	offsets  []time.Duration
}

func (b *bundle) ReminderSettings(context.Context, id.Tenant) (notifications.Settings, error) {
	return notifications.Settings{Business: "Peluquería", Address: "Mitre 100", Language: "es", Offsets: b.offsets}, nil
}

func (b *bundle) Standing(context.Context, id.Tenant, id.Appointment) (notifications.Standing, error) {
	return b.standing, nil
}

func setup(db *sqlkit.DB) *bundle {
	b := &bundle{db: db, now: start.Add(-72 * time.Hour), standing: notifications.Standing{Start: start, Active: true}, offsets: []time.Duration{24 * time.Hour, 2 * time.Hour}}
	now := func() time.Time { return b.now }
	wakes, quiet := bus.NewMemory(), slog.New(slog.DiscardHandler)
	b.store = sqlstore.New(db, outbox.New(db, wakes, now, quiet), jobs.New(db, wakes, now, quiet))
	b.svc = notifications.New(notifications.Deps{Store: b.store, Settings: b, Appointments: b, Now: now, Logger: slog.New(slog.DiscardHandler)})
	return b
}

func (b *bundle) facts() events.AppointmentFacts {
	return events.AppointmentFacts{Tenant: id.NewTenant(), Appointment: id.NewAppointment(), Start: start, End: start.Add(time.Hour),
		Zone: "America/Argentina/Buenos_Aires", Service: "Corte", Staff: "Ana", Name: "Luz", WhatsApp: "123456@lid", At: b.now}
}

func (b *bundle) list(t *testing.T, tenant id.Tenant) []*notifications.Reminder {
	t.Helper()
	items, _, err := b.svc.List(t.Context(), tenant, notifications.Position{}, 50)
	require.NoError(t, err)
	return items
}

// sends counts the messages handed to whatsapp for the tenant, and gives the text of the last.
func (b *bundle) sends(t *testing.T, tenant id.Tenant, kind string) (n int, payload string) {
	t.Helper()
	rows, err := b.db.SQL().QueryContext(t.Context(), "SELECT payload FROM jobs WHERE kind = '"+kind+"' AND tenant_id = '"+tenant.String()+"'")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		require.NoError(t, rows.Scan(&payload))
		n++
	}
	require.NoError(t, rows.Err())
	return n, payload
}

func (b *bundle) remind(t *testing.T, r *notifications.Reminder) {
	t.Helper()
	require.NoError(t, b.svc.HandleRemind(t.Context(), &notifications.RemindJob{Tenant: r.Tenant, Appointment: r.Appointment, Reminder: r.ID, Due: r.Due}))
}

func TestBookingPlansEachOffsetOnceAndNothingInThePast(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		for range 3 {
			require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		}
		got := b.list(t, f.Tenant)
		require.Len(t, got, 2)
		require.Equal(t, start.Add(-2*time.Hour), got[0].Due)
		require.Equal(t, start.Add(-24*time.Hour), got[1].Due)
		require.NotEqual(t, got[0].WAID, got[1].WAID)

		b.now = start.Add(-3 * time.Hour)
		late := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: late}))
		require.Len(t, b.list(t, late.Tenant), 1)
	})
}

func TestADueReminderIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		r := b.list(t, f.Tenant)[1]
		b.now = r.Due
		b.remind(t, r)
		b.remind(t, r)
		n, payload := b.sends(t, f.Tenant, "whatsapp.send")
		require.Equal(t, 1, n)
		for _, part := range []string{r.WAID, r.Message.String(), "Luz", "Corte", "el viernes 27 de marzo a las 15:00", "Mitre 100"} {
			require.Contains(t, payload, part)
		}
		require.Equal(t, notifications.Queued, b.list(t, f.Tenant)[1].State)
		told, err := db.Handle().Read().NewSelect().Table("outbox").Where("tenant_id = ?", f.Tenant).Where("name = ?", "appointment.reminded").Count(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, told, "others hear of it once")
	})
}

func TestCancellingDropsWhatIsPlannedAndWithdrawsWhatIsQueued(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		first := b.list(t, f.Tenant)[1]
		b.now = first.Due
		b.remind(t, first)
		cancelled := f
		cancelled.At = b.now.Add(time.Second)
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentCancelled{AppointmentFacts: cancelled}))
		// The booking told once more, late, brings nothing back.
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		after := b.list(t, f.Tenant)
		require.Equal(t, notifications.Dropped, after[0].State)
		require.Equal(t, notifications.Queued, after[1].State, "what was handed over may have been read: it is not called dropped")
		require.Equal(t, []string{"cancelled", "cancelled"}, []string{after[0].Reason, after[1].Reason})
		for _, r := range after {
			b.now = r.Due
			b.remind(t, r)
		}
		sent, _ := b.sends(t, f.Tenant, "whatsapp.send")
		require.Equal(t, 1, sent)
		withdrawn, _ := b.sends(t, f.Tenant, "whatsapp.withdraw")
		require.Equal(t, 1, withdrawn)
	})
}

func TestABookingHeardOfLateStillGetsItsReminder(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		f.At = start.Add(-24*time.Hour - time.Minute)
		b.now = start.Add(-23 * time.Hour) // nothing ran here when the first fell due
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		planned := b.list(t, f.Tenant)
		require.Len(t, planned, 2)
		b.remind(t, planned[1])
		n, payload := b.sends(t, f.Tenant, "whatsapp.send")
		require.Equal(t, 1, n)
		require.Contains(t, payload, planned[1].WAID)
	})
}

func TestOfTwoRemindersThatAreDueOnlyTheNearerIsSent(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		planned := b.list(t, f.Tenant)
		b.now = start.Add(-time.Hour)
		for _, r := range []*notifications.Reminder{planned[1], planned[0], planned[1]} {
			b.remind(t, r)
		}
		n, payload := b.sends(t, f.Tenant, "whatsapp.send")
		require.Equal(t, 1, n)
		require.Contains(t, payload, planned[0].WAID)
		require.Contains(t, payload, "hoy a las 15:00")
		after := b.list(t, f.Tenant)
		require.Equal(t, []notifications.State{notifications.Queued, notifications.Skipped}, []notifications.State{after[0].State, after[1].State})
	})
}

func TestAReminderNamesWhoHasTheAppointmentNow(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		changed := f
		changed.Staff, changed.At = "Bruno", b.now.Add(time.Minute)
		for _, ev := range []events.Event{&events.AppointmentRescheduled{AppointmentFacts: changed, OldStart: start}, &events.AppointmentBooked{AppointmentFacts: f}} {
			require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), ev))
		}
		planned := b.list(t, f.Tenant)
		require.Len(t, planned, 2)
		b.now = planned[1].Due
		b.remind(t, planned[1])
		n, payload := b.sends(t, f.Tenant, "whatsapp.send")
		require.Equal(t, 1, n)
		require.Contains(t, payload, "Bruno")
		require.NotContains(t, payload, "Ana")
	})
}

func TestMovingThereAndBackLeavesTheRemindersOfTheLastTime(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		moved := f
		moved.Start, moved.At = start.Add(24*time.Hour), b.now.Add(time.Minute)
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentRescheduled{AppointmentFacts: moved, OldStart: start}))
		back := f
		back.At = b.now.Add(2 * time.Minute)
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentRescheduled{AppointmentFacts: back, OldStart: moved.Start}))
		planned := 0
		for _, r := range b.list(t, f.Tenant) {
			if r.State == notifications.Planned {
				planned++
				require.Equal(t, start, r.Start)
			}
		}
		require.Equal(t, 2, planned)
	})
}

func TestTheAppointmentIsLookedAtAgainAtTheMomentOfSending(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		for name, change := range map[string]func(*bundle, *notifications.Reminder){
			"cancelled": func(b *bundle, r *notifications.Reminder) { b.standing.Active, b.now = false, r.Due },
			"moved":     func(b *bundle, r *notifications.Reminder) { b.standing.Start, b.now = start.Add(time.Hour), r.Due },
			"over":      func(b *bundle, _ *notifications.Reminder) { b.now = start },
		} {
			b := setup(db)
			f := b.facts()
			require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}), name)
			r := b.list(t, f.Tenant)[0]
			change(b, r)
			b.remind(t, r)
			n, _ := b.sends(t, f.Tenant, "whatsapp.send")
			require.Zero(t, n, name)
			require.NotEqual(t, notifications.Planned, b.list(t, f.Tenant)[0].State, name)
		}
	})
}

func TestTenantsAreApartAndPagesMeet(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setup(db)
		f := b.facts()
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.AppointmentBooked{AppointmentFacts: f}))
		mine := b.list(t, f.Tenant)
		require.Empty(t, b.list(t, id.NewTenant()))
		foreign, err := b.store.ListOfAppointment(t.Context(), id.NewTenant(), f.Appointment)
		require.NoError(t, err)
		require.Empty(t, foreign)
		var upper id.Notification
		require.NoError(t, upper.Scan(mine[0].ID.String()))
		n, err := db.Handle().Read().NewSelect().Table("reminders").Where("tenant_id = ?", f.Tenant).Where("id = ?", strings.ToUpper(mine[0].ID.String())).Count(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "an ID in other letter case is another ID")

		page, next, err := b.svc.List(t.Context(), f.Tenant, notifications.Position{}, 1)
		require.NoError(t, err)
		require.NotNil(t, next)
		rest, next, err := b.svc.List(t.Context(), f.Tenant, *next, 1)
		require.NoError(t, err)
		require.Nil(t, next)
		require.Equal(t, []id.Notification{mine[0].ID, mine[1].ID}, []id.Notification{page[0].ID, rest[0].ID})
	})
}
