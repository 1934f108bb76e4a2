package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"turnero/internal/gateway"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/pulse"
	"turnero/internal/platform/sqlkit"
)

// watchServers watches what the process shares with others. An embedded database is part of the process: there is nothing to watch.
func (c *core) watchServers(ctx context.Context) (err error) {
	if shared, ok := c.bus.(*bus.Redis); ok {
		c.gauge("turnero_redis_up", "1 while wake-ups of other processes arrive, else 0.", func() float64 { return truth(shared.Connected()) })
	}
	if c.cfg.Embedded() {
		return nil
	}
	if c.aside, err = sqlkit.Open(ctx, c.cfg.DatabaseURL(), 1); err != nil {
		return fmt.Errorf("watch the database: %w", err)
	}
	c.pulse = pulse.New(pulse.Options{Ask: c.aside.Handle().Now, Now: c.now, Logger: c.logger})
	c.gauge("turnero_database_up", "1 while the database answers, else 0.", func() float64 { return truth(c.pulse.IsThere()) })
	c.gauge("turnero_database_clock_ahead_seconds", "By how much the database's clock is ahead of the process's.", func() float64 { return c.pulse.LastSkew().Seconds() })
	c.group.Add(lifecycle.Component{Name: "pulse", Run: c.pulse.Run})
	return nil
}

func (c *core) gauge(name, help string, value func() float64) {
	c.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// refuseWithoutDatabase refuses API requests that could only wait for a database that is away.
func (c *core) refuseWithoutDatabase(next http.Handler) http.Handler {
	if c.pulse == nil {
		return next
	}
	return c.pulse.Guard(gateway.IsStream, next)
}
