package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"turnero/test/drive"
)

// instance is one process of the product with its three links. It keeps its address over restarts.
type instance struct {
	run     *campaign
	index   int
	address string
	debug   string
	links   map[string]*relay // redis, database, sim

	turn sync.Mutex // held by whoever stops, kills or starts the process

	mu       sync.Mutex
	process  *drive.Process
	user     string // of the database, one for each start, so that the database can tell who writes
	starts   int
	isPaused bool
}

// The links of a process.
const (
	toRedis    = "redis"
	toDatabase = "database"
	toSim      = "sim"
)

func newInstance(c *campaign, index int) (*instance, error) {
	i := &instance{run: c, index: index, links: map[string]*relay{}}
	var err error
	if i.address, err = drive.FreeAddress(); err != nil {
		return nil, err
	}
	if i.debug, err = drive.FreeAddress(); err != nil {
		return nil, err
	}
	for name, target := range map[string]string{toRedis: c.redis.address, toDatabase: c.db.address, toSim: c.sim.address} {
		if i.links[name], err = newRelay(target); err != nil {
			return nil, err
		}
	}
	return i, nil
}

func (i *instance) name() string { return fmt.Sprintf("p%d", i.index) }

// launch starts the process without waiting for it to be ready. The caller has the turn.
func (i *instance) launch(ctx context.Context) error {
	i.mu.Lock()
	i.starts++
	user := fmt.Sprintf("%s_%d_%d", i.run.db.name, i.index, i.starts)
	i.mu.Unlock()
	if err := i.run.db.addUser(ctx, user); err != nil {
		return fmt.Errorf("database user of %s: %w", i.name(), err)
	}
	dir := filepath.Join(i.run.dir, i.name())
	args := append(i.run.flags(user, i.links[toDatabase].address(), dir), "--listen", i.address, "--debug-listen", i.debug)
	if i.run.o.hasRedis {
		args = append(args, "--redis-url", "redis://"+i.links[toRedis].address())
	}
	args = append(args, "--sim-url", "http://"+i.links[toSim].address(), "--rate-tenant", "1000000", "--rate-address", "1000000",
		"--db-connections", fmt.Sprint(i.run.o.connections), "--log-level", i.run.o.logLevel, "--target", "all")
	p, err := launch(dir+".log", []string{"TURNERO_MASTER_KEY=" + i.run.masterKey}, i.run.o.binary, append([]string{"serve"}, args...)...)
	if err != nil {
		return err
	}
	i.mu.Lock()
	i.process, i.user, i.isPaused = p, user, false
	i.mu.Unlock()
	return nil
}

// start starts the process and waits until it is ready. The caller has the turn.
func (i *instance) start(ctx context.Context, within time.Duration) error {
	if err := i.launch(ctx); err != nil {
		return err
	}
	if err := i.current().Answers(ctx, "http://"+i.address+"/ready", within); err != nil {
		return fmt.Errorf("%s: %w (see %s.log)", i.name(), err, filepath.Join(i.run.dir, i.name()))
	}
	return nil
}

func (i *instance) current() *drive.Process {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process
}

func (i *instance) databaseUser() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.user
}

// isUp reports whether the process runs and is not stopped.
func (i *instance) isUp() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process != nil && i.process.IsAlive() && !i.isPaused
}

func (i *instance) pause() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.isPaused = true
	i.process.Signal(syscall.SIGSTOP)
}

func (i *instance) resume() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.isPaused = false
	i.process.Signal(syscall.SIGCONT)
}

func (i *instance) heal() {
	for _, r := range i.links {
		r.set(relayOpen, 0)
	}
}

func (i *instance) close() {
	if p := i.current(); p != nil {
		p.Kill()
	}
	for _, r := range i.links {
		r.close()
	}
}
