package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/lifecycle"
)

type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) component(name string) lifecycle.Component {
	return lifecycle.Component{Name: name,
		Start: func(context.Context) error { d.note("start " + name); return nil },
		Run:   func(ctx context.Context) error { <-ctx.Done(); d.note("end " + name); return ctx.Err() },
		Stop:  func(context.Context) error { d.note("stop " + name); return nil }}
}

func group() *lifecycle.Group {
	return lifecycle.NewGroup(slog.New(slog.DiscardHandler), 10*time.Second)
}

func TestComponentsStartInOrderAndStopInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, g := &diary{}, group()
		g.Add(d.component("a"))
		g.Add(d.component("b"))
		ctx, cancel := context.WithCancel(t.Context())
		require.False(t, g.Ready())
		err := g.Run(ctx, func() { require.True(t, g.Ready()); cancel() })
		require.NoError(t, err)
		require.False(t, g.Ready())
		require.Equal(t, []string{"start a", "start b", "stop b", "end b", "stop a", "end a"}, d.lines)
	})
}

func TestAFailingComponentStopsTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, g := &diary{}, group()
		g.Add(d.component("a"))
		broken := errors.New("broken")
		g.Add(lifecycle.Component{Name: "b", Run: func(context.Context) error { time.Sleep(time.Second); return broken }})
		require.ErrorIs(t, g.Run(t.Context(), func() {}), broken)
		require.Equal(t, []string{"start a", "stop a", "end a"}, d.lines)
	})
}

func TestAStartThatFailsStopsWhatWasStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, g := &diary{}, group()
		g.Add(d.component("a"))
		g.Add(lifecycle.Component{Name: "b", Start: func(context.Context) error { return errors.New("no port") }})
		g.Add(d.component("c"))
		err := g.Run(t.Context(), func() { t.Error("it was never ready") })
		require.ErrorContains(t, err, "start b: no port")
		require.Equal(t, []string{"start a", "stop a", "end a"}, d.lines)
	})
}

func TestWhatDoesNotEndByTheDeadlineIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := group()
		release := make(chan struct{})
		g.Add(lifecycle.Component{Name: "stuck", Run: func(context.Context) error { <-release; return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		err := g.Run(ctx, cancel)
		require.ErrorContains(t, err, "stuck: it did not end within 10s")
		require.Equal(t, 10*time.Second, time.Since(start))
		close(release)
	})
}

func TestLingeringWorkGetsItsGraceAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		work, cancel := lifecycle.Linger(ctx, time.Second)
		defer cancel()
		end()
		time.Sleep(900 * time.Millisecond)
		require.NoError(t, work.Err())
		time.Sleep(200 * time.Millisecond)
		require.Error(t, work.Err())
	})
}

func TestReadinessEndsWithTheOrderToStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := group()
		ctx, cancel := context.WithCancel(t.Context())
		g.Add(lifecycle.Component{Name: "busy", Stop: func(context.Context) error {
			if g.Ready() {
				return errors.New("still ready")
			}
			return nil
		}})
		err := g.Run(ctx, func() {
			require.True(t, g.Ready())
			cancel()
			require.False(t, g.Ready(), "before anybody was told")
			cancel() // a second order changes nothing
		})
		require.NoError(t, err)
	})
}

func TestOneThatHangsLeavesTimeToTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, g := &diary{}, group()
		release := make(chan struct{})
		g.Add(d.component("store"))
		g.Add(lifecycle.Component{Name: "slow", Stop: func(ctx context.Context) error {
			select {
			case <-time.After(4 * time.Second):
				d.note("slow is done")
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
		g.Add(lifecycle.Component{Name: "deaf", Stop: func(context.Context) error { <-release; return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		err := g.Run(ctx, cancel)
		close(release)
		require.ErrorContains(t, err, "stop deaf: it did not end within 5s")
		require.ErrorContains(t, err, "stop slow: ")
		require.Equal(t, []string{"start store", "stop store", "end store"}, d.lines)
		require.Equal(t, 7500*time.Millisecond, time.Since(start))
	})
}

func TestAPanicIsTheErrorOfItsComponent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, g := &diary{}, group()
		g.Add(d.component("a"))
		g.Add(lifecycle.Component{Name: "b", Run: func(context.Context) error { panic("boom") }, Stop: func(context.Context) error { panic("bang") }})
		err := g.Run(t.Context(), func() {})
		require.ErrorContains(t, err, "b: panic: boom")
		require.ErrorContains(t, err, "stop b: panic: bang")
		require.Equal(t, []string{"start a", "stop a", "end a"}, d.lines)
	})
}

func TestAnOrderToStopWhileStartingStartsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, g := &diary{}, group()
		ctx, cancel := context.WithCancel(t.Context())
		g.Add(lifecycle.Component{Name: "a", Start: func(context.Context) error { cancel(); return nil }, Stop: func(context.Context) error { d.note("stop a"); return nil }})
		g.Add(d.component("b"))
		require.NoError(t, g.Run(ctx, func() { t.Error("it was never ready") }))
		require.Equal(t, []string{"stop a"}, d.lines)
	})
}
