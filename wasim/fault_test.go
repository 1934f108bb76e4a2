package wasim_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

// scene is a network with one linked client, for tests of what goes wrong.
type scene struct {
	*testing.T
	net                *wasim.Network
	client             *client
	business, customer string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, net: newNetwork(t), business: numberOf(1), customer: numberOf(2)}
	s.client = linked(t, s.net, s.business)
	return s
}

func (s *scene) fault(f wasim.Fault) {
	s.Helper()
	_, err := s.net.Fault(f)
	require.NoError(s, err)
}

// soon is an acknowledgement timeout short enough for a test.
func soon(d time.Duration) whatsmeow.SendRequestExtra { return whatsmeow.SendRequestExtra{Timeout: d} }

// scenes say for every kind of fault what it looks like from the client and what must hold afterwards.
var scenes = map[string]func(s *scene){
	"cut": func(s *scene) {
		s.fault(wasim.Fault{Kind: "cut", Number: s.business})
		await(s.client, func(*events.Disconnected) bool { return true })
		await(s.client, func(*events.Connected) bool { return true })
	},
	"stream_error": func(s *scene) {
		s.fault(wasim.Fault{Kind: "stream_error"})
		await(s.client, func(*events.Disconnected) bool { return true })
		await(s.client, func(*events.Connected) bool { return true })
	},
	"replace": func(s *scene) {
		s.fault(wasim.Fault{Kind: "replace", Number: s.business})
		await(s.client, func(*events.StreamReplaced) bool { return true })
		eventually(s, "the connection ends", func() bool { return !s.client.IsConnected() })
		require.NoError(s, s.client.Connect())
		await(s.client, func(*events.Connected) bool { return true })
	},
	"drop_ack": func(s *scene) {
		s.fault(wasim.Fault{Kind: "drop_ack", Number: s.business, Count: 1})
		id, err := s.client.trySay(s.customer, "sin acuse", soon(300*time.Millisecond))
		require.ErrorIs(s, err, whatsmeow.ErrMessageTimedOut)
		shows(s, s.net, s.customer, hasText("sin acuse"))
		s.client.say(s.customer, "sin acuse", whatsmeow.SendRequestExtra{ID: id})
		require.Equal(s, int64(1), s.net.Stats().AcksDropped)
	},
	"delay_ack": func(s *scene) {
		s.fault(wasim.Fault{Kind: "delay_ack", Number: s.business, Delay: 0.3, Count: 1})
		begun := time.Now()
		s.client.say(s.customer, "con paciencia")
		require.GreaterOrEqual(s, time.Since(begun), 300*time.Millisecond)
	},
	"nack": func(s *scene) {
		s.fault(wasim.Fault{Kind: "nack", Number: s.business, Code: 463, Count: 1})
		_, err := s.client.trySay(s.customer, "rechazado")
		require.ErrorContains(s, err, "463")
		require.Equal(s, int64(1), s.net.Stats().Nacks)
	},
	"delay": func(s *scene) {
		s.fault(wasim.Fault{Kind: "delay", Number: s.business, Delay: 0.3, Count: 1})
		begun := time.Now()
		write(s, s.net, s.customer, s.business, "tarde")
		write(s, s.net, s.customer, s.business, "detrás")
		s.client.awaitText("tarde")
		require.GreaterOrEqual(s, time.Since(begun), 300*time.Millisecond)
		s.client.awaitText("detrás")
	},
	"duplicate": func(s *scene) {
		s.fault(wasim.Fault{Kind: "duplicate", Number: s.business, Count: 1})
		write(s, s.net, s.customer, s.business, "doble")
		s.client.awaitText("doble")
	},
	"reorder": func(s *scene) {
		s.fault(wasim.Fault{Kind: "reorder", Number: s.business, Count: 1})
		write(s, s.net, s.customer, s.business, "uno")
		write(s, s.net, s.customer, s.business, "dos")
		var order []string
		for range 2 {
			order = append(order, words(await(s.client, func(e *events.Message) bool { return words(e.Message) != "" }).Message))
		}
		require.Equal(s, []string{"dos", "uno"}, order)
	},
	"corrupt": func(s *scene) {
		s.fault(wasim.Fault{Kind: "corrupt", Number: s.business, Count: 1})
		write(s, s.net, s.customer, s.business, "dañado")
		s.client.awaitText("dañado")
	},
	"black_hole": func(s *scene) {
		s.client.say(s.customer, "todavía")
		s.fault(wasim.Fault{Kind: "black-hole", Number: s.business, Duration: 1})
		write(s, s.net, s.customer, s.business, "al otro lado")
		_, err := s.client.trySay(s.customer, "nadie me oye", soon(200*time.Millisecond))
		require.Error(s, err)
		require.True(s, s.client.IsConnected(), "the client has not noticed")
		s.client.awaitText("al otro lado")
		s.fault(wasim.Fault{Kind: "cut", Number: s.business}) // what was swallowed comes again on a new connection
		await(s.client, func(*events.Connected) bool { return true })
	},
	"http_503": func(s *scene) {
		s.client.Disconnect()
		s.fault(wasim.Fault{Kind: "http_503", Count: 1})
		require.ErrorContains(s, s.client.Connect(), "503")
		require.NoError(s, s.client.Connect())
		await(s.client, func(*events.Connected) bool { return true })
	},
	"login_failure": func(s *scene) {
		s.client.Disconnect()
		s.fault(wasim.Fault{Kind: "ban", Number: s.business, Count: 1, Expire: 3600})
		require.NoError(s, s.client.Connect())
		require.Equal(s, time.Hour, await(s.client, func(*events.TemporaryBan) bool { return true }).Expire)
		s.client.Disconnect()
		s.fault(wasim.Fault{Kind: "login_failure", Code: 405, Count: 1})
		require.NoError(s, s.client.Connect())
		await(s.client, func(*events.ClientOutdated) bool { return true })
		s.client.Disconnect()
		s.fault(wasim.Fault{Kind: "409", Number: s.business, Device: 1, Count: 1})
		require.NoError(s, s.client.Connect())
		require.EqualValues(s, 409, await(s.client, func(*events.ConnectFailure) bool { return true }).Reason)
		s.client.Disconnect()
		s.fault(wasim.Fault{Kind: "login_failure", Count: 1})
		require.NoError(s, s.client.Connect())
		await(s.client, func(*events.Disconnected) bool { return true })
		await(s.client, func(*events.Connected) bool { return true })
	},
	"query_error": func(s *scene) {
		s.fault(wasim.Fault{Kind: "query_error", Number: s.business, Query: "usync", Code: 500, Count: 1})
		_, err := s.client.trySay(numberOf(7), "no se puede preguntar")
		require.Error(s, err)
		s.client.say(numberOf(7), "ahora sí")
	},
	"query_silence": func(s *scene) {
		s.fault(wasim.Fault{Kind: "query_silence", Number: s.business, Query: "usync", Count: 1})
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		_, err := s.client.IsOnWhatsApp(ctx, []string{"+" + s.customer})
		require.ErrorIs(s, err, context.DeadlineExceeded)
	},
	"slow": func(s *scene) {
		s.client.say(s.customer, "rápido")
		s.fault(wasim.Fault{Kind: "slow", Number: s.business, Delay: 0.1})
		begun := time.Now()
		s.client.say(s.customer, "despacio")
		require.GreaterOrEqual(s, time.Since(begun), 200*time.Millisecond, "late to come in and late to be answered")
	},
	"restrict": func(s *scene) {
		s.fault(wasim.Fault{Kind: "463", Number: s.business, Duration: 3600})
		e := await(s.client, func(*events.NotifyAccountReachoutTimelock) bool { return true })
		require.True(s, e.IsActive)
		require.Equal(s, wasim.RestrictAllCompanions, e.EnforcementType)
		require.WithinDuration(s, time.Now().Add(time.Hour), e.TimeEnforcementEnds.Time, 5*time.Second)
		_, err := s.client.trySay(s.customer, "con candado")
		require.ErrorContains(s, err, "463")
		s.net.ClearFaults()
		await(s.client, func(e *events.NotifyAccountReachoutTimelock) bool { return !e.IsActive })
	},
	"logout": func(s *scene) {
		s.fault(wasim.Fault{Kind: "logout", Number: s.business})
		await(s.client, func(*events.LoggedOut) bool { return true })
	},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for kind := range wasim.FaultKinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			play := scenes[kind]
			require.NotNil(t, play, "every fault has a scene")
			s := newScene(t)
			play(s)
			require.Positive(t, s.net.Stats().Faulted)
			if kind == "logout" {
				return
			}
			s.net.ClearFaults()
			s.client.say(s.customer, "todo bien")
			shows(t, s.net, s.customer, hasText("todo bien"))
			write(t, s.net, s.customer, s.business, "por aquí también")
			s.client.awaitText("por aquí también")
			require.Zero(t, s.net.Stats().RatchetReuse)
			eventually(t, "everything is acknowledged", func() bool { return s.net.Stats().Waiting == 0 })
		})
	}
}

func TestFaultsAreCheckedCountedAndCleared(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for _, bad := range []wasim.Fault{{Kind: "earthquake"}, {Kind: "delay"}, {Kind: "nack", Count: -1}, {Kind: "nack", Number: "abc"},
		{Kind: "nack", Probability: 2}, {Kind: "http_503", Number: numberOf(1)}, {Kind: "cut", Every: -1},
		{Kind: "slow", Delay: 301}, {Kind: "nack", Duration: 1e12}, {Kind: "cut", Device: 1}, {Kind: "logout", Probability: 0.5}, {Kind: "restrict", Type: "JAIL"},
		{Kind: "restrict", Number: numberOf(1), Device: 1}} {
		_, err := n.Fault(bad)
		require.ErrorIs(t, err, wasim.ErrInvalid, "%+v", bad)
	}
	f, err := n.Fault(wasim.Fault{Kind: "nack"})
	require.NoError(t, err)
	require.Equal(t, 463, f.Code)
	require.Equal(t, []wasim.Fault{f}, n.Faults())
	n.ClearFaults()
	require.Empty(t, n.Faults())
	_, err = n.Fault(wasim.Fault{Kind: "drop", Duration: 0.05})
	require.NoError(t, err)
	require.Equal(t, "drop_ack", n.Faults()[0].Kind)
	eventually(t, "it ends by itself", func() bool { return len(n.Faults()) == 0 })
}

func TestOneFaultIsClearedByItsID(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	one, err := n.Fault(wasim.Fault{Kind: "nack"})
	require.NoError(t, err)
	other, err := n.Fault(wasim.Fault{Kind: "corrupt"})
	require.NoError(t, err)
	require.NoError(t, n.ClearFault(one.ID))
	require.ErrorIs(t, n.ClearFault(one.ID), wasim.ErrNotFound)
	require.Equal(t, []wasim.Fault{other}, n.Faults())
}

func TestFaultsByTheirOtherNames(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for name, want := range map[string]wasim.Fault{
		"402": {Kind: "login_failure", Code: 402}, "405": {Kind: "login_failure", Code: 405}, "409": {Kind: "login_failure", Code: 409},
		"503": {Kind: "login_failure", Code: 503}, "ban": {Kind: "login_failure", Code: 402}, "prekey-error": {Kind: "query_error", Code: 500, Query: "encrypt/key"},
		"device_error": {Kind: "query_error", Code: 500, Query: "usync"}, "out-of-order": {Kind: "reorder"},
	} {
		f, err := n.Fault(wasim.Fault{Kind: name})
		require.NoError(t, err, name)
		want.ID = f.ID
		require.Equal(t, want, f)
	}
}

func TestFaultStrikesEachNthTime(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fault(wasim.Fault{Kind: "nack", Every: 3, Count: 2})
	var refused []int
	for i := range 10 {
		if _, err := s.client.trySay(s.customer, fmt.Sprint(i)); err != nil {
			refused = append(refused, i)
		}
	}
	require.Equal(t, []int{2, 5}, refused)
	require.Equal(t, map[string]int64{"nack": 2}, s.net.Stats().Faults)
}

func TestFaultOfChanceIsRepeatable(t *testing.T) {
	t.Parallel()
	play := func(seed uint64) (refused []int) {
		s := newScene(t)
		s.fault(wasim.Fault{Kind: "nack", Probability: 0.4, Seed: seed})
		for i := range 20 {
			if _, err := s.client.trySay(s.customer, fmt.Sprint(i)); err != nil {
				refused = append(refused, i)
			}
		}
		return refused
	}
	first := play(7)
	require.NotEmpty(t, first)
	require.Equal(t, first, play(7))
	require.NotEqual(t, first, play(8))
}

func TestConnectionsAreCutAtARateAndNothingIsLost(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fault(wasim.Fault{Kind: "cut", Number: s.business, Every: 8, Count: 3})
	const count = 40
	for i := range count {
		write(t, s.net, s.customer, s.business, fmt.Sprint("corte ", i))
	}
	for i := range count {
		require.Equal(t, fmt.Sprint("corte ", i), words(await(s.client, func(e *events.Message) bool { return words(e.Message) != "" }).Message))
	}
	eventually(t, "everything is acknowledged", func() bool { return s.net.Stats().Waiting == 0 })
	eventually(t, "all have struck", func() bool {
		_, _ = s.client.trySay(s.customer, "más", soon(time.Second))
		return s.net.Stats().Faults["cut"] == 3
	})
	require.Zero(t, s.net.Stats().RatchetReuse)
}

func TestFaultStrikesAsManyConnectionsAsItCounts(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for i := range 4 {
		linked(t, n, numberOf(i))
	}
	f, err := n.Fault(wasim.Fault{Kind: "black_hole", Count: 3, Seed: 1})
	require.NoError(t, err)
	require.Equal(t, 3, f.Struck)
	require.Empty(t, n.Faults(), "it lies on the connections")
	f, err = n.Fault(wasim.Fault{Kind: "replace", Count: 2})
	require.NoError(t, err)
	require.Equal(t, 2, f.Struck)
	f, err = n.Fault(wasim.Fault{Kind: "remove_device", Count: 1})
	require.NoError(t, err)
	require.Equal(t, 1, f.Struck)
	require.Equal(t, 3, n.Stats().Devices)
}

func TestFaultStrikesOneDeviceOfANumber(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	first, second := linked(t, n, numberOf(1)), linked(t, n, numberOf(1))
	_, err := n.Fault(wasim.Fault{Kind: "nack", Number: numberOf(1), Device: 2})
	require.NoError(t, err)
	first.say(numberOf(3), "sí")
	_, err = second.trySay(numberOf(3), "no")
	require.Error(t, err)
}

func TestPreKeyQueriesFailWhileOthersDoNot(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.client.say(s.customer, "con sesión")
	s.fault(wasim.Fault{Kind: "prekey_error", Number: s.business, Code: 406})
	s.client.say(s.customer, "la sesión ya está")
	_, err := s.client.GetUserDevices(context.Background(), []types.JID{jid(numberOf(8))})
	require.NoError(t, err)
	_, err = s.client.trySay(numberOf(9), "sin claves")
	if err == nil { // a library may send to whom it has keys for, which is nobody here
		list, err := s.net.Messages(numberOf(9), "")
		require.NoError(t, err)
		require.Empty(t, list)
	}
	require.Positive(t, s.net.Stats().Faults["query_error"])
	s.net.ClearFaults()
	s.client.say(numberOf(9), "con claves")
	shows(t, s.net, numberOf(9), hasText("con claves"))
}

func TestFaultStrikesOnlyWhomItIsFor(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := linked(t, n, numberOf(1)), linked(t, n, numberOf(2))
	_, err := n.Fault(wasim.Fault{Kind: "nack", Number: numberOf(1)})
	require.NoError(t, err)
	_, err = a.trySay(numberOf(3), "no")
	require.Error(t, err)
	b.say(numberOf(3), "sí")
}

func TestFaultWithAProbabilityStrikesSometimes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fault(wasim.Fault{Kind: "nack", Probability: 0.5})
	refused := 0
	for i := range 40 {
		if _, err := s.client.trySay(s.customer, fmt.Sprint(i)); err != nil {
			refused++
		}
	}
	require.Greater(t, refused, 2)
	require.Less(t, refused, 38)
}

func TestStaleConnectionIsNotHeard(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	var refused atomic.Bool
	s.client.refuse(func(event any) bool {
		_, ok := event.(*events.StreamReplaced)
		refused.CompareAndSwap(false, ok)
		return false
	})
	s.fault(wasim.Fault{Kind: "replace", Number: s.business})
	_, err := s.client.trySay(s.customer, "del viejo", soon(300*time.Millisecond))
	require.Error(t, err)
	eventually(t, "the client knows", refused.Load)
	for _, m := range must(s.net.Messages(s.customer, "")) {
		require.NotEqual(t, "del viejo", m.Text)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
