package bus_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/redisconn/redistest"
)

// implementations are all Buses; each keeps the same rules.
var implementations = map[string]func(t *testing.T) bus.Bus{
	"memory": func(*testing.T) bus.Bus { return bus.NewMemory() },
	"redis": func(t *testing.T) bus.Bus {
		return running(t, redistest.Shared(t), redistest.Name())
	},
	"redis, woken by another process": func(t *testing.T) bus.Bus {
		conn, name := redistest.Shared(t), redistest.Name()
		return apart{listener: running(t, conn, name), waker: running(t, conn, name)}
	},
}

// apart is one process that listens and another that wakes.
type apart struct{ listener, waker bus.Bus }

func (a apart) Wake(topic string) { a.waker.Wake(topic) }

func (a apart) Subscribe(topic string) (<-chan struct{}, func()) { return a.listener.Subscribe(topic) }

func (a apart) Follow(prefix string, fn func(rest string)) func() {
	return a.listener.Follow(prefix, fn)
}

func each(t *testing.T, fn func(t *testing.T, b bus.Bus)) {
	t.Helper()
	for name, make := range implementations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, make(t))
		})
	}
}

func wakes(t *testing.T, woken <-chan struct{}) {
	t.Helper()
	select {
	case <-woken:
	case <-time.After(5 * time.Second):
		require.Fail(t, "nobody was woken")
	}
}

func sleeps(t *testing.T, woken <-chan struct{}) {
	t.Helper()
	select {
	case <-woken:
		require.Fail(t, "woken without a reason")
	case <-time.After(20 * time.Millisecond):
	}
}

func TestAWakeUpReachesEverySubscriberOfItsTopicOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bus.Bus) {
		first, cancelFirst := b.Subscribe("a")
		defer cancelFirst()
		second, cancelSecond := b.Subscribe("a")
		defer cancelSecond()
		other, cancelOther := b.Subscribe("b")
		defer cancelOther()
		b.Wake("a")
		b.Wake("nobody listens here")
		wakes(t, first)
		wakes(t, second)
		sleeps(t, other)
	})
}

func TestWakeUpsThatWereNotTakenAreMerged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bus.Bus) {
		woken, cancel := b.Subscribe("a")
		defer cancel()
		for range 1000 { // nobody takes them, and nobody is blocked
			b.Wake("a")
		}
		wakes(t, woken)
		b.Wake("a")
		wakes(t, woken)
	})
}

func TestAfterTheLastChangeThereIsAlwaysAWakeUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bus.Bus) {
		const writers, each = 4, 500
		woken, cancel := b.Subscribe("a")
		defer cancel()
		var mu sync.Mutex
		changes := 0
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					mu.Lock()
					changes++
					mu.Unlock()
					b.Wake("a")
				}
			})
		}
		for seen := 0; seen < writers*each; {
			wakes(t, woken)
			mu.Lock()
			seen = changes
			mu.Unlock()
		}
		wg.Wait()
	})
}

func TestACancelledSubscriptionIsNotWoken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bus.Bus) {
		woken, cancel := b.Subscribe("a")
		stays, cancelStays := b.Subscribe("a")
		defer cancelStays()
		cancel()
		cancel()
		b.Wake("a")
		wakes(t, stays)
		sleeps(t, woken)
	})
}

func TestAFollowerHearsWhatWasWokenBelowItsPrefix(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b bus.Bus) {
		heard := make(chan string, 100)
		cancel := b.Follow("queue/", func(rest string) { heard <- rest })
		other := b.Follow("else/", func(rest string) {
			if rest != "" {
				t.Errorf("not for this one: %s", rest)
			}
		})
		defer other()
		b.Wake("queue/one")
		b.Wake("queue")
		b.Wake("queue/two")
		got := map[string]bool{}
		for !got["one"] || !got["two"] {
			select {
			case rest := <-heard:
				got[rest] = true
			case <-time.After(5 * time.Second):
				require.Fail(t, "not heard", got)
			}
		}
		delete(got, "") // the word that something may have been missed
		require.Len(t, got, 2)
		cancel()
	})
}
