package app

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/outbox"
)

// How long what is only kept for a while is kept.
const (
	keepEvents = 7 * 24 * time.Hour // for listeners that come back with a number
	keepKeys   = 48 * time.Hour     // idempotency keys
)

// chore is housekeeping that is done again and again.
type chore struct {
	every time.Duration
	name  string
	do    func(ctx context.Context) error
}

// every has something done now and then while the process runs.
func (c *core) every(d time.Duration, name string, do func(ctx context.Context) error) {
	c.chores = append(c.chores, chore{d, name, do})
}

// doChores runs the chores until ctx ends. One that fails is logged and tried again at its next time.
func (c *core) doChores(ctx context.Context) error {
	c.every(time.Hour, "old events", func(ctx context.Context) error {
		_, err := c.events.Trim(ctx, c.now().Add(-keepEvents))
		return err
	})
	c.every(time.Hour, "old idempotency keys", func(ctx context.Context) error {
		_, err := idempotency.Forget(ctx, c.db.Handle(), c.now().Add(-keepKeys))
		return err
	})
	var g errgroup.Group
	for _, ch := range c.chores {
		g.Go(func() error {
			// The first time comes early but not at once, and not for all at the same moment.
			wait := time.Minute + rand.N(time.Minute)
			for {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(wait):
				}
				if err := ch.do(ctx); err != nil && !errors.Is(err, context.Canceled) {
					c.logger.WarnContext(ctx, "housekeeping failed", "what", ch.name, "error", err.Error())
				}
				wait = ch.every
			}
		})
	}
	return g.Wait()
}

// consume has a module handle the events of the given sorts, each at least once, under a name that stays.
func (c *core) consume(name string, handle func(ctx context.Context, event id.Event, ev events.Event) error, sorts ...events.Event) {
	names := make([]string, len(sorts))
	for i, ev := range sorts {
		names[i] = ev.EventName()
	}
	c.events.Consume(name, names, func(ctx context.Context, rec outbox.Record) error { return handle(ctx, rec.ID, rec.Event) })
}
