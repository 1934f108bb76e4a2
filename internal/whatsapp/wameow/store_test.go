package wameow_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
