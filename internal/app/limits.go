package app

import (
	"context"
	"sync/atomic"
	"time"

	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/limit"
)

// limiter makes a limit that all processes of the installation share, as far as there are several.
func (c *core) limiter(name string, rate limit.Rate) limit.Limiter {
	if c.redis == nil || c.cluster == nil {
		return limit.NewMemory(rate, c.now)
	}
	return limit.NewRedis(c.redis, c.cluster.Installation()+":"+name, rate, limit.RedisOptions{Instances: c.fellows.number, Now: c.now, Logger: c.logger})
}

const (
	fellowPrefix = "l/"
	fellowEvery  = 2 * time.Second
)

// fellows counts the processes that share limits, this one included, by a lock that each holds. While the locks cannot be
// reached, the last number stands.
type fellows struct{ last atomic.Int64 }

func (f *fellows) number() int { return int(max(1, f.last.Load())) }

// countFellows adds what keeps the count. It stands behind the locks, so that it lets go of its own before they stop.
func (c *core) countFellows() {
	if c.redis == nil {
		return
	}
	c.group.Add(lifecycle.Component{Name: "fellows", Run: func(ctx context.Context) error {
		key := fellowPrefix + c.self.ID
		tick := time.NewTicker(fellowEvery)
		defer tick.Stop()
		for {
			if _, err := c.locks.Acquire(ctx, key); err == nil {
				if all, err := c.locks.List(ctx, fellowPrefix); err == nil {
					c.fellows.last.Store(int64(len(all)))
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellLimit)
				defer cancel()
				_ = c.locks.Release(last, key) // else it ends by itself
				return ctx.Err()
			}
		}
	}})
}
