package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"turnero/test/drive"
)

// clock is how times of day are printed.
const clock = "15:04:05.000"

// campaign is one run: an installation, its people, and what happens to it.
type campaign struct {
	o         options
	say       io.Writer
	dir       string
	masterKey string
	db        *database
	redis     *redisServer
	rdb       *redis.Client
	sim       *simulator
	watch     *watcher
	instances []*instance
	tenants   []*tenant
	sessions  []*session
	chats     []*chat
	traffic   *traffic
	follow    func(*tenant) // begins a tenant's listener
	redisTurn sync.Mutex    // held by whoever restarts Redis
	began     time.Time

	mu        sync.Mutex
	actions   []*happening
	takeovers []*takeover
	wrong     []string // what was seen to be wrong while the run went on
}

// tenant is one business; its listener follows its events.
type tenant struct {
	key      string // API key
	listener *listener
}

// session is one line.
type session struct {
	index  int
	id     string
	tenant *tenant
}

func (s *session) number() string { return lineNumber(s.index) }

func (s *session) query() string { return "?session=" + url.QueryEscape(s.id) }

// newCampaign starts everything; close ends it, also after an error.
func newCampaign(ctx context.Context, o options, say io.Writer) (c *campaign, err error) {
	c = &campaign{o: o, say: say}
	var key [32]byte
	_, _ = rand.Read(key[:])
	c.masterKey = hex.EncodeToString(key[:])
	if c.dir, err = os.MkdirTemp("", "turnero-chaos-"); err != nil {
		return c, err
	}
	if c.db, err = openDatabase(ctx, o.database); err != nil {
		return c, err
	}
	if c.redis, err = startRedis(c.dir); err != nil {
		return c, err
	}
	c.rdb = redis.NewClient(&redis.Options{Addr: c.redis.address, Protocol: 2, DisableIdentity: true})
	if c.sim, err = startSim(ctx, o.binary, c.dir); err != nil {
		return c, err
	}
	frames := ""
	if o.keepsFrames {
		frames = filepath.Join(c.dir, "frames.jsonl")
	}
	if c.watch, err = newWatcher(c.sim, frames); err != nil {
		return c, err
	}
	for i := range o.instances {
		instance, err := newInstance(c, i)
		if err != nil {
			return c, err
		}
		c.instances = append(c.instances, instance)
	}
	return c, c.install(ctx)
}

// install migrates the database, makes the operator's log-in and starts the processes.
func (c *campaign) install(ctx context.Context) error {
	flags := append([]string{"--database-url", c.db.adminURL()}, c.commonFlags(filepath.Join(c.dir, "admin"))...)
	if err := c.command(ctx, nil, append([]string{"migrate"}, flags...)...); err != nil {
		return err
	}
	if err := c.command(ctx, strings.NewReader(operatorPassword+"\n"), append([]string{"user", "create", operator, "--password-stdin"}, flags...)...); err != nil {
		return err
	}
	if c.o.audits {
		if err := c.db.audit(ctx); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
	}
	for _, i := range c.instances {
		if err := i.start(ctx, 60*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func (c *campaign) commonFlags(data string) []string {
	return []string{"--data", data, "--network", "sim", "--sim-seed", simSeed}
}

// flags are those of a process that reaches the database at the address as the user.
func (c *campaign) flags(user, address, data string) []string {
	return append([]string{"--database-url", c.db.url(user, address)}, c.commonFlags(data)...)
}

func (c *campaign) command(ctx context.Context, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, c.o.binary, args...)
	cmd.Env, cmd.Stdin = append(os.Environ(), "TURNERO_MASTER_KEY="+c.masterKey), stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", args[0], err, out)
	}
	return nil
}

// logf prints a line with the time of day.
func (c *campaign) logf(format string, args ...any) {
	fmt.Fprintf(c.say, "%s %s\n", time.Now().UTC().Format(clock), fmt.Sprintf(format, args...))
}

// blame notes something that must not be.
func (c *campaign) blame(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.logf("WRONG: %s", text)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, text)
}

// anyone picks a process for a caller: one that runs, if there is any, and now and then one that is stopped, which a caller cannot know.
func (c *campaign) anyone() *instance {
	up := make([]*instance, 0, len(c.instances))
	for _, i := range c.instances {
		if i.isUp() {
			up = append(up, i)
		}
	}
	if len(up) == 0 || mathrand.IntN(50) == 0 {
		return c.instances[mathrand.IntN(len(c.instances))]
	}
	return up[mathrand.IntN(len(up))]
}

// ask makes one request to any process as the tenant, with a caller's patience.
func (c *campaign) ask(ctx context.Context, t *tenant, method, path string, body, out any, headers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return web.Call(ctx, method, "http://"+c.anyone().address+path, body, out, append(headers, "X-API-Key", t.key)...)
}

// insist asks until there is an answer or a refusal that asking again cannot change.
func (c *campaign) insist(ctx context.Context, t *tenant, method, path string, body, out any, headers ...string) (tries int, err error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		tries++
		err = c.ask(ctx, t, method, path, body, out, headers...)
		var no *drive.Refused
		if err == nil || errors.As(err, &no) && isFinal(no) {
			return tries, err
		}
		select {
		case <-ctx.Done():
			return tries, errors.Join(ctx.Err(), err)
		case <-time.After(pause/2 + mathrand.N(pause)):
		}
	}
}

// close ends every process and removes what the run made; its folder stays when asked for.
func (c *campaign) close(keep bool) error {
	for _, i := range c.instances {
		i.close()
	}
	if c.sim != nil {
		c.sim.Kill()
	}
	if c.rdb != nil {
		_ = c.rdb.Close()
	}
	if c.redis != nil && c.redis.Process != nil {
		c.redis.Kill()
	}
	var err error
	if c.db != nil {
		err = c.db.close()
	}
	if !keep {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}
