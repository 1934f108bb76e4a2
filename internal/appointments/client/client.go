// Package client is appointments for a process that runs other services: how an appointment stands at this moment, which
// nobody remembers, because it is asked before something is sent about it.
package client

import (
	"context"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/peer"
)

const askStanding = "/internal/appointments/standing"

type question struct {
	Tenant      id.Tenant      `json:"tenant"`
	Appointment id.Appointment `json:"appointment"`
}

// Standing is how an appointment stands.
type Standing struct {
	Start  time.Time `json:"start"`
	Active bool      `json:"active"` // booked or confirmed
}

// StandingOf tells how an appointment stands; NotFound when there is none.
func StandingOf(ctx context.Context, svc *appointments.Service, tenant id.Tenant, appointment id.Appointment) (Standing, error) {
	a, err := svc.Appointment(ctx, tenant, appointment)
	if err != nil {
		return Standing{}, err
	}
	return Standing{Start: a.Start, Active: a.Status == appointments.Booked || a.Status == appointments.Confirmed}, nil
}

// Serve answers the questions of other processes with the service.
func Serve(s *peer.Server, svc *appointments.Service) {
	peer.Handle(s, askStanding, func(ctx context.Context, q question) (Standing, error) {
		return StandingOf(ctx, svc, q.Tenant, q.Appointment)
	})
}

// Client is appointments in another process. It is safe for concurrent use.
type Client struct{ appointments *peer.Target }

// New makes a client of the processes that run appointments.
func New(appointments *peer.Target) *Client { return &Client{appointments} }

// Standing tells how an appointment stands; NotFound when there is none.
func (c *Client) Standing(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (Standing, error) {
	var out Standing
	err := c.appointments.Ask(ctx, askStanding, question{tenant, appointment}, &out)
	return out, err
}
