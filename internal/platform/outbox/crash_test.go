package outbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// The crash test runs this test binary again as a process that writes and handles events and jobs, and kills it.
const (
	childURL   = "TURNERO_CRASH_DATABASE" // set only in the child
	childSlot  = "TURNERO_CRASH_SLOT"     // which of several at once; "" = write nothing, handle what is left, end
	crashKeys  = 4
	crashKills = 8
)

func TestMain(m *testing.M) {
	if rawURL := os.Getenv(childURL); rawURL != "" {
		if err := crashChild(rawURL, os.Getenv(childSlot)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// ping is the job of the crash test: asked for beside an event, or by whoever handled the event.
type ping struct {
	Source string `json:"source"` // "job" or "chain"
	Key    string `json:"key"`
	N      int    `json:"n"`
}

func (p *ping) JobKind() string      { return "test.ping" }
func (p *ping) JobTenant() id.Tenant { return crashTenant }
func (p *ping) OrderKey() string     { return p.Source + p.Key }
func (p *ping) UniqueKey() string    { return fmt.Sprint(p.Source, p.Key, p.N) }

var crashTenant, _ = id.ParseTenant("ten_01j9z3k5w8e0r9v6c2m4x7b1qd")

func crashTables(t *testing.T, db *sqlkit.DB) {
	t.Helper()
	auto := map[sqlkit.Dialect]string{sqlkit.SQLite: "INTEGER PRIMARY KEY AUTOINCREMENT", sqlkit.Postgres: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", sqlkit.MySQL: "BIGINT AUTO_INCREMENT PRIMARY KEY"}
	for _, stmt := range []string{
		"CREATE TABLE crash_sent (source VARCHAR(16) NOT NULL, okey VARCHAR(64) NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (source, okey, n))",
		"CREATE TABLE crash_handled (event_id VARCHAR(64) NOT NULL PRIMARY KEY)",
		"CREATE TABLE crash_effects (pos " + auto[db.Dialect()] + ", source VARCHAR(16) NOT NULL, okey VARCHAR(64) NOT NULL, n BIGINT NOT NULL)",
	} {
		_, err := db.SQL().ExecContext(t.Context(), stmt)
		require.NoError(t, err)
	}
}

// crashChild works until it is killed, or without a slot until nothing is left to do.
func crashChild(rawURL, slot string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sqlkit.Open(ctx, rawURL, 12)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	b := bus.NewMemory()
	c := &child{db: db,
		log:   outbox.NewWithOptions(db, b, time.Now, logger, outbox.Options{Lease: 600 * time.Millisecond}),
		queue: jobs.NewWithOptions(db, b, time.Now, logger, jobs.Options{Lease: time.Second})}
	c.log.Consume("crash", nil, c.handleEvent)
	c.queue.Register("test.ping", func() events.Job { return &ping{} }, c.handleJob, jobs.Backoff(func(int) time.Duration { return 10 * time.Millisecond }))
	ended := make(chan error, 2+crashKeys)
	go func() { ended <- c.log.Run(ctx) }()
	go func() { ended <- c.queue.Run(ctx) }()
	fmt.Println("working")
	if slot == "" {
		return c.waitDone(ctx)
	}
	for k := range crashKeys {
		go func() { ended <- c.write(ctx, fmt.Sprint(slot, "-", k)) }()
	}
	return <-ended
}

type child struct {
	db    *sqlkit.DB
	log   *outbox.Log
	queue *jobs.Queue
}

// write commits events and jobs of one key, numbered without gaps, and now and then rolls some back.
func (c *child) write(ctx context.Context, key string) error {
	n, err := c.nextNumber(ctx, key)
	if err != nil {
		return err
	}
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	noThanks := errors.New("rolled back on purpose")
	for ; ; <-tick.C {
		refuse := rand.N(5) == 0
		err := c.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
			if err := c.writeOne(ctx, h, key, n); err != nil {
				return err
			}
			if refuse {
				return noThanks
			}
			return nil
		})
		switch {
		case errors.Is(err, noThanks):
		case sqlkit.IsUnique(err): // the last commit of the process that was killed arrived after we looked
			if n, err = c.nextNumber(ctx, key); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			n++
		}
	}
}

func (c *child) nextNumber(ctx context.Context, key string) (n int, err error) {
	err = c.db.Handle().Write().NewRaw("SELECT COALESCE(MAX(n) + 1, 0) FROM crash_sent WHERE okey = ?", key).Scan(ctx, &n)
	return n, err
}

func (c *child) writeOne(ctx context.Context, h sqlkit.Handle, key string, n int) error {
	for _, source := range []string{"event", "chain", "job"} {
		if _, err := h.Write().NewRaw("INSERT INTO crash_sent (source, okey, n) VALUES (?, ?, ?)", source, key, n).Exec(ctx); err != nil {
			return err
		}
	}
	if err := c.log.Append(ctx, h, &crashEvent{events.ChatModeChanged{Tenant: crashTenant, Mode: key, Reason: fmt.Sprint(n)}}); err != nil {
		return err
	}
	return c.queue.Enqueue(ctx, h, &ping{"job", key, n}, time.Time{})
}

// crashEvent is an event of a known kind whose order key is a text.
type crashEvent struct{ events.ChatModeChanged }

func (e *crashEvent) OrderKey() string { return e.Mode }

func (c *child) handleEvent(ctx context.Context, rec outbox.Record) error {
	key, n := rec.Event.(*events.ChatModeChanged).Mode, numberOf(rec)
	return c.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		fresh, err := h.InsertIfAbsent(ctx, &handledRow{EventID: rec.ID})
		if err != nil || !fresh {
			return err
		}
		if err := effect(ctx, h, "event", key, n); err != nil {
			return err
		}
		return c.queue.Enqueue(ctx, h, &ping{"chain", key, n}, time.Time{})
	})
}

func (c *child) handleJob(ctx context.Context, job events.Job, run jobs.Run) error {
	p := job.(*ping)
	return c.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		if err := effect(ctx, h, p.Source, p.Key, p.N); err != nil {
			return err
		}
		return run.CompleteIn(ctx, h)
	})
}

func effect(ctx context.Context, h sqlkit.Handle, source, key string, n int) error {
	_, err := h.Write().NewRaw("INSERT INTO crash_effects (source, okey, n) VALUES (?, ?, ?)", source, key, n).Exec(ctx)
	return err
}

func (c *child) waitDone(ctx context.Context) error {
	for {
		s, err := c.log.Stats(ctx)
		if err != nil {
			return err
		}
		j, err := c.queue.Stats(ctx)
		if err != nil {
			return err
		}
		if s.Unnumbered == 0 && s.Consumers[0].Lag == 0 && j == (jobs.Stats{}) {
			return nil
		}
		if s.Consumers[0].Parked > 0 || j.Dead > 0 {
			return fmt.Errorf("something was given up: %+v %+v", s, j)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not done in time: %+v %+v", s, j)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func startChild(t *testing.T, rawURL, slot string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childURL+"="+rawURL, childSlot+"="+slot)
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

type handledRow struct {
	bun.BaseModel `bun:"table:crash_handled"`
	EventID       id.Event `bun:"event_id,pk"`
}

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
			running := map[string]*exec.Cmd{}
			for _, slot := range slots {
				running[slot] = startChild(t, db.URL(), slot)
			}
			for n := range crashKills {
				<-time.After(200*time.Millisecond + rand.N(400*time.Millisecond)) // any moment is as good as another
				slot := slots[rand.N(len(slots))]
				if len(slots) > 1 && n%4 == 2 {
					freeze(t, running[slot])
					continue
				}
				require.NoError(t, running[slot].Process.Kill())
				_ = running[slot].Wait()
				running[slot] = startChild(t, db.URL(), slot)
			}
			for _, cmd := range running { // a child that ended by itself fails here
				require.NoError(t, cmd.Process.Kill())
				_ = cmd.Wait()
			}
			require.NoError(t, startChild(t, db.URL(), "").Wait(), "what is left is done")
			checkEffects(t, db)
			reader.check(t)
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
	require.Greater(t, total, 50, "there was work to lose")
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
