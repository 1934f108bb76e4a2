package peer

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// avoidFor is how long an address that did not answer is tried only after all others.
const avoidFor = time.Second

// Turn spreads questions over the addresses of one service. It is safe for concurrent use.
type Turn struct {
	addresses []string
	now       func() time.Time
	next      atomic.Uint64

	mu    sync.Mutex
	avoid map[string]time.Time // until when
}

// NewTurn makes the turn of at least one address.
func NewTurn(addresses []string, now func() time.Time) *Turn {
	return &Turn{addresses: slices.Clone(addresses), now: now, avoid: map[string]time.Time{}}
}

// Order gives the addresses in the order in which to try them this time. It must not be changed.
func (t *Turn) Order() []string {
	n := len(t.addresses)
	if n == 1 {
		return t.addresses
	}
	first := int(t.next.Add(1) % uint64(n))
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	order, last := make([]string, 0, n), []string(nil)
	for i := range n {
		address := t.addresses[(first+i)%n]
		if now.Before(t.avoid[address]) {
			last = append(last, address)
		} else {
			order = append(order, address)
		}
	}
	return append(order, last...)
}

// Avoid notes that an address did not answer.
func (t *Turn) Avoid(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.avoid[address] = t.now().Add(avoidFor)
}
