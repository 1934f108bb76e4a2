package wameow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// guard stands between the library and the stores of a device for the time of one connection. It does three things: it
// serialises the use of Signal state (ratchet), it ends the connection before it lets the library see a store's error, and
// it lets nothing through once the connection is over, whatever context the call comes with.
type guard struct {
	conn    *connection
	ratchet *ratchet
	preKeys sync.Mutex // before the inner store's own lock, which one call takes inside and one outside of a transaction

	mu sync.Mutex // guards the fields below: linking replaces them
	in innerStores
}

// innerStores are the stores that are guarded.
type innerStores struct {
	store.IdentityStore
	store.SessionStore
	store.PreKeyStore
	store.SenderKeyStore
	store.AppStateSyncKeyStore
	store.AppStateStore
	store.ContactStore
	store.ChatSettingsStore
	store.MsgSecretStore
	store.PrivacyTokenStore
	store.NCTSaltStore
	store.EventBuffer
	store.LIDStore
	store.DeviceContainer
}

var (
	_ store.AllStores       = (*guard)(nil)
	_ store.DeviceContainer = (*guard)(nil)
)

// errOver is what a store call gets after the end of its connection. It is a cancellation to the library, which then leaves
// the stanza unanswered.
var errOver = fmt.Errorf("wameow: the connection is over: %w", context.Canceled)

// cover puts the guard in front of the device's present stores. A device that is not linked yet has none but its container.
func (g *guard) cover(d *store.Device) {
	g.mu.Lock()
	g.in = innerStores{d.Identities, d.Sessions, d.PreKeys, d.SenderKeys, d.AppStateKeys, d.AppState, d.Contacts, d.ChatSettings,
		d.MsgSecrets, d.PrivacyTokens, d.NCTSalt, d.EventBuffer, d.LIDs, d.Container}
	g.mu.Unlock()
	d.Container = g
	if d.ID == nil {
		return
	}
	d.SetAllStores(g)
	d.LIDs = g
}

func (g *guard) inner() innerStores {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.in
}

// do makes one call of the inner stores. A failure that is not the caller's own end of time is the store's: it ends the
// connection before it is returned.
func (g *guard) do(ctx context.Context, call func(ctx context.Context, in innerStores) error) error {
	if !g.conn.gate.enter() {
		return errOver
	}
	defer g.conn.gate.leave()
	ctx = g.conn.bound(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := safely(func() error { return call(ctx, g.inner()) })
	g.judge(ctx, err)
	return err
}

// judge ends the connection for an error of the store.
func (g *guard) judge(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, errOver) || errors.Is(err, sql.ErrNoRows) {
		return
	}
	g.conn.end(ending{kind: endAgain, reason: "store_error", err: err})
}

// fetch is do for calls with a result.
func fetch[T any](ctx context.Context, g *guard, call func(ctx context.Context, in innerStores) (T, error)) (out T, err error) {
	err = g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		out, err = call(ctx, in)
		return err
	})
	return out, err
}

// exclusively makes a call that no other operation on Signal state may interleave with. Within an operation that holds the
// state it is just made.
func (g *guard) exclusively(ctx context.Context, call func(ctx context.Context, in innerStores) error) error {
	if holding(ctx) {
		return g.do(ctx, call)
	}
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		if err := g.ratchet.lock(ctx); err != nil {
			return err
		}
		defer g.ratchet.unlock()
		return call(ctx, in)
	})
}

// safely turns a panic into an error.
func safely(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}

// PutDevice implements store.DeviceContainer. The first time, linking gives the device its stores.
func (g *guard) PutDevice(ctx context.Context, d *store.Device) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		isNew := !d.Initialized
		err := in.PutDevice(ctx, d)
		if isNew {
			g.cover(d)
		}
		return err
	})
}

// errKept refuses to delete keys in the middle of a connection.
var errKept = errors.New("wameow: the line deletes the keys of a link that is gone, after its connection")

// DeleteDevice implements store.DeviceContainer. The library would delete the keys as soon as it hears that the link is gone, and
// change the device under the hands of everything that still uses it.
func (g *guard) DeleteDevice(context.Context, *store.Device) error { return errKept }

// PutLIDMapping implements store.LIDStore and tells the session of two addresses that were not known to be one person's.
func (g *guard) PutLIDMapping(ctx context.Context, lid, pn types.JID) error {
	return g.PutManyLIDMappings(ctx, []store.LIDMapping{{LID: lid, PN: pn}})
}

// mostLearned is the largest number of new pairs that are told one by one. A phone's whole address book is not: each of
// its contacts is learned when they next write.
const mostLearned = 50

// PutManyLIDMappings implements store.LIDStore as PutLIDMapping does.
func (g *guard) PutManyLIDMappings(ctx context.Context, mappings []store.LIDMapping) error {
	var news []store.LIDMapping
	err := g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		if len(mappings) <= mostLearned {
			if news, err = g.unknown(ctx, in, mappings); err != nil || len(news) == 0 {
				return err
			}
		}
		if len(mappings) == 1 {
			return in.PutLIDMapping(ctx, mappings[0].LID, mappings[0].PN)
		}
		return in.PutManyLIDMappings(ctx, mappings)
	})
	if err != nil {
		return err
	}
	for _, m := range news {
		if err = g.conn.learned(ctx, contactOf(m.LID, m.PN)); err != nil {
			return err
		}
	}
	return nil
}

// unknown gives those pairs that the store does not have.
func (g *guard) unknown(ctx context.Context, in innerStores, mappings []store.LIDMapping) ([]store.LIDMapping, error) {
	var out []store.LIDMapping
	for _, m := range mappings {
		if m.LID.Server != types.HiddenUserServer || m.PN.Server != types.DefaultUserServer {
			continue
		}
		known, err := in.GetLIDForPN(ctx, m.PN)
		if err != nil {
			return nil, err
		}
		if known.User != m.LID.User {
			out = append(out, m)
		}
	}
	return out, nil
}

// GetPNForLID implements store.LIDStore.
func (g *guard) GetPNForLID(ctx context.Context, lid types.JID) (types.JID, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (types.JID, error) { return in.GetPNForLID(ctx, lid) })
}

// GetLIDForPN implements store.LIDStore.
func (g *guard) GetLIDForPN(ctx context.Context, pn types.JID) (types.JID, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (types.JID, error) { return in.GetLIDForPN(ctx, pn) })
}

// GetManyLIDsForPNs implements store.LIDStore.
func (g *guard) GetManyLIDsForPNs(ctx context.Context, pns []types.JID) (map[types.JID]types.JID, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (map[types.JID]types.JID, error) {
		return in.GetManyLIDsForPNs(ctx, pns)
	})
}
