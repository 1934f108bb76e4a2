package wameow_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
)

// realDevices is a device store of the real network that nobody uses.
type realDevices struct{ wameow.DeviceStore }

func (realDevices) Network() wameow.Network { return wameow.NetworkWhatsApp }

func TestProcessHasOneNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	newEngine(t, n, noDevices{})
	other := wasim.RootKeyFor("another seed")
	_, err := wameow.New(wameow.Options{Devices: noDevices{}, HTTPClient: n.HTTPClient(), RootKey: &other, Logger: quiet()})
	require.ErrorContains(t, err, "already talks to another network")
	_, err = wameow.New(wameow.Options{Devices: realDevices{}, Logger: quiet()})
	require.ErrorContains(t, err, "already talks to another network")
	root := n.RootKey()
	_, err = wameow.New(wameow.Options{Devices: realDevices{}, HTTPClient: n.HTTPClient(), RootKey: &root, Logger: quiet()})
	require.ErrorContains(t, err, "wrong_network")
	_, err = wameow.New(wameow.Options{Devices: noDevices{}, RootKey: &root, Logger: quiet()})
	require.ErrorContains(t, err, "HTTP client", "a local network must not lead outside")
	_, err = wameow.New(wameow.Options{HTTPClient: http.DefaultClient, Logger: quiet()})
	require.ErrorContains(t, err, "device store")
}

func TestLinkUploadsAllItsKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "whatsapp.db")
	n, err := wasim.New(t.Context(), wasim.Options{Seed: seed}) // asks for all 812 keys
	require.NoError(t, err)
	defer n.Close()
	newBenchOn(t, n, fileDevices(t, path))
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	var last, left int
	require.NoError(t, db.QueryRow(`SELECT MAX(key_id), SUM(NOT is_uploaded) FROM whatsapp_pre_keys`).Scan(&last, &left))
	require.Equal(t, 812, last)
	require.Zero(t, left)
}

// Whoever has lost the session must not answer for it: what it would send stays, and what comes in is left for the owner.
func TestOwnerOfThePastSendsAndAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, newDevices(t, db))
		_, _, err := b.send("hola")
		require.NoError(t, err)
		b.write("buenas")
		b.sink.awaitTexts(t, "buenas")
		n := b.sink.stateCount()
		_, err = db.Handle().Write().NewRaw("UPDATE whatsapp_sessions SET fence = 2 WHERE id = ?", b.ref.Session).Exec(t.Context())
		require.NoError(t, err)

		_, _, err = b.send("de otro tiempo")
		require.Error(t, err)
		b.sink.await(t, "the end of the connection", func() bool {
			return len(b.sink.states) > n && b.sink.states[n] == whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: "store_error"}
		})
		b.write("para quien sigue")
		_, _, err = b.send("de otro tiempo")
		require.ErrorIs(t, err, whatsapp.ErrNotConnected)
		b.line.Close()
		b.sink.awaitTexts(t, "buenas")
		require.Equal(t, []string{"hola"}, b.shown(b.customer, b.business))

		next := newSink()
		l, err := b.engine.Open(t.Context(), whatsapp.Term{Ref: b.ref, Fence: 2}, next)
		require.NoError(t, err)
		t.Cleanup(l.Close)
		next.awaitTexts(t, "para quien sigue")
		b.clean()
	})
}
