package drive_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/test/drive"
)

func TestAProcessIsLaunchedWatchedAndEnded(t *testing.T) {
	t.Parallel()
	p, err := drive.Launch(exec.Command("sleep", "1000"))
	require.NoError(t, err)
	require.True(t, p.IsAlive())
	kib, err := drive.ResidentKiB(p.PID())
	require.NoError(t, err)
	require.Positive(t, kib)
	require.NoError(t, p.End(syscall.SIGTERM, 10*time.Second))
	require.False(t, p.IsAlive())
	require.Equal(t, -1, p.ExitCode())
	require.ErrorContains(t, p.Answers(t.Context(), "http://127.0.0.1:1/", time.Minute), "has ended")
	_, err = drive.ProcessorTime(p.PID())
	require.Error(t, err)

	p, err = drive.Launch(exec.Command("sh", "-c", "exit 3"))
	require.NoError(t, err)
	require.Equal(t, 3, p.ExitCode())
}

func TestAProcessThatIgnoresTheSignalIsKilled(t *testing.T) {
	t.Parallel()
	p, err := drive.Launch(exec.Command("sleep", "1000"))
	require.NoError(t, err)
	require.ErrorContains(t, p.End(syscall.SIGCONT, 50*time.Millisecond), "did not end")
	require.False(t, p.IsAlive())
}

func TestReadinessIsWaitedFor(t *testing.T) {
	t.Parallel()
	p, err := drive.Launch(exec.Command("sleep", "1000"))
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	require.NoError(t, p.Answers(t.Context(), server.URL, 10*time.Second))
	require.EqualValues(t, 3, asked.Load())
	asked.Store(-1000)
	require.ErrorContains(t, p.Answers(t.Context(), server.URL, 100*time.Millisecond), "does not answer")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.Answers(ctx, server.URL, time.Minute), context.Canceled)
}

func TestProcessorTimeGrowsWithWork(t *testing.T) {
	t.Parallel()
	before, err := drive.ProcessorTime(os.Getpid())
	require.NoError(t, err)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		after, err := drive.ProcessorTime(os.Getpid())
		require.NoError(t, err)
		if after >= before+50*time.Millisecond {
			return
		}
	}
	t.Fatal("it does not grow")
}

func TestACallSpeaksJSON(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "k" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		_, _ = fmt.Fprintf(w, `{"method":%q,"length":%d}`, r.Method, r.ContentLength)
	}))
	t.Cleanup(server.Close)
	var c drive.Caller
	var out struct {
		Method string
		Length int64
	}
	require.NoError(t, c.Call(t.Context(), "PUT", server.URL, map[string]int{"a": 1}, &out, "X-API-Key", "k"))
	require.Equal(t, "PUT", out.Method)
	require.EqualValues(t, len(`{"a":1}`), out.Length)
	require.NoError(t, c.Call(t.Context(), "GET", server.URL, nil, nil, "X-API-Key", "k"))
	var no *drive.Refused
	require.ErrorAs(t, c.Call(t.Context(), "GET", server.URL, nil, &out), &no)
	require.Equal(t, http.StatusTeapot, no.Status)
	require.Equal(t, "no\n", no.Body)
}

func TestThingsAreDoneOnceEachAndNoMoreAfterAnError(t *testing.T) {
	t.Parallel()
	for _, atOnce := range []int{1, 7, 500} {
		done := make([]atomic.Int64, 100)
		var now, most atomic.Int64
		require.NoError(t, drive.InParallel(len(done), atOnce, func(i int) error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			done[i].Add(1)
			now.Add(-1)
			return nil
		}))
		for i := range done {
			require.EqualValues(t, 1, done[i].Load())
		}
		require.LessOrEqual(t, most.Load(), int64(atOnce))
	}
	var begun atomic.Int64
	bad := errors.New("no")
	require.ErrorIs(t, drive.InParallel(1000, 4, func(int) error { begun.Add(1); return bad }), bad)
	require.LessOrEqual(t, begun.Load(), int64(4))
	require.NoError(t, drive.InParallel(0, 4, func(int) error { return bad }))
}
