package whatsapp_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

func TestASessionIsLinkedByItsQR(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	require.Equal(t, whatsapp.StatusStopped, b.status().Status)
	require.Equal(t, whatsapp.ReasonNeverLinked, b.status().Reason)
	_, err := b.svc.QR(ctx, b.admin, id.Session{})
	require.True(t, fault.HasReason(err, "qr_not_available"), err)

	b.run()
	s, err := b.svc.Init(ctx, b.admin, id.Session{})
	require.NoError(t, err)
	require.Equal(t, whatsapp.StatusConnecting, s.Status)
	line := b.engine.next(t)
	_, err = b.svc.QR(ctx, b.admin, id.Session{})
	require.True(t, fault.HasReason(err, "qr_not_ready"), err)
	_, err = b.svc.PairCode(ctx, b.admin, id.Session{}, "+54 9 11 2233-4455")
	require.True(t, fault.HasReason(err, "not_linking"), err)

	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkQR})
	line.sink.QR(ctx, "2@first", time.Now().Add(time.Minute))
	code, err := b.svc.QR(ctx, b.admin, id.Session{})
	require.NoError(t, err)
	require.Equal(t, "2@first", code.Text)
	line.sink.QR(ctx, "2@second", time.Now().Add(20*time.Second))
	code, err = b.svc.QR(ctx, b.admin, id.Session{})
	require.NoError(t, err)
	require.Equal(t, "2@second", code.Text)
	typed, err := b.svc.PairCode(ctx, b.admin, id.Session{}, "+54 9 11 2233-4455")
	require.NoError(t, err)
	require.Equal(t, "ABCD-EFGH", typed)

	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkPairing})
	require.NoError(t, line.sink.Linked(ctx, whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: number("5491122334455")}, PushName: "Pelu"}))
	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: "restart_required"})
	line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkConnected})
	got := b.status()
	require.Equal(t, whatsapp.StatusConnected, got.Status)
	require.Equal(t, "+5491122334455", got.Number())
	_, err = b.svc.QR(ctx, b.admin, id.Session{})
	require.True(t, fault.HasReason(err, "already_linked"), err)

	var statuses []string
	for _, ev := range told[events.SessionStatusChanged](b) {
		statuses = append(statuses, ev.Status)
	}
	require.Equal(t, []string{"connecting", "qr", "pairing", "connecting", "connected"}, statuses)
}

func TestAQRThatNobodyScansEndsTheAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	for range 2 { // and it can be started again
		_, err := b.svc.Init(t.Context(), b.admin, id.Session{})
		require.NoError(t, err)
		line := b.engine.next(t)
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkQR})
		line.sink.QR(t.Context(), "2@code", time.Now().Add(time.Minute))
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkStopped, Reason: "qr_expired"})
		require.Equal(t, whatsapp.StatusStopped, b.status().Status)
		require.Equal(t, "qr_expired", b.status().Reason)
		_, err = b.svc.QR(t.Context(), b.admin, id.Session{})
		require.True(t, fault.HasReason(err, "qr_not_available"), err)
		eventually(t, "the line is closed", line.closed)
	}
	require.Empty(t, told[events.SessionAlert](b))
}

func TestLinkedSessionsComeBackWithTheProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	before := b.status()
	b.halt()
	require.True(t, line.closed())
	require.Error(t, line.ctx.Err())
	require.Equal(t, whatsapp.StatusConnected, b.status().Status, "a process that stops says nothing about the line")

	b.run()
	again := b.engine.next(t)
	require.Equal(t, b.tenant, again.ref.Tenant)
	require.Greater(t, b.status().Fence, before.Fence)
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	require.Equal(t, whatsapp.StatusConnected, b.status().Status)

	err := line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "late"))
	require.Error(t, err, "a term that is over stores nothing")
	require.Empty(t, b.chats())
}

func TestALinkBeingMadeGoesOnInTheNextProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	_, err := b.svc.Init(t.Context(), b.admin, id.Session{})
	require.NoError(t, err)
	b.engine.next(t).sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkQR})
	b.halt()
	b.run()
	again := b.engine.next(t)
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkQR})
	again.sink.QR(t.Context(), "2@new", time.Now().Add(time.Minute))
	code, err := b.svc.QR(t.Context(), b.admin, id.Session{})
	require.NoError(t, err)
	require.Equal(t, "2@new", code.Text)

	b.halt()
	require.NoError(t, b.store.InTx(t.Context(), func(tx whatsapp.Store) error {
		s, err := tx.LockSession(t.Context(), again.ref)
		s.Since = s.Since.Add(-4 * time.Minute)
		return errors.Join(err, tx.SaveSession(t.Context(), s))
	}))
	b.run()
	eventually(t, "nobody waits for a code any more", func() bool {
		s := b.status()
		return s.Status == whatsapp.StatusStopped && s.Reason == whatsapp.ReasonInterrupted
	})
	require.Empty(t, b.engine.opened)
}

func TestATermThatLostItsFenceWritesNothingAndIsNotOpenedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	require.NoError(t, b.store.InTx(t.Context(), func(tx whatsapp.Store) error {
		s, err := tx.LockSession(t.Context(), line.ref)
		s.Fence++
		return errors.Join(err, tx.SaveSession(t.Context(), s))
	}))
	err := line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "hola"))
	require.ErrorIs(t, err, whatsapp.ErrStaleFence)
	require.ErrorIs(t, context.Cause(line.ctx), whatsapp.ErrStaleFence)
	eventually(t, "the line is closed", line.closed)
	require.Empty(t, b.chats())
	require.Empty(t, b.engine.opened)
}

func TestAStoreErrorEndsTheTermFirstAndItIsOpenedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	_, err := b.db.SQL().ExecContext(t.Context(), "ALTER TABLE whatsapp_messages RENAME TO away")
	require.NoError(t, err)
	require.Error(t, line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "hola")))
	require.Error(t, line.ctx.Err(), "over before the engine hears of it")
	_, err = b.db.SQL().ExecContext(t.Context(), "ALTER TABLE away RENAME TO whatsapp_messages")
	require.NoError(t, err)

	again := b.engine.next(t)
	require.True(t, line.closed())
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	require.NoError(t, again.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "hola")))
	require.Len(t, b.chats(), 1)
}

func TestAnEndOfTheEnginesOwnTimeIsNoStoreError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, line.sink.Received(ctx, text("A", whatsapp.ContactIDs{LID: lid("1")}, "hola")))
	require.NoError(t, line.ctx.Err())
	require.NoError(t, line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "hola")))
}

func TestALineThatStaysDownIsAnAlertUntilItIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: "timeout"})
		time.Sleep(59 * time.Second)
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkDegraded, Reason: "silent"})
		time.Sleep(59 * time.Second)
		synctest.Wait()
		require.Empty(t, told[events.SessionAlert](b), "each downtime counts by itself")
		require.False(t, b.status().IsAlerted)
		require.False(t, b.status().DownSince.IsZero())

		time.Sleep(2 * time.Second)
		synctest.Wait()
		alerts := told[events.SessionAlert](b)
		require.Len(t, alerts, 1)
		require.True(t, alerts[0].Down)
		require.Equal(t, "degraded", alerts[0].Status)
		require.True(t, b.status().IsAlerted)

		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		alerts = told[events.SessionAlert](b)
		require.Len(t, alerts, 2)
		require.False(t, alerts[1].Down)
		require.True(t, b.status().DownSince.IsZero())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, told[events.SessionAlert](b), 2)
	})
}

func TestALineThatThePhoneUnlinksIsAnAlertAndOneLoggedOutByRequestIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		queued := b.queue("5491155555555", "hola")
		synctest.Wait()
		require.Equal(t, whatsapp.MessageSent, b.message(queued.ID).Status)
		require.NoError(t, line.sink.Unlinked(t.Context(), "removed_by_phone"))
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkLoggedOut, Reason: "removed_by_phone"})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Len(t, told[events.SessionAlert](b), 1)
		got := b.status()
		require.Equal(t, whatsapp.StatusLoggedOut, got.Status)
		require.Empty(t, got.Number())
		require.True(t, line.closed())
		require.Equal(t, []whatsapp.Ref{line.ref}, b.engine.forgot)
		_, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: "5491155555555", Text: "hola"})
		require.True(t, fault.HasReason(err, "session_not_linked"), err)

		again := b.linked()
		require.Len(t, told[events.SessionAlert](b), 2)
		out, err := b.svc.Logout(t.Context(), b.admin, id.Session{})
		require.NoError(t, err)
		require.Equal(t, whatsapp.StatusLoggedOut, out.Status)
		require.Equal(t, whatsapp.ReasonRequested, out.Reason)
		require.Equal(t, 1, again.loggedOut)
		require.True(t, again.closed())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, told[events.SessionAlert](b), 2)
		require.Empty(t, b.engine.opened)
	})
}

func TestWhatIsQueuedFailsWhenTheLinkIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: "timeout"})
	m := b.queue("5491155555555", "hola")
	require.Equal(t, whatsapp.MessageQueued, m.Status)
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkLoggedOut, Reason: "removed_by_phone"})
	got := b.message(m.ID)
	require.Equal(t, whatsapp.MessageFailed, got.Status)
	require.Equal(t, whatsapp.FailedNotLinked, got.Reason)
}

func TestALineIsOpenedAgainAfterAReplacementButNotAfterABan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkReplaced, Reason: "conflict"})
		require.Equal(t, whatsapp.StatusReplaced, b.status().Status)
		time.Sleep(29 * time.Second)
		synctest.Wait()
		require.True(t, line.closed())
		require.Empty(t, b.engine.opened)
		again := b.engine.next(t)
		again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkBanned, Reason: "temporary", Until: time.Now().Add(time.Hour)})
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		require.Empty(t, b.engine.opened)
		last := b.engine.next(t)
		last.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkBanned, Reason: "for_good"})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Empty(t, b.engine.opened)
	})
}

func TestRestartOpensANewTerm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	s, err := b.svc.Restart(t.Context(), b.admin, id.Session{})
	require.NoError(t, err)
	require.Equal(t, whatsapp.StatusConnecting, s.Status)
	again := b.engine.next(t)
	require.True(t, line.closed())
	require.ErrorIs(t, line.ctx.Err(), context.Canceled)
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkStopped})
	require.Equal(t, whatsapp.StatusConnected, b.status().Status, "the old line has no say any more")
}

func TestASuspendedTenantsLineIsClosedUntilItIsReopened(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	suspend := &events.TenantStatusChanged{Tenant: b.tenant, Status: "suspended"}
	for range 2 {
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), suspend))
	}
	require.True(t, line.closed())
	got := b.status()
	require.Equal(t, whatsapp.StatusStopped, got.Status)
	require.Equal(t, whatsapp.ReasonTenantSuspended, got.Reason)
	_, err := b.svc.Init(t.Context(), b.admin, id.Session{})
	require.True(t, fault.HasReason(err, whatsapp.ReasonTenantSuspended), err)
	_, err = b.svc.Restart(t.Context(), b.admin, id.Session{})
	require.True(t, fault.HasReason(err, whatsapp.ReasonTenantSuspended), err)
	b.halt()
	b.run()
	require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.TenantStatusChanged{Tenant: b.tenant, Status: "active"}))
	again := b.engine.next(t)
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	require.Equal(t, whatsapp.StatusConnected, b.status().Status)
	require.Empty(t, b.engine.opened, "a suspended session is not restored")
	require.Empty(t, told[events.SessionAlert](b))
}

func TestALineThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		b.engine.failWith(errors.New("no network"))
		b.run()
		_, err := b.svc.Init(t.Context(), b.admin, id.Session{})
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Greater(t, b.status().Fence, int64(2), "several attempts")
		require.Less(t, b.status().Fence, int64(12), "with growing pauses")
		b.engine.failWith(nil)
		b.engine.next(t)
	})
}

func TestSessionsBesidesTheDefaultAreOpenedByName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	second, err := b.svc.AddSession(t.Context(), b.admin, "  Sucursal Norte ", "key-1")
	require.NoError(t, err)
	require.Equal(t, "Sucursal Norte", second.Name)
	same, err := b.svc.AddSession(t.Context(), b.admin, "Sucursal Norte", "key-1")
	require.NoError(t, err)
	require.Equal(t, second.Session, same.Session)
	_, err = b.svc.AddSession(t.Context(), b.admin, "Sucursal Sur", "key-1")
	require.True(t, fault.HasReason(err, "idempotency_key_reused"), err)
	for _, bad := range []string{"", " ", "a\x00b", string(make([]rune, 65))} {
		_, err = b.svc.AddSession(t.Context(), b.admin, bad, "")
		require.True(t, fault.Is(err, fault.Invalid), "%q: %v", bad, err)
	}
	_, err = b.svc.Init(t.Context(), b.admin, second.Session)
	require.NoError(t, err)
	require.Equal(t, second.Session, b.engine.next(t).ref.Session)

	stranger := b.admin
	stranger.Tenant = id.NewTenant()
	for what, call := range map[string]func() error{
		"find":    func() error { _, err := b.svc.FindSession(t.Context(), stranger, second.Session); return err },
		"init":    func() error { _, err := b.svc.Init(t.Context(), stranger, second.Session); return err },
		"restart": func() error { _, err := b.svc.Restart(t.Context(), stranger, second.Session); return err },
		"logout":  func() error { _, err := b.svc.Logout(t.Context(), stranger, second.Session); return err },
		"qr":      func() error { _, err := b.svc.QR(t.Context(), stranger, second.Session); return err },
		"chats": func() error {
			_, err := b.svc.ListChats(t.Context(), stranger, whatsapp.ChatQuery{Session: second.Session, Limit: 10})
			return err
		},
		"check": func() error {
			_, err := b.svc.CheckContact(t.Context(), stranger, second.Session, "5491122334455")
			return err
		},
		"send": func() error {
			_, err := b.svc.Queue(t.Context(), stranger, whatsapp.SendCommand{Session: second.Session, Chat: "5491122334455", Text: "hola"})
			return err
		},
	} {
		require.True(t, fault.Is(call(), fault.NotFound), "%s: %v", what, call())
	}
}
