package peer

import (
	"context"
	"errors"
	"time"

	"turnero/internal/fault"
)

// Target is a service that one or more processes run, any of which may be asked. It takes them in turn.
type Target struct {
	client *Client
	turn   *Turn
}

// NewTarget makes a target of at least one address.
func NewTarget(c *Client, addresses []string, now func() time.Time) *Target {
	return &Target{client: c, turn: NewTurn(addresses, now)}
}

// Ask asks what changes nothing, or may be done twice: one address after another until one answers.
func (t *Target) Ask(ctx context.Context, path string, in, out any) error {
	return t.try(ctx, path, in, out, isSilent)
}

// Do asks for what must not be done twice: another address only when the one before has certainly not begun.
func (t *Target) Do(ctx context.Context, path string, in, out any) error {
	return t.try(ctx, path, in, out, func(err error) bool { return errors.Is(err, ErrNotSent) })
}

func (t *Target) try(ctx context.Context, path string, in, out any, goOn func(error) bool) error {
	var err error
	for _, address := range t.turn.Order() {
		if err = t.client.Call(ctx, address, path, in, out); err == nil || ctx.Err() != nil {
			return err
		}
		if isSilent(err) {
			t.turn.Avoid(address)
		}
		if !goOn(err) {
			return err
		}
	}
	return err
}

// isSilent reports whether the error says that nobody answered, not what somebody answered.
func isSilent(err error) bool {
	return fault.HasReason(err, reasonSilent) || errors.Is(err, ErrNotSent)
}
