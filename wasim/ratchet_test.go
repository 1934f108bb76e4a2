package wasim_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

// TestClientThatGoesBackInTimeIsCaught gives a client an old copy of its store, as a restored backup or a lost write would.
func TestClientThatGoesBackInTimeIsCaught(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, customer, business, "hola")
	c.awaitText("hola")
	c.say(customer, "uno")
	shows(t, n, customer, hasText("uno"))
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	old := c.copyOfStore()
	c.say(customer, "dos")
	shows(t, n, customer, hasText("dos"))
	require.Zero(t, n.Stats().RatchetReuse)

	c.close()
	c.path = old
	c.open(n)
	require.NoError(t, c.Connect())
	await(c, func(*events.Connected) bool { return true })
	c.say(customer, "con un contador usado")
	s := n.Stats()
	require.Equal(t, int64(2), s.RatchetReuse, "towards the recipient and towards the own phone")
	list, err := n.Messages(customer, "")
	require.NoError(t, err)
	for _, m := range list {
		require.NotEqual(t, "con un contador usado", m.Text)
	}
	caught := 0
	for _, f := range n.Frames(0, 0) {
		if f.Tag == "ratchet_reuse" {
			caught++
		}
	}
	require.Equal(t, 2, caught)
}

// TestStaleCounterIsRefusedAfterARestart does the same to a network that has forgotten the ciphertexts.
func TestStaleCounterIsRefusedAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(o *wasim.Options) { o.Dir = dir }
	n := newNetwork(t, keep)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	c.say(customer, "uno")
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	old := c.copyOfStore()
	c.say(customer, "dos")
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	c.close()
	require.NoError(t, n.Close())

	n = newNetwork(t, keep)
	c.path = old
	c.open(n)
	require.NoError(t, c.Connect())
	await(c, func(*events.Connected) bool { return true })
	c.say(customer, "viejo")
	require.Equal(t, int64(2), n.Stats().StaleCounters)
	list, err := n.Messages(customer, "")
	require.NoError(t, err)
	require.Len(t, list, 2)
}
