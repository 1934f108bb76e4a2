package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"turnero/test/drive"
)

const (
	operator         = "operator@chaos.example"
	operatorPassword = "a long chaos password"
	adminPassword    = "another long password"
)

// settle makes the businesses, their sessions and the phones, and links all lines.
func (c *campaign) settle(ctx context.Context) error {
	super, err := c.logIn(ctx, operator, operatorPassword)
	if err != nil {
		return err
	}
	for i := range min(c.o.tenants, c.o.sessions) {
		t, err := c.addTenant(ctx, super, i)
		if err != nil {
			return fmt.Errorf("tenant %d: %w", i, err)
		}
		c.tenants = append(c.tenants, t)
		c.follow(t)
	}
	for i := range c.o.sessions {
		s := &session{index: i, tenant: c.tenants[i%len(c.tenants)]}
		c.sessions = append(c.sessions, s)
		for range c.o.people {
			c.chats = append(c.chats, &chat{index: len(c.chats), session: s})
		}
	}
	if err = drive.InParallel(len(c.chats), 8, func(i int) error {
		addressing := "pn"
		if i%2 == 1 {
			addressing = "lid"
		}
		return web.Call(ctx, "POST", c.sim.url("/sim/phones"), map[string]string{"number": personNumber(i), "name": fmt.Sprintf("Person %d", i), "addressing": addressing}, nil)
	}); err != nil {
		return fmt.Errorf("phones: %w", err)
	}
	return drive.InParallel(len(c.sessions), 16, func(i int) error { return c.link(ctx, c.sessions[i]) })
}

func (c *campaign) logIn(ctx context.Context, email, password string) (string, error) {
	var out struct {
		AccessToken string `json:"accessToken"`
	}
	err := web.Call(ctx, "POST", "http://"+c.instances[0].address+"/api/auth/login", map[string]string{"email": email, "password": password}, &out)
	return out.AccessToken, err
}

// addTenant makes a business whose bot is silent, so that every message is one of ours.
func (c *campaign) addTenant(ctx context.Context, super string, i int) (*tenant, error) {
	base, email := "http://"+c.instances[0].address, fmt.Sprintf("admin%d@chaos.example", i)
	if err := web.Call(ctx, "POST", base+"/api/tenants", map[string]any{"name": fmt.Sprintf("Chaos %d", i), "zone": "America/Argentina/Buenos_Aires", "language": "es",
		"admin": map[string]string{"email": email, "name": "Admin", "password": adminPassword}}, nil, "Authorization", "Bearer "+super); err != nil {
		return nil, err
	}
	token, err := c.logIn(ctx, email, adminPassword)
	if err != nil {
		return nil, err
	}
	if err = web.Call(ctx, "PATCH", base+"/api/settings", map[string]any{"botEnabled": false}, nil, "Authorization", "Bearer "+token); err != nil {
		return nil, err
	}
	var key struct {
		Key string `json:"key"`
	}
	err = web.Call(ctx, "POST", base+"/api/api-keys", map[string]any{"name": "chaos", "scopes": []string{"chats:read", "chats:write", "whatsapp:read", "whatsapp:write", "events:read"}}, &key, "Authorization", "Bearer "+token)
	t := &tenant{key: key.Key}
	t.listener = newListener(c, t)
	return t, err
}

// link makes a session and has its phone scan the QR.
func (c *campaign) link(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var made struct {
		ID string `json:"session"`
	}
	if _, err := c.insist(ctx, s.tenant, "POST", "/api/whatsapp/sessions", map[string]string{"name": fmt.Sprintf("line %d", s.index)}, &made); err != nil {
		return fmt.Errorf("session %d: %w", s.index, err)
	}
	s.id = made.ID
	if _, err := c.insist(ctx, s.tenant, "POST", "/api/whatsapp/init"+s.query(), nil, nil); err != nil {
		return fmt.Errorf("start line %d: %w", s.index, err)
	}
	scanned := ""
	for {
		status, err := c.status(ctx, s)
		if err == nil && status == "connected" {
			return nil
		}
		var code struct {
			QR string `json:"qr"`
		}
		if err == nil && status == "qr" {
			err = c.ask(ctx, s.tenant, "GET", "/api/whatsapp/qr"+s.query(), nil, &code, "Accept", "application/json")
		}
		if err == nil && code.QR != "" && code.QR != scanned {
			scanned = code.QR
			if err = web.Call(ctx, "POST", c.sim.phone(s.number(), "/scan"), map[string]string{"qr": code.QR}, nil); err != nil {
				return fmt.Errorf("scan for line %d: %w", s.index, err)
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("line %d does not connect, its status is %q", s.index, status), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *campaign) status(ctx context.Context, s *session) (string, error) {
	var out struct {
		Status string `json:"status"`
	}
	return out.Status, c.ask(ctx, s.tenant, "GET", "/api/whatsapp/status"+s.query(), nil, &out)
}

// allConnected waits until every line says that it is connected.
func (c *campaign) allConnected(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return drive.InParallel(len(c.sessions), 8, func(i int) error {
		for {
			status, err := c.status(ctx, c.sessions[i])
			if err == nil && status == "connected" {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("line %d (%s) is %q after %s %w", i, c.sessions[i].id, status, within, errors.Join(err))
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
}
