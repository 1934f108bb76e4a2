package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"turnero/internal/gateway"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/limit"
	"turnero/internal/platform/telemetry"
)

// target is one service that a process can run.
type target struct {
	name    string
	address string                          // where it listens when it is a process of its own
	paths   []string                        // what it answers, with everything below
	build   func(c *core) error             // makes the module and joins it to those that it needs
	routes  func(c *core, api *httpkit.API) // adds its operations; with an empty core only the document is wanted
}

// targets is the table of services, each behind those that it needs.
var targets = []target{
	{"auth", "127.0.0.1:3001", []string{"/api/auth", "/api/users", "/api/api-keys", "/api/audit", "/.well-known"}, buildAuth, authRoutes},
	{"tenants", "127.0.0.1:3002", []string{"/api/tenants", "/api/settings"}, buildTenants, tenantsRoutes},
	{"appointments", "127.0.0.1:3003", []string{"/api/locations", "/api/services", "/api/staff", "/api/closures", "/api/customers", "/api/availability",
		"/api/appointments", "/api/holds"}, buildAppointments, appointmentsRoutes},
	{"whatsapp", "127.0.0.1:3004", []string{"/api/whatsapp", "/api/chats", "/api/contacts"}, buildWhatsApp, whatsappRoutes},
	{"notifications", "127.0.0.1:3005", []string{"/api/notifications"}, buildNotifications, notificationsRoutes},
	{"gateway", "127.0.0.1:8080", []string{"/api/events", "/docs", "/openapi.json"}, buildGateway, gatewayRoutes},
}

// build makes the targets of the process and registers their routes.
func (c *core) build(ctx context.Context) error {
	c.api = httpkit.New(c.mux, "Turnero", Version, c.authenticate, c.logger)
	c.tenantLimit = c.limiter("tenant", limit.Rate{Tokens: c.cfg.RateTenant, Per: time.Second, Burst: 4 * c.cfg.RateTenant})
	if err := errors.Join(c.openShared(ctx), c.connect(ctx)); err != nil {
		return err
	}
	for _, t := range targets {
		if !c.cfg.Runs(t.name) {
			continue
		}
		if err := t.build(c); err != nil {
			return fmt.Errorf("build %s: %w", t.name, err)
		}
		t.routes(c, c.api)
	}
	c.serveState()
	c.group.Add(lifecycle.Component{Name: "changes", Run: c.followChanges})
	return c.api.Check()
}

// router serves what the process runs itself and, at the edge, passes on the rest.
func (c *core) router(local http.Handler) (http.Handler, error) {
	if !c.cfg.Runs("gateway") {
		return local, nil
	}
	whole, err := describeAPI(Version)
	if err != nil {
		return nil, err
	}
	o := gateway.RouterOptions{Local: local, Remotes: map[string][]string{}, Operation: whole.OperationOf, Exchange: c.exchange, Mark: c.peers.Mark,
		Noted: telemetry.SetRoute, Now: c.now, Logger: c.logger}
	for _, t := range targets {
		for _, path := range t.paths {
			o.Routes = append(o.Routes, gateway.Route{Prefix: path, Target: t.name})
		}
		if !c.cfg.Runs(t.name) {
			o.Remotes[t.name] = c.addresses(t.name)
		}
	}
	return gateway.NewRouter(o), gateway.Docs(c.mux, whole)
}

// describeAPI gives the operations of all targets with nothing behind them, for the document.
func describeAPI(version string) (*httpkit.API, error) {
	api := httpkit.New(http.NewServeMux(), "Turnero", version, nil, nil)
	for _, t := range targets {
		t.routes(&core{}, api)
	}
	return api, api.Check()
}

// listenByDefault is where a process with the targets listens unless told otherwise.
func listenByDefault(selected []string) string {
	for _, t := range targets {
		if len(selected) == 1 && t.name == selected[0] && t.name != "gateway" {
			return t.address
		}
	}
	return serveListen
}
