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
	c.mux.Handle("GET /health", gateway.Health(Version))
	c.mux.Handle("GET /ready", gateway.Ready(c.group.Ready, []gateway.Check{
		{Name: "database", Run: c.db.Ping},
		{Name: "schema", Run: func(ctx context.Context) error { return migrate.Check(ctx, c.db) }},
	}))
	c.mux.Handle("GET /metrics", c.metrics.Handler())
	c.mux.HandleFunc("/api/", c.api.NoSuchOperation)
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

func gatewayRoutes(c *core, api *httpkit.API) {
	(&gateway.Stream{Log: c.events, Bus: c.bus, Authenticate: c.authenticate, Closing: c.closing}).Register(api)
}

// handler is everything that the process answers under its address.
func (c *core) handler() (http.Handler, error) {
	if err := gateway.Docs(c.mux, c.api); err != nil {
		return nil, err
	}
	perAddress := limit.NewMemory(limit.Rate{Tokens: c.cfg.RateAddress, Per: time.Second, Burst: 4 * c.cfg.RateAddress}, c.now)
	return gateway.Handler(gateway.Options{Logger: c.logger, CORSOrigins: c.cfg.CORSOrigins, TrustProxy: c.cfg.TrustProxy, PerAddress: perAddress,
		RequestTimeout: c.cfg.RequestTimeout, Now: c.now, Metrics: c.metrics.CountRequests}, c.router(telemetry.NoteRoute(c.mux))), nil
}
