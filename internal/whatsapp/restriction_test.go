package whatsapp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

func statuses(b *bench) []string {
	var out []string
	for _, ev := range told[events.SessionStatusChanged](b) {
		out = append(out, ev.Status)
	}
	return out
}

func TestARestrictedLineIsUpUntilItsLockEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		ctx := t.Context()
		before := len(statuses(b))
		until := time.Now().Add(3 * time.Hour).UTC().Truncate(time.Microsecond)
		require.NoError(t, line.sink.Restricted(ctx, whatsapp.Restriction{Until: until}))
		got := b.status()
		require.Equal(t, whatsapp.StatusRestricted, got.Status)
		require.Equal(t, whatsapp.ReasonReachOutLock, got.Reason)
		require.Equal(t, until, got.Until)
		require.True(t, got.DownSince.IsZero(), "it is up")

		known := b.queue("5491199990000@c.us", "hola")
		synctest.Wait()
		require.Equal(t, whatsapp.MessageSent, b.message(known.ID).Status, "what WhatsApp takes is sent")
		_, err := b.svc.CheckContact(ctx, b.admin, id.Session{}, "+5491199990000")
		require.NoError(t, err, "live operations work")

		line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: "disconnected"})
		require.Equal(t, whatsapp.StatusConnecting, b.status().Status)
		line.sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkConnected})
		require.Equal(t, whatsapp.StatusRestricted, b.status().Status, "a reconnect does not lift it")
		require.NoError(t, line.sink.Restricted(ctx, whatsapp.Restriction{IsGuess: true}))
		require.Equal(t, until, b.status().Until, "a guess shortens nothing")

		time.Sleep(3*time.Hour - time.Minute)
		synctest.Wait()
		require.Equal(t, whatsapp.StatusRestricted, b.status().Status)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		got = b.status()
		require.Equal(t, whatsapp.StatusConnected, got.Status)
		require.Equal(t, whatsapp.ReasonLockOver, got.Reason)
		require.Equal(t, []string{"restricted", "connecting", "restricted", "connected"}, statuses(b)[before:])
		require.Empty(t, told[events.SessionAlert](b), "a line that is up is no alert")
		b.halt()
	})
}

func TestARestrictionOutlivesTheProcessAndEndsWhenWhatsAppLiftsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	require.NoError(t, line.sink.Restricted(t.Context(), whatsapp.Restriction{Until: until}))
	b.halt()

	b.run()
	line = b.engine.next(t)
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	require.Equal(t, whatsapp.StatusRestricted, b.status().Status)
	require.Equal(t, until, b.status().Until)

	later := until.Add(time.Hour)
	require.NoError(t, line.sink.Restricted(t.Context(), whatsapp.Restriction{Until: later}))
	changes := told[events.SessionStatusChanged](b)
	require.Equal(t, later, changes[len(changes)-1].Until.UTC(), "another end is news")

	require.NoError(t, line.sink.Restricted(t.Context(), whatsapp.Restriction{}))
	require.Equal(t, whatsapp.StatusConnected, b.status().Status)
	require.True(t, b.status().Until.IsZero())
}

func TestARestrictionIsOfTheAccountNotOfTheNextOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	require.NoError(t, line.sink.Restricted(t.Context(), whatsapp.Restriction{Until: time.Now().Add(time.Hour)}))
	_, err := b.svc.Logout(t.Context(), b.admin, id.Session{})
	require.NoError(t, err)
	require.Equal(t, whatsapp.StatusConnected, func() whatsapp.Status { b.linked(); return b.status().Status }())
}

func TestAGuessedRestrictionEndsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		for range 3 {
			require.NoError(t, line.sink.Restricted(t.Context(), whatsapp.Restriction{IsGuess: true}))
		}
		require.Equal(t, whatsapp.StatusRestricted, b.status().Status)
		require.Len(t, told[events.SessionStatusChanged](b), 5, "told once, not with each refusal: %v", statuses(b))
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		require.Equal(t, whatsapp.StatusConnected, b.status().Status)
		b.halt()
	})
}

func TestABanIsWaitedForAlsoByTheNextProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkBanned, Reason: "temporary_ban_101", Until: time.Now().Add(time.Hour)})
		require.Equal(t, whatsapp.StatusBanned, b.status().Status)
		b.halt()
		b.run()
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		require.Empty(t, b.engine.opened, "nobody knocks while the account is banned")
		require.Equal(t, whatsapp.StatusBanned, b.status().Status)
		require.True(t, b.status().IsAlerted)
		require.Equal(t, map[whatsapp.Status]int{whatsapp.StatusBanned: 1}, b.svc.Manager().Count())
		time.Sleep(2 * time.Minute)
		again := b.engine.next(t)
		again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		require.Equal(t, whatsapp.StatusConnected, b.status().Status)
		b.halt()
	})
}

func TestAPersonMayEndTheWaitForABan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkBanned, Reason: "temporary_ban_101", Until: time.Now().Add(time.Hour)})
	_, err := b.svc.Restart(t.Context(), b.admin, id.Session{})
	require.NoError(t, err)
	b.engine.next(t)
}
