package wameow_test

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
)

func TestLostConnectionIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]wasim.Fault{
		"cut":           {Kind: "cut"},
		"stream error":  {Kind: "stream_error", Code: 503},
		"unknown error": {Kind: "stream_error", Code: 599},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := simpleBench(t)
			n := b.sink.stateCount()
			b.fault(fault)
			b.sink.awaitConnectedAgain(t, n)
			_, _, err := b.send("aquí estoy")
			require.NoError(t, err)
			b.write("qué bueno")
			b.sink.awaitTexts(t, "qué bueno")
			b.clean()
		})
	}
}

func TestRefusedAttemptsAreRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]wasim.Fault{
		"http_503":            {Kind: "http_503", Count: 3},
		"http_429":            {Kind: "http_503", Code: 429, Count: 2},
		"connect_failure_400": {Kind: "login_failure", Code: 400, Count: 2},
		"connect_failure_409": {Kind: "login_failure", Code: 409, Count: 2},
		"token_wanted":        {Kind: "login_failure", Code: 413, Count: 2},
		"disconnected":        {Kind: "login_failure", Code: 503, Count: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := simpleBench(t)
			n := b.sink.stateCount()
			b.fault(fault)
			b.fault(wasim.Fault{Kind: "cut"})
			b.sink.awaitConnectedAgain(t, n)
			b.sink.mu.Lock()
			defer b.sink.mu.Unlock()
			require.True(t, slices.ContainsFunc(b.sink.states[n:], func(c whatsapp.LinkChange) bool {
				return c.State == whatsapp.LinkConnecting && c.Reason == name
			}), "%v", b.sink.states[n:])
		})
	}
}

func TestReplacedLineStaysAway(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	logins := b.net.Stats().Logins
	b.fault(wasim.Fault{Kind: "replace"})
	b.sink.awaitState(t, whatsapp.LinkReplaced)
	_, _, err := b.send("¿hola?")
	require.ErrorIs(t, err, whatsapp.ErrNotConnected)
	b.line.Close()
	require.Equal(t, logins, b.net.Stats().Logins)
}

func TestSecondOwnerReplacesTheFirst(t *testing.T) {
	t.Parallel()
	devices := fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db"))
	b := newBench(t, devices)
	other := newSink()
	open(t, newEngine(t, b.net, devices), b.ref, other)
	other.awaitState(t, whatsapp.LinkConnected)
	b.sink.awaitState(t, whatsapp.LinkReplaced)
	b.clean()
}

func TestBanIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.fault(wasim.Fault{Kind: "ban", Code: 402, Expire: 3600, Count: 1})
	b.fault(wasim.Fault{Kind: "cut"})
	c := b.sink.awaitState(t, whatsapp.LinkBanned)
	require.WithinDuration(t, time.Now().Add(time.Hour), c.Until, time.Minute)
}

func TestOutdatedClientStops(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.fault(wasim.Fault{Kind: "login_failure", Code: 405, Count: 1})
	b.fault(wasim.Fault{Kind: "cut"})
	c := b.sink.awaitState(t, whatsapp.LinkStopped)
	require.Equal(t, "client_outdated", c.Reason)
	require.WithinRange(t, c.Until, time.Now().Add(14*time.Minute), time.Now().Add(20*time.Minute))
	require.False(t, slices.ContainsFunc(b.net.Faults(), func(f wasim.Fault) bool { return f.Kind == "login_failure" }), "it was used up by one attempt")
}

func TestLockedAndBannedAccountsLoseTheirLink(t *testing.T) {
	t.Parallel()
	for code, reason := range map[int]string{401: "logged_out", 403: "account_locked", 406: "account_banned"} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			b := simpleBench(t)
			b.fault(wasim.Fault{Kind: "login_failure", Code: code, Count: 1})
			b.fault(wasim.Fault{Kind: "cut"})
			require.Equal(t, reason, b.sink.awaitState(t, whatsapp.LinkLoggedOut).Reason)
		})
	}
}

func TestEndOfAnOutageIsEverybodys(t *testing.T) {
	t.Parallel()
	const lines = 12
	n := newNetwork(t)
	var isOut atomic.Bool
	client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		if isOut.Load() {
			return nil, errNotNow
		}
		return n.HTTPClient().Transport.RoundTrip(req)
	})}
	e := newEngineWith(t, n, client, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
	wameow.SlowOutage(e)
	sinks := make([]*sink, lines)
	for i := range sinks {
		sinks[i] = newSink()
		number := newNumber()
		_, err := n.AddPhone(number, "Peluquería")
		require.NoError(t, err)
		open(t, e, newRef(), sinks[i])
		link(t, n, sinks[i], number)
	}
	counts := make([]int, lines)
	for i, s := range sinks {
		counts[i] = s.stateCount()
	}
	isOut.Store(true)
	_, err := n.Fault(wasim.Fault{Kind: "cut"})
	require.NoError(t, err)
	for i, s := range sinks {
		s.await(t, "the outage", func() bool { return len(s.states) > counts[i] && s.lastState() == whatsapp.LinkConnecting })
	}
	eventually(t, "an outage is declared", func() bool { return wameow.IsOut(e) })
	isOut.Store(false)
	began := time.Now()
	for i, s := range sinks {
		s.awaitConnectedAgain(t, counts[i])
	}
	require.Less(t, time.Since(began), wameow.OutagePause, "nobody sat its pause out")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestDeviceRemovedOnThePhoneIsForgotten(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, devices wameow.DeviceStore) {
		b := newBench(t, devices)
		var calls atomic.Int64
		b.sink.onUnlinked = func() error {
			if calls.Add(1) == 1 {
				return errNotNow
			}
			return nil
		}
		require.NoError(t, b.net.Unlink(b.business, 0))
		require.Equal(t, "logged_out", b.sink.awaitState(t, whatsapp.LinkLoggedOut).Reason)
		b.sink.mu.Lock()
		require.Equal(t, []string{"logged_out"}, b.sink.unlinked)
		b.sink.mu.Unlock()
		b.line.Close()

		// It can be linked anew, to another phone as well.
		b.sink = newSink()
		b.line = open(t, b.engine, b.ref, b.sink)
		link(t, b.net, b.sink, newNumber())
	})
}

func TestDeviceRemovedWhileAwayIsForgotten(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.line.Close()
	require.NoError(t, b.net.Unlink(b.business, 0))
	b.sink = newSink()
	b.line = open(t, b.engine, b.ref, b.sink)
	b.sink.awaitState(t, whatsapp.LinkLoggedOut)
}

func TestLogoutRemovesTheLinkOnBothSides(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	require.NoError(t, b.line.Logout(t.Context()))
	phone, err := b.net.Phone(b.business)
	require.NoError(t, err)
	require.Empty(t, phone.Devices)
	require.Equal(t, "logout", b.sink.awaitState(t, whatsapp.LinkLoggedOut).Reason)
	b.sink.mu.Lock()
	require.Equal(t, []string{"logout"}, b.sink.unlinked)
	b.sink.mu.Unlock()
	require.ErrorIs(t, b.line.Logout(t.Context()), whatsapp.ErrNotConnected)
}

func TestForgetDeletesTheKeysOfAClosedSession(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	require.ErrorContains(t, b.engine.Forget(t.Context(), termOf(b.ref)), "session_open")
	b.line.Close()
	require.NoError(t, b.engine.Forget(t.Context(), termOf(b.ref)))
	require.NoError(t, b.engine.Forget(t.Context(), termOf(b.ref)), "twice is fine")
	s := newSink()
	open(t, b.engine, b.ref, s)
	s.awaitState(t, whatsapp.LinkQR)
}

func TestSessionIsOpenOnce(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, err := b.engine.Open(t.Context(), termOf(b.ref), newSink())
	require.ErrorContains(t, err, "session_open")
	b.line.Close()
	l, err := b.engine.Open(t.Context(), termOf(b.ref), newSink())
	require.NoError(t, err)
	l.Close()
	l.Close()
}

func TestNothingIsToldAfterClose(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	entered, release := make(chan struct{}), make(chan struct{})
	b.sink.onReceived = func(whatsapp.Incoming) error {
		close(entered)
		<-release
		return nil
	}
	b.write("uno")
	<-entered
	closed := make(chan struct{})
	go func() { b.line.Close(); close(closed) }()
	select {
	case <-closed:
		require.Fail(t, "closed with a call of the session under way")
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	<-closed
	n := b.sink.stateCount()
	b.write("dos")
	_, _, err := b.send("tarde")
	require.ErrorIs(t, err, whatsapp.ErrNotConnected)
	require.Equal(t, n, b.sink.stateCount())
	b.sink.awaitTexts(t, "uno")
}

func TestEndOfTheContextEndsTheTerm(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.line.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s := newSink()
	l, err := b.engine.Open(ctx, termOf(b.ref), s)
	require.NoError(t, err)
	s.awaitState(t, whatsapp.LinkConnected)
	cancel()
	eventually(t, "the session is free", func() bool {
		l, err := b.engine.Open(t.Context(), termOf(b.ref), newSink())
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	l.Close()
	_, err = l.Send(t.Context(), whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: whatsapp.NumberAddress(b.customer), Text: "tarde"})
	require.ErrorIs(t, err, whatsapp.ErrNotConnected)
}

func TestCloseDuringTheHandshakeDoesNotWaitForIt(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	silent := newSilentServer(t)
	e := newEngineWith(t, b.net, silent.client(), fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
	l := open(t, e, newRef(), newSink())
	<-silent.connected
	begun := time.Now()
	l.Close()
	require.Less(t, time.Since(begun), 5*time.Second)
}

func TestDeadLinkIsNoticedAndHealed(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	n := b.sink.stateCount()
	b.fault(wasim.Fault{Kind: "black_hole", Duration: 9})
	b.write("al otro lado")
	b.sink.await(t, "degraded", func() bool {
		return slices.ContainsFunc(b.sink.states[n:], func(c whatsapp.LinkChange) bool { return c.State == whatsapp.LinkDegraded })
	})
	b.sink.awaitConnectedAgain(t, n)
	b.sink.awaitTexts(t, "al otro lado")
}

func TestSendIntoSilenceEndsInTime(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, _, err := b.send("todavía")
	require.NoError(t, err)
	for _, to := range []string{b.customer, newNumber()} { // with and without a look-up
		b.fault(wasim.Fault{Kind: "black_hole"})
		begun := time.Now()
		_, err = b.line.Send(t.Context(), whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: whatsapp.NumberAddress(to), Text: "¿hay alguien?"})
		require.Error(t, err)
		require.Less(t, time.Since(begun), 12*time.Second)
		n := b.sink.stateCount()
		b.net.ClearFaults()
		b.fault(wasim.Fault{Kind: "cut"})
		b.sink.awaitConnectedAgain(t, n)
	}
	b.clean()
}

func TestCodesFollowOneAnotherAndEnd(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	e := newEngine(t, n, fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db")))
	wameow.HurryCodes(e)
	s := newSink()
	l := open(t, e, newRef(), s)
	require.Equal(t, "qr_expired", s.awaitState(t, whatsapp.LinkStopped).Reason)
	s.mu.Lock()
	require.Empty(t, s.code)
	require.Equal(t, 6, s.codes)
	s.mu.Unlock()
	_, err := l.PairCode(t.Context(), newNumber())
	require.ErrorIs(t, err, whatsapp.ErrNotConnected)
}

func TestLiveOperations(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	who, ok, err := b.line.Lookup(t.Context(), b.customer)
	require.NoError(t, err)
	require.True(t, ok)
	customer, err := b.net.Phone(b.customer)
	require.NoError(t, err)
	require.Equal(t, whatsapp.NumberAddress(b.customer), who.Number)
	require.Equal(t, customer.LID, who.LID.String())
	_, ok, err = b.line.Lookup(t.Context(), "9995551234")
	require.NoError(t, err)
	require.False(t, ok)

	waID := b.write("¿me leíste?")
	in := b.sink.awaitTexts(t, "¿me leíste?")[0]
	require.NoError(t, b.line.MarkRead(t.Context(), in.Chat, in.Sender.Canonical(), []string{waID}))
	_, err = b.net.WaitMessage(t.Context(), b.customer, func(m wasim.Message) bool { return m.ID == waID && m.Has(wasim.ReceiptRead) })
	require.NoError(t, err)

	w, err := b.net.Watch(b.customer)
	require.NoError(t, err)
	defer w.Stop()
	require.NoError(t, b.line.Typing(t.Context(), in.Chat, true))
	for e := range w.C {
		if e.Type == wasim.EventTyping {
			require.Equal(t, "composing", e.State)
			break
		}
	}
	b.line.Close()
	require.ErrorIs(t, b.line.Typing(t.Context(), in.Chat, false), whatsapp.ErrNotConnected)
	_, _, err = b.line.Lookup(t.Context(), b.customer)
	require.ErrorIs(t, err, whatsapp.ErrNotConnected)
}
