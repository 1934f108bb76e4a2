package pulse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/pulse"
)

type database struct {
	isFrozen atomic.Bool
	refuses  atomic.Bool
	ahead    atomic.Int64
}

func (d *database) clock(ctx context.Context) (time.Time, error) {
	if d.refuses.Load() {
		return time.Time{}, errors.New("connection refused")
	}
	if d.isFrozen.Load() {
		<-ctx.Done()
		return time.Time{}, ctx.Err()
	}
	return time.Now().Add(time.Duration(d.ahead.Load())), nil
}

func watch(t *testing.T, d *database, log io.Writer) (p *pulse.Pulse, stop func()) {
	t.Helper()
	p = pulse.New(pulse.Options{Ask: d.clock, Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	return p, func() { cancel(); wg.Wait() }
}

func ask(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
	return w
}

func TestWhileTheDatabaseIsAwayRequestsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*database, bool){
		"frozen": func(d *database, is bool) { d.isFrozen.Store(is) },
		"down":   func(d *database, is bool) { d.refuses.Store(is) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				d := &database{}
				p, stop := watch(t, d, &log)
				defer stop()
				handled := 0
				h := p.Guard(func(string) bool { return false }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { handled++ }))
				time.Sleep(10 * time.Second)
				require.Equal(t, http.StatusOK, ask(h, "/api/chats").Code)
				set(d, true)
				time.Sleep(time.Second)
				require.True(t, p.IsThere(), "one hiccup is none")
				time.Sleep(3 * time.Second)
				require.False(t, p.IsThere())
				w := ask(h, "/api/chats")
				require.Equal(t, http.StatusServiceUnavailable, w.Code)
				require.Equal(t, "2", w.Header().Get("Retry-After"))
				require.Contains(t, w.Body.String(), "database_unavailable")
				require.Equal(t, http.StatusOK, ask(h, "/ready").Code, "it says by itself how it is")
				require.Equal(t, 2, handled)
				time.Sleep(time.Hour)
				set(d, false)
				time.Sleep(4 * time.Second)
				require.Equal(t, http.StatusOK, ask(h, "/api/chats").Code)
				synctest.Wait()
				require.Equal(t, 2, strings.Count(log.String(), "\n"), "one line when it goes, one when it comes: %s", log.String())
			})
		})
	}
}

func TestRequestsThatWaitAreGivenUpWhenTheDatabaseGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &database{}
		p, stop := watch(t, d, io.Discard)
		defer stop()
		h := p.Guard(func(path string) bool { return path == "/api/events" }, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
				httpkit.WriteProblem(w, r, context.Cause(r.Context()))
			case <-time.After(time.Minute):
			}
		}))
		d.isFrozen.Store(true)
		var waiting, stream *httptest.ResponseRecorder
		var took time.Duration
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() { waiting, took = ask(h, "/api/chats"), time.Since(start) })
		wg.Go(func() { stream = ask(h, "/api/events") })
		wg.Wait()
		require.Less(t, took, 5*time.Second)
		require.Equal(t, http.StatusServiceUnavailable, waiting.Code)
		require.Contains(t, waiting.Body.String(), "database_unavailable")
		require.Equal(t, http.StatusOK, stream.Code)
	})
}

func TestClocksThatDifferAreToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d := &database{}
		p, stop := watch(t, d, &log)
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, log.String())
		for _, jump := range []time.Duration{time.Hour, -time.Hour} {
			log.Reset()
			d.ahead.Store(int64(jump))
			time.Sleep(time.Minute)
			synctest.Wait()
			require.Equal(t, jump, p.LastSkew())
			require.Equal(t, 1, strings.Count(log.String(), "differ"), log.String())
			require.True(t, p.IsThere())
			d.ahead.Store(0)
			time.Sleep(time.Minute)
			synctest.Wait()
			require.Equal(t, 1, strings.Count(log.String(), "agree again"), log.String())
		}
	})
}
