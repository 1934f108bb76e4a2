package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shop is an installation with one business on a network of its own, which outlives whatever happens to the installation.
type shop struct {
	*process // to call it
	t        *testing.T
	sim      *daemon
	flags    []string
	root     login
	tenant   login
	admin    *caller
	number   string
}

const shopNumber = "5491120000001"

// openShop makes the schema, if the database is a server's, the people and the network; nothing serves yet.
func openShop(t *testing.T, database string, flags ...string) *shop {
	t.Helper()
	s := &shop{t: t, process: &process{t: t}, number: shopNumber, tenant: login{"ana@example.com", "a long enough password"}}
	s.sim = newDaemon(t, "the network", "/sim/phones", "sim", "--memory")
	s.sim.start()
	s.Demo.SimURL = s.sim.url() + "/sim"
	s.flags = append([]string{"--database-url", database, "--master-key", masterKey(), "--network", "sim", "--sim-url", s.sim.url()}, flags...)
	if !strings.HasPrefix(database, "sqlite:") {
		out, code := runBinary(t, "migrate", "--database-url", database)
		require.Zero(t, code, out)
	}
	s.root = superAdmin(t, s.flags...)
	return s
}

// serve makes a process of the installation with all services.
func (s *shop) serve(name string, flags ...string) *daemon {
	s.t.Helper()
	return newDaemon(s.t, name, "/ready", append(append([]string{"serve", "--data", s.t.TempDir()}, s.flags...), flags...)...)
}

// found makes the business through a process, links its line and adds a customer, whose phone it returns.
func (s *shop) found(d *daemon) *phone {
	s.t.Helper()
	s.Demo.BaseURL = d.url()
	root := s.as(s.root)
	root.must(http.StatusCreated, "POST", "/api/tenants", object{"name": "Shop", "zone": "America/Argentina/Buenos_Aires", "language": "es",
		"admin": object{"email": s.tenant.Email, "name": "Ana", "password": s.tenant.Password}}, nil)
	s.admin = s.as(s.tenant)
	s.admin.must(http.StatusOK, "PATCH", "/api/settings", object{"botEnabled": false}, nil)
	business := s.addPhone(s.number, "Shop", "pn")
	link(s.t, s.admin, business)
	return s.addPhone("5491130000001", "Carla", "pn")
}
