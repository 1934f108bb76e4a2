package wameow_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
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

func TestRefusedLinkCodeSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, number string
		refused      int // WhatsApp's answer, 0 for its own mind
		check        func(t *testing.T, err error)
	}{
		{"too short", "123", 0, func(t *testing.T, err error) { requireField(t, err, "phone") }},
		{"national", "0111555443322", 0, func(t *testing.T, err error) { requireField(t, err, "phone") }},
		{"not on WhatsApp", "9995551234", 0, func(t *testing.T, err error) { requireField(t, err, "phone") }},
		{"forbidden", newNumber(), 403, func(t *testing.T, err error) { requireField(t, err, "phone") }},
		{"too many", newNumber(), 429, func(t *testing.T, err error) {
			f, ok := fault.As(err)
			require.True(t, ok, "%v", err)
			require.Equal(t, fault.TooMany, f.Code)
			require.Positive(t, f.RetryAfter)
		}},
		{"out of order", newNumber(), 500, func(t *testing.T, err error) {
			_, ok := fault.As(err)
			require.False(t, ok, "%v", err)
			require.NotErrorIs(t, err, whatsapp.ErrNotConnected, "WhatsApp did answer")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			if c.refused != 0 {
				_, err := n.AddPhone(c.number, "Peluquería")
				require.NoError(t, err)
				_, err = n.Fault(wasim.Fault{Kind: "query_error", Code: c.refused, Query: "md"})
				require.NoError(t, err)
			}
			s := newSink()
			l := open(t, newEngine(t, n, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db"))), newRef(), s)
			s.await(t, "a code", func() bool { return s.code != "" })
			_, err := l.PairCode(t.Context(), c.number)
			require.Error(t, err)
			c.check(t, err)
			s.mu.Lock()
			defer s.mu.Unlock()
			require.NotEmpty(t, s.code, "the QR is still good")
		})
	}
}

// requireField checks that a fault blames a field of the request.
func requireField(t *testing.T, err error, field string) {
	t.Helper()
	f, ok := fault.As(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, fault.Invalid, f.Code)
	require.NotEmpty(t, f.Fields)
	require.Equal(t, field, f.Fields[0].Name)
}

func TestLinkCodeIsNotAskedForWhenNobodyIsThere(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.line.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := b.line.PairCode(ctx, b.business)
	require.ErrorIs(t, err, whatsapp.ErrNotConnected)
}
