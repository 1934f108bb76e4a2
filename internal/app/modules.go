package app

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"turnero/internal/gateway"
	"turnero/internal/platform/httpkit"
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

// runs reports whether a process with these targets runs the named one.
func runs(selected []string, name string) bool {
	return slices.Contains(selected, "all") || slices.Contains(selected, name)
}

// build makes the targets of the process and registers their routes.
func (c *core) build() error {
	c.api = httpkit.New(c.mux, "Turnero", Version, c.authenticate, c.logger)
	for _, t := range targets {
		if !runs(c.cfg.Target, t.name) {
			continue
		}
		if err := t.build(c); err != nil {
			return fmt.Errorf("build %s: %w", t.name, err)
		}
		t.routes(c, c.api)
	}
	return c.api.Check()
}

// router serves what the process runs itself and passes on the rest.
func (c *core) router(local http.Handler) http.Handler {
	var routes []gateway.Route
	remotes := map[string]*url.URL{}
	for _, t := range targets {
		for _, path := range t.paths {
			routes = append(routes, gateway.Route{Prefix: path, Target: t.name})
		}
		if !runs(c.cfg.Target, t.name) {
			remotes[t.name] = &url.URL{Scheme: "http", Host: t.address}
		}
	}
	return gateway.NewRouter(routes, local, remotes)
}

// describeAPI gives the operations of all targets with nothing behind them, for the document.
func describeAPI() (*httpkit.API, error) {
	api := httpkit.New(http.NewServeMux(), "Turnero", "1", nil, nil)
	for _, t := range targets {
		t.routes(&core{}, api)
	}
	return api, api.Check()
}
