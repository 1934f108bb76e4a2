package wasim_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

func TestRefusedMessagesComeAgainInOrderAfterReconnecting(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, customer, business, "primero")
	c.awaitText("primero")
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })

	var refused atomic.Int32
	c.refuse(func(event any) bool {
		m, ok := event.(*events.Message)
		if ok && words(m.Message) != "" {
			refused.Add(1)
		}
		return ok
	})
	const count = 5
	for i := range count {
		write(t, n, customer, business, fmt.Sprint("perdido ", i))
	}
	eventually(t, "all are refused", func() bool { return refused.Load() == count })
	require.Equal(t, count, n.Stats().Waiting)

	c.refuse(nil)
	c.reopen(n)
	require.NoError(t, c.Connect())
	for i := range count {
		m := await(c, func(e *events.Message) bool { return words(e.Message) != "" })
		require.Equal(t, fmt.Sprint("perdido ", i), words(m.Message))
	}
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	require.GreaterOrEqual(t, n.Stats().Redelivered, int64(count))
	require.Zero(t, n.Stats().RetriesIn, "the client could read every copy")
}

func TestRefusedReceiptsAndNotificationsComeAgain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	c.refuse(func(event any) bool {
		switch event.(type) {
		case *events.Receipt, *events.JoinedGroup:
			return true
		}
		return false
	})
	id := c.say(customer, "¿llegó?")
	group, err := n.AddGroup("Vecinos", []string{customer, business})
	require.NoError(t, err)
	eventually(t, "three are not acknowledged", func() bool { return n.Stats().Waiting == 3 })
	c.refuse(nil)
	c.Disconnect()
	require.NoError(t, c.Connect())
	await(c, func(e *events.Receipt) bool { return e.Type == types.ReceiptTypeDelivered && e.MessageIDs[0] == id })
	require.Equal(t, group.ID, await(c, func(*events.JoinedGroup) bool { return true }).JID.String())
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
}

func TestMessagesWaitForAClientThatIsAway(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	c.Disconnect()
	eventually(t, "the device is offline", func() bool { return !n.Phones()[0].Devices[0].Connected })
	const count = 30
	for i := range count {
		write(t, n, customer, business, fmt.Sprint("ausente ", i))
	}
	require.NoError(t, c.Connect())
	await(c, func(e *events.OfflineSyncPreview) bool { return e.Messages == count })
	for i := range count {
		require.Equal(t, fmt.Sprint("ausente ", i), words(await(c, func(*events.Message) bool { return true }).Message))
	}
	await(c, func(e *events.OfflineSyncCompleted) bool { return e.Count == count })
}

func TestOutboxOfADeviceThatStaysAwayIsBounded(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business := numberOf(1)
	c := linked(t, n, business)
	c.Disconnect()
	for i := range 10_010 {
		require.NoError(t, n.SetTyping(numberOf(2), business, "paused"), i)
		_, err := n.Send(context.Background(), numberOf(2), business, "x")
		require.NoError(t, err)
	}
	s := n.Stats()
	require.Equal(t, 10_000, s.Waiting)
	require.GreaterOrEqual(t, s.QueueOverflows, int64(10))
}

func TestDuplicatedStanzaIsSeenOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	_, err := n.Fault(wasim.Fault{Kind: "duplicate", Number: business, Count: 1})
	require.NoError(t, err)
	write(t, n, customer, business, "dos veces")
	write(t, n, customer, business, "después")
	seen := 0
	await(c, func(e *events.Message) bool {
		if words(e.Message) == "dos veces" {
			seen++
		}
		return words(e.Message) == "después"
	})
	require.Equal(t, 1, seen)
	sent := 0
	for _, f := range n.Frames(0, 0) {
		if f.Direction == "out" && f.Tag == "message" && f.Attempt == 2 {
			sent++
		}
	}
	require.Equal(t, 1, sent)
}
