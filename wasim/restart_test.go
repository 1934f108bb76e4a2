package wasim_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

func TestNetworkGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(o *wasim.Options) { o.Dir = dir }
	n := newNetwork(t, keep)
	business, customer := numberOf(1), numberOf(2)
	_, err := n.AddPhone(customer, "Ana")
	require.NoError(t, err)
	c := linked(t, n, business)
	group, err := n.AddGroup("Vecinos", []string{customer, business})
	require.NoError(t, err)
	write(t, n, customer, business, "antes 1")
	c.awaitText("antes 1")
	id := c.say(customer, "antes 2")
	write(t, n, customer, group.ID, "antes 3")
	c.awaitText("antes 3")

	for round := range 3 {
		eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
		c.Disconnect()
		waiting := fmt.Sprint("en camino ", round)
		write(t, n, customer, business, waiting)
		before, err := n.Messages(customer, "")
		require.NoError(t, err)
		require.NoError(t, n.Close())
		require.NoError(t, n.Close(), "closing twice is fine")

		n = newNetwork(t, keep)
		after, err := n.Messages(customer, "")
		require.NoError(t, err)
		require.Equal(t, before, after)
		c.reopen(n)
		require.NoError(t, c.Connect())
		c.awaitText(waiting)
		for i := range 3 {
			write(t, n, customer, business, fmt.Sprint("hacia el negocio ", round, i))
			c.awaitText(fmt.Sprint("hacia el negocio ", round, i))
			c.say(customer, fmt.Sprint("hacia el cliente ", round, i))
			shows(t, n, customer, hasText(fmt.Sprint("hacia el cliente ", round, i)))
		}
		write(t, n, customer, group.ID, fmt.Sprint("grupo ", round))
		c.awaitText(fmt.Sprint("grupo ", round))
		s := n.Stats()
		require.Zero(t, s.DecryptErrors+s.RetriesIn+s.RatchetReuse+s.StaleCounters)
	}
	phone, err := n.Phone(customer)
	require.NoError(t, err)
	require.Equal(t, "Ana", phone.Name)
	count, err := n.Read(customer, business)
	require.NoError(t, err)
	require.Equal(t, 10, count)
	await(c, func(e *events.Receipt) bool { return e.MessageIDs[0] == id })
}

func TestPhoneWithoutItsSessionsAsksAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(o *wasim.Options) { o.Dir = dir }
	n := newNetwork(t, keep)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, customer, business, "hola")
	c.awaitText("hola")
	c.say(customer, "buenas")
	shows(t, n, customer, hasText("buenas"))
	write(t, n, customer, business, "¿seguís ahí?")
	c.awaitText("¿seguís ahí?")
	c.Disconnect()
	require.NoError(t, n.Close())

	db, err := sql.Open("sqlite", filepath.Join(dir, "wasim.db"))
	require.NoError(t, err)
	_, err = db.Exec(`DELETE FROM kv WHERE k LIKE 'ses/%'`)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	n = newNetwork(t, keep)
	c.reopen(n)
	require.NoError(t, c.Connect())
	await(c, func(*events.Connected) bool { return true })
	// The client keeps what it sends for a while, so that it can encrypt it again.
	id := c.say(customer, "tras la pérdida")
	got := shows(t, n, customer, hasText("tras la pérdida"))
	require.Equal(t, id, got.ID)
	require.Positive(t, n.Stats().RetriesOut)
	shows(t, n, business, hasText("tras la pérdida"))
	c.say(customer, "y sigue")
	shows(t, n, customer, hasText("y sigue"))
}

func TestFolderHasOneOwnerAndOneSeed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(o *wasim.Options) { o.Dir = dir }
	n := newNetwork(t, keep)
	_, err := wasim.New(context.Background(), wasim.Options{Seed: seed, Dir: dir})
	require.ErrorContains(t, err, "in use by another process")
	require.NoError(t, n.Close())
	_, err = wasim.New(context.Background(), wasim.Options{Seed: "another", Dir: dir})
	require.ErrorContains(t, err, "another seed")
	newNetwork(t, keep)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = wasim.New(context.Background(), wasim.Options{Dir: filepath.Join(file, "sub")})
	require.Error(t, err)
}

func TestKeysFollowFromTheSeed(t *testing.T) {
	t.Parallel()
	a, b := newNetwork(t), newNetwork(t)
	require.Equal(t, wasim.RootKeyFor(seed), a.RootKey())
	require.NotEqual(t, wasim.RootKeyFor("another"), a.RootKey())
	x, err := a.AddPhone(numberOf(1), "")
	require.NoError(t, err)
	y, err := b.AddPhone(numberOf(1), "")
	require.NoError(t, err)
	require.Equal(t, x.LID, y.LID)
	require.NotContains(t, x.LID, numberOf(1)[5:])
}
