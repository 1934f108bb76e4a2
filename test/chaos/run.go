package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// happening is an action that was carried out.
type happening struct {
	action
	began, ended time.Time
	note         string
}

func (h *happening) String() string {
	end := "…"
	if !h.ended.IsZero() {
		end = h.ended.UTC().Format(clock)
	}
	return fmt.Sprintf("%s to %s: %s (%s)", h.began.UTC().Format(clock), end, h.action, h.note)
}

// carryOut does the actions at their times and returns when the last one is healed.
func (c *campaign) carryOut(ctx context.Context, actions []action) {
	var work sync.WaitGroup
	defer work.Wait()
	for _, a := range actions {
		last(ctx, time.Until(c.began.Add(a.At)))
		if ctx.Err() != nil {
			return
		}
		work.Go(func() { c.do(ctx, a) })
	}
}

func (c *campaign) do(ctx context.Context, a action) {
	h := &happening{action: a, began: time.Now()}
	c.mu.Lock()
	c.actions = append(c.actions, h)
	c.mu.Unlock()
	c.logf("%s: begins", a)
	note, err := kinds[a.Kind].do(ctx, c, a)
	switch {
	case errors.Is(err, errImpossible):
		note = "not possible now"
	case err != nil && ctx.Err() == nil:
		note = "error: " + err.Error()
		c.blame("%s: %v", a, err)
	}
	c.mu.Lock()
	h.ended, h.note = time.Now(), note
	c.mu.Unlock()
	c.logf("%s: over %s", a, note)
}

// around lists what was done shortly before and after a moment.
func (c *campaign) around(at time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var near []*happening
	for _, h := range c.actions {
		end := h.ended
		if end.IsZero() {
			end = time.Now()
		}
		if h.began.Before(at.Add(10*time.Second)) && end.After(at.Add(-10*time.Second)) {
			near = append(near, h)
		}
	}
	return joined(near, 8, func(h *happening) string { return "around it: " + h.String() })
}

// heal mends everything that may be broken still.
func (c *campaign) heal(ctx context.Context) {
	if !c.redis.IsAlive() {
		if err := c.redis.start(); err != nil {
			c.blame("redis: %v", err)
		}
	}
	if c.o.audits {
		if err := c.db.fail(ctx, false); err != nil {
			c.blame("database: %v", err)
		}
	}
	if err := web.Call(ctx, "DELETE", c.sim.url("/sim/faults"), nil, nil); err != nil {
		c.blame("network: %v", err)
	}
	for _, i := range c.instances {
		i.heal()
		if !i.current().IsAlive() {
			if err := i.startAgain(ctx); err != nil {
				c.blame("%s does not start again: %v", i.name(), err)
			}
		}
	}
}

// run is the whole of a chaos run: it gives an error when anything was not as it must be.
func (c *campaign) run(ctx context.Context) error {
	actions := plan(uint64(c.o.seed), c.o.duration, len(c.instances), c.o.kinds, c.o.rest)
	if c.o.isSoak {
		actions = soakPlan(uint64(c.o.seed), c.o.duration, soakEvery, len(c.instances), c.o.kinds)
	}
	c.logf("seed %d: %d actions in %s, %d processes, %d lines, %d chats, %d texts/s each way, on %s; logs in %s", c.o.seed, len(actions), c.o.duration,
		len(c.instances), c.o.sessions, c.o.sessions*c.o.people, c.o.rate, c.o.database, c.dir)
	for _, a := range actions {
		fmt.Fprintln(c.say, "  ", a)
	}
	watching, stopWatching := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { c.watch.run(watching) })
	stopListening := c.listen(ctx, &work)
	defer func() {
		stopListening()
		stopWatching()
		work.Wait()
	}()
	if err := c.settle(ctx); err != nil {
		return err
	}
	c.logf("all lines are linked")
	before := c.sizes(ctx)
	c.began = time.Now()
	c.traffic = c.begin(ctx, c.o.rate, uint64(c.o.seed))
	stopSampling := func() []sample { return nil }
	if c.o.isSoak {
		stopSampling = c.sampling(ctx, soakEvery)
	}
	c.carryOut(ctx, actions)
	last(ctx, time.Until(c.began.Add(c.o.duration)))
	samples := stopSampling()
	c.heal(ctx)
	c.traffic.end(c.o.calm)
	if err := ctx.Err(); err != nil {
		return err
	}
	c.logf("everything is healed and nothing new is sent")
	if err := c.allConnected(ctx, c.o.calm); err != nil {
		c.blame("%v", err)
	}
	c.check(ctx)
	c.logf("events: %d", c.checkEvents(ctx))
	stopListening()
	stopWatching()
	work.Wait()
	c.checkLog(ctx)
	if c.o.isSoak {
		c.judgeSoak(samples)
	}
	c.report(ctx, before)
	return c.verdict()
}

// listen has every tenant's listener follow its events.
func (c *campaign) listen(ctx context.Context, work *sync.WaitGroup) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	c.follow = func(t *tenant) { work.Go(func() { t.listener.follow(ctx) }) }
	return cancel
}
