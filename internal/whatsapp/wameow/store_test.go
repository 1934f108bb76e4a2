package wameow_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
)

func TestStoreOfAnotherNetworkIsRefused(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "whatsapp.db")
		d, err := wameow.OpenDevicesFile(t.Context(), path, wameow.NetworkWhatsApp, quiet())
		require.NoError(t, err)
		require.NoError(t, d.Close())
		_, err = wameow.OpenDevicesFile(t.Context(), path, wameow.NetworkSim, quiet())
		require.ErrorContains(t, err, "were made on the network whatsapp and cannot be used on sim")
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, err := sqlkit.Open(t.Context(), sqltest.FreshURL(t, "postgres"), 4)
		require.NoError(t, err)
		defer db.Close()
		_, err = wameow.OpenDevicesPostgres(t.Context(), db.SQL(), wameow.NetworkSim, quiet())
		require.NoError(t, err)
		_, err = wameow.OpenDevicesPostgres(t.Context(), db.SQL(), wameow.NetworkWhatsApp, quiet())
		require.ErrorContains(t, err, "wrong_network")
	})
}

func TestProcessesThatStartTogetherMakeOneStore(t *testing.T) {
	t.Parallel()
	url := sqltest.FreshURL(t, "postgres")
	results := make(chan error, 6)
	for range cap(results) {
		go func() {
			db, err := sqlkit.Open(t.Context(), url, 2)
			if err != nil {
				results <- err
				return
			}
			defer db.Close()
			_, err = wameow.OpenDevicesPostgres(t.Context(), db.SQL(), wameow.NetworkSim, quiet())
			results <- err
		}()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
}

func TestProcessHasOneNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	newEngine(t, n, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
	sim := fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db"))
	other := wasim.RootKeyFor("another seed")
	_, err := wameow.New(wameow.Options{Devices: sim, HTTPClient: n.HTTPClient(), RootKey: &other, Logger: quiet()})
	require.ErrorContains(t, err, "already talks to another network")

	real, err := wameow.OpenDevicesFile(t.Context(), filepath.Join(t.TempDir(), "whatsapp.db"), wameow.NetworkWhatsApp, quiet())
	require.NoError(t, err)
	defer real.Close()
	_, err = wameow.New(wameow.Options{Devices: real, Logger: quiet()})
	require.ErrorContains(t, err, "already talks to another network")
	root := n.RootKey()
	_, err = wameow.New(wameow.Options{Devices: real, HTTPClient: n.HTTPClient(), RootKey: &root, Logger: quiet()})
	require.ErrorContains(t, err, "wrong_network")
	_, err = wameow.New(wameow.Options{Devices: sim, RootKey: &root, Logger: quiet()})
	require.ErrorContains(t, err, "HTTP client", "a local network must not lead outside")
	_, err = wameow.New(wameow.Options{HTTPClient: http.DefaultClient, Logger: quiet()})
	require.ErrorContains(t, err, "device store")
}

// device is a device as linking leaves it.
func save(t *testing.T, devices wameow.DeviceStore, ref whatsapp.Ref, jid string) {
	t.Helper()
	d, err := devices.Load(t.Context(), ref)
	require.NoError(t, err)
	require.Nil(t, d.ID)
	parsed, err := types.ParseJID(jid)
	require.NoError(t, err)
	d.ID, d.Account = &parsed, &waAdv.ADVSignedDeviceIdentity{Details: []byte{1}, AccountSignatureKey: make([]byte, 32), AccountSignature: make([]byte, 64), DeviceSignature: make([]byte, 64)}
	require.NoError(t, d.Save(t.Context()))
}

func TestDevicesBelongToTheirSession(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, devices *wameow.SQLDevices) {
		mine, other := newRef(), newRef()
		save(t, devices, mine, "5491155000001:7@s.whatsapp.net")
		save(t, devices, other, "5491155000002:7@s.whatsapp.net")
		d, err := devices.Load(t.Context(), mine)
		require.NoError(t, err)
		require.Equal(t, "5491155000001:7@s.whatsapp.net", d.ID.String())
		require.NoError(t, d.Sessions.PutSession(t.Context(), "1_1:0", []byte("ratchet")))

		foreign := mine
		foreign.Tenant = other.Tenant
		d, err = devices.Load(t.Context(), foreign)
		require.NoError(t, err)
		require.Nil(t, d.ID, "a session of another tenant has no device")
		require.NoError(t, devices.Delete(t.Context(), foreign))

		d, err = devices.Load(t.Context(), mine)
		require.NoError(t, err)
		require.NoError(t, d.Delete(t.Context()))
		d, err = devices.Load(t.Context(), mine)
		require.NoError(t, err)
		require.Nil(t, d.ID)
		d, err = devices.Load(t.Context(), other)
		require.NoError(t, err)
		require.NotNil(t, d.ID)
	})
}

// WhatsApp numbers an account's devices anew when one was removed: the same JID may come back for another session.
func TestDeviceNumberThatComesBackTakesNothingOver(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, devices *wameow.SQLDevices) {
		const jid = "5491155000003:9@s.whatsapp.net"
		before, after := newRef(), newRef()
		save(t, devices, before, jid)
		old, err := devices.Load(t.Context(), before)
		require.NoError(t, err)
		require.NoError(t, old.Sessions.PutSession(t.Context(), "1_1:0", []byte("ratchet")))

		save(t, devices, after, jid)
		d, err := devices.Load(t.Context(), after)
		require.NoError(t, err)
		require.NotEqual(t, old.NoiseKey.Pub, d.NoiseKey.Pub, "its own keys")
		has, err := d.Sessions.HasSession(t.Context(), "1_1:0")
		require.NoError(t, err)
		require.False(t, has)
		d, err = devices.Load(t.Context(), before)
		require.NoError(t, err)
		require.Nil(t, d.ID)
	})
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
	require.NoError(t, db.QueryRow(`SELECT MAX(key_id), SUM(NOT uploaded) FROM whatsmeow_pre_keys`).Scan(&last, &left))
	require.Equal(t, 812, last)
	require.Zero(t, left)
}
