// Package client is tenants for a process that runs other services.
//
// Serve registers the questions in a process that runs tenants; Client asks them over platform/peer. What it hears of a
// business it believes for two seconds, or until Forget, which a change of any business calls for (Deps.Changed there, a
// wake-up on the way). That a business does not exist it does not remember.
package client

import (
	"context"
	"slices"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/cache"
	"turnero/internal/platform/peer"
	"turnero/internal/tenants"
)

const (
	knownAge = 2 * time.Second
	// mostKnown bounds what is remembered.
	mostKnown = 10_000

	askTenant = "/internal/tenants/tenant"
)

type question struct {
	Tenant id.Tenant `json:"tenant"`
}

// business is what other modules want to know of a tenant.
type business struct {
	Active          bool            `json:"active"`
	Name            string          `json:"name"`
	Zone            string          `json:"zone"`
	Language        string          `json:"language"`
	Country         string          `json:"country"`
	Address         string          `json:"address,omitempty"`
	ReminderOffsets []time.Duration `json:"reminderOffsets,omitempty"`
	BotEnabled      bool            `json:"botEnabled"`
	Greeting        string          `json:"greeting,omitempty"`
}

// Serve answers the questions of other processes with the service.
func Serve(s *peer.Server, svc *tenants.Service) {
	peer.Handle(s, askTenant, func(ctx context.Context, q question) (business, error) {
		settings, err := svc.Settings(ctx, q.Tenant)
		if err != nil {
			return business{}, err
		}
		active, err := svc.IsActive(ctx, q.Tenant)
		return business{active, settings.Name, settings.Zone, settings.Language, settings.Country, settings.Address, slices.Clone(settings.ReminderOffsets),
			settings.BotEnabled, settings.Greeting}, err
	})
}

// Client is tenants in another process. It is safe for concurrent use.
type Client struct {
	tenants *peer.Target
	known   *cache.Memory
}

// New makes a client of the processes that run tenants.
func New(tenants *peer.Target, now func() time.Time) *Client {
	return &Client{tenants: tenants, known: cache.NewMemory(mostKnown, now)}
}

func (c *Client) find(ctx context.Context, tenant id.Tenant) (business, error) {
	return cache.Of(ctx, c.known, tenant.String(), func(ctx context.Context) (b business, _ time.Duration, err error) {
		err = c.tenants.Ask(ctx, askTenant, question{tenant}, &b)
		return b, knownAge, err
	})
}

// Settings gives the settings of a business, suspended or not; NotFound when there is none.
func (c *Client) Settings(ctx context.Context, tenant id.Tenant) (tenants.Settings, error) {
	b, err := c.find(ctx, tenant)
	return tenants.Settings{Name: b.Name, Zone: b.Zone, Language: b.Language, Country: b.Country, Address: b.Address, ReminderOffsets: b.ReminderOffsets,
		BotEnabled: b.BotEnabled, Greeting: b.Greeting}, err
}

// IsActive reports whether the tenant exists, is finished and is not suspended.
func (c *Client) IsActive(ctx context.Context, tenant id.Tenant) (bool, error) {
	b, err := c.find(ctx, tenant)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return b.Active, err
}

// Forget drops what is believed of businesses.
func (c *Client) Forget() { _ = c.known.Clear(context.Background()) }
