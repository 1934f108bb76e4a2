package app

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/gateway"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/limit"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/telemetry"
	"turnero/web"
)

func buildGateway(c *core) error {
	if c.network.sim != nil {
		c.mux.Handle("/sim/", c.network.sim.ControlHandler())
	}
	if c.cfg.Demo {
		c.mux.Handle("/", http.FileServerFS(web.Demo()))
	} else {
		c.mux.Handle("/{$}", http.RedirectHandler("/docs/", http.StatusFound))
	}
	return nil
}

// serveState answers, in every process, what an operator asks of it.
func (c *core) serveState() {
	checks := []gateway.Check{
		{Name: "database", Run: c.db.Ping},
		{Name: "schema", Run: func(ctx context.Context) error { return migrate.Check(ctx, c.db) }},
	}
	if c.redis != nil {
		checks = append(checks, gateway.Check{Name: "redis", Run: c.redis.Check, Optional: true})
	}
	c.mux.Handle("GET /health", gateway.Health(Version))
	c.mux.Handle("GET /ready", gateway.Ready(c.group.Ready, checks))
	c.mux.Handle("GET /metrics", c.metrics.Handler())
	c.mux.HandleFunc("/api/", c.api.NoSuchOperation)
}

func gatewayRoutes(c *core, api *httpkit.API) {
	(&gateway.Stream{Log: c.events, Live: c.live, Authenticate: c.authenticate, Closing: c.closing}).Register(api)
}

// handler is everything that the process answers under its address.
func (c *core) handler() (http.Handler, error) {
	router, err := c.router(telemetry.NoteRoute(c.mux))
	if err != nil {
		return nil, err
	}
	perAddress := c.limiter("address", limit.Rate{Tokens: c.cfg.RateAddress, Per: time.Second, Burst: 4 * c.cfg.RateAddress})
	o := gateway.Options{Logger: c.logger, CORSOrigins: c.cfg.CORSOrigins, TrustProxy: c.cfg.TrustProxy, PerAddress: perAddress,
		RequestTimeout: c.cfg.RequestTimeout, Now: c.now, Metrics: c.metrics.CountRequests}
	if !c.cfg.Runs("gateway") {
		o.PassedOn = c.questions.IsMarked
	}
	return gateway.Handler(o, c.refuseWithoutDatabase(router)), nil
}
