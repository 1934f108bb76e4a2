package app

import (
	"context"
	"fmt"

	appointmentsclient "turnero/internal/appointments/client"
	"turnero/internal/auth"
	authclient "turnero/internal/auth/client"
	"turnero/internal/id"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/peer"
	"turnero/internal/tenants"
	tenantsclient "turnero/internal/tenants/client"
)

// remotes are the modules of other processes that those of this one ask; nil: the module runs here, or nobody asks it.
type remotes struct {
	auth         *authclient.Client
	tenants      *tenantsclient.Client
	appointments *appointmentsclient.Client
}

// connect prepares to ask the modules that the process does not run. Nothing is asked yet.
func (c *core) connect(ctx context.Context) error {
	if !c.cfg.Runs("auth") {
		shared, err := c.sharedCredentials(ctx)
		if err != nil {
			return err
		}
		keys := authclient.NewKeySet(c.addresses("auth"), c.now, c.logger)
		c.group.Add(lifecycle.Component{Name: "published keys", Run: keys.Run})
		c.remote.auth = authclient.New(authclient.Options{Auth: c.peerTarget("auth"), Keys: keys, Shared: shared, Now: c.now})
	}
	if !c.cfg.Runs("tenants") {
		c.remote.tenants = tenantsclient.New(c.peerTarget("tenants"), c.now)
	}
	if !c.cfg.Runs("appointments") {
		c.remote.appointments = appointmentsclient.New(c.peerTarget("appointments"))
	}
	return nil
}

func (c *core) peerTarget(target string) *peer.Target {
	return peer.NewTarget(c.peers, c.addresses(target), c.now)
}

// addresses tells where a target runs that other processes run.
func (c *core) addresses(name string) []string {
	routes, err := c.cfg.Routes()
	if found := routes[name]; err == nil && len(found) > 0 {
		return found
	}
	for _, t := range targets {
		if t.name == name {
			return []string{"http://" + t.address}
		}
	}
	panic(fmt.Sprintf("there is no target %q", name))
}

// users are the people of businesses, as tenants and whatsapp need them.
type users interface {
	tenants.Users
	UserExists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error)
}

// localUsers are the users of auth in this process.
type localUsers struct{ *auth.Service }

// UserExists implements users.
func (l localUsers) UserExists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error) {
	return authclient.UserExists(ctx, l.Service, tenant, user)
}

// users gives the people, here or elsewhere.
func (c *core) users() users {
	if c.auth != nil {
		return localUsers{c.auth}
	}
	return c.remote.auth
}

// tenantBook is what modules want to know of a business.
type tenantBook interface {
	Settings(ctx context.Context, tenant id.Tenant) (tenants.Settings, error)
	IsActive(ctx context.Context, tenant id.Tenant) (bool, error)
}

// tenantBook gives what is known of businesses, here or elsewhere. Modules that are built before tenants ask for it when
// they need it.
func (c *core) tenantBook() tenantBook {
	if c.tenants != nil {
		return c.tenants
	}
	return c.remote.tenants
}

// standing tells how an appointment stands, here or elsewhere.
func (c *core) standing(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (appointmentsclient.Standing, error) {
	if c.appointments != nil {
		return appointmentsclient.StandingOf(ctx, c.appointments, tenant, appointment)
	}
	return c.remote.appointments.Standing(ctx, tenant, appointment)
}
