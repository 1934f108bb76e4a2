package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/live"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/sqlkit"
)

// The crash tests run this test binary again as processes that write and handle events and jobs, and stop, freeze and kill them.
const (
	childURL   = "TURNERO_CRASH_DATABASE" // set only in the child
	childSlot  = "TURNERO_CRASH_SLOT"     // which of several at once; "" = write nothing, handle what is left, end
	childRedis = "TURNERO_CRASH_REDIS"    // "" = none
	crashKeys  = 4
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
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	db, err := sqlkit.Open(ctx, rawURL, 12)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	ctx, cancel = signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()
	var b bus.Bus = bus.NewMemory()
	var shared *redisconn.Conn
	if url := os.Getenv(childRedis); url != "" {
		if shared, err = connect(ctx, url); err != nil {
			return err
		}
		r := bus.NewRedis(shared, "crash", logger)
		go func() { _ = r.Run(ctx) }()
		b = r
	}
	c := &child{db: db,
		log:   outbox.NewWithOptions(db, b, time.Now, logger, outbox.Options{Lease: 600 * time.Millisecond}),
		queue: jobs.NewWithOptions(db, b, time.Now, logger, jobs.Options{Lease: time.Second})}
	c.log.Consume("crash", nil, c.handleEvent)
	c.queue.Register("test.ping", func() events.Job { return &ping{} }, c.handleJob, jobs.Backoff(func(int) time.Duration { return 10 * time.Millisecond }))
	if shared != nil {
		f := live.NewRedis(c.log, shared, "crash", logger)
		c.log.OnNumbered(f.Publish)
		go func() { _ = f.Run(ctx) }()
	}
	var g errgroup.Group
	failed := make(chan error, 2+crashKeys)
	work := func(fn func() error) {
		g.Go(func() error {
			err := fn()
			if err != nil && ctx.Err() == nil {
				failed <- err
			}
			return nil
		})
	}
	work(func() error { return c.log.Run(ctx) })
	work(func() error { return c.queue.Run(ctx) })
	fmt.Println("working")
	if slot == "" {
		return c.waitDone(ctx)
	}
	for k := range crashKeys {
		work(func() error { return c.write(ctx, fmt.Sprint(slot, "-", k)) })
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done(): // told to stop
		return g.Wait()
	}
}

// connect waits for a Redis that may be about to start.
func connect(ctx context.Context, url string) (conn *redisconn.Conn, err error) {
	for {
		if conn, err = redisconn.Open(ctx, url); err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
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
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	noThanks := errors.New("rolled back on purpose")
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
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
	return nil
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

// waitDone returns when nothing is left. As long as it becomes less, a busy machine may take its time.
func (c *child) waitDone(ctx context.Context) error {
	var last string
	moved := time.Now()
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
		j.OldestDue = 0
		if now := fmt.Sprint(s, j); now != last {
			last, moved = now, time.Now()
		}
		if time.Since(moved) > 30*time.Second {
			return fmt.Errorf("it does not go on: %+v %+v", s, j)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not done in time: %+v %+v", s, j)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type handledRow struct {
	bun.BaseModel `bun:"table:crash_handled"`
	EventID       id.Event `bun:"event_id,pk"`
}
