package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// kind is a kind of fault. do makes it, waits for as long as the action lasts, and heals it; it returns what there is to say about it.
type kind struct {
	about       string
	least, most time.Duration
	isForAll    bool
	needsRedis  bool
	do          func(ctx context.Context, c *campaign, a action) (string, error)
}

// errImpossible says that an action has no place now, as when its process is down already.
var errImpossible = errors.New("not possible now")

const second = time.Second

// kinds are the faults by name; init breaks the circle between a kind and those who read the table.
var kinds map[string]kind

func init() {
	kinds = map[string]kind{
		"kill":         {about: "SIGKILL, started again", least: second, most: 6 * second, do: kill},
		"term":         {about: "SIGTERM, started again", least: second, most: 4 * second, do: terminate},
		"stop":         {about: "SIGSTOP, then SIGCONT", least: 20 * second, most: 20 * second, do: pause},
		"stop-tx":      {about: "SIGSTOP inside an open transaction, then SIGCONT", least: 20 * second, most: 20 * second, do: pauseInTransaction},
		"stop-short":   {about: "SIGSTOP for about as long as a lock stands, then SIGCONT", least: 2 * second, most: 5 * second, do: pause},
		"db-cut":       {about: "cut from the database", least: 2 * second, most: 8 * second, do: breaking(toDatabase, relayCut)},
		"db-hole":      {about: "nothing passes to or from the database", least: 3 * second, most: 12 * second, do: breaking(toDatabase, relayHole)},
		"db-slow":      {about: "the database answers late", least: 3 * second, most: 8 * second, do: slow(toDatabase)},
		"db-kill":      {about: "the server ends connections again and again", least: 2 * second, most: 4 * second, do: terminateConnections},
		"db-decrypt":   {about: "connections to the database end while messages are decrypted", least: 3 * second, most: 5 * second, do: cutAround(false)},
		"db-encrypt":   {about: "connections to the database end while messages are encrypted", least: 3 * second, most: 5 * second, do: cutAround(true)},
		"db-error":     {about: "writes of ratchets fail", least: second, most: 3 * second, isForAll: true, do: failWrites},
		"db-gone":      {about: "nobody reaches the database", least: 3 * second, most: 12 * second, isForAll: true, do: breaking(toDatabase, relayCut)},
		"sim-cut":      {about: "cut from WhatsApp", least: 2 * second, most: 6 * second, do: breaking(toSim, relayCut)},
		"sim-hole":     {about: "nothing passes to or from WhatsApp", least: 10 * second, most: 50 * second, do: breaking(toSim, relayHole)},
		"sim-drop":     {about: "all connections to WhatsApp end at once", least: second, most: 2 * second, isForAll: true, do: dropConnections},
		"sim-replace":  {about: "WhatsApp says that lines were connected elsewhere", least: second, most: second, isForAll: true, do: simFault("replace")},
		"sim-no-ack":   {about: "WhatsApp takes messages and does not acknowledge them", least: 2 * second, most: 4 * second, isForAll: true, do: simFault("drop_ack")},
		"redis-cut":    {about: "cut from Redis", needsRedis: true, least: 2 * second, most: 8 * second, do: breaking(toRedis, relayCut)},
		"redis-hole":   {about: "nothing passes to or from Redis", needsRedis: true, least: 3 * second, most: 10 * second, do: breaking(toRedis, relayHole)},
		"redis-gone":   {about: "nobody reaches Redis", needsRedis: true, least: 3 * second, most: 12 * second, isForAll: true, do: breaking(toRedis, relayCut)},
		"redis-flush":  {about: "FLUSHALL", needsRedis: true, least: second, most: second, isForAll: true, do: flush},
		"redis-kill":   {about: "Redis is killed and comes back empty", needsRedis: true, least: 500 * time.Millisecond, most: 6 * second, isForAll: true, do: restartRedis},
		"both-cut":     {about: "cut from Redis and from the database", needsRedis: true, least: 4 * second, most: 8 * second, do: breakBoth},
		"both-gone":    {about: "nobody reaches Redis or the database", needsRedis: true, least: 4 * second, most: 10 * second, isForAll: true, do: breakBoth},
		"owner-lost":   {about: "locks vanish while their owner believes in them", needsRedis: true, least: second, most: 2 * second, do: lose},
		"owner-forged": {about: "locks name another process", needsRedis: true, least: second, most: 2 * second, do: forge},
	}
}

func kindNames() []string { return slices.Sorted(maps.Keys(kinds)) }

// last waits for as long as an action lasts.
func last(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// struck gives the processes that an action is about.
func (c *campaign) struck(a action) []*instance {
	if kinds[a.Kind].isForAll {
		return c.instances
	}
	return c.instances[a.Who : a.Who+1]
}

// breaking breaks one link of the processes.
func breaking(link string, mode relayMode) func(context.Context, *campaign, action) (string, error) {
	return func(ctx context.Context, c *campaign, a action) (string, error) {
		for _, i := range c.struck(a) {
			i.links[link].set(mode, 0)
		}
		last(ctx, a.Length)
		for _, i := range c.struck(a) {
			i.links[link].set(relayOpen, 0)
		}
		return "", nil
	}
}

func slow(link string) func(context.Context, *campaign, action) (string, error) {
	return func(ctx context.Context, c *campaign, a action) (string, error) {
		delay := time.Duration(20+a.Draw%180) * time.Millisecond
		c.instances[a.Who].links[link].set(relayOpen, delay)
		last(ctx, a.Length)
		c.instances[a.Who].links[link].set(relayOpen, 0)
		return fmt.Sprintf("by %s each way", delay), nil
	}
}

func breakBoth(ctx context.Context, c *campaign, a action) (string, error) {
	for _, i := range c.struck(a) {
		i.links[toRedis].set(relayCut, 0)
		i.links[toDatabase].set(relayCut, 0)
	}
	last(ctx, a.Length)
	for _, i := range c.struck(a) {
		i.links[toDatabase].set(relayOpen, 0)
		i.links[toRedis].set(relayOpen, 0)
	}
	return "", nil
}

func dropConnections(_ context.Context, c *campaign, a action) (string, error) {
	for _, i := range c.struck(a) {
		i.links[toSim].strike()
	}
	return "", nil
}

func simFault(name string) func(context.Context, *campaign, action) (string, error) {
	return func(ctx context.Context, c *campaign, a action) (string, error) {
		s := c.sessions[a.Draw%uint64(len(c.sessions))]
		body := map[string]any{"kind": name, "number": s.number()}
		if name == "drop_ack" {
			body["duration"] = a.Length.Seconds()
		}
		err := web.Call(ctx, "POST", c.sim.url("/sim/faults"), body, nil)
		last(ctx, a.Length)
		return fmt.Sprintf("line %d", s.index), err
	}
}

// terminateConnections has the server end the process's connections at moments that nobody chose.
func terminateConnections(ctx context.Context, c *campaign, a action) (string, error) {
	draw, count := rand.New(rand.NewPCG(a.Draw, 0)), 0
	for end := time.Now().Add(a.Length); time.Now().Before(end) && ctx.Err() == nil; {
		n, err := c.db.terminate(ctx, c.instances[a.Who].databaseUser())
		if err != nil {
			return "", err
		}
		count += n
		last(ctx, time.Duration(50+draw.IntN(300))*time.Millisecond)
	}
	return fmt.Sprintf("%d connections", count), nil
}

// cutAround ends the process's connections to the database within milliseconds of a text that sets off for its lines, so that some of the cuts
// come while a ratchet is being written. The text is one of the run's own: it must arrive all the same.
func cutAround(isOut bool) func(context.Context, *campaign, action) (string, error) {
	return func(ctx context.Context, c *campaign, a action) (string, error) {
		i, draw, count := c.instances[a.Who], rand.New(rand.NewPCG(a.Draw, 0)), 0
		for end := time.Now().Add(a.Length); time.Now().Before(end) && ctx.Err() == nil; count++ {
			owned, err := c.ownedBy(ctx, i)
			if err != nil || len(owned) == 0 {
				return "it owns nothing", err
			}
			s := owned[draw.IntN(len(owned))]
			chat := c.chats[s.index*c.o.people+draw.IntN(c.o.people)]
			c.traffic.start(chat, isOut)
			last(ctx, time.Duration(draw.IntN(15))*time.Millisecond)
			i.links[toDatabase].strike()
			last(ctx, time.Duration(100+draw.IntN(400))*time.Millisecond)
		}
		return fmt.Sprintf("%d cuts", count), nil
	}
}

func failWrites(ctx context.Context, c *campaign, a action) (string, error) {
	if !c.o.audits {
		return "", errImpossible
	}
	if err := c.db.fail(ctx, true); err != nil {
		return "", err
	}
	last(ctx, a.Length)
	return "", c.db.fail(context.WithoutCancel(ctx), false)
}

func flush(ctx context.Context, c *campaign, _ action) (string, error) {
	return "", c.rdb.FlushAll(ctx).Err()
}

func restartRedis(ctx context.Context, c *campaign, a action) (string, error) {
	if !c.redisTurn.TryLock() {
		return "", errImpossible
	}
	defer c.redisTurn.Unlock()
	c.redis.Kill()
	last(ctx, a.Length)
	return "", c.redis.start()
}

func lose(ctx context.Context, c *campaign, a action) (string, error) {
	n, err := c.loseLocks(ctx, c.instances[a.Who], a.Draw)
	last(ctx, a.Length)
	return fmt.Sprintf("%d locks", n), err
}

func forge(ctx context.Context, c *campaign, a action) (string, error) {
	n, err := c.giveLocks(ctx, c.instances[a.Who], a.Draw)
	last(ctx, a.Length)
	return fmt.Sprintf("%d locks", n), err
}
