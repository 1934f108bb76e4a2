package lease_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"turnero/internal/platform/lease"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
)

// shaken is a set of locks on a server that is shaken, with an owner of some keys and somebody who is after them.
type shaken struct {
	*world
	server *redistest.Server
	conn   *redisconn.Conn
	owner  *lease.Holder
	rival  *lease.Holder
	terms  []*lease.Term
}

func shake(t *testing.T, keys int, args ...string) *shaken {
	t.Helper()
	server := redistest.Start(t, args...)
	s := &shaken{server: server, conn: server.Dial()}
	s.world = &world{t: t, locks: func() lease.Locks { return lease.NewRedis(s.conn, "shaken", ttl) }}
	s.settled()
	s.owner, s.rival = s.running(), s.running()
	s.terms = acquire(t, s.owner, numbered(keys)...)
	require.Len(t, s.terms, keys)
	return s
}

// prey lets the rival try again and again for the time; it must get nothing.
func (s *shaken) prey(keys []string, within time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(every / 10) {
		terms, err := s.rival.Acquire(s.t.Context(), keys...)
		if err != nil {
			require.ErrorIs(s.t, err, lease.ErrUnavailable)
		}
		require.Empty(s.t, terms)
	}
}

func (s *shaken) intact() {
	s.t.Helper()
	for _, term := range s.terms {
		require.NoError(s.t, context.Cause(term.Context()), term.Key)
	}
	require.Len(s.t, s.owner.Keys(), len(s.terms))
}

// vouch keeps the owner's terms by other proof until stop is called.
func (s *shaken) vouch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ctx.Err() == nil {
			s.owner.Vouch(s.owner.Now(), s.owner.Keys()...)
			<-tick.C
		}
	}()
	stop = func() { cancel(); <-done }
	s.t.Cleanup(stop)
	return stop
}

func TestEmptiedRedisCostsNoOwnerItsKeys(t *testing.T) {
	t.Parallel()
	s := shake(t, 1000)
	for range 2 {
		require.NoError(t, s.conn.Client().FlushAll(t.Context()).Err())
		s.prey(numbered(1000), ttl*3/2)
		s.intact()
	}
	listed, err := s.rival.List(t.Context(), "ses_")
	require.NoError(t, err)
	require.Len(t, listed, 1000, "they are back")
}

func TestAnOrphanWaitsForOneTTLAfterRedisWasEmptied(t *testing.T) {
	t.Parallel()
	s := shake(t, 1)
	before := time.Now()
	require.NoError(t, s.conn.Client().FlushAll(t.Context()).Err())
	eventually(t, func() bool { return len(acquire(t, s.rival, "nobody's")) == 1 })
	require.GreaterOrEqual(t, time.Since(before), ttl-10*time.Millisecond)
}

func TestARestartedRedisCostsNoOwnerItsKeys(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]bool{"with its data": true, "without data": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 100, "--appendonly", "yes", "--appendfsync", "always")
			stop := s.vouch()
			s.server.Kill()
			s.prey(numbered(100), ttl*2)
			require.False(t, s.owner.Reachable())
			s.server.Restart(keep)
			eventually(t, s.owner.Reachable)
			stop()
			s.prey(numbered(100), ttl*2)
			s.intact()
		})
	}
}

func TestRedisThatIsBackSoonNeedsNoVouching(t *testing.T) {
	t.Parallel()
	s := shake(t, 100)
	require.NoError(t, s.conn.Client().Ping(t.Context()).Err())
	s.server.Pause()
	s.prey([]string{"ses_0000"}, ttl/10)
	s.server.Resume()
	s.prey(numbered(100), ttl)
	s.intact()
}

func TestSilentRedisEndsTermsThatNobodyVouchesFor(t *testing.T) {
	t.Parallel()
	s := shake(t, 10)
	s.server.Pause()
	paused := time.Now()
	for _, term := range s.terms {
		ends(t, term, lease.ErrExpired)
	}
	require.Less(t, time.Since(paused), ttl+soon/5)
	require.Empty(t, s.owner.Keys())
	_, err := s.rival.Owners(t.Context(), "ses_0000")
	require.ErrorIs(t, err, lease.ErrUnavailable)
	s.server.Resume()
	eventually(t, s.owner.Reachable)
	require.NoError(t, s.owner.Renew(t.Context()), "unlocks what a late answer may have locked")
	eventually(t, func() bool { return len(acquire(t, s.rival, numbered(10)...)) == 10 })
}

func TestFrozenRedisCostsNoVouchedOwnerItsKeys(t *testing.T) {
	t.Parallel()
	s := shake(t, 1000)
	stop := s.vouch()
	s.server.Pause()
	s.prey(numbered(1000), ttl*2)
	s.server.Resume()
	eventually(t, s.owner.Reachable)
	stop()
	s.prey(numbered(1000), ttl*2)
	s.intact()
}

func TestKeysOfAKilledOwnerAreTakenWithinTheirTTL(t *testing.T) {
	t.Parallel()
	s := shake(t, 1)
	s.prey(numbered(1), ttl/2) // the rival owns nothing, but it is there: silence is the owner's alone
	silent := s.holder(lease.Options{})
	one(t, silent, "silent")
	began := time.Now()
	eventually(t, func() bool { return len(acquire(t, s.rival, "silent")) == 1 })
	require.Less(t, time.Since(began), ttl*3/2)
}

func TestAStartAfterAnOrderlyStopFindsEverythingFree(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	conn := server.Dial()
	w := &world{t: t, locks: func() lease.Locks { return lease.NewRedis(conn, "alone", ttl) }}
	w.settled()
	first := w.holder(lease.Options{})
	stop := run(t, first)
	acquire(t, first, numbered(10)...)
	require.NoError(t, first.Release(t.Context(), first.Keys()...))
	stop()
	end := time.Now().Add(ttl * 3 / 2)
	eventually(t, func() bool { return time.Now().After(end) }) // long enough to look like a standstill
	require.Len(t, acquire(t, w.holder(lease.Options{}), numbered(10)...), 10)
}

func TestAClockThatLeapsCostsNothing(t *testing.T) {
	t.Parallel()
	for name, leap := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shake(t, 10)
			// As seen by the server after its clock leapt: every time that it wrote lies as far off in the other direction.
			shift := `for _, f in ipairs({'born','seen'}) do redis.call('HINCRBY', KEYS[1], f, ARGV[1]) end
				local all = redis.call('HGETALL', KEYS[1])
				for i = 1, #all, 2 do if string.sub(all[i], 1, 2) == 'k:' then
					local til, rest = string.match(all[i + 1], '^(%d+)(.*)$')
					redis.call('HSET', KEYS[1], all[i], string.format('%d', til + ARGV[1]) .. rest)
				end end`
			require.ErrorIs(t, s.conn.Client().Eval(t.Context(), shift, []string{"turnero:lease:shaken"}, -leap.Milliseconds()).Err(), redis.Nil)
			s.prey(numbered(10), ttl*3/2)
			s.intact()
			eventually(t, func() bool { return len(acquire(t, s.rival, "nobody's")) == 1 })
		})
	}
}

func TestLocksOfSeveralNamesAreApart(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	conn := server.Dial()
	for _, name := range []string{"one", "two"} {
		w := &world{t: t, locks: func() lease.Locks { return lease.NewRedis(conn, name, ttl) }}
		w.settled()
		one(t, w.holder(lease.Options{}), "x")
	}
}

// A process of its own that acquires all keys it can get and says so, line by line; see TestMain.
const childEnv = "TURNERO_LEASE_CHILD"

type report struct {
	Won  int
	Lost string
}

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		if err := child(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := flag.Set("test.parallel", "16"); err != nil { // nearly all that these tests do is wait
		panic(err)
	}
	os.Exit(m.Run())
}

func child(url string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn, err := redisconn.Open(ctx, url)
	if err != nil {
		return err
	}
	h := lease.New(lease.NewRedis(conn, "shaken", ttl), lease.Owner{ID: fmt.Sprint("child ", os.Getpid())}, lease.Options{Every: every, Margin: margin})
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	terms, err := h.Acquire(ctx, numbered(1000)...)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err = out.Encode(report{Won: len(terms)}); err != nil {
		return err
	}
	lost := make(chan string, len(terms))
	for _, term := range terms {
		context.AfterFunc(term.Context(), func() { lost <- context.Cause(term.Context()).Error() })
	}
	for range terms {
		if err = out.Encode(report{Lost: <-lost}); err != nil {
			return err
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed
	cancel()
	return <-done
}

func TestAStoppedProcessFindsItselfWithoutItsKeys(t *testing.T) {
	t.Parallel()
	s := shake(t, 400)
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+s.server.URL())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	next := func() (r report) {
		require.True(t, lines.Scan(), "%s", &stderr)
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		return r
	}
	require.Equal(t, 600, next().Won, "what the owner here has is not to be had")
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	eventually(t, func() bool {
		acquire(t, s.rival, numbered(1000)...)
		return len(s.rival.Keys()) == 600
	})
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	for range 600 {
		require.Equal(t, lease.ErrExpired.Error(), next().Lost)
	}
	require.NoError(t, s.owner.Renew(t.Context()))
	require.Len(t, s.rival.Keys(), 600)
	s.intact()
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait(), "%s", &stderr)
}
