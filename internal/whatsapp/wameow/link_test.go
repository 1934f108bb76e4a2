package wameow_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
)

func TestSessionLinksByQRAndIsCalledTurnero(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, devices wameow.DeviceStore) {
		b := newBench(t, devices)
		phone, err := b.net.Phone(b.business)
		require.NoError(t, err)
		require.Len(t, phone.Devices, 1)
		require.Equal(t, "Turnero", phone.Devices[0].Name)
		m := b.sink.await(t, "who it is", func() bool { return b.sink.identity != nil })
		require.Equal(t, whatsapp.NumberAddress(b.business), b.sink.identity.Contact.Number)
		require.Equal(t, phone.LID, b.sink.identity.Contact.LID.String())
		require.Empty(t, m.code, "the code is taken away once it has been used")
		states := make([]whatsapp.LinkState, 0, len(m.states))
		for _, c := range m.states {
			states = append(states, c.State)
		}
		require.Equal(t, []whatsapp.LinkState{whatsapp.LinkConnecting, whatsapp.LinkQR, whatsapp.LinkPairing, whatsapp.LinkConnected}, states)
	})
}

func TestFirstCodeLivesAMinute(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	e := newEngine(t, n, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
	s := newSink()
	open(t, e, newRef(), s)
	m := s.await(t, "a code", func() bool { return s.code != "" })
	require.WithinDuration(t, time.Now().Add(time.Minute), m.codeUntil, 5*time.Second)
}

func TestSessionLinksByCode(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	e := newEngine(t, n, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
	s, number := newSink(), newNumber()
	_, err := n.AddPhone(number, "Peluquería")
	require.NoError(t, err)
	l := open(t, e, newRef(), s)
	code, err := l.PairCode(t.Context(), number)
	require.NoError(t, err)
	require.Regexp(t, `^[1-9A-HJ-NP-Z]{4}-[1-9A-HJ-NP-Z]{4}$`, code)
	require.NoError(t, n.EnterCode(number, code))
	s.awaitState(t, whatsapp.LinkConnected)
	_, err = l.PairCode(t.Context(), number)
	require.ErrorContains(t, err, "already_linked")
}
