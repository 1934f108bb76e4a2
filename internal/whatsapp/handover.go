package whatsapp

import (
	"context"
	"sync"
)

// leave closes every line of the process and hands the sessions over.
func (m *SessionManager) leave(ctx context.Context) {
	if err := m.claims.Leave(ctx); err != nil {
		m.svc.log.Warn("whatsapp sessions: the others were not told that this process leaves", "error", err.Error())
	}
	m.mu.Lock()
	refs := make([]Ref, 0, len(m.slots))
	for ref, slot := range m.slots {
		if slot.current() != nil || m.mine[ref] != nil {
			refs = append(refs, ref)
		}
	}
	m.mu.Unlock()
	m.handOver(ctx, refs)
}

// closeSlot closes a session, letting sends under way finish. What was planned for it is not this process's to do any more.
func (m *SessionManager) closeSlot(ctx context.Context, slot *slot) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if slot.take(ctx) == nil { // else it is being opened, and slowly: the end of its claim ends that
		defer slot.release()
	}
	slot.cancelPlan()
	slot.unwant()
	if t := slot.current(); t != nil {
		t.drain(drainTime)
		slot.unset(t)
	}
}

// handOver closes sessions, letting sends under way finish, and gives each up as soon as it is closed.
func (m *SessionManager) handOver(ctx context.Context, refs []Ref) {
	if len(refs) == 0 {
		return
	}
	closed := make(chan Ref, len(refs))
	var closing, giving sync.WaitGroup
	for _, ref := range refs {
		closing.Go(func() {
			m.closeSlot(ctx, m.slot(ref))
			closed <- ref
		})
	}
	giving.Go(func() {
		for first := range closed {
			batch := []Ref{first}
			for len(closed) > 0 {
				batch = append(batch, <-closed)
			}
			m.release(ctx, batch...)
		}
	})
	closing.Wait()
	close(closed)
	giving.Wait()
}
