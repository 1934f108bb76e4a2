package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/live"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/redisconn/redistest"
)

const patience = 15 * time.Second

// sqlLog stands for the event log in SQL.
type sqlLog struct {
	mu     sync.Mutex
	recs   []outbox.Record
	reads  int
	broken bool
}

var errBroken = errors.New("the database does not answer")

func (l *sqlLog) append(tenants ...string) []outbox.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := len(l.recs)
	for _, tenant := range tenants {
		n := int64(len(l.recs) + 1)
		l.recs = append(l.recs, outbox.Record{Seq: n, ID: id.NewEvent(), Tenant: tenant, Name: "test.happened", OrderKey: "k", At: time.UnixMicro(n).UTC(),
			Payload: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":"ñ <&> \" 💇"}`, n))})
	}
	return l.recs[from:len(l.recs):len(l.recs)]
}

func (l *sqlLog) read(seq int64, limit int, want func(outbox.Record) bool) ([]outbox.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.broken {
		return nil, errBroken
	}
	var out []outbox.Record
	for _, r := range l.recs[min(int(seq), len(l.recs)):] {
		if want(r) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (l *sqlLog) After(_ context.Context, tenant string, seq int64, limit int) ([]outbox.Record, error) {
	return l.read(seq, limit, func(r outbox.Record) bool { return r.Tenant == tenant })
}

func (l *sqlLog) AfterAll(_ context.Context, seq int64, limit int) ([]outbox.Record, error) {
	return l.read(seq, limit, func(outbox.Record) bool { return true })
}

func (l *sqlLog) Head(context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return 0, errBroken
	}
	return int64(len(l.recs)), nil
}

func (l *sqlLog) setBroken(broken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = broken
}

func (l *sqlLog) of(tenant string, after int64) []outbox.Record {
	out, _ := l.After(context.Background(), tenant, after, 1_000_000)
	return out
}

func (l *sqlLog) readCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads
}

var quiet = slog.New(slog.DiscardHandler)

func run(t *testing.T, f live.Fanout) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
}

// pair is the Fanout of whoever publishes and that of whoever listens: the same one, or two processes.
type pair struct {
	log     *sqlLog
	publish func([]outbox.Record)
	listen  func(tenant string, after int64) *live.Listener
}

var implementations = map[string]func(t *testing.T) pair{
	"memory": func(t *testing.T) pair {
		log := &sqlLog{}
		f := live.NewMemory(log, quiet)
		run(t, f)
		return pair{log, f.Publish, f.Listen}
	},
	"redis": func(t *testing.T) pair {
		log := &sqlLog{}
		f := live.NewRedis(log, redistest.Shared(t), redistest.Name(), quiet)
		run(t, f)
		return pair{log, f.Publish, f.Listen}
	},
	"redis, published by another process": func(t *testing.T) pair {
		log, conn, name := &sqlLog{}, redistest.Shared(t), redistest.Name()
		a, b := live.NewRedis(log, conn, name, quiet), live.NewRedis(log, conn, name, quiet)
		run(t, a)
		run(t, b)
		return pair{log, a.Publish, b.Listen}
	},
}

func each(t *testing.T, fn func(t *testing.T, p pair)) {
	t.Helper()
	for name, make := range implementations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, make(t))
		})
	}
}

// next waits for so many events of the listener.
func next(t *testing.T, l *live.Listener, n int) []outbox.Record {
	t.Helper()
	var out []outbox.Record
	late := time.After(patience)
	for len(out) < n {
		select {
		case <-l.Changed():
		case <-late:
			require.Fail(t, "too few events", "%d of %d", len(out), n)
		}
		for {
			recs, err := l.Take(t.Context(), n-len(out)+1)
			require.NoError(t, err)
			out = append(out, recs...)
			if len(recs) == 0 || len(out) >= n {
				break
			}
		}
	}
	require.Len(t, out, n)
	return out
}

func none(t *testing.T, l *live.Listener) {
	t.Helper()
	recs, err := l.Take(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, recs)
}

func TestAListenerGetsItsTenantsEventsFromItsNumberOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p pair) {
		p.publish(p.log.append("a", "b", "a", "")) // before anybody listens
		l := p.listen("a", 1)
		defer l.Close()
		require.Equal(t, p.log.of("a", 1), next(t, l, 1))
		p.publish(p.log.append("a", "b"))
		p.publish(p.log.append("A", "a"))
		require.Equal(t, p.log.of("a", 3), next(t, l, 2))
		none(t, l)
		own := p.listen("", 0)
		defer own.Close()
		require.Equal(t, p.log.of("", 0), next(t, own, 1))
		early := p.listen("a", 0)
		defer early.Close()
		require.Equal(t, p.log.of("a", 0), next(t, early, 4))
		fresh := p.listen("a", 8)
		defer fresh.Close()
		none(t, fresh)
		p.publish(p.log.append("a"))
		require.Equal(t, p.log.of("a", 8), next(t, fresh, 1))
		require.Equal(t, p.log.of("a", 8), next(t, l, 1))
	})
}

func TestNothingIsMissedOrDoubledWhateverIsPublished(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p pair) {
		const total, tenants = 6000, 3
		tenant := func(n int) string { return fmt.Sprint("t", n%tenants) }
		var wg sync.WaitGroup
		for i := range 9 {
			wg.Go(func() {
				l := p.listen(tenant(i), 0)
				defer l.Close()
				want := total / tenants
				var got []outbox.Record
				late := time.After(2 * patience)
				for len(got) < want {
					recs, err := l.Take(t.Context(), 1+rand.N(200))
					if err != nil {
						continue
					}
					got = append(got, recs...)
					if len(recs) > 0 {
						if i < tenants { // slow ones
							<-time.After(rand.N(20 * time.Millisecond))
						}
						continue
					}
					select {
					case <-l.Changed():
					case <-late:
						t.Errorf("listener %d has %d of %d", i, len(got), want)
						return
					}
				}
				for n, rec := range got {
					if rec.Seq != int64(n*tenants+i%tenants+1) {
						t.Errorf("listener %d got %d in place %d", i, rec.Seq, n)
						return
					}
				}
			})
		}
		for n := 0; n < total; {
			var who []string
			for range min(total-n, 1+rand.N(60)) {
				who = append(who, tenant(n))
				n++
			}
			recs := p.log.append(who...)
			switch rand.N(10) {
			case 0: // lost on the way
			case 1:
				p.publish(recs)
				p.publish(recs)
			case 2: // half of it is lost
				p.publish(recs[len(recs)/2:])
			default:
				p.publish(recs)
			}
			if rand.N(10) == 0 {
				<-time.After(rand.N(10 * time.Millisecond))
			}
			p.log.setBroken(rand.N(5) == 0)
		}
		p.log.setBroken(false)
		wg.Wait()
	})
}

func TestListenersAtTheEndShareOneReader(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p pair) {
		p.publish(p.log.append("a"))
		var all []*live.Listener
		for range 200 {
			l := p.listen("a", 0)
			defer l.Close()
			next(t, l, 1)
			all = append(all, l)
		}
		quietOne := p.listen("silent", 0)
		defer quietOne.Close()
		none(t, quietOne)
		for range 5 { // everybody is at the window
			p.publish(p.log.append("a"))
			for _, l := range all {
				next(t, l, 1)
			}
		}
		before, begin := p.log.readCount(), time.Now()
		for range 100 {
			p.publish(p.log.append("a", "b"))
			for _, l := range all {
				next(t, l, 1)
			}
		}
		polls := int(time.Since(begin) / (500 * time.Millisecond))
		require.Less(t, p.log.readCount()-before, 20+4*polls, "not once for each listener, nor for each event")
		p.publish(p.log.append("silent"))
		next(t, quietOne, 1)
	})
}

func TestAListenerThatDoesNotListenHoldsNobodyUpAndCatchesUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p pair) {
		slow, fast := p.listen("a", 0), p.listen("a", 0)
		defer slow.Close()
		defer fast.Close()
		for range 100 { // far more than the window holds
			who := strings.Split(strings.Repeat("a,", 100), ",")[:100]
			p.publish(p.log.append(who...))
			next(t, fast, 100)
		}
		require.Equal(t, p.log.of("a", 0), next(t, slow, 10_000))
	})
}

func TestADatabaseThatFailsIsAskedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p pair) {
		p.log.append("a", "a")
		p.log.setBroken(true)
		l := p.listen("a", 0)
		defer l.Close()
		_, err := l.Take(t.Context(), 10)
		require.ErrorIs(t, err, errBroken)
		p.log.setBroken(false)
		require.Len(t, next(t, l, 2), 2)
	})
}

func TestClosedListenersAreForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p pair) {
		l := p.listen("a", 0)
		l.Close()
		l.Close()
		for range 3 {
			p.publish(p.log.append("a"))
		}
		again := p.listen("a", 1)
		defer again.Close()
		require.Len(t, next(t, again, 2), 2)
	})
}
