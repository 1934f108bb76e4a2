package peer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"turnero/internal/fault"
)

// avoidFor is how long an address that did not answer is asked only after all others.
const avoidFor = time.Second

// Target is a service that one or more processes run, any of which may be asked. It takes them in turn.
type Target struct {
	client    *Client
	addresses []string
	now       func() time.Time
	next      atomic.Uint64

	mu    sync.Mutex
	avoid map[string]time.Time // until when
}

// NewTarget makes a target of at least one address.
func NewTarget(c *Client, addresses []string, now func() time.Time) *Target {
	return &Target{client: c, addresses: slices.Clone(addresses), now: now, avoid: map[string]time.Time{}}
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
	for _, address := range t.inTurn() {
		if err = t.client.Call(ctx, address, path, in, out); err == nil || ctx.Err() != nil {
			return err
		}
		if isSilent(err) {
			t.mu.Lock()
			t.avoid[address] = t.now().Add(avoidFor)
			t.mu.Unlock()
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

// inTurn gives the addresses in the order in which this call tries them.
func (t *Target) inTurn() []string {
	n := len(t.addresses)
	if n == 1 {
		return t.addresses
	}
	first := int(t.next.Add(1) % uint64(n))
	order := append(slices.Clone(t.addresses[first:]), t.addresses[:first]...)
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(order, func(a, b string) int {
		switch x, y := now.Before(t.avoid[a]), now.Before(t.avoid[b]); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return order
}
