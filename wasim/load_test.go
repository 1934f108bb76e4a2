package wasim_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

// TestFiftyClientsAtOnce links fifty clients at the same time; each talks with a contact of its own and with its neighbour.
func TestFiftyClientsAtOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, func(o *wasim.Options) { o.Frames = 100_000 })
	const clients, rounds = 50, 4
	list := make([]*client, clients)
	for i := range list {
		list[i] = newClient(t, n)
	}
	var work sync.WaitGroup
	for i, c := range list {
		work.Go(func() {
			if !assertLinked(t, n, c, numberOf(i)) {
				return
			}
			for r := range rounds {
				text := fmt.Sprintf("%d/%d", i, r)
				_, err := n.Send(t.Context(), numberOf(1000+i), numberOf(i), "in "+text)
				if err == nil {
					_, err = c.trySay(numberOf(2000+i), "out "+text)
				}
				if err == nil && r == 0 {
					_, err = c.trySay(numberOf((i+1)%clients), "next "+text)
				}
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
			}
		})
	}
	work.Wait()
	if t.Failed() {
		return
	}
	for i, c := range list {
		for r := range rounds {
			c.awaitIn(fmt.Sprintf("in %d/%d", i, r))
			shows(t, n, numberOf(2000+i), hasText(fmt.Sprintf("out %d/%d", i, r)))
		}
		shows(t, n, numberOf((i+1)%clients), hasText(fmt.Sprintf("next %d/0", i)))
	}
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	s := n.Stats()
	require.EqualValues(t, clients, s.Pairings)
	require.EqualValues(t, clients, s.Connections)
	require.Zero(t, s.DecryptErrors+s.RatchetReuse+s.StaleCounters+s.IDReuse+s.Panics+s.SlowClients)
	requireOrder(t, n)
}

// assertLinked links a client from a goroutine that is not the test's own.
func assertLinked(t *testing.T, n *wasim.Network, c *client, number string) bool {
	if err := c.Connect(); err != nil {
		t.Error(err)
		return false
	}
	deadline := time.After(2 * patience)
	for {
		select {
		case e := <-c.events:
			switch event := e.(type) {
			case *events.QR:
				if err := n.Scan(number, event.Codes[0]); err != nil {
					t.Error(err)
					return false
				}
			case *events.Connected:
				return true
			}
		case <-deadline:
			t.Error("the client was not linked in time")
			return false
		}
	}
}

// awaitIn waits for a text that may have come before others of the same client.
func (c *client) awaitIn(text string) {
	c.t.Helper()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if c.seen[text] {
		return
	}
	await(c, func(e *events.Message) bool {
		c.seen[words(e.Message)] = true
		return c.seen[text]
	})
}

// requireOrder reads in the frame log that every device got its stanzas in the order in which they were made.
func requireOrder(t *testing.T, n *wasim.Network) {
	t.Helper()
	newest := map[uint64]uint64{}
	after := uint64(0)
	for {
		frames := n.Frames(after, 1000)
		if len(frames) == 0 {
			return
		}
		for _, f := range frames {
			require.Equal(t, after+1, f.Seq)
			after = f.Seq
			if f.Stanza == 0 {
				continue
			}
			require.Greater(t, f.Stanza, newest[f.Conn], "%+v", f)
			newest[f.Conn] = f.Stanza
		}
	}
}

// BenchmarkConnection measures, in a process of its own, what one linked and connected client costs the network: idle, and
// after traffic.
func BenchmarkConnection(b *testing.B) {
	const clients = 300
	child := &child{t: b}
	child.start()
	b.Cleanup(child.kill)
	before := child.residentKiB()
	shared := newClientAt(b, wasim.DialClient(child.addr))
	list := make([]*client, clients)
	for i := range list {
		list[i] = &client{t: b, path: shared.path, http: shared.http, store: shared.store}
		list[i].use(shared.store.NewDevice())
		require.NoError(b, list[i].Connect())
		code := await(list[i], func(*events.QR) bool { return true }).Codes[0]
		require.NoError(b, child.call("POST", "/sim/phones/"+numberOf(i)+"/scan", map[string]string{"qr": code}, nil))
		await(list[i], func(*events.Connected) bool { return true })
	}
	idle := child.residentKiB()
	sent := 0
	for b.Loop() {
		list[sent%clients].say(numberOf(1000+sent%clients), "hola")
		sent++
	}
	b.ReportMetric((idle-before)/clients, "KiB-idle/conn")
	b.ReportMetric((child.residentKiB()-before)/clients, "KiB-used/conn")
	for _, c := range list {
		c.Disconnect()
	}
}

// residentKiB is the process's memory after a forced collection.
func (c *child) residentKiB() float64 {
	c.t.Helper()
	require.NoError(c.t, c.call("POST", "/collect", nil, nil))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(c.t, err)
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			require.NoError(c.t, err)
			return kib
		}
	}
	require.FailNow(c.t, "no VmRSS")
	return 0
}
