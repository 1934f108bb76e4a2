package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"turnero/test/drive"
)

// measurements are what -measure can measure.
var measurements = map[string]func(*campaign, context.Context) error{
	"failover": (*campaign).measureFailover,
	"restart":  (*campaign).measureRestart,
}

// watched begins to read the network's log and links all lines; stop ends the reading.
func (c *campaign) watched(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { c.watch.run(ctx) })
	c.follow = func(*tenant) {} // nobody listens
	c.watch.wants = true
	return func() { cancel(); work.Wait() }, c.settle(ctx)
}

// measureFailover ends one process after another and measures how long it takes until other processes send for its sessions: for each, a text
// is posted at the moment of the end, and counts when the network gets it.
func (c *campaign) measureFailover(ctx context.Context) error {
	stop, err := c.watched(ctx)
	defer stop()
	if err != nil {
		return err
	}
	c.logf("%d processes, %d lines on %s, %d texts/s each way", len(c.instances), c.o.sessions, c.o.database, c.o.rate)
	c.traffic = c.begin(ctx, c.o.rate, uint64(c.o.seed))
	connected, sent := map[string][]time.Duration{}, map[string][]time.Duration{}
	for round := range 2 * c.o.rounds {
		kind := []string{"kill", "term"}[round%2]
		i := c.instances[(round/2)%len(c.instances)]
		if err = c.isShared(ctx); err != nil {
			return err
		}
		conn, out, err := c.failOver(ctx, i, kind)
		if err != nil {
			return err
		}
		connected[kind], sent[kind] = append(connected[kind], conn...), append(sent[kind], out...)
	}
	c.traffic.end(c.o.calm)
	c.check(ctx)
	fmt.Fprintf(c.say, "\n| process ended by | sessions | | median | p95 | worst |\n|---|---|---|---|---|---|\n")
	for _, kind := range []string{"kill", "term"} {
		for _, row := range []struct {
			what  string
			times []time.Duration
		}{{"connected elsewhere", connected[kind]}, {"text sent by another process", sent[kind]}} {
			slices.Sort(row.times)
			if n := len(row.times); n > 0 {
				fmt.Fprintf(c.say, "| %s | %d | %s | %s | %s | %s |\n", kind, n, row.what, round(percentile(row.times, 50)), round(percentile(row.times, 95)), round(row.times[n-1]))
			}
		}
	}
	return c.verdict()
}

// isShared waits until all lines are connected and no process has much less than its share.
func (c *campaign) isShared(ctx context.Context) error {
	if err := c.allConnected(ctx, c.o.calm); err != nil {
		return err
	}
	least := len(c.sessions) / len(c.instances) * 8 / 10
	for deadline := time.Now().Add(c.o.calm); ; last(ctx, 200*time.Millisecond) {
		fewest := len(c.sessions)
		for _, i := range c.instances {
			owned, err := c.ownedBy(ctx, i)
			if err != nil {
				return err
			}
			fewest = min(fewest, len(owned))
		}
		if fewest >= least {
			break
		}
		if time.Now().After(deadline) {
			c.logf("the lines are not shared out: a process has %d of %d", fewest, len(c.sessions))
			break
		}
	}
	last(ctx, 2*time.Second)
	return ctx.Err()
}

// failOver ends a process, measures, and starts it again.
func (c *campaign) failOver(ctx context.Context, i *instance, kind string) (connected, sent []time.Duration, err error) {
	owned, err := c.ownedBy(ctx, i)
	if err != nil {
		return nil, nil, err
	}
	if len(owned) == 0 {
		return nil, nil, fmt.Errorf("%s owns nothing", i.name())
	}
	ended, at := make(chan error, 1), time.Now()
	if kind == "kill" {
		i.current().Kill()
		ended <- nil
	} else {
		go func() { _, err := i.terminate(); ended <- err }()
	}
	posted := make([]text, len(owned))
	if err = drive.InParallel(len(owned), 16, func(n int) error {
		posted[n], err = c.postNow(ctx, c.chats[owned[n].index*c.o.people])
		return err
	}); err != nil {
		return nil, nil, err
	}
	for n, s := range owned {
		conn, sentAt, err := c.awaitTakeover(ctx, s, posted[n].ID, at)
		if err != nil {
			return nil, nil, err
		}
		connected, sent = append(connected, conn.Sub(at)), append(sent, sentAt.Sub(at))
	}
	slowest := posted[0]
	for _, x := range posted {
		if x.Accepted.Sub(x.At) > slowest.Accepted.Sub(slowest.At) {
			slowest = x
		}
	}
	c.logf("%s of %s, which owned %d: the last line is connected after %s and sends after %s; the API took %s and %d tries for the slowest text", kind, i.name(), len(owned),
		round(slices.Max(connected)), round(slices.Max(sent)), round(slowest.Accepted.Sub(slowest.At)), slowest.Tries)
	if err = <-ended; err != nil {
		c.blame("%s: %v", i.name(), err)
	}
	return connected, sent, i.startAgain(ctx)
}

// postNow posts the next text of a chat as soon as none is under way in it.
func (c *campaign) postNow(ctx context.Context, chat *chat) (text, error) {
	for !chat.outBusy.CompareAndSwap(false, true) {
		last(ctx, time.Millisecond)
	}
	defer chat.outBusy.Store(false)
	c.traffic.post(ctx, chat)
	out, _ := chat.texts()
	if len(out) == 0 {
		return text{}, fmt.Errorf("nothing could be posted for line %d", chat.session.index)
	}
	return out[len(out)-1], nil
}

func (c *campaign) awaitTakeover(ctx context.Context, s *session, id string, after time.Time) (connected, sent time.Time, err error) {
	for deadline := time.Now().Add(c.o.calm); time.Now().Before(deadline) && ctx.Err() == nil; last(ctx, 20*time.Millisecond) {
		at, isIn := c.watch.loginAfter(s.number(), after)
		sentAt, isSent := c.watch.sentAt(id)
		if isSent && sentAt.Before(after) {
			return sentAt, sentAt, errors.New("a text was sent before it was posted")
		}
		if isSent && !isIn { // the process was still there to send it, which is as good
			return sentAt, sentAt, nil
		}
		if isIn && isSent {
			return at, sentAt, nil
		}
	}
	return connected, sent, fmt.Errorf("nobody took over line %d within %s", s.index, c.o.calm)
}

// measureRestart stops the only process and measures how long a new one takes until all lines are connected.
func (c *campaign) measureRestart(ctx context.Context) error {
	if len(c.instances) != 1 {
		return errors.New("a restart is measured with -instances 1")
	}
	stop, err := c.watched(ctx)
	defer stop()
	if err != nil {
		return err
	}
	i := c.instances[0]
	fmt.Fprintf(c.say, "\n%d lines on %s\n\n| process ended by | ready after | half connected | p95 | all connected | processor time |\n|---|---|---|---|---|---|\n", c.o.sessions, c.o.database)
	for n := range 2 * c.o.rounds {
		if err = c.allConnected(ctx, c.o.calm); err != nil {
			return err
		}
		last(ctx, 2*time.Second)
		kind := []string{"term", "kill"}[n%2]
		if kind == "kill" {
			i.current().Kill()
		} else if _, err = i.terminate(); err != nil {
			return err
		}
		last(ctx, time.Second)
		begin := time.Now()
		if err = i.start(ctx, c.o.calm); err != nil {
			return err
		}
		ready := time.Since(begin)
		times, err := c.awaitLogins(ctx, begin)
		if err != nil {
			return err
		}
		computed, err := drive.ProcessorTime(i.current().PID())
		if err != nil {
			return err
		}
		fmt.Fprintf(c.say, "| %s | %s | %s | %s | %s | %s |\n", kind, round(ready), round(percentile(times, 50)), round(percentile(times, 95)),
			round(times[len(times)-1]), computed)
	}
	return c.verdict()
}

// awaitLogins waits until every line was let in after an instant and gives how long each took, sorted.
func (c *campaign) awaitLogins(ctx context.Context, after time.Time) ([]time.Duration, error) {
	for deadline := time.Now().Add(c.o.calm); time.Now().Before(deadline) && ctx.Err() == nil; last(ctx, 50*time.Millisecond) {
		var times []time.Duration
		for _, s := range c.sessions {
			if at, ok := c.watch.loginAfter(s.number(), after); ok {
				times = append(times, at.Sub(after))
			}
		}
		if len(times) == len(c.sessions) {
			slices.Sort(times)
			return times, nil
		}
	}
	return nil, fmt.Errorf("not all lines are connected %s after a restart", c.o.calm)
}
