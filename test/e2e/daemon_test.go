package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/test/drive"
)

// daemon is one process of the program.
type daemon struct {
	t       *testing.T
	name    string
	address string
	ready   string // the path that answers 200 when it is ready
	args    []string
	env     []string
	wrap    []string // a command that runs the program
	logs    *lockedBuffer
	process *drive.Process // nil before the first start
}

// newDaemon chooses a free address, at which the process listens each time it is started. It is ended with the test.
func newDaemon(t *testing.T, name, ready string, args ...string) *daemon {
	t.Helper()
	address, err := drive.FreeAddress()
	require.NoError(t, err)
	d := &daemon{t: t, name: name, address: address, ready: ready, args: args, logs: &lockedBuffer{}}
	t.Cleanup(func() {
		d.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, d.logs)
		}
	})
	return d
}

func (d *daemon) url() string { return "http://" + d.address }

// launch starts the process and does not wait.
func (d *daemon) launch() {
	d.t.Helper()
	args := append(append(append([]string{}, d.wrap...), binary), append(d.args, "--listen", d.address)...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), d.env...)
	cmd.Stdout, cmd.Stderr = d.logs, d.logs
	var err error
	d.process, err = drive.Launch(cmd)
	require.NoError(d.t, err)
}

// start starts the process and waits until it is ready.
func (d *daemon) start() {
	d.t.Helper()
	d.launch()
	err := d.process.Answers(d.t.Context(), d.url()+d.ready, 60*time.Second)
	require.NoError(d.t, err, "%s:\n%s", d.name, d.logs)
}

func (d *daemon) hasEnded() bool { return !d.process.IsAlive() }

// end sends the signal and waits for the end.
func (d *daemon) end(sig syscall.Signal) {
	d.t.Helper()
	if d.process == nil {
		return
	}
	if err := d.process.End(sig, 25*time.Second); err != nil {
		d.t.Errorf("%s: %v", d.name, err)
	}
}

// refused runs the process until it ends by itself with a failure, and gives the last line that it said.
func (d *daemon) refused(within time.Duration) string {
	d.t.Helper()
	d.launch()
	eventuallyWithin(d.t, within, d.name+" refuses to start", d.hasEnded)
	require.Equal(d.t, 1, d.process.ExitCode(), "%s", d.logs)
	lines := strings.Split(strings.TrimSpace(d.logs.String()), "\n")
	last := lines[len(lines)-1]
	require.True(d.t, strings.HasPrefix(last, "turnero: "), "the reason is one line, the last: %s", d.logs)
	return last
}

// metric reads one number of the process's metrics, without labels.
func (d *daemon) metric(name string) (float64, bool) {
	d.t.Helper()
	resp, err := http.Get(d.url() + "/metrics")
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, false
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			var n float64
			_, err := fmt.Sscan(value, &n)
			return n, err == nil
		}
	}
	return 0, false
}

// state is what /ready says.
func (d *daemon) state() (status int, checks map[string]string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url()+"/ready", nil)
	require.NoError(d.t, err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	var body struct {
		Checks map[string]string `json:"checks"`
	}
	require.NoError(d.t, json.NewDecoder(resp.Body).Decode(&body))
	return resp.StatusCode, body.Checks
}

// lockedBuffer holds what a process says, or a listener hears.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// masterKey makes a master key, as it stands in the configuration.
func masterKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:])
	return hex.EncodeToString(key[:])
}

// superAdmin makes the first log-in of an installation that is given by flags.
func superAdmin(t *testing.T, flags ...string) login {
	t.Helper()
	out, code := runBinary(t, append([]string{"user", "create", "root@example.com", "--data", t.TempDir()}, flags...)...)
	require.Zero(t, code, out)
	_, password, ok := strings.Cut(out, "said this once: ")
	require.True(t, ok, out)
	return login{"root@example.com", strings.TrimSpace(password)}
}
