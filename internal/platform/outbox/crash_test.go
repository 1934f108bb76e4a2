package outbox_test

import (
	"bufio"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/live"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func startChild(t *testing.T, rawURL, redis, slot string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childURL+"="+rawURL, childSlot+"="+slot, childRedis+"="+redis)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the child did not start")
	require.Equal(t, "working\n", line)
	return cmd
}

// freeze stops a process until others have taken over all its work, and then lets it go on where it was.
func freeze(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	<-time.After(1600 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
}

// crew is what runs at a time: several processes on a server, one on SQLite.
type crew struct {
	t       *testing.T
	url     string
	redis   string
	running map[string]*exec.Cmd
	slots   []string
}

func startCrew(t *testing.T, rawURL, redis string, slots ...string) *crew {
	t.Helper()
	c := &crew{t: t, url: rawURL, redis: redis, running: map[string]*exec.Cmd{}, slots: slots}
	for _, slot := range slots {
		c.start(slot)
	}
	return c
}

func (c *crew) start(slot string) { c.running[slot] = startChild(c.t, c.url, c.redis, slot) }

func (c *crew) kill(slot string) {
	require.NoError(c.t, c.running[slot].Process.Kill(), "a child that ended by itself fails here")
	_ = c.running[slot].Wait()
}

// stop has one end as it should, which it does in time and without complaint.
func (c *crew) stop(slot string) {
	begin := time.Now()
	require.NoError(c.t, c.running[slot].Process.Signal(syscall.SIGTERM))
	require.NoError(c.t, c.running[slot].Wait())
	require.Less(c.t, time.Since(begin), 10*time.Second)
}

func (c *crew) any() string { return c.slots[rand.N(len(c.slots))] }

// finish ends all of them, has one more do what is left, and checks what came of it.
func (c *crew) finish(db *sqlkit.DB, reader *follower) {
	c.t.Helper()
	for _, slot := range c.slots {
		c.kill(slot)
	}
	require.NoError(c.t, startChild(c.t, c.url, c.redis, "").Wait(), "what is left is done")
	checkEffects(c.t, db)
	reader.check(c.t)
}

// aMoment waits for any: each is as good as another.
func aMoment() { <-time.After(200*time.Millisecond + rand.N(400*time.Millisecond)) }

func TestKilledProcessesLoseNothingAndDoNothingTwice(t *testing.T) {
	t.Parallel()
	for _, name := range sqltest.Databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := crashDatabase(t, name)
			reader := followLog(t, db)
			slots := []string{"a", "b"}
			if name == "sqlite" {
				slots = slots[:1] // an embedded database has one process
			}
			c := startCrew(t, db.URL(), "", slots...)
			for n := range 8 {
				aMoment()
				slot := c.any()
				if len(slots) > 1 && n%4 == 2 {
					freeze(t, c.running[slot])
					continue
				}
				c.kill(slot)
				c.start(slot)
			}
			c.finish(db, reader)
		})
	}
}

func TestThreeProcessesAndARedisMayComeAndGoAsTheyLike(t *testing.T) {
	t.Parallel()
	onEmptyServers(t, func(t *testing.T, db *sqlkit.DB) {
		redis := redistest.Start(t)
		reader, listener := followLog(t, db), listenLive(t, db, redis)
		c := startCrew(t, db.URL(), redis.URL(), "a", "b", "c")
		troubles := []func(){
			func() { slot := c.any(); c.kill(slot); c.start(slot) },
			func() { slot := c.any(); c.stop(slot); aMoment(); c.start(slot) },
			func() { freeze(t, c.running[c.any()]) },
			func() { require.NoError(t, redis.Dial().Client().FlushAll(t.Context()).Err()) },
			func() { redis.Kill(); aMoment(); redis.Restart(false) },
			func() { redis.Pause(); slot := c.any(); c.kill(slot); redis.Resume(); c.start(slot) },
		}
		for range 2 {
			rand.Shuffle(len(troubles), func(i, j int) { troubles[i], troubles[j] = troubles[j], troubles[i] })
			for _, trouble := range troubles {
				aMoment()
				trouble()
			}
		}
		c.finish(db, reader)
		listener.check(t)
	})
}

func onEmptyServers(t *testing.T, fn func(t *testing.T, db *sqlkit.DB)) {
	t.Helper()
	for _, name := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, crashDatabase(t, name))
		})
	}
}

func crashDatabase(t *testing.T, name string) *sqlkit.DB {
	t.Helper()
	db, err := sqlkit.Open(t.Context(), sqltest.FreshURL(t, name), 4)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = migrate.Up(t.Context(), db)
	require.NoError(t, err)
	crashTables(t, db)
	return db
}

// checkEffects finds for each key exactly what was sent, once, in order.
func checkEffects(t *testing.T, db *sqlkit.DB) {
	t.Helper()
	type entry struct {
		Source, Okey string
		N            int
	}
	read := func(query string) map[string][]int {
		var all []entry
		require.NoError(t, db.Handle().Read().NewRaw(query).Scan(t.Context(), &all))
		out := map[string][]int{}
		for _, e := range all {
			out[e.Source+" "+e.Okey] = append(out[e.Source+" "+e.Okey], e.N)
		}
		return out
	}
	sent := read("SELECT source, okey, n FROM crash_sent ORDER BY source, okey, n")
	done := read("SELECT source, okey, n FROM crash_effects ORDER BY pos")
	total := 0
	for key, numbers := range sent {
		total += len(numbers)
		require.Equal(t, numbers, done[key], key)
	}
	require.Len(t, done, len(sent))
	require.Greater(t, total, 15, "there was work to lose")
	t.Logf("%d effects of %d sequences survived", total, len(sent))
}

// follower reads the log by number all the while, as a listener does.
type follower struct {
	mu   sync.Mutex
	seqs []int64
	ids  map[id.Event]bool
	log  *outbox.Log
	stop func()
}

func followLog(t *testing.T, db *sqlkit.DB) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	f := &follower{ids: map[id.Event]bool{}, log: newLog(db, bus.NewMemory())}
	f.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(f.stop)
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if f.read(ctx) == 0 {
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		}
	}()
	return f
}

func (f *follower) read(ctx context.Context) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	cursor := int64(0)
	if len(f.seqs) > 0 {
		cursor = f.seqs[len(f.seqs)-1]
	}
	recs, err := f.log.After(ctx, crashTenant.String(), cursor, 200)
	if err != nil {
		return 0
	}
	for _, rec := range recs {
		f.seqs = append(f.seqs, rec.Seq)
		f.ids[rec.ID] = true
	}
	return len(recs)
}

// check compares what the follower saw on its way with what the log holds in the end.
func (f *follower) check(t *testing.T) {
	t.Helper()
	f.stop()
	for f.read(t.Context()) > 0 {
	}
	head, err := f.log.Head(t.Context())
	require.NoError(t, err)
	require.Len(t, f.seqs, int(head))
	require.Len(t, f.ids, int(head), "no event under two numbers")
	for i, seq := range f.seqs {
		require.EqualValues(t, i+1, seq)
	}
}

// liveListener hears the same events as they are told to those who are connected.
type liveListener struct {
	mu   sync.Mutex
	seqs []int64
	log  *outbox.Log
}

func listenLive(t *testing.T, db *sqlkit.DB, redis *redistest.Server) *liveListener {
	t.Helper()
	l := &liveListener{log: newLog(db, bus.NewMemory())}
	f := live.NewRedis(l.log, redis.Dial(), "crash", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	wg.Go(func() { _ = f.Run(ctx) })
	wg.Go(func() {
		listener := f.Listen(crashTenant.String(), 0)
		defer listener.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-listener.Changed():
			}
			for {
				recs, err := listener.Take(ctx, 100)
				if err != nil || len(recs) == 0 {
					break
				}
				l.mu.Lock()
				for _, rec := range recs {
					l.seqs = append(l.seqs, rec.Seq)
				}
				l.mu.Unlock()
			}
		}
	})
	return l
}

// check waits until everything was heard: each event once, in order.
func (l *liveListener) check(t *testing.T) {
	t.Helper()
	head, err := l.log.Head(t.Context())
	require.NoError(t, err)
	heard := func() int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.seqs) }
	require.Eventually(t, func() bool { return heard() >= int(head) }, patience, 5*time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, seq := range l.seqs {
		require.EqualValues(t, i+1, seq)
	}
}
