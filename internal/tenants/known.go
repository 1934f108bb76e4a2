package tenants

import (
	"slices"
	"sync"
	"time"

	"turnero/internal/id"
)

// knownAge is how long what was read of a business is believed without looking again.
const knownAge = 2 * time.Second

// knownTenants remembers businesses that were read a moment ago.
type knownTenants struct {
	now func() time.Time

	mu      sync.RWMutex
	round   int // grows with each forget: what was read before one is not kept after it
	entries map[id.Tenant]knownTenant
}

type knownTenant struct {
	tenant Tenant
	until  time.Time
}

func newKnownTenants(now func() time.Time) *knownTenants {
	return &knownTenants{now: now, entries: map[id.Tenant]knownTenant{}}
}

// get gives what is known of a business, asking load when nothing is. Errors are not kept. The settings are the caller's own copy.
func (k *knownTenants) get(tenant id.Tenant, load func() (Tenant, error)) (Tenant, error) {
	start := k.now()
	k.mu.RLock()
	e, ok := k.entries[tenant]
	round := k.round
	k.mu.RUnlock()
	if !ok || !start.Before(e.until) {
		t, err := load()
		if err != nil {
			return Tenant{}, err
		}
		e = knownTenant{t, start.Add(knownAge)}
		k.keep(tenant, e, round)
	}
	e.tenant.Settings.ReminderOffsets = slices.Clone(e.tenant.Settings.ReminderOffsets)
	return e.tenant, nil
}

func (k *knownTenants) keep(tenant id.Tenant, e knownTenant, round int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.round == round {
		k.entries[tenant] = e
	}
}

// forget drops what is known of a business: it has changed.
func (k *knownTenants) forget(tenant id.Tenant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.round++
	delete(k.entries, tenant)
}

// clear drops everything.
func (k *knownTenants) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.round++
	clear(k.entries)
}
