package wameow

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"turnero/internal/whatsapp"
)

// line is one session during one term. It has no goroutine of its own while it is connected: timers and the ends of connections
// start short ones.
type line struct {
	engine *Engine
	ref    whatsapp.Ref
	owner  whatsapp.Term // the right to write for the session
	sink   whatsapp.Sink
	log    *slog.Logger
	term   context.Context // as Open was given it, and ended by Close
	leave  context.CancelFunc
	unhook func() bool
	turn   chan struct{} // holds one value while a send is under way

	mu        sync.Mutex
	conn      *connection
	next      *time.Timer   // the next attempt
	nextAt    time.Time     // when that is
	isCalled  bool          // it may come sooner, when WhatsApp can be reached again
	moved     chan struct{} // closed, and made anew, when conn or isIdle changes
	isIdle    bool          // nobody tries to connect
	isClosing bool
	isTold    bool // the session knows in this term that it is linked
	failures  int  // attempts since the connection last held
	codesEnd  time.Time
	running   sync.WaitGroup
	closed    chan struct{}

	reporting sync.Mutex // one report at a time, in order
	told      whatsapp.LinkChange
}

var _ whatsapp.Line = (*line)(nil)

func newLine(ctx context.Context, e *Engine, t whatsapp.Term, sink whatsapp.Sink) *line {
	l := &line{engine: e, ref: t.Ref, owner: t, sink: sink, turn: make(chan struct{}, 1), moved: make(chan struct{}), closed: make(chan struct{}),
		log: e.log.With("tenant", t.Tenant.String(), "session", t.Session.String())}
	l.term, l.leave = context.WithCancel(ctx)
	return l
}

// begin has the first attempt made and binds the line to its context.
func (l *line) begin(ctx context.Context) {
	l.mu.Lock()
	l.unhook = context.AfterFunc(ctx, l.Close)
	l.mu.Unlock()
	l.attemptIn(0)
}

// spawn runs fn in a goroutine that Close waits for. It does nothing once the line is closing.
func (l *line) spawn(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosing {
		return
	}
	l.running.Go(fn)
}

// attemptIn schedules the next attempt to connect.
func (l *line) attemptIn(pause time.Duration) { l.schedule(pause, false) }

// schedule is attemptIn for an attempt that may come sooner when WhatsApp can be reached again.
func (l *line) schedule(pause time.Duration, isCalled bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosing {
		return
	}
	l.isCalled, l.nextAt = isCalled, time.Now().Add(pause)
	l.next = time.AfterFunc(pause, func() { l.spawn(l.attempt) })
}

// hasten brings the next attempt forward to at most the pause from now, if it waits for the end of an outage.
func (l *line) hasten(pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosing || !l.isCalled || l.next == nil || time.Until(l.nextAt) <= pause || !l.next.Stop() {
		return
	}
	l.nextAt = time.Now().Add(pause)
	l.next.Reset(pause)
}

// attempt makes one connection. From its end, however early, afterEnd takes over.
func (l *line) attempt() {
	if !l.engine.outage.mayTry(time.Now(), l.engine.pace.probe) {
		l.wait()
		return
	}
	if !l.engine.admit(l.term) {
		return
	}
	defer l.engine.dismiss()
	l.engine.version.update(l.term, l.engine.now(), l.engine.log)
	l.report(nil, whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: l.lastReason()})
	c, err := l.newConnection()
	if err != nil {
		l.log.Error("session's keys not loaded", "error", err)
		l.engine.outage.fail()
		l.retry(ending{kind: endAgain, reason: "store_error"})
		return
	}
	if !l.put(c) {
		c.cancel(errOver)
		c.unwind()
		return
	}
	if err = c.open(); err != nil {
		c.end(dialEnd(err))
	}
}

// put makes c the line's connection, unless the line is closing.
func (l *line) put(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosing && c != nil {
		return false
	}
	l.conn = c
	l.move()
	return true
}

// move wakes those who wait for a change. The caller holds l.mu.
func (l *line) move() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// afterEnd waits until nothing of a connection runs any more and does what its end calls for.
func (l *line) afterEnd(c *connection) {
	c.shut()
	l.mu.Lock()
	if l.conn == c {
		l.conn = nil
	}
	if c.wasSteady() {
		l.failures = 0
	}
	e := c.ended()
	isCodeShown := c.codes.wereShown()
	l.mu.Unlock()
	if isCodeShown {
		l.tellCode("", time.Time{})
	}
	isTriedAgain := e.kind == endAgain || e.kind == endRefused || e.kind == endUnpaired
	if isTriedAgain && isCodeShown && l.areCodesOver() {
		e = ending{kind: endStopped, reason: reasonCodesOver}
	}
	l.log.Info("whatsapp connection ended", "reason", e.reason, "error", redactedError(e.err))
	if (e.kind == endAgain || e.isOurs) && !c.gotThrough() && !isCodeShown {
		l.engine.outage.fail()
	}
	switch e.kind {
	case endUnpaired:
		if err := l.within(func(ctx context.Context) error { return l.engine.devices.Delete(ctx, l.owner) }); err != nil {
			l.log.Error("keys of a link that failed not deleted", "error", err) // WhatsApp refuses them, which deletes them then
		}
		l.retry(ending{kind: endAgain, reason: e.reason})
	case endAgain, endRefused:
		l.retry(e)
	case endRestart:
		l.report(nil, whatsapp.LinkChange{State: whatsapp.LinkPairing})
		l.attemptIn(0)
	case endBanned:
		l.report(nil, whatsapp.LinkChange{State: whatsapp.LinkBanned, Reason: e.reason, Until: e.until})
		l.attemptIn(e.until.Sub(l.engine.now()) + jitter(time.Minute))
	case endLoggedOut:
		l.forget(e.reason)
	case endReplaced:
		l.rest(whatsapp.LinkChange{State: whatsapp.LinkReplaced, Reason: e.reason})
	case endStopped:
		if e.reason == reasonOutdated {
			l.engine.version.outdate()
		}
		l.rest(whatsapp.LinkChange{State: whatsapp.LinkStopped, Reason: e.reason, Until: e.until})
	}
}

// retry reports why there is no connection and schedules the next attempt, which is slower in coming when WhatsApp refused the last.
func (l *line) retry(e ending) {
	l.mu.Lock()
	l.failures++
	n := l.failures
	l.mu.Unlock()
	l.report(nil, whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: e.reason})
	if e.kind == endRefused {
		l.schedule(l.engine.pace.refused(n), e.isOurs)
		return
	}
	l.wait()
}

// wait schedules the next attempt after as many failures as there were.
func (l *line) wait() {
	l.mu.Lock()
	n := l.failures
	l.mu.Unlock()
	l.schedule(l.engine.pace.retry(n, l.engine.openLines()), true)
}

// rest reports a last change: nobody tries to connect any more.
func (l *line) rest(change whatsapp.LinkChange) {
	l.mu.Lock()
	l.isIdle = true
	l.move()
	l.mu.Unlock()
	l.report(nil, change)
}

// forget deletes the keys of a link that is gone and tells the session, as often as it takes.
func (l *line) forget(reason string) {
	const pauseMost = 30 * time.Second
	steps := []func(ctx context.Context) error{
		func(ctx context.Context) error { return l.engine.devices.Delete(ctx, l.owner) },
		func(ctx context.Context) error { return l.sink.Unlinked(ctx, reason) },
	}
	for _, step := range steps {
		for pause := time.Second; ; pause = min(2*pause, pauseMost) {
			err := l.within(step)
			if err == nil {
				break
			}
			l.log.Error("end of the link not stored", "error", err)
			select {
			case <-time.After(pause):
			case <-l.term.Done():
				return
			}
		}
	}
	l.rest(whatsapp.LinkChange{State: whatsapp.LinkLoggedOut, Reason: reason})
}

// within makes one call under the term's context, with the time limit of the Sink.
func (l *line) within(call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(l.term, sinkLimit)
	defer cancel()
	return safely(func() error { return call(ctx) })
}

// report tells the session of a change of state. What a connection has to say counts while it is the line's and not over;
// nil stands for the line itself.
func (l *line) report(c *connection, change whatsapp.LinkChange) {
	l.reporting.Lock()
	defer l.reporting.Unlock()
	if c != nil && (c.ctx.Err() != nil || l.current() != c) || l.term.Err() != nil || change == l.told {
		return
	}
	if change.State == whatsapp.LinkConnecting && l.told.State == whatsapp.LinkPairing {
		return // completing a link is one state, whatever connections it takes
	}
	l.told = change
	l.log.Info("whatsapp line", "state", string(change.State), "reason", change.Reason)
	if err := l.within(func(ctx context.Context) error { l.sink.Changed(ctx, change); return nil }); err != nil {
		l.log.Error("session failed to take a change", "error", err)
	}
}

// lastReason is why the line is not connected, as it was reported.
func (l *line) lastReason() string {
	l.reporting.Lock()
	defer l.reporting.Unlock()
	if l.told.State == whatsapp.LinkConnecting {
		return l.told.Reason
	}
	return ""
}

// current gives the line's connection, nil while there is none.
func (l *line) current() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

// ready gives the connection if messages flow on it.
func (l *line) ready() (*connection, bool) {
	c := l.current()
	return c, c != nil && c.isConnected.Load()
}

// Close implements whatsapp.Line. It must not be called from within the Sink, whose calls it waits for.
func (l *line) Close() {
	l.mu.Lock()
	isFirst := !l.isClosing
	l.isClosing = true
	c, next, unhook := l.conn, l.next, l.unhook
	l.mu.Unlock()
	if !isFirst {
		<-l.closed
		return
	}
	unhook()
	if next != nil {
		next.Stop()
	}
	l.leave()
	if c != nil {
		c.end(ending{kind: endClosed})
		c.shut()
		l.put(nil)
	}
	l.running.Wait()
	l.engine.release(l)
	close(l.closed)
}
