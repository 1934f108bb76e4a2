package app

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/gateway"
	"turnero/internal/id"
	"turnero/internal/platform/cache"
	"turnero/internal/platform/cluster"
)

// Topics by which processes tell each other to look anew. Who has heard that rights were changed has looked anew when it
// says that credentials were; so nothing that it believed before is believed anywhere after that.
const (
	topicTenants     = "tenants"     // a business was changed
	topicRights      = "rights"      // somebody has lost or changed rights
	topicCredentials = "credentials" // what was exchanged before counts no more
)

// authenticate settles who makes a request. At the edge it is whoever the credentials say, counted against their tenant's
// rate; behind it, whoever the edge says.
func (c *core) authenticate(ctx context.Context, r *http.Request) (id.Principal, error) {
	authorization, key := r.Header.Get("Authorization"), r.Header.Get("X-API-Key")
	if !c.cfg.Runs("gateway") {
		return c.verify(ctx, authorization, key)
	}
	if c.auth != nil {
		p, err := c.auth.Authenticate(ctx, authorization, key)
		if err != nil {
			return p, err
		}
		return p, c.count(ctx, p)
	}
	caller, err := c.remote.auth.Exchange(ctx, authorization, key)
	if err != nil {
		return id.Principal{}, err
	}
	return caller.Principal, c.count(ctx, caller.Principal)
}

// exchange gives the token with which a request goes on to another process.
func (c *core) exchange(r *http.Request) (string, error) {
	ctx, authorization, key := r.Context(), r.Header.Get("Authorization"), r.Header.Get("X-API-Key")
	if c.auth != nil {
		grant, err := c.auth.Exchange(ctx, authorization, key)
		if err != nil {
			return "", err
		}
		return grant.Token, c.count(ctx, grant.Principal)
	}
	caller, err := c.remote.auth.Exchange(ctx, authorization, key)
	if err != nil {
		return "", err
	}
	return caller.Token, c.count(ctx, caller.Principal)
}

// verify reads the token of a request to a service: the edge's, or a person's own.
func (c *core) verify(ctx context.Context, authorization, key string) (id.Principal, error) {
	if authorization == "" && key != "" {
		return id.Principal{}, fault.New(fault.Unauthenticated, "not_the_gateway", "API keys are for the gateway")
	}
	if err := auth.OneCredential(authorization, key); err != nil {
		return id.Principal{}, err
	}
	if c.auth == nil {
		return c.remote.auth.Verify(ctx, authorization)
	}
	v, err := c.auth.Verifier().Verify(ctx, authorization)
	if err != nil || v.Internal {
		return v.Principal, err
	}
	return c.auth.Authenticate(ctx, authorization, "")
}

// count counts a request against the rate of its tenant.
func (c *core) count(ctx context.Context, p id.Principal) error {
	if p.Tenant.IsZero() {
		return nil
	}
	ok, retryAfter, err := c.tenantLimit.Allow(ctx, p.Tenant.String())
	if err == nil && !ok {
		err = gateway.TooManyRequests(retryAfter)
	}
	return err
}

// tellLimit bounds telling other processes of a change, which whoever made it waits for.
const tellLimit = time.Second

// sharedCredentials is what all processes of the installation believe of credentials together.
func (c *core) sharedCredentials(ctx context.Context) (cache.Cache, error) {
	installation, err := cluster.Installation(ctx, c.db)
	if err != nil {
		return nil, err
	}
	return cache.NewRedis(c.redis, installation+":credentials", c.now, c.logger), nil
}

// openShared makes what processes believe together, and the way to clear it.
func (c *core) openShared(ctx context.Context) error {
	c.retract = func() { c.bus.Wake(topicCredentials) }
	if c.redis == nil {
		return nil
	}
	shared, err := c.sharedCredentials(ctx)
	if err != nil {
		return err
	}
	c.retract = func() {
		ctx, cancel := context.WithTimeout(context.Background(), tellLimit)
		defer cancel()
		if err := shared.Clear(ctx); err != nil {
			c.logger.WarnContext(ctx, "rights were changed and redis does not answer; other processes may not know for some seconds", "error", err.Error())
		}
		c.bus.Wake(topicCredentials)
	}
	return nil
}

// rightsChanged tells everybody that somebody has lost or changed rights.
func (c *core) rightsChanged() {
	c.bus.Wake(topicRights)
	c.retract()
}

// tenantsChanged tells everybody that a business was changed; it may have been suspended.
func (c *core) tenantsChanged() {
	c.bus.Wake(topicTenants)
	c.retract()
}

// followChanges looks anew whenever some process says so, until ctx ends.
func (c *core) followChanges(ctx context.Context) error {
	follow := func(topic string) <-chan struct{} {
		woken, end := c.bus.Subscribe(topic)
		context.AfterFunc(ctx, end)
		return woken
	}
	tenants, rights, credentials := follow(topicTenants), follow(topicRights), follow(topicCredentials)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tenants:
			c.forgetTenants()
			c.forgetRights()
		case <-rights:
			c.forgetRights()
		case <-credentials:
			if c.remote.auth != nil {
				c.remote.auth.Forget()
			}
		}
	}
}

// forgetRights has a process that runs auth look anew. What it said to others meanwhile is taken back.
func (c *core) forgetRights() {
	if c.auth != nil {
		c.auth.Forget()
		c.retract()
	}
}

func (c *core) forgetTenants() {
	if c.tenants != nil {
		c.tenants.Forget()
	}
	if c.remote.tenants != nil {
		c.remote.tenants.Forget()
	}
}
