package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// takeover is the end of a process and what became of its sessions.
type takeover struct {
	Kind     string
	At       time.Time
	Sessions []*session
	Action   int // number in the plan; 0: none
}

// takeover notes which sessions the process owns, which is about to end; none are known while Redis is broken.
func (c *campaign) takeover(ctx context.Context, i *instance, kind string, number int) *takeover {
	owned, _ := c.ownedBy(ctx, i)
	t := &takeover{Kind: kind, Sessions: owned, Action: number, At: time.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeovers = append(c.takeovers, t)
	return t
}

// down takes the turn of a process that runs.
func (i *instance) down() bool {
	if !i.turn.TryLock() {
		return false
	}
	if !i.isUp() {
		i.turn.Unlock()
		return false
	}
	return true
}

func kill(ctx context.Context, c *campaign, a action) (string, error) {
	i := c.instances[a.Who]
	if !i.down() {
		return "", errImpossible
	}
	defer i.turn.Unlock()
	t := c.takeover(ctx, i, "kill", a.Number)
	i.current().Kill()
	last(ctx, a.Length)
	return fmt.Sprintf("it owned %d sessions", len(t.Sessions)), i.startAgain(ctx)
}

func terminate(ctx context.Context, c *campaign, a action) (string, error) {
	i := c.instances[a.Who]
	if !i.down() {
		return "", errImpossible
	}
	defer i.turn.Unlock()
	t := c.takeover(ctx, i, "term", a.Number)
	took, err := i.terminate()
	if err != nil {
		c.blame("%s: %v", i.name(), err)
	}
	last(ctx, a.Length)
	return fmt.Sprintf("it owned %d sessions and left within %s", len(t.Sessions), took.Round(time.Millisecond)), i.startAgain(ctx)
}

// terminate asks the process to end, and kills it if it does not.
func (i *instance) terminate() (time.Duration, error) {
	p, begin := i.current(), time.Now()
	if err := p.End(syscall.SIGTERM, 30*time.Second); err != nil {
		return time.Since(begin), err
	}
	if code := p.ExitCode(); code != 0 {
		return time.Since(begin), fmt.Errorf("ended with code %d after SIGTERM", code)
	}
	return time.Since(begin), nil
}

// startAgain starts the process until it stays: one that finds no Redis or no database at its start gives up, and whoever looks after
// it starts it again.
func (i *instance) startAgain(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var err error
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		if err = i.start(ctx, 60*time.Second); err == nil {
			return nil
		}
		i.current().Kill()
		last(ctx, 500*time.Millisecond)
	}
	return err
}

func pause(ctx context.Context, c *campaign, a action) (string, error) {
	i := c.instances[a.Who]
	if !i.down() {
		return "", errImpossible
	}
	defer i.turn.Unlock()
	t := c.takeover(ctx, i, a.Kind, a.Number)
	i.pause()
	last(ctx, a.Length)
	i.resume()
	return fmt.Sprintf("it owned %d sessions", len(t.Sessions)), nil
}

// pauseInTransaction holds rows of the process's sessions until one of its transactions waits for them, stops it there, and lets go:
// the server carries the statement out, and the transaction stays open with its locks and nobody to end it.
func pauseInTransaction(ctx context.Context, c *campaign, a action) (string, error) {
	i := c.instances[a.Who]
	if !i.down() {
		return "", errImpossible
	}
	defer i.turn.Unlock()
	owned, err := c.ownedBy(ctx, i)
	if err != nil || len(owned) == 0 {
		return "it owns nothing", err
	}
	ids := make([]string, len(owned))
	for n, s := range owned {
		ids[n] = s.id
	}
	slices.Sort(ids)
	release, err := c.db.holdSessions(ctx, ids)
	if err != nil {
		return "", err
	}
	isInside := false
	for end := time.Now().Add(1500 * time.Millisecond); !isInside && time.Now().Before(end); last(ctx, time.Millisecond) {
		if isInside, err = c.db.isWaiting(ctx, i.databaseUser()); err != nil {
			release()
			return "", err
		}
	}
	c.takeover(ctx, i, a.Kind, a.Number)
	i.pause()
	release()
	last(ctx, a.Length)
	i.resume()
	if !isInside {
		return "none of its transactions came to wait: it was stopped anyway", nil
	}
	return fmt.Sprintf("it owned %d sessions", len(owned)), nil
}
