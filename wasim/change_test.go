package wasim_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

func TestClientRefillsItsKeysWhenTheyRunOut(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business := numberOf(1)
	c := linked(t, n, business)
	const people = 60 // a client that was linked fast has made 50 keys, and each of them takes one
	for i := range people {
		write(t, n, numberOf(100+i), business, fmt.Sprint("primera vez ", i))
		c.awaitText(fmt.Sprint("primera vez ", i))
	}
	eventually(t, "the stock is filled up", func() bool {
		phone, err := n.Phone(business)
		return err == nil && phone.Devices[0].Keys > people/2
	})
	require.Zero(t, n.Stats().RetriesIn)
}

func TestContactsAreToldWhenADeviceComesOrGoes(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := linked(t, n, numberOf(1))
	first := linked(t, n, numberOf(2))
	a.say(numberOf(2), "hay un chat")
	first.awaitText("hay un chat")
	// The library heeds the notice when it knows the list by number as well as by LID.
	_, err := a.GetUserDevices(context.Background(), []types.JID{jid(numberOf(2))})
	require.NoError(t, err)
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })

	second := linked(t, n, numberOf(2))
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	a.say(numberOf(2), "para los dos aparatos")
	first.awaitText("para los dos aparatos")
	second.awaitText("para los dos aparatos") // at once: the client need not find out that its list is old

	require.NoError(t, n.Unlink(numberOf(2), 2))
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	relayed := n.Stats().Relayed
	a.say(numberOf(2), "para el que queda")
	first.awaitText("para el que queda")
	require.Equal(t, relayed+1, n.Stats().Relayed)
	told := 0
	for _, f := range n.Frames(0, 0) {
		if f.Direction == "out" && f.Tag == "notification" && f.Type == "devices" {
			told++
		}
	}
	require.Equal(t, 2, told)
}

func TestPresenceOfAClientReachesWhoAsked(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := linked(t, n, numberOf(1)), linked(t, n, numberOf(2))
	ctx := context.Background()
	require.NoError(t, a.SubscribePresence(ctx, jid(numberOf(2))))
	require.True(t, await(a, func(*events.Presence) bool { return true }).Unavailable)
	await(b, func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchCriticalBlock }) // it has its name
	require.NoError(t, b.SendPresence(ctx, types.PresenceAvailable))
	require.False(t, await(a, func(*events.Presence) bool { return true }).Unavailable)
	phone, err := n.Phone(numberOf(2))
	require.NoError(t, err)
	require.True(t, phone.Devices[0].Available)
	_, err = n.Fault(wasim.Fault{Kind: "cut", Number: numberOf(2)})
	require.NoError(t, err)
	gone := await(a, func(*events.Presence) bool { return true })
	require.True(t, gone.Unavailable)
	require.False(t, gone.LastSeen.IsZero())
	require.NoError(t, n.Unlink(numberOf(1), 0))
	require.NoError(t, n.SetOnline(numberOf(2), true), "nobody is left to be told")
}
