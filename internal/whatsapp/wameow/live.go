package wameow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"turnero/internal/whatsapp"
)

// liveLimit bounds an operation that somebody waits for.
const liveLimit = 10 * time.Second

// live makes a call on the line's connection, within the time limit and the connection's life.
func (l *line) live(ctx context.Context, call func(ctx context.Context, c *connection) error) error {
	c, ok := l.ready()
	if !ok || !c.gate.enter() {
		return whatsapp.ErrNotConnected
	}
	defer c.gate.leave()
	ctx, cancel := context.WithTimeout(ctx, liveLimit)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	err := safely(func() error { return call(ctx, c) })
	if errors.Is(err, whatsmeow.ErrIQTimedOut) || errors.Is(err, context.DeadlineExceeded) {
		c.probe()
	}
	return notConnected(err)
}

// notConnected marks those errors that mean that the connection gave no answer. What WhatsApp answered stays as it is.
func notConnected(err error) error {
	var refused *whatsmeow.IQError
	if err == nil || errors.As(err, &refused) || errors.Is(err, whatsapp.ErrNotConnected) {
		return err
	}
	return fmt.Errorf("%w: %w", whatsapp.ErrNotConnected, err)
}

// MarkRead implements whatsapp.Line.
func (l *line) MarkRead(ctx context.Context, chat, sender whatsapp.Address, waIDs []string) error {
	to, err := jidOf(chat)
	if err != nil {
		return err
	}
	var from types.JID
	if !sender.IsZero() {
		if from, err = jidOf(sender); err != nil {
			return err
		}
	}
	return l.live(ctx, func(ctx context.Context, c *connection) error {
		return c.client.MarkRead(ctx, waIDs, l.engine.now(), to, from)
	})
}

// Typing implements whatsapp.Line.
func (l *line) Typing(ctx context.Context, chat whatsapp.Address, on bool) error {
	to, err := jidOf(chat)
	if err != nil {
		return err
	}
	state := types.ChatPresencePaused
	if on {
		state = types.ChatPresenceComposing
	}
	return l.live(ctx, func(ctx context.Context, c *connection) error {
		return c.client.SendChatPresence(ctx, to, state, types.ChatPresenceMediaText)
	})
}

// Lookup implements whatsapp.Line.
func (l *line) Lookup(ctx context.Context, number string) (who whatsapp.ContactIDs, ok bool, err error) {
	err = l.live(ctx, func(ctx context.Context, c *connection) (err error) {
		who, ok, err = c.lookup(ctx, number)
		return err
	})
	return who, ok, err
}

// lookup asks WhatsApp for a number. The number that WhatsApp knows the person by may be written differently.
func (c *connection) lookup(ctx context.Context, number string) (whatsapp.ContactIDs, bool, error) {
	answers, err := c.client.IsOnWhatsApp(ctx, []string{"+" + number})
	if err != nil {
		return whatsapp.ContactIDs{}, false, err
	}
	for _, a := range answers {
		if !a.IsIn {
			continue
		}
		who, err := c.complete(ctx, contactOf(a.JID, a.PhoneNumber))
		if err != nil {
			return whatsapp.ContactIDs{}, false, err
		}
		if who.Number.IsZero() {
			who.Number = whatsapp.NumberAddress(number)
		}
		return who, true, nil
	}
	return whatsapp.ContactIDs{}, false, nil
}

// reasonLogout says that the session itself gave its link up.
const reasonLogout = "logout"

// Logout implements whatsapp.Line. It returns when the keys are deleted and the session has been told.
func (l *line) Logout(ctx context.Context) error {
	c, ok := l.ready()
	if !ok {
		return whatsapp.ErrNotConnected
	}
	c.isLeaving.Store(true)
	err := l.live(ctx, func(ctx context.Context, c *connection) error {
		err := removeDevice(ctx, c.client)
		// WhatsApp may close the stream before or instead of answering.
		if err == nil || c.ended().kind == endLoggedOut {
			c.end(ending{kind: endLoggedOut, reason: reasonLogout})
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	<-c.ctx.Done()
	return l.untilIdle(ctx)
}

// untilIdle returns when nobody tries to connect any more.
func (l *line) untilIdle(ctx context.Context) error {
	for {
		l.mu.Lock()
		moved, isIdle := l.moved, l.isIdle
		l.mu.Unlock()
		if isIdle {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.term.Done():
			return whatsapp.ErrNotConnected
		}
	}
}
