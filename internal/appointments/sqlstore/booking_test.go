package sqlstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// atOnce runs fn n times at once and gives the outcomes.
func atOnce[T any](n int, fn func(i int) (T, error)) ([]T, []error) {
	made, errs := make([]T, n), make([]error, n)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			made[i], errs[i] = fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return made, errs
}

func TestOfManyWhoWantOneSlotOneGetsItAndTheRestGetAlternatives(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		made, errs := atOnce(64, func(i int) (appointments.Appointment, error) {
			cmd := appointments.BookCommand{Service: o.ID, Staff: ana.ID, Start: appointments.At(at(25, "10:00")), Customer: appointments.CustomerRef{Name: fmt.Sprint("Cliente ", i)}}
			if i%2 == 0 { // half of them do not say with whom
				cmd.Staff = id.Staff{}
			}
			return b.svc.Book(t.Context(), b.tenant, cmd)
		})
		won := 0
		for i, err := range errs {
			if err == nil {
				won++
				require.Equal(t, at(25, "10:00"), made[i].Start)
				continue
			}
			require.True(t, fault.Is(err, fault.Conflict) && fault.HasReason(err, "slot_taken"), "%v", err)
			require.Len(t, appointments.Alternatives(err), 3)
			for _, slot := range appointments.Alternatives(err) {
				require.False(t, slot.Start.Equal(at(25, "10:00")))
			}
		}
		require.Equal(t, 1, won)
		require.Equal(t, 1, b.rows("appointments"))
		require.Equal(t, 1, b.rows("customers"), "those who were refused leave nothing behind")
		require.Equal(t, []string{"appointment.booked"}, b.told())
	})
}

func TestAnybodyIsWhoeverIsFreeUntilNobodyIs(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(60, 60)
		for _, name := range []string{"Ana", "Beto", "Caro"} {
			b.person(name, o)
		}
		b.person("Dora") // performs nothing
		made, errs := atOnce(100, func(i int) (appointments.Appointment, error) {
			return b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: o.ID, Start: appointments.At(at(25, "10:00")), Customer: appointments.CustomerRef{Name: fmt.Sprint("Cliente ", i)}})
		})
		got := map[string]int{}
		for i, err := range errs {
			if err != nil {
				require.True(t, fault.HasReason(err, "slot_taken"), "%v", err)
				continue
			}
			got[made[i].Staff.Name]++
		}
		require.Equal(t, map[string]int{"Ana": 1, "Beto": 1, "Caro": 1}, got)
	})
}

func TestTheSameKeyBooksOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		b.person("Ana", o)
		b.person("Beto", o)
		cmd := appointments.BookCommand{Key: appointments.Idempotency{Key: "k1", BodyHash: "h"}, Service: o.ID, Start: appointments.At(at(25, "10:00")),
			Customer: appointments.CustomerRef{Name: "Eva", Phone: "+5491122334455"}}
		made, errs := atOnce(20, func(int) (appointments.Appointment, error) { return b.svc.Book(t.Context(), b.tenant, cmd) })
		for i := range errs {
			require.NoError(t, errs[i])
			require.Equal(t, made[0], made[i])
		}
		require.Equal(t, 1, b.rows("appointments"))
		require.Len(t, b.told(), 1)

		cmd.Key.BodyHash = "another"
		_, err := b.svc.Book(t.Context(), b.tenant, cmd)
		require.True(t, fault.HasReason(err, "idempotency_key_reused"), "%v", err)

		refused := cmd
		refused.Key, refused.Start = appointments.Idempotency{Key: "k2", BodyHash: "h"}, appointments.At(at(25, "03:00"))
		_, err = b.svc.Book(t.Context(), b.tenant, refused)
		require.True(t, fault.HasReason(err, "closed"), "%v", err)
		refused.Key.BodyHash, refused.Start = "corrected", appointments.At(at(25, "11:00"))
		_, err = b.svc.Book(t.Context(), b.tenant, refused)
		require.NoError(t, err, "a refusal does not use the key up")
	})
}

func TestASecondCancellationChangesNothing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		a, err := b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		made, errs := atOnce(8, func(i int) (appointments.Appointment, error) {
			return b.svc.Cancel(t.Context(), b.tenant, a.ID, fmt.Sprint("actor ", i), "no puede")
		})
		for i := range errs {
			require.NoError(t, errs[i])
			require.Equal(t, appointments.Cancelled, made[i].Status)
			require.Equal(t, made[0].Cancelled, made[i].Cancelled, "the first actor stays")
		}
		require.Equal(t, []string{"appointment.booked", "appointment.cancelled"}, b.told())
		told := b.events("appointment.cancelled")[0].(*events.AppointmentCancelled)
		require.Equal(t, made[0].Cancelled.By, told.By)
		require.Equal(t, "no puede", told.Reason)
		_, err = b.book(o, ana, at(25, "10:00"), "Otra")
		require.NoError(t, err, "its time is free again")
		_, err = b.svc.Confirm(t.Context(), b.tenant, a.ID, "x")
		require.True(t, fault.HasReason(err, "status_not_allowed"), "%v", err)
	})
}

func TestAnAppointmentMayMoveOverItself(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(60, 15)
		ana, beto := b.person("Ana", o), b.person("Beto", o)
		a, err := b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		later := appointments.At(at(25, "10:15"))
		moved, err := b.svc.Reschedule(t.Context(), b.tenant, a.ID, appointments.RescheduleCommand{Start: &later, By: "usr_x"})
		require.NoError(t, err)
		require.Equal(t, at(25, "10:15"), moved.Start)
		require.Equal(t, at(25, "11:15"), moved.End)
		stored, err := b.svc.Appointment(t.Context(), b.tenant, a.ID)
		require.NoError(t, err)
		require.Equal(t, stored, moved)
		ev := b.events("appointment.rescheduled")[0].(*events.AppointmentRescheduled)
		require.Equal(t, at(25, "10:00"), ev.OldStart)
		require.Equal(t, at(25, "10:15"), ev.Start)

		_, err = b.book(o, beto, at(25, "12:00"), "Flor")
		require.NoError(t, err)
		noon := appointments.At(at(25, "11:30"))
		_, err = b.svc.Reschedule(t.Context(), b.tenant, a.ID, appointments.RescheduleCommand{Start: &noon, Staff: &beto.ID})
		require.True(t, fault.HasReason(err, "slot_taken"), "%v", err)
		require.Len(t, appointments.Alternatives(err), 3)
		kept, err := b.svc.Appointment(t.Context(), b.tenant, a.ID)
		require.NoError(t, err)
		require.Equal(t, moved, kept, "a refused move leaves it as it was")
		_, err = b.svc.Reschedule(t.Context(), b.tenant, a.ID, appointments.RescheduleCommand{Start: &noon, Version: 1})
		require.True(t, fault.HasReason(err, "stale_version"), "%v", err)

		notes := " trae su tintura "
		noted, err := b.svc.Reschedule(t.Context(), b.tenant, a.ID, appointments.RescheduleCommand{Notes: &notes, Version: kept.Version})
		require.NoError(t, err)
		require.Equal(t, "trae su tintura", noted.Notes)
		require.Len(t, b.events("appointment.rescheduled"), 1, "notes are no move")
	})
}

func TestTwoWhoSwapLoseNothing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana, beto := b.person("Ana", o), b.person("Beto", o)
		one, err := b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		two, err := b.book(o, beto, at(25, "10:00"), "Flor")
		require.NoError(t, err)
		_, errs := atOnce(2, func(i int) (appointments.Appointment, error) {
			if i == 0 {
				return b.svc.Reschedule(t.Context(), b.tenant, one.ID, appointments.RescheduleCommand{Staff: &beto.ID})
			}
			return b.svc.Reschedule(t.Context(), b.tenant, two.ID, appointments.RescheduleCommand{Staff: &ana.ID})
		})
		for i, a := range []appointments.Appointment{one, two} {
			require.True(t, fault.HasReason(errs[i], "slot_taken"), "%v", errs[i])
			kept, err := b.svc.Appointment(t.Context(), b.tenant, a.ID)
			require.NoError(t, err)
			require.Equal(t, a.Staff, kept.Staff)
		}
	})
}

func TestAHoldKeepsItsSlotUntilItExpires(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		hold := func(start time.Time) appointments.Hold {
			h, err := b.svc.Hold(t.Context(), b.tenant, appointments.HoldCommand{Service: o.ID, Staff: ana.ID, Start: appointments.At(start), For: 2 * time.Minute})
			require.NoError(t, err)
			return h
		}
		with := func(h appointments.Hold, name string) (appointments.Appointment, error) {
			return b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Hold: h.ID, Customer: appointments.CustomerRef{Name: name}})
		}
		h := hold(at(25, "10:00"))
		require.Equal(t, today.Add(2*time.Minute), h.ExpiresAt)
		_, err := b.book(o, ana, at(25, "10:00"), "Otra")
		require.True(t, fault.HasReason(err, "slot_taken"), "%v", err)
		a, err := with(h, "Eva")
		require.NoError(t, err)
		require.Equal(t, at(25, "10:00"), a.Start)
		require.Zero(t, b.rows("holds"))

		late := hold(at(25, "11:00"))
		b.clock.set(late.ExpiresAt)
		free, err := with(late, "Flor")
		require.NoError(t, err, "expired, and still free")
		require.Equal(t, at(25, "11:00"), free.Start)

		lost := hold(at(25, "12:00"))
		b.clock.set(lost.ExpiresAt.Add(time.Millisecond))
		_, err = b.book(o, ana, at(25, "12:00"), "Gabi")
		require.NoError(t, err, "an expired hold keeps nobody out")
		_, err = with(lost, "Hugo")
		require.True(t, fault.HasReason(err, "slot_taken"), "%v", err)
		require.Len(t, appointments.Alternatives(err), 3)

		again := hold(at(25, "13:00"))
		require.NoError(t, b.svc.Release(t.Context(), b.tenant, again.ID))
		require.True(t, fault.Is(b.svc.Release(t.Context(), b.tenant, again.ID), fault.NotFound))
		_, err = b.book(o, ana, at(25, "13:00"), "Ines")
		require.NoError(t, err)
		_, err = with(again, "Juan")
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	})
}

func TestARefusalInsideOfATransactionLeavesItUsable(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		_, err := b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		cmd := appointments.BookCommand{Service: o.ID, Start: appointments.At(at(25, "10:00")), Origin: appointments.OriginBot,
			Customer: appointments.CustomerRef{WhatsApp: "123@lid", Phone: "+5491122334455", Name: "Flor", Chat: id.NewChat()}}
		var booked appointments.Appointment
		err = b.store.InTx(t.Context(), func(tx appointments.Store) error {
			svc := b.svc.Within(tx)
			_, err := svc.Book(t.Context(), b.tenant, cmd)
			if !fault.HasReason(err, "slot_taken") {
				return fmt.Errorf("want a refusal: %w", err)
			}
			cmd.Start = appointments.At(appointments.Alternatives(err)[0].Start)
			booked, err = svc.Book(t.Context(), b.tenant, cmd)
			return err
		})
		require.NoError(t, err)
		found, err := b.svc.Upcoming(t.Context(), b.tenant, appointments.CustomerRef{WhatsApp: "123@lid"}, 5)
		require.NoError(t, err)
		require.Equal(t, []appointments.Appointment{booked}, found)

		fell := context.Canceled
		err = b.store.InTx(t.Context(), func(tx appointments.Store) error {
			cmd.Start = appointments.At(at(26, "10:00"))
			if _, err := b.svc.Within(tx).Book(t.Context(), b.tenant, cmd); err != nil {
				return err
			}
			return fell
		})
		require.ErrorIs(t, err, fell)
		require.Equal(t, 2, b.rows("appointments"), "a booking falls with the transaction around it")
		require.Len(t, b.told(), 2)
	})
}

func TestStatusesMoveOnlyAsTheTableAllows(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		o := b.offering(30, 30)
		ana := b.person("Ana", o)
		a, err := b.book(o, ana, at(25, "10:00"), "Eva")
		require.NoError(t, err)
		_, err = b.svc.MarkNoShow(t.Context(), b.tenant, a.ID, "usr_x")
		require.True(t, fault.HasReason(err, "not_started"), "%v", err)
		b.clock.set(at(25, "10:00"))
		for _, step := range []func(context.Context, id.Tenant, id.Appointment, string) (appointments.Appointment, error){b.svc.Confirm, b.svc.Confirm, b.svc.MarkNoShow, b.svc.Complete} {
			_, err = step(t.Context(), b.tenant, a.ID, "usr_x")
			require.NoError(t, err)
		}
		require.Equal(t, []string{"appointment.booked", "appointment.status", "appointment.status", "appointment.status"}, b.told(), "confirming twice tells once")
		_, err = b.svc.Cancel(t.Context(), b.tenant, a.ID, "usr_x", "")
		require.True(t, fault.HasReason(err, "status_not_allowed"), "%v", err)
		start := appointments.At(at(26, "10:00"))
		_, err = b.svc.Reschedule(t.Context(), b.tenant, a.ID, appointments.RescheduleCommand{Start: &start})
		require.True(t, fault.HasReason(err, "status_not_allowed"), "%v", err)
	})
}
