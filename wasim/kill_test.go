package wasim_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

// serveInChild runs a network with a folder on an address until the process is killed. TestMain calls it in the child process.
func serveInChild(dir, addr string) {
	n, err := wasim.New(context.Background(), wasim.Options{Dir: dir, Seed: seed, FastPair: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", listener.Addr())
	mux := http.NewServeMux()
	mux.Handle("/", n.Handler())
	mux.HandleFunc("POST /collect", func(http.ResponseWriter, *http.Request) { debug.FreeOSMemory() })
	mux.HandleFunc("GET /goroutines", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, runtime.NumGoroutine()) })
	_ = http.Serve(listener, mux) // until the kill
}

// child is a network in a process of its own.
type child struct {
	t    testing.TB
	dir  string
	addr string
	cmd  *exec.Cmd
}

func (c *child) start() {
	c.t.Helper()
	addr := c.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), "WASIM_CHILD_DIR="+c.dir, "WASIM_CHILD_ADDR="+addr)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, c.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(c.t, err)
	if c.addr == "" {
		c.addr = strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	}
}

func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill())
	_ = c.cmd.Wait() // says that it was killed
}

// call makes a request of the control API.
func (c *child) call(method, path string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, "http://"+c.addr+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", response.Status, data)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}

func (c *child) messages(number string) []wasim.Message {
	c.t.Helper()
	var list struct{ Items []wasim.Message }
	require.NoError(c.t, c.call("GET", "/sim/phones/"+number+"/messages", nil, &list))
	return list.Items
}

// TestNothingIsLostOrDoubledWhenTheNetworkIsKilled kills the network while messages go both ways. Each direction has a contact of
// its own: the library does not guard one contact's session against its own concurrent use.
func TestNothingIsLostOrDoubledWhenTheNetworkIsKilled(t *testing.T) {
	t.Parallel()
	net := &child{t: t, dir: t.TempDir()}
	net.start()
	t.Cleanup(func() { _ = net.cmd.Process.Kill() })
	business, customer, other := numberOf(1), numberOf(2), numberOf(3)
	c := newClientAt(t, wasim.DialClient(net.addr))
	require.NoError(t, c.Connect())
	code := await(c, func(*events.QR) bool { return true }).Codes[0]
	require.NoError(t, net.call("POST", "/sim/phones/"+business+"/scan", map[string]string{"qr": code}, nil))
	await(c, func(*events.Connected) bool { return true })

	const kills, between = 3, 25
	received := map[string]int{}
	var mu sync.Mutex
	c.AddEventHandler(func(event any) {
		if m, ok := event.(*events.Message); ok && words(m.Message) != "" {
			mu.Lock()
			received[words(m.Message)]++
			mu.Unlock()
		}
	})
	var sends, writes []string
	for round := range kills + 1 {
		stop := make(chan struct{})
		var work sync.WaitGroup
		work.Go(func() {
			for i := range between {
				text := fmt.Sprintf("del cliente %d/%d", round, i)
				sends = append(sends, text)
				insist(t, c, customer, text)
			}
		})
		work.Go(func() {
			for i := range between {
				text := fmt.Sprintf("al cliente %d/%d", round, i)
				if net.call("POST", "/sim/phones/"+other+"/messages", map[string]string{"to": business, "text": text}, nil) == nil {
					writes = append(writes, text)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		if round < kills {
			eventually(t, "the round has begun", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return received[fmt.Sprintf("al cliente %d/%d", round, 8)] > 0
			})
			net.kill()
			close(stop)
			net.start()
		}
		work.Wait()
	}
	insist(t, c, customer, "fin")
	require.NoError(t, net.call("POST", "/sim/phones/"+other+"/messages", map[string]string{"to": business, "text": "fin"}, nil))
	eventually(t, "the last message came", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return received["fin"] > 0
	})
	mu.Lock()
	defer mu.Unlock()
	for _, text := range writes {
		require.Equal(t, 1, received[text], text)
	}
	shown := map[string]int{}
	for _, m := range net.messages(customer) {
		if m.Direction == wasim.DirectionIn {
			shown[m.Text]++
		}
	}
	for _, text := range sends {
		require.Equal(t, 1, shown[text], text)
	}
	var s wasim.Stats
	require.NoError(t, net.call("GET", "/sim/stats", nil, &s))
	require.Zero(t, s.RatchetReuse+s.StaleCounters+s.DecryptErrors+s.IDReuse)
}

// insist sends a message under one ID until it is acknowledged, as a careful program does.
func insist(t *testing.T, c *client, to, text string) {
	t.Helper()
	id := c.GenerateMessageID()
	deadline := time.Now().Add(2 * patience)
	for time.Now().Before(deadline) {
		_, err := c.trySay(to, text, whatsmeow.SendRequestExtra{ID: id, Timeout: 2 * time.Second})
		if err == nil {
			return
		}
		if errors.Is(err, whatsmeow.ErrNotConnected) || !c.IsConnected() {
			require.Eventually(t, c.IsConnected, patience, 5*time.Millisecond)
		}
	}
	require.FailNow(t, "the message was never acknowledged", text)
}
