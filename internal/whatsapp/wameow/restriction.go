package wameow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types/events"

	"turnero/internal/whatsapp"
)

// codeRestricted is the code with which WhatsApp refuses a message because of a restriction of the account, its "reach-out time
// lock".
const codeRestricted = 463

// restrictionLimit bounds the question about a restriction.
const restrictionLimit = 10 * time.Second

// restrictionOf translates what WhatsApp says. A restriction without an end is one whose end is not known.
func restrictionOf(isActive bool, ends time.Time) whatsapp.Restriction {
	switch {
	case !isActive:
		return whatsapp.Restriction{}
	case ends.IsZero():
		return whatsapp.Restriction{IsGuess: true}
	}
	return whatsapp.Restriction{Until: ends}
}

// restricted tells the session what WhatsApp says about a restriction; refused, it ends the connection.
func (c *connection) restricted(ev *events.NotifyAccountReachoutTimelock) bool {
	return c.tellRestriction(restrictionOf(ev.IsActive, ev.TimeEnforcementEnds.Time))
}

func (c *connection) tellRestriction(r whatsapp.Restriction) bool {
	err := c.tell(c.ctx, func(ctx context.Context, sink whatsapp.Sink) error { return sink.Restricted(ctx, r) })
	if err != nil {
		return c.refuse(err)
	}
	return true
}

// refusedAsRestricted is told that WhatsApp refused a message as a restricted account's. It does not say until when, and it may
// mean this one recipient only: WhatsApp is asked, once at a time.
func (c *connection) refusedAsRestricted() {
	if !c.isAsking.CompareAndSwap(false, true) {
		return
	}
	c.line.spawn(func() {
		defer c.isAsking.Store(false)
		if !c.gate.enter() {
			return
		}
		defer c.gate.leave()
		ctx, cancel := context.WithTimeout(c.ctx, restrictionLimit)
		defer cancel()
		var r whatsapp.Restriction
		err := safely(func() error {
			answer, err := askTimelock(ctx, c.client)
			if err != nil {
				return err
			}
			r, err = readTimelock(answer)
			return err
		})
		if err != nil {
			r = whatsapp.Restriction{IsGuess: true}
			c.line.log.Info("whatsapp did not say until when the account is restricted", "error", redactedError(err))
		}
		if c.ctx.Err() == nil {
			c.tellRestriction(r)
		}
	})
}

var errNoTimelock = errors.New("wameow: the answer about the restriction holds none")

// readTimelock reads the answer to the question about a restriction. Times are seconds since 1970, as text.
func readTimelock(answer []byte) (whatsapp.Restriction, error) {
	var body struct {
		Lock *struct {
			IsActive bool   `json:"is_active"`
			Ends     string `json:"time_enforcement_ends"`
		} `json:"xwa2_fetch_account_reachout_timelock"`
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		return whatsapp.Restriction{}, fmt.Errorf("read the answer about the restriction: %w", err)
	}
	if body.Lock == nil {
		return whatsapp.Restriction{}, errNoTimelock
	}
	var ends time.Time
	if seconds, err := strconv.ParseInt(body.Lock.Ends, 10, 64); err == nil && seconds > 0 {
		ends = time.Unix(seconds, 0)
	}
	return restrictionOf(body.Lock.IsActive, ends), nil
}
