package wasim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/wasim"
)

func TestClientLinksByQRAndTalksBothWays(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	require.Equal(t, business, c.Store.ID.User)

	write(t, n, customer, business, "hola")
	m := c.awaitText("hola")
	require.Equal(t, customer, m.Info.Sender.User)

	id := c.say(customer, "buenas tardes")
	got := shows(t, n, customer, hasText("buenas tardes"))
	require.Equal(t, id, got.ID)
	require.Equal(t, wasim.DirectionIn, got.Direction)
	require.Equal(t, business, got.From)
	own := shows(t, n, business, hasText("buenas tardes"))
	require.Equal(t, wasim.DirectionOut, own.Direction)
}
