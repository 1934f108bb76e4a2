// Package redistest gives tests a real Redis: the shared server that the environment names (TURNERO_TEST_REDIS_URL; `make
// test` starts it), or a server of the test's own that it may kill, stop, restart and empty.
package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn"
	"turnero/test/port"
)

// Env is the variable that names the shared server.
const Env = "TURNERO_TEST_REDIS_URL"

const startTimeout = 20 * time.Second

var counter atomic.Int64

// Shared connects to the shared server. A test keeps to names of its own (see Name) and never empties it.
func Shared(t testing.TB) *redisconn.Conn {
	t.Helper()
	url := os.Getenv(Env)
	require.NotEmpty(t, url, "no Redis: run the tests with `make test`, or set %s", Env)
	return Dial(t, url)
}

// Dial connects to the server and closes the connection when the test ends.
func Dial(t testing.TB, url string) *redisconn.Conn {
	t.Helper()
	conn, err := redisconn.Open(context.Background(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Name gives a name that no other test uses.
func Name() string {
	return fmt.Sprintf("t%d-%d-%d", os.Getpid(), time.Now().UnixNano(), counter.Add(1))
}

// Server is a Redis of the test's own.
type Server struct {
	t       testing.TB
	program string
	dir     string
	port    int
	args    []string
	cmd     *exec.Cmd
}

// Start starts a server on a free loopback port, with further options as on redis-server's command line. It ends with the test.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	require.NoError(t, err, "the program redis-server is needed: `make test` installs it")
	s := &Server{t: t, program: program, dir: t.TempDir(), args: args}
	s.port, err = port.Free()
	require.NoError(t, err)
	t.Cleanup(s.Kill)
	s.run()
	return s
}

// URL is the address of the server; it stays the same over restarts.
func (s *Server) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d", s.port) }

// Dial connects to the server.
func (s *Server) Dial() *redisconn.Conn {
	s.t.Helper()
	return Dial(s.t, s.URL())
}

// Kill ends the server with SIGKILL. One that does not run is left alone.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Restart starts the killed server again on the same port; with its data, as far as Save or its options kept it, or without.
func (s *Server) Restart(keepData bool) {
	s.t.Helper()
	s.Kill()
	if !keepData {
		for _, pattern := range []string{"dump.rdb", "appendonlydir"} {
			require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, pattern)))
		}
	}
	s.run()
}

// Pause freezes the server (SIGSTOP): it keeps its connections and answers nothing.
func (s *Server) Pause() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP)) }

// Resume lets a frozen server go on.
func (s *Server) Resume() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT)) }

func (s *Server) run() {
	s.t.Helper()
	args := append([]string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--daemonize", "no"}, s.args...)
	cmd := exec.Command(s.program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(s.t, cmd.Start())
	s.cmd = cmd
	deadline := time.Now().Add(startTimeout)
	for {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		require.True(s.t, time.Now().Before(deadline), "redis-server does not answer: %v", err)
		time.Sleep(5 * time.Millisecond)
	}
}
