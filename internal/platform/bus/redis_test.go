package bus_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
)

// running gives a bus that is connected.
func running(t *testing.T, conn *redisconn.Conn, name string) *bus.Redis {
	t.Helper()
	b := bus.NewRedis(conn, name, slog.New(slog.DiscardHandler))
	start(t, b)
	eventually(t, b.Connected)
	return b
}

func start(t *testing.T, b *bus.Redis) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, fn func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !fn() {
		require.True(t, time.Now().Before(deadline), "it did not come to be")
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAWakeUpIsTakenOnceInItsOwnProcess(t *testing.T) {
	t.Parallel()
	conn, name := redistest.Shared(t), redistest.Name()
	a, b := running(t, conn, name), running(t, conn, name)
	here, cancelHere := a.Subscribe("a")
	defer cancelHere()
	there, cancelThere := b.Subscribe("a")
	defer cancelThere()
	a.Wake("a")
	wakes(t, here)
	wakes(t, there)
	sleeps(t, here) // its own message has come back by now
}

func TestInstallationsOfDifferentNamesDoNotWakeOneAnother(t *testing.T) {
	t.Parallel()
	conn := redistest.Shared(t)
	a, b := running(t, conn, redistest.Name()), running(t, conn, redistest.Name())
	woken, cancel := b.Subscribe("a")
	defer cancel()
	a.Wake("a")
	sleeps(t, woken)
}

func TestEverybodyIsWokenWhenRedisIsBack(t *testing.T) {
	t.Parallel()
	for name, shake := range map[string]func(t *testing.T, s *redistest.Server, b *bus.Redis){
		"killed and started again": func(t *testing.T, s *redistest.Server, b *bus.Redis) {
			s.Kill()
			eventually(t, func() bool { return !b.Connected() })
			s.Restart(false)
		},
		"frozen": func(t *testing.T, s *redistest.Server, b *bus.Redis) {
			s.Pause()
			eventually(t, func() bool { return !b.Connected() })
			s.Resume()
		},
		"connections cut": func(t *testing.T, s *redistest.Server, _ *bus.Redis) {
			require.NoError(t, s.Dial().Client().Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			a, b := running(t, s.Dial(), "x"), running(t, s.Dial(), "x")
			first, cancelFirst := b.Subscribe("a")
			defer cancelFirst()
			second, cancelSecond := b.Subscribe("b")
			defer cancelSecond()
			shake(t, s, b)
			wakes(t, first)
			wakes(t, second)
			eventually(t, a.Connected)
			eventually(t, b.Connected)
			a.Wake("a")
			wakes(t, first)
		})
	}
}

func TestWithoutRedisItsOwnProcessIsWokenAndOthersAreLater(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := running(t, s.Dial(), "x"), running(t, s.Dial(), "x")
	here, cancelHere := a.Subscribe("a")
	defer cancelHere()
	there, cancelThere := b.Subscribe("a")
	defer cancelThere()
	s.Pause()
	began := time.Now()
	for i := range 50_000 { // far more topics than are kept
		a.Wake(fmt.Sprint("topic ", i))
	}
	a.Wake("a")
	wakes(t, here)
	require.Less(t, time.Since(began), 5*time.Second, "nobody waits for redis")
	sleeps(t, there)
	s.Resume()
	wakes(t, there)
}

func TestSubscribersOfAProcessThatWasNotYetRunningAreWokenWhenItIs(t *testing.T) {
	t.Parallel()
	conn, name := redistest.Shared(t), redistest.Name()
	b := bus.NewRedis(conn, name, slog.New(slog.DiscardHandler))
	woken, cancel := b.Subscribe("a")
	defer cancel()
	sleeps(t, woken)
	start(t, b)
	wakes(t, woken)
}

func TestManyTopicsTravel(t *testing.T) {
	t.Parallel()
	conn, name := redistest.Shared(t), redistest.Name()
	a, b := running(t, conn, name), running(t, conn, name)
	var all []<-chan struct{}
	topic := func(i int) string { return fmt.Sprint(strings.Repeat("long ", 50), i) }
	for i := range 2000 {
		woken, cancel := b.Subscribe(topic(i))
		defer cancel()
		all = append(all, woken)
	}
	for i := range all {
		a.Wake(topic(i))
	}
	for _, woken := range all {
		wakes(t, woken)
	}
}

func TestNothingIsLeftRunningBehindABus(t *testing.T) {
	s := redistest.Start(t)
	before := goleak.IgnoreCurrent()
	conn, err := redisconn.Open(t.Context(), s.URL())
	require.NoError(t, err)
	b := bus.NewRedis(conn, "x", slog.New(slog.DiscardHandler))
	stop := start(t, b)
	eventually(t, b.Connected)
	b.Wake("a")
	stop()
	require.NoError(t, conn.Close())
	goleak.VerifyNone(t, before)
}
