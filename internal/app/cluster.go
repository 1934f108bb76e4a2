package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"time"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/cluster"
	"turnero/internal/platform/lease"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/live"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

// openBus makes the bus, which reaches other processes only when there is a Redis that they share.
func (c *core) openBus(ctx context.Context) error {
	if c.redis == nil {
		c.bus = bus.NewMemory()
		return nil
	}
	installation, err := cluster.Installation(ctx, c.db)
	if err != nil {
		return err
	}
	c.bus = bus.NewRedis(c.redis, installation, c.logger)
	return nil
}

// openEvents makes the event log and what tells listeners in all processes of it.
func (c *core) openEvents(ctx context.Context) error {
	c.events = outbox.New(c.db, c.bus, c.now, c.logger)
	c.live = live.NewMemory(c.events, c.logger)
	if c.redis != nil {
		installation, err := cluster.Installation(ctx, c.db)
		if err != nil {
			return err
		}
		c.live = live.NewRedis(c.events, c.redis, installation, c.logger)
	}
	c.events.OnNumbered(c.live.Publish)
	return nil
}

// openLocks makes this process's side of the locks. Others reach it where it listens, unless told otherwise; an address that
// means every address of the machine would lead them to themselves.
func (c *core) openLocks(listening net.Addr) error {
	c.self = lease.Owner{ID: rand.Text(), Address: c.cfg.Advertise}
	if c.self.Address == "" {
		if tcp, ok := listening.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() && c.redis != nil && c.cfg.Runs("whatsapp") {
			return errors.New("advertise: must say at which HOST:PORT the other processes reach this one, since listen names no host")
		}
		if u, err := url.Parse(baseURL("", listening)); err == nil {
			c.self.Address = u.Host
		}
	}
	var locks lease.Locks = lease.NewMemory(c.lockTTL(), lease.SinceBoot)
	if c.redis != nil {
		locks = lease.NewRedis(c.redis, c.cluster.Installation(), c.lockTTL())
	}
	c.locks = lease.New(locks, c.self, lease.Options{Logger: c.logger})
	return nil
}

// lockTTL is how long a lock stands without a renewal; 0 is for ever, where there is no other process that may want it.
func (c *core) lockTTL() time.Duration {
	if c.redis == nil {
		return 0
	}
	return lease.TTL
}

// addCluster adds what keeps the process among others.
func (c *core) addCluster() {
	if b, ok := c.bus.(*bus.Redis); ok {
		c.group.Add(lifecycle.Component{Name: "bus", Run: b.Run})
	}
	if !c.cfg.Embedded() {
		c.group.Add(lifecycle.Component{Name: "cluster", Run: c.cluster.Run})
	}
	c.group.Add(lifecycle.Component{Name: "live events", Run: c.live.Run})
	c.group.Add(lifecycle.Component{Name: "locks", Run: c.locks.Run})
	c.countFellows()
}

// killedGrace is how long a database server may take to notice that the process before this one is dead.
const killedGrace = 5 * time.Second

// serveDatabase makes the process one of those that serve the database: the only one without Redis, else one of those that share it.
func (c *core) serveDatabase(ctx context.Context) (release func() error, err error) {
	release = func() error { return nil }
	if c.redis == nil {
		if release, err = c.holdDatabase(ctx); err != nil {
			return nil, err
		}
	}
	if c.cluster, err = cluster.Join(ctx, c.db, c.redis); err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

// holdDatabase keeps a second process off the database: sessions would have two owners.
func (c *core) holdDatabase(ctx context.Context) (release func() error, err error) {
	for deadline := time.Now().Add(killedGrace); ; {
		release, err = c.db.HoldAlone(ctx)
		if !errors.Is(err, sqlkit.ErrHeld) {
			return release, err
		}
		if time.Now().After(deadline) {
			return nil, errors.New("another turnero process serves this database; stop that one, give this one a database of its own, or let both share the work over one redis-url")
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
