package client

import (
	"context"
	"time"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/peer"
)

// The questions, and what goes both ways.
const (
	askExchange   = "/internal/auth/exchange"
	askUserExists = "/internal/auth/user-exists"
	askCheckAdmin = "/internal/auth/check-first-admin"
	doCreateAdmin = "/internal/auth/create-first-admin"
	askDiscard    = "/internal/auth/discard-users"
)

type exchangeQuestion struct {
	Authorization string `json:"authorization,omitempty"`
	APIKey        string `json:"apiKey,omitempty"`
}

type grant struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type userQuestion struct {
	Tenant id.Tenant `json:"tenant"`
	User   id.User   `json:"user"`
}

type existsAnswer struct {
	Exists bool `json:"exists"`
}

type adminQuestion struct {
	Tenant   id.Tenant `json:"tenant,omitzero"`
	Email    string    `json:"email"`
	Name     string    `json:"name"`
	Password string    `json:"password,omitempty"`
}

type adminAnswer struct {
	User   id.User `json:"user"`
	MadeUp string  `json:"madeUp,omitempty"`
}

type tenantQuestion struct {
	Tenant id.Tenant `json:"tenant"`
}

type nothing struct{}

// Serve answers the questions of other processes with the service.
func Serve(s *peer.Server, svc *auth.Service) {
	peer.Handle(s, askExchange, func(ctx context.Context, q exchangeQuestion) (grant, error) {
		g, err := svc.Exchange(ctx, q.Authorization, q.APIKey)
		return grant{g.Token, g.ExpiresAt}, err
	})
	peer.Handle(s, askUserExists, func(ctx context.Context, q userQuestion) (existsAnswer, error) {
		exists, err := UserExists(ctx, svc, q.Tenant, q.User)
		return existsAnswer{exists}, err
	})
	peer.Handle(s, askCheckAdmin, func(ctx context.Context, q adminQuestion) (nothing, error) {
		return nothing{}, svc.CheckFirstAdmin(ctx, q.Email, q.Name, q.Password)
	})
	peer.Handle(s, doCreateAdmin, func(ctx context.Context, q adminQuestion) (adminAnswer, error) {
		user, madeUp, err := svc.CreateFirstAdmin(ctx, q.Tenant, q.Email, q.Name, q.Password)
		return adminAnswer{user, madeUp}, err
	})
	peer.Handle(s, askDiscard, func(ctx context.Context, q tenantQuestion) (nothing, error) {
		return nothing{}, svc.DiscardUsers(ctx, q.Tenant)
	})
}

// UserExists reports whether an active person works for the tenant.
func UserExists(ctx context.Context, svc *auth.Service, tenant id.Tenant, user id.User) (bool, error) {
	u, err := svc.FindUser(ctx, tenant, user)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && u.Active, err
}
