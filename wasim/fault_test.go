package wasim_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
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
		{Kind: "nack", Probability: 2}, {Kind: "http_503", Number: numberOf(1)}} {
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
