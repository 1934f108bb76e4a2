package whatsapp

import (
	"context"
	"errors"
	"maps"
	"time"
)

// How a process treats a session that it cannot have at once.
const (
	avoidFor  = time.Second     // a session that could not be had
	claimWait = 5 * time.Second // for a session that nobody has and nobody may take yet
)

// errNotMine ends the opening of a session that another process carries.
var errNotMine = errors.New("whatsapp: another process carries the session")

// lookAround reads anew who carries what.
func (m *SessionManager) lookAround(ctx context.Context) error {
	own, err := m.claims.Ownership(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = own
	return nil
}

func (m *SessionManager) ownership() Ownership {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

// elsewhere gives the other process that carries the session, as far as known; ok is false when there is none.
func (m *SessionManager) elsewhere(ref Ref) (owner Process, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if claim := m.mine[ref]; claim != nil && claim.Err() == nil {
		return Process{}, false
	}
	owner, ok = m.seen.Owners[ref]
	return owner, ok && owner.ID != m.claims.Self().ID
}

// carries reports whether the session is claimed by this process.
func (m *SessionManager) carries(ref Ref) bool {
	_, err := m.held(ref)
	return err == nil
}

// claimed lists what this process has claimed.
func (m *SessionManager) claimed() []Ref {
	m.mu.Lock()
	defer m.mu.Unlock()
	refs := make([]Ref, 0, len(m.mine))
	for ref, claim := range m.mine {
		if claim.Err() != nil {
			delete(m.mine, ref)
			continue
		}
		refs = append(refs, ref)
	}
	return refs
}

// claimAll tries for sessions.
func (m *SessionManager) claimAll(ctx context.Context, refs []Ref) (map[Ref]context.Context, error) {
	won, err := m.claims.Claim(ctx, refs...)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for ref, claim := range won {
		m.mine[ref] = claim
	}
	return won, nil
}

// held gives the context of the claim to a session, errNotMine when there is none (any more). It asks nobody: what many sessions want at once
// must not cost a question for each.
func (m *SessionManager) held(ref Ref) (context.Context, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if claim := m.mine[ref]; claim != nil && claim.Err() == nil {
		return claim, nil
	}
	return nil, errNotMine
}

// claim gives the context of the claim to a session, which is made if there is none. The error is errNotMine when another process has it.
func (m *SessionManager) claim(ctx context.Context, ref Ref) (context.Context, error) {
	if claim, err := m.held(ref); err == nil {
		return claim, nil
	}
	won, err := m.claimAll(ctx, []Ref{ref})
	if err == nil && won[ref] == nil {
		err = errNotMine
	}
	return won[ref], err
}

// mustCarry claims a session because of a request. The fault is "not_owner" when another process has it. Where nobody has it but nobody may
// take it either, as in the first seconds of new locks, it waits for a moment.
func (m *SessionManager) mustCarry(ctx context.Context, ref Ref) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for end := m.svc.clock().Add(claimWait); ; {
		_, err := m.claim(ctx, ref)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errNotMine) {
			return errOffline(retrySoon).WithCause(err)
		}
		if err = m.lookAround(ctx); err != nil {
			return errOffline(retrySoon).WithCause(err)
		}
		if _, elsewhere := m.elsewhere(ref); elsewhere || m.svc.clock().After(end) {
			return errNotOwner()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// release gives up sessions that are closed here.
func (m *SessionManager) release(ctx context.Context, refs ...Ref) {
	if len(refs) == 0 {
		return
	}
	m.mu.Lock()
	for _, ref := range refs {
		delete(m.mine, ref)
	}
	m.mu.Unlock()
	if err := m.claims.Release(ctx, refs...); err != nil {
		m.svc.log.Warn("whatsapp sessions not given up yet; others can have them a little later", "count", len(refs), "error", err.Error())
	}
	m.peers.Announce()
}

// giveUp gives up a session that this process cannot have after all, and leaves it alone for a moment.
func (m *SessionManager) giveUp(ctx context.Context, ref Ref) {
	slot := m.slot(ref)
	slot.avoid(m.svc.clock().Add(avoidFor))
	m.release(ctx, ref)
}

func (m *SessionManager) isAvoided(ref Ref, now time.Time) bool {
	m.mu.Lock()
	slot := m.slots[ref]
	m.mu.Unlock()
	return slot != nil && slot.isAvoided(now)
}

// Count tells how many sessions this process carries, by status. What rests until it is tried again, as after a ban, is as it was when
// the process looked last, a few seconds ago.
func (m *SessionManager) Count() map[Status]int {
	out := map[Status]int{}
	m.mu.Lock()
	slots, resting := maps.Clone(m.slots), maps.Clone(m.resting)
	maps.DeleteFunc(resting, func(ref Ref, _ Status) bool { return m.mine[ref] == nil })
	m.mu.Unlock()
	for ref, slot := range slots {
		if t := slot.current(); t != nil {
			_, status, _ := t.live()
			out[status]++
			delete(resting, ref)
		}
	}
	for _, status := range resting {
		out[status]++
	}
	return out
}
