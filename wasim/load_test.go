package wasim_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// linkMany links light clients to the numbers from 0 on, a few at a time.
func linkMany(t testing.TB, count int, link func(number string) (*wasim.LightClient, error)) []*wasim.LightClient {
	t.Helper()
	list := make([]*wasim.LightClient, count)
	var next atomic.Int64
	var work sync.WaitGroup
	for range 32 {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				l, err := link(numberOf(i))
				if err == nil {
					err = l.Login(t.Context())
				}
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				list[i] = l
			}
		})
	}
	work.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return list
}

func TestHundredsOfPhonesInOneProcess(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	const phones, messages = 300, 3000
	list := linkMany(t, phones, func(number string) (*wasim.LightClient, error) {
		return wasim.LinkLight(t.Context(), n.HTTPClient(), number, func(code string) error { return n.Scan(number, code) })
	})
	business := make([]string, phones)
	for i, l := range list {
		t.Cleanup(l.Close)
		business[i] = l.Number
	}
	started, err := n.Load(wasim.Load{First: numberOf(1000), Phones: phones, To: business, Rate: 2000, Count: messages})
	require.NoError(t, err)
	var work sync.WaitGroup
	for i, l := range list {
		work.Go(func() {
			if err := l.Say(t.Context(), numberOf(1000+i), fmt.Sprint("OUT", i), "desde el negocio"); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	r := finished(t, n, started.ID)
	require.Equal(t, wasim.LoadDone, r.State)
	require.Equal(t, messages, r.Acknowledged)
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	s := n.Stats()
	require.EqualValues(t, phones, s.Connections)
	require.EqualValues(t, phones, s.MessagesShown)
	require.Zero(t, s.DecryptErrors+s.RatchetReuse+s.StaleCounters+s.StaleAccepted+s.SlowClients+s.QueueOverflows+s.Panics)
	require.Len(t, transcript(t, n, "", 10_000), 2*(messages+phones))
}

// BenchmarkPhones measures, in a process of its own, what thousands of phones with a linked and connected client each cost the
// network: idle, and under a load of which every client gets its part. WASIM_BENCH_PHONES says how many there are.
func BenchmarkPhones(b *testing.B) {
	phones := 5000
	if s := os.Getenv("WASIM_BENCH_PHONES"); s != "" {
		var err error
		phones, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	child := &child{t: b}
	child.start()
	b.Cleanup(child.kill)
	before := child.residentKiB()
	way := wasim.DialClient(child.addr)
	begun := time.Now()
	list := linkMany(b, phones, func(number string) (*wasim.LightClient, error) {
		return wasim.LinkLight(b.Context(), way, number, func(code string) error {
			return child.call("POST", "/sim/phones/"+number+"/scan", map[string]string{"qr": code}, nil)
		})
	})
	linked := time.Since(begun)
	business := make([]string, phones)
	for i, l := range list {
		b.Cleanup(l.Close)
		business[i] = l.Number
	}
	idle, goroutines := child.residentKiB(), child.goroutines()
	idleCPU := child.cpu()
	beat(b, list, 10*time.Second)
	idleCPU = (child.cpu() - idleCPU) / 10

	var r wasim.LoadReport
	var busy time.Duration
	for b.Loop() {
		used := child.cpu()
		require.NoError(b, child.call("POST", "/sim/load", wasim.Load{First: numberOf(50_000), Phones: phones, To: business,
			Rate: 500, Count: max(2*phones, 1000)}, &r))
		eventually(b, "the script ends", func() bool {
			require.NoError(b, child.call("GET", fmt.Sprint("/sim/load/", r.ID), nil, &r))
			return r.State != wasim.LoadRunning && r.State != wasim.LoadDraining
		})
		require.Equal(b, wasim.LoadDone, r.State)
		busy = (child.cpu() - used) / time.Duration(r.Sent)
	}
	per := float64(phones)
	b.ReportMetric(per/linked.Seconds(), "links/s")
	b.ReportMetric((idle-before)/per, "KiB-idle/phone")
	b.ReportMetric((child.residentKiB()-before)/per, "KiB-used/phone")
	b.ReportMetric(float64(goroutines)/per, "goroutines/phone")
	b.ReportMetric(idleCPU.Seconds()*100, "%CPU-idle")
	b.ReportMetric(float64(busy.Microseconds()), "µs-CPU/msg")
	b.ReportMetric(float64(r.Acknowledged)/r.Seconds, "msg/s")
	b.ReportMetric(r.Latency.P50, "ms-p50")
	b.ReportMetric(r.Latency.P99, "ms-p99")
	b.ReportMetric(0, "ns/op")
}

// beat lets every client say that it is alive each 25 seconds, as libraries do.
func beat(b *testing.B, list []*wasim.LightClient, d time.Duration) {
	b.Helper()
	tick := time.NewTicker(25 * time.Second / time.Duration(len(list)))
	defer tick.Stop()
	for i, begun := 0, time.Now(); time.Since(begun) < d; i++ {
		<-tick.C
		_, err := list[i%len(list)].Ask(b.Context(), "w:p", "get")
		require.NoError(b, err)
	}
}

// goroutines is how many the child has.
func (c *child) goroutines() int {
	c.t.Helper()
	var count int
	require.NoError(c.t, c.call("GET", "/goroutines", nil, &count))
	return count
}

// cpu is how much processor time the child has used (proc(5), /proc/[pid]/stat, in ticks of 10 ms).
func (c *child) cpu() time.Duration {
	c.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	require.NoError(c.t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	require.NoError(c.t, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(c.t, err)
	return time.Duration(user+system) * 10 * time.Millisecond
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
