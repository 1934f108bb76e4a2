package wasim

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"google.golang.org/protobuf/proto"
)

// light makes a linked and connected light client.
func light(t testing.TB, n *Network, number string) *LightClient {
	t.Helper()
	l, err := LinkLight(t.Context(), n.HTTPClient(), number, func(code string) error { return n.Scan(number, code) })
	require.NoError(t, err)
	require.NoError(t, l.Login(t.Context()))
	t.Cleanup(l.Close)
	return l
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 30*time.Second, 5*time.Millisecond, what)
}

func TestClientOfNoLibraryTalksBothWays(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	business, customer := "5491155500001", "5491155500002"
	l := light(t, n, business)
	got := make(chan string, 10)
	l.Texts = func(_, from, words string) { got <- from + " " + words }
	for i := range 3 {
		_, err := n.Send(t.Context(), customer, business, fmt.Sprint("hola ", i))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(customer, " hola ", i), <-got)
		require.NoError(t, l.Say(t.Context(), customer, fmt.Sprint("ID", i), fmt.Sprint("buenas ", i)))
	}
	list, err := n.Messages(customer, "")
	require.NoError(t, err)
	require.Len(t, list, 6)
	require.Equal(t, "buenas 2", list[5].Text)
	own, err := n.Messages(business, "")
	require.NoError(t, err)
	require.Len(t, own, 6)
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	s := n.Stats()
	require.Zero(t, s.DecryptErrors+s.RetriesIn+s.RatchetReuse+s.StaleCounters+s.StaleAccepted)
}

func TestClientThatIsNotPassiveNeedNotAskForItsStanzas(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	l := light(t, n, "5491155500001")
	l.Close()
	_, err := n.Send(t.Context(), "5491155500002", "5491155500001", "te espera")
	require.NoError(t, err)
	ws, link, err := shakeHands(t.Context(), l.way, "WA\x06\x03", l.noise, &waWa6.ClientPayload{Username: proto.Uint64(5491155500001), Device: proto.Uint32(1)})
	require.NoError(t, err)
	defer ws.CloseNow()
	var tags []string
	for len(tags) == 0 || tags[len(tags)-1] != "message" {
		got, err := readNode(t.Context(), link)
		require.NoError(t, err)
		tags = append(tags, got.Tag)
	}
	require.Equal(t, []string{"success", "ib", "message"}, tags)
}

// TestNothingIsTakenFromAReplacedConnection lets two holders of one device send as fast as they can while the second takes the
// first's place, many times. What the first still sends must not be accepted once the second is in.
func TestNothingIsTakenFromAReplacedConnection(t *testing.T) {
	t.Parallel()
	n, err := New(context.Background(), Options{Seed: "wasim tests", Frames: 1 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	business, customer := "5491155500001", "5491155500002"
	l := light(t, n, business)
	require.NoError(t, l.Say(t.Context(), customer, "FIRST", "primero"))
	const rounds = 12
	var sent atomic.Int64
	for round := range rounds {
		var work sync.WaitGroup
		work.Go(func() {
			for tries := 0; tries < 50; {
				if l.Ending.Load() != nil {
					tries++ // it does not listen, but a gap of thousands of counters would be too much for any receiver
				}
				// The rightful holder of the keys never uses a counter twice, and its connection may end at any moment.
				m, err := l.Sealed(t.Context(), customer, fmt.Sprint("M", sent.Add(1)), fmt.Sprint("ronda ", round))
				if err != nil || l.Send(t.Context(), *m) != nil {
					return
				}
			}
		})
		second := twin(l)
		require.NoError(t, second.Login(t.Context()))
		require.Eventually(t, func() bool { w := l.Ending.Load(); return w != nil && *w == "stream:error  replaced" }, 20*time.Second, time.Millisecond)
		work.Wait()
		l.Close()
		l = second
		t.Cleanup(second.Close)
	}
	s := n.Stats()
	require.EqualValues(t, rounds, s.Replaced)
	require.Zero(t, s.StaleAccepted)
	require.Positive(t, s.StaleFrames, "the first one did try")
	require.Zero(t, s.RatchetReuse+s.StaleCounters+s.DecryptErrors)
	requireNobodySpeaksAfterTheEnd(t, n)
}

// twin is another holder of the same device with the same Signal state.
func twin(l *LightClient) *LightClient {
	return &LightClient{Number: l.Number, Device: l.Device, way: l.way, noise: l.noise, home: l.home, signal: l.signal, waiting: map[string]chan *node{}}
}

// requireNobodySpeaksAfterTheEnd reads in the frame log that no stanza was taken from a connection that had been replaced, and
// that a device never had two.
func requireNobodySpeaksAfterTheEnd(t *testing.T, n *Network) {
	t.Helper()
	over, live := map[uint64]bool{}, map[string]uint64{}
	for _, f := range n.Frames(0, 0) {
		switch {
		case f.Direction == "event" && f.Tag == "connected":
			require.Zero(t, live[f.Device], "%+v", f)
			live[f.Device] = f.Conn
		case f.Direction == "event" && (f.Tag == "replaced" || f.Tag == "unlinked" || f.Tag == "disconnected"):
			over[f.Conn] = true
			if live[f.Device] == f.Conn {
				delete(live, f.Device)
			}
		case f.Direction == "in":
			require.False(t, over[f.Conn], "%+v", f)
		}
	}
}

func TestNothingIsTakenFromAnUnlinkedDevice(t *testing.T) {
	t.Parallel()
	n, err := New(context.Background(), Options{Seed: "wasim tests", Frames: 1 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	business, customer := "5491155500001", "5491155500002"
	l := light(t, n, business)
	require.NoError(t, l.Say(t.Context(), customer, "FIRST", "primero"))
	ended := l.Ended()
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			default:
			}
			m, err := l.Sealed(t.Context(), customer, fmt.Sprint("M", i), "sigo")
			if err != nil || l.Send(t.Context(), *m) != nil {
				return
			}
		}
	})
	eventually(t, "it writes", func() bool { return n.Stats().MessagesShown > 20 })
	require.NoError(t, n.Unlink(business, 0))
	before, err := n.Messages(customer, "")
	require.NoError(t, err)
	work.Wait()
	<-ended
	require.Equal(t, "stream:error 401 device_removed", *l.Ending.Load())
	after, err := n.Messages(customer, "")
	require.NoError(t, err)
	require.Len(t, after, len(before))
	requireNobodySpeaksAfterTheEnd(t, n)
	require.ErrorContains(t, l.Login(t.Context()), "failure reason=401")
}

func TestStaleAndReusedCountersAreRefused(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	business, customer := "5491155500001", "5491155500002"
	l := light(t, n, business)
	ctx := t.Context()
	require.NoError(t, l.Say(ctx, customer, "A", "uno"))
	again, err := l.Sealed(ctx, customer, "B", "dos")
	require.NoError(t, err)
	require.NoError(t, l.SendSealed(ctx, again))
	require.NoError(t, l.SendSealed(ctx, again), "a retransmission is acknowledged again")
	require.EqualValues(t, 2, n.Stats().Duplicates, "at the recipient and at the own phone")

	// Going back in time: what was sealed after a snapshot is sealed once more, with other words.
	l.signal.mu.Lock()
	snapshot := map[string][]byte{}
	for address, session := range l.signal.sessions {
		snapshot[address] = serializer.Session.Serialize(session)
	}
	l.signal.mu.Unlock()
	require.NoError(t, l.Say(ctx, customer, "C", "tres"))
	l.signal.mu.Lock()
	for address, raw := range snapshot {
		l.signal.sessions[address], err = serializer.Session.Deserialize(raw)
		require.NoError(t, err)
	}
	l.signal.mu.Unlock()
	require.NoError(t, l.Say(ctx, customer, "D", "con un contador usado"))
	require.EqualValues(t, 2, n.Stats().RatchetReuse)

	m, err := l.Sealed(ctx, customer, "C", "otra cosa")
	require.NoError(t, err)
	require.NoError(t, l.SendSealed(ctx, m))
	require.EqualValues(t, 2, n.Stats().IDReuse, "the ID is taken")
	list, err := n.Messages(customer, "")
	require.NoError(t, err)
	var shown []string
	for _, m := range list {
		shown = append(shown, m.Text)
	}
	require.Equal(t, []string{"uno", "dos", "tres"}, shown)
}
