package whatsapp

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"turnero/internal/fault"
)

// How a process comes to its share of the sessions.
const (
	lookEvery    = 250 * time.Millisecond // at who carries what
	listEvery    = 5 * time.Second        // at which sessions there are
	listSoonest  = 500 * time.Millisecond // after a list, when somebody says that it has changed
	queueEvery   = time.Second            // at which of them have something to send, in case a wake-up was lost
	stepTimeout  = 10 * time.Second       // for one look and what follows from it
	mostTaken    = 128                    // claimed and not yet opened; who is slow takes little, and leaves the rest to others
	mostMoved    = 25                     // handed over at once to even out the shares
	calm         = 3 * time.Second        // without a process coming or going, before sessions are moved to even out the shares
	leftAfter    = time.Second            // after which orphans are nobody's share, and whoever sees them takes them
	beginsWithin = 3 * time.Second        // a session is claimed by the process that was asked to link it
	linkedWithin = 3 * time.Minute        // somebody may still be there to scan a code, and shall see a new one when the process that showed the last is gone
	aloneAfter   = time.Minute            // without other processes, after which nobody else can have left something to send
)

// balancer is what a process remembers from one look to the next. Only its own goroutine touches it.
type balancer struct {
	m         *SessionManager
	sessions  []Session // to be carried by somebody, or down
	listed    time.Time
	isStale   bool // somebody says that the list has changed
	queued    time.Time
	others    time.Time // when there were other processes last
	processes []string
	changed   time.Time         // when processes came or went last
	orphans   map[Ref]time.Time // since when
	isSilent  bool              // the last look failed
}

// balance keeps this process's share of the sessions until ctx ends.
func (m *SessionManager) balance(ctx context.Context) {
	b := &balancer{m: m, orphans: map[Ref]time.Time{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := b.step(ctx); err != nil && ctx.Err() == nil && !b.isSilent {
			m.svc.log.Warn("whatsapp sessions not looked after at the moment", "error", err.Error())
			b.isSilent = true
		} else if err == nil && b.isSilent {
			m.svc.log.Info("whatsapp sessions are looked after again")
			b.isSilent = false
		}
		timer.Reset(b.pause())
		select {
		case <-ctx.Done():
			return
		case <-m.peers.Announced():
			b.isStale = true
		case <-timer.C:
		}
	}
}

// pause is the time to the next look. A process that is alone has nobody to watch.
func (b *balancer) pause() time.Duration {
	switch {
	case !b.m.ownership().IsAlone:
		return lookEvery
	case b.isStale || b.isSilent:
		return listSoonest
	}
	return listEvery
}

// step looks once at what is to be carried and by whom, and takes, gives or ends what follows from it. What this process carries is looked
// after whether or not the locks can be asked.
func (b *balancer) step(ctx context.Context) error {
	now := b.m.svc.clock()
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var errs []error
	if age := now.Sub(b.listed); age >= listEvery || b.isStale && age >= listSoonest {
		errs = append(errs, b.list(ctx, now))
	}
	var wanted []Session
	for i := range b.sessions {
		if b.sessions[i].isWanted() {
			wanted = append(wanted, b.sessions[i])
		}
	}
	b.drop(ctx, wanted)
	b.reopenForgotten(wanted)
	errs = append(errs, b.wakeQueued(ctx, now), b.even(ctx, wanted, now))
	return errors.Join(errs...)
}

// even brings this process to its share.
func (b *balancer) even(ctx context.Context, wanted []Session, now time.Time) error {
	if err := b.m.lookAround(ctx); err != nil {
		return err
	}
	own := b.m.ownership()
	b.notice(own, now)
	share := (len(wanted) + len(own.Processes) - 1) / max(1, len(own.Processes))
	err := b.claim(ctx, b.takeable(wanted, own, share, now))
	if now.Sub(b.changed) >= calm {
		b.m.handOver(ctx, b.surplus(wanted, own, share))
	}
	return err
}

// list reads which sessions there are, and raises the alerts of those that nobody carries.
func (b *balancer) list(ctx context.Context, now time.Time) error {
	sessions, err := b.m.svc.store.ListSessionsToCarry(ctx)
	if err != nil {
		return err
	}
	b.sessions, b.listed, b.isStale = sessions, now, false
	down, resting := 0, map[Ref]Status{}
	for _, s := range sessions {
		if s.Status.isFinal() && s.isWanted() {
			resting[s.Ref] = s.Status
		}
		if s.IsAlerted {
			down++
		}
		if at, ok := s.alertDue(); ok && !at.After(b.m.svc.now()) {
			b.m.raiseAlert(ctx, s.Ref)
		}
	}
	b.m.mu.Lock()
	b.m.resting = resting
	b.m.mu.Unlock()
	b.m.svc.observe.LinesDown(down)
	return nil
}

// notice remembers when processes come and go.
func (b *balancer) notice(own Ownership, now time.Time) {
	var processes []string
	for process := range own.Processes {
		processes = append(processes, process)
	}
	slices.Sort(processes)
	if !slices.Equal(processes, b.processes) {
		b.processes, b.changed = processes, now
	}
	if len(processes) > 1 {
		b.others = now
	}
}

// takeable gives the orphans that this process should take: up to its share, and those that nobody has taken for a while.
func (b *balancer) takeable(wanted []Session, own Ownership, share int, now time.Time) []Session {
	self := b.m.claims.Self().ID
	have := 0
	for _, owner := range own.Owners {
		if owner.ID == self {
			have++
		}
	}
	var orphans []Session
	since := make(map[Ref]time.Time, len(b.orphans))
	for _, s := range wanted {
		if _, isOwned := own.Owners[s.Ref]; isOwned || b.m.isAvoided(s.Ref, now) || s.isBeingLinked(b.m.svc.now(), beginsWithin) {
			continue
		}
		since[s.Ref] = now
		if at, ok := b.orphans[s.Ref]; ok {
			since[s.Ref] = at
		}
		orphans = append(orphans, s)
	}
	b.orphans = since
	rand.Shuffle(len(orphans), func(i, j int) { orphans[i], orphans[j] = orphans[j], orphans[i] })
	mine := orphans[:min(len(orphans), max(0, share-have))]
	for _, s := range orphans[len(mine):] {
		if now.Sub(since[s.Ref]) >= leftAfter {
			mine = append(mine, s)
		}
	}
	if !own.IsAlone {
		mine = mine[:min(len(mine), max(0, mostTaken-int(b.m.taken.Load())))]
	}
	return mine
}

// isBeingLinked reports whether the session has been on the way to a link for less than so long.
func (s *Session) isBeingLinked(now time.Time, within time.Duration) bool {
	return !s.IsLinked && s.isRunning() && now.Sub(s.Since) < within
}

// claim takes orphans and has them opened, spread over a moment.
func (b *balancer) claim(ctx context.Context, orphans []Session) error {
	if len(orphans) == 0 {
		return nil
	}
	refs := make([]Ref, len(orphans))
	for i := range orphans {
		refs[i] = orphans[i].Ref
	}
	won, err := b.m.claimAll(ctx, refs)
	if err != nil {
		return err
	}
	spread := min(time.Duration(len(won))*openStep, openSpread)
	for _, s := range orphans {
		if won[s.Ref] == nil {
			continue
		}
		delete(b.orphans, s.Ref)
		b.m.watch(s)
		if s.IsLinked || s.isBeingLinked(b.m.svc.now(), linkedWithin) {
			b.m.taken.Add(1)
			b.m.planOpenThen(s.Ref, jitter(spread), func() { b.m.taken.Add(-1) })
		} else {
			b.m.interrupt(ctx, s.Ref)
		}
	}
	if len(won) > 0 {
		b.m.svc.log.Info("whatsapp sessions taken", "count", len(won), "of", len(b.sessions), "processes", len(b.processes))
	}
	return nil
}

// surplus gives sessions that another process should have: what is above this one's share while others are below theirs. Only lines that are
// connected are moved: nothing that is in the middle of something is disturbed.
func (b *balancer) surplus(wanted []Session, own Ownership, share int) []Ref {
	self := b.m.claims.Self().ID
	count := map[string]int{}
	for _, owner := range own.Owners {
		count[owner.ID]++
	}
	room := 0
	for process := range own.Processes {
		if process != self {
			room += max(0, share-count[process])
		}
	}
	surplus := min(count[self]-share, room, mostMoved)
	var refs []Ref
	for _, s := range wanted {
		if len(refs) >= surplus {
			break
		}
		if t := b.m.term(s.Ref); t != nil && t.canSend() {
			refs = append(refs, s.Ref)
		}
	}
	return refs
}

// drop ends and gives up what this process has claimed and nobody wants carried.
func (b *balancer) drop(ctx context.Context, wanted []Session) {
	isWanted := make(map[Ref]bool, len(wanted))
	for _, s := range wanted {
		isWanted[s.Ref] = true
	}
	for _, ref := range b.m.claimed() {
		if !isWanted[ref] {
			b.m.dropUnwanted(ctx, ref)
		}
	}
}

// reopenForgotten opens what this process carries and does nothing for: a session that was stopped and is wanted again.
func (b *balancer) reopenForgotten(wanted []Session) {
	for i := range wanted {
		s := &wanted[i]
		if !s.IsLinked || s.Status == StatusBanned || s.Status == StatusReplaced || !b.m.carries(s.Ref) {
			continue // those two have their own time
		}
		if b.m.slot(s.Ref).isIdle() {
			b.m.planOpen(s.Ref, 0)
		}
	}
}

// dropUnwanted ends a session here and gives it up, unless it turns out to be wanted.
func (m *SessionManager) dropUnwanted(ctx context.Context, ref Ref) {
	slot := m.slot(ref)
	select {
	case slot.turn <- struct{}{}:
	default:
		return // it is being opened or closed
	}
	defer slot.release()
	session, err := m.svc.store.FindSession(ctx, ref)
	if err == nil && session.isWanted() || err != nil && !fault.Is(err, fault.NotFound) || slot.wanted() {
		slot.unwant() // until the next look
		return
	}
	m.endTerm(slot)
	m.release(ctx, ref)
}

// wakeQueued has sessions look at their queues. Whoever accepts a message wakes its owner, but may be killed before it does.
func (b *balancer) wakeQueued(ctx context.Context, now time.Time) error {
	if now.Sub(b.queued) < queueEvery || b.others.IsZero() || now.Sub(b.others) > aloneAfter {
		return nil
	}
	refs, err := b.m.svc.store.ListWithQueue(ctx)
	if err != nil {
		return err
	}
	b.queued = now
	for _, ref := range refs {
		b.m.Wake(ref)
	}
	return nil
}
