package wameow

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"

	"turnero/internal/whatsapp"
)

// Time limits of a connection.
const (
	// openLimit ends an attempt that has not completed its handshake.
	openLimit = 15 * time.Second
	// loginLimit ends a connection that was opened but is not logged in, or has not shown a code.
	loginLimit = 40 * time.Second
	// restartLimit is the time after a successful link in which WhatsApp asks for the reconnect that completes it. The link is
	// stored by then, so reconnecting without having been asked completes it too.
	restartLimit = 30 * time.Second
	// sinkLimit bounds one call of the session's Sink.
	sinkLimit = 10 * time.Second
	// lastFrameTime is what the library gets to finish with the last frame that it has read. An answer that it drops instead, because
	// its context has ended, is waited for up to 75 s.
	lastFrameTime = 20 * time.Millisecond
	// steadyAfter is how long a connection must hold before its end counts as a first failure again.
	steadyAfter = 10 * time.Second
)

// endKind says what follows the end of a connection.
type endKind int

const (
	endAgain     endKind = iota // connect again after a pause
	endRefused                  // connect again after a longer one: WhatsApp answers, and refuses
	endRestart                  // connect again at once: WhatsApp asked for it after linking
	endUnpaired                 // linking failed half-way: delete what it has stored and begin anew
	endClosed                   // the term is over
	endStopped                  // nobody connects until the session is opened anew
	endReplaced                 // another connection of the same device took over
	endBanned                   // connect again when the ban is over
	endLoggedOut                // the link is gone
)

// isFinal reports whether an end overrules one that would only be followed by another attempt.
func (k endKind) isFinal() bool { return k >= endStopped }

// ending is why and how a connection ends.
type ending struct {
	kind   endKind
	reason string // stable word for whatsapp.LinkChange
	err    error  // cause, for the log
	until  time.Time
	isOurs bool // of a refusal: it was the process's, before anybody said which line it is
}

// connection is one attempt to be connected, from the dialling to the end of everything that it started. The library's
// client lives as long: with a client of its own, nothing that is left of an earlier connection can acknowledge, read or
// send on a later one.
type connection struct {
	line     *line
	client   *whatsmeow.Client
	guard    *guard
	gate     *gate
	ctx      context.Context // of everything that happens on this connection; ended before anything else when something fails
	cancel   context.CancelCauseFunc
	wire     *wire
	library  context.Context // the library's: over as soon as ctx, but unwound only when the socket is gone
	unwind   context.CancelFunc
	dialled  chan struct{} // closed when the library has finished dialling, well or not
	began    time.Time
	name     string // the account's push name as it was stored
	isLinked bool   // the device was linked when the connection was made

	isConnected atomic.Bool  // messages flow
	isCaughtUp  atomic.Bool  // what waited while the session was away has been delivered
	isLeaving   atomic.Bool  // the session is giving its link up
	linking     atomic.Int32 // how much of a link is done: the phone accepted it, WhatsApp asked to connect anew
	isProbing   atomic.Bool
	isAsking    atomic.Bool                         // whether the account is restricted
	me          atomic.Pointer[whatsapp.ContactIDs] // the session's own addresses, once connected
	codes       codes

	mu     sync.Mutex
	cause  *ending
	limit  *time.Timer
	watch  *time.Timer // for silence, once connected
	steady time.Time   // when it was connected
}

// newConnection makes a connection on the session's device.
func (l *line) newConnection() (*connection, error) {
	load, stop := context.WithTimeout(l.term, sinkLimit)
	defer stop()
	device, err := l.engine.devices.Load(load, l.owner)
	if err != nil {
		return nil, fmt.Errorf("load the session's device: %w", err)
	}
	c := &connection{line: l, gate: newGate(), dialled: make(chan struct{}), began: l.engine.now(), codes: newCodes()}
	c.ctx, c.cancel = context.WithCancelCause(l.term)
	c.wire = newWire(l.engine.transport())
	rest, unwind := context.WithCancel(context.WithoutCancel(l.term))
	c.library, c.unwind = lifeline{rest, c.ctx}, unwind
	c.name, c.isLinked = device.PushName, device.ID != nil
	c.guard = &guard{conn: c, ratchet: newRatchet()}
	c.guard.cover(device)
	c.client = whatsmeow.NewClient(device, libraryLog{log: l.log, overflow: c.overflowed})
	slim(c.client)
	c.setUp(c.client)
	return c, nil
}

// setUp gives the client its settings. Each is there for a reason: acknowledge after handling, keep what was decrypted until
// it was handled, leave history and reconnecting alone, answer requests to repeat from the session's own messages.
func (c *connection) setUp(client *whatsmeow.Client) {
	client.BackgroundEventCtx = c.ctx
	client.EnableAutoReconnect = false
	client.DisableLoginAutoReconnect = true
	client.SynchronousAck = true
	client.EnableDecryptedEventBuffer = true
	client.ManualHistorySyncDownload = true
	client.AutomaticMessageRerequestFromPhone = false
	client.UseRetryMessageStore = false
	client.GetMessageForRetry = c.messageForRetry
	client.RefreshCAT = func(context.Context) error { return errNoToken } // the library calls it without looking whether it is there
	client.SetMaxParallelRetryReceiptHandling(4)
	client.SetWebsocketHTTPClient(&http.Client{Transport: c.wire})
	client.SetPreLoginHTTPClient(&http.Client{Transport: c.wire})
	client.SetMediaHTTPClient(c.line.engine.http)
	client.AddEventHandlerWithSuccessStatus(c.onEvent)
}

// open dials and completes the handshake.
func (c *connection) open() error {
	c.setLimit(openLimit, ending{kind: endAgain, reason: "connect_timeout"})
	result := make(chan error, 1)
	go func() {
		defer close(c.dialled)
		result <- safely(func() error { return c.client.ConnectContext(c.library) })
	}()
	select {
	case err := <-result:
		if err == nil {
			c.stretchLimit(loginLimit, ending{kind: endAgain, reason: "login_timeout"})
		}
		return err
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// end ends the connection, once, and lets the line go on from there. What follows is decided by the first cause, unless a
// final one comes right behind it. It returns at once, also inside of the connection's own handlers.
func (c *connection) end(e ending) {
	c.mu.Lock()
	isFirst := c.cause == nil
	if isFirst || e.kind.isFinal() && !c.cause.kind.isFinal() && c.cause.kind != endClosed {
		c.cause = &e
	}
	c.mu.Unlock()
	if !isFirst {
		return
	}
	c.cancel(errOver)
	c.gate.shut()
	c.isConnected.Store(false)
	c.line.spawn(func() { c.line.afterEnd(c) })
}

// refuse ends the connection because the session could not take what it was told. It returns false, as a handler does that
// refuses the acknowledgement.
func (c *connection) refuse(err error) bool {
	if c.ctx.Err() == nil {
		c.end(ending{kind: endAgain, reason: "not_stored", err: err})
	}
	return false
}

// overflowed is told by the library's log that stanzas are about to be handled out of order: WhatsApp repeats them in order
// on the next connection.
func (c *connection) overflowed() {
	c.end(ending{kind: endAgain, reason: "too_many_waiting"})
}

// shut returns when nothing of the connection runs any more. A handshake that the other side has begun to answer but not
// finished answering takes the library's 20 s.
func (c *connection) shut() {
	c.mu.Lock()
	if c.limit != nil {
		c.limit.Stop()
	}
	if c.watch != nil {
		c.watch.Stop()
	}
	c.mu.Unlock()
	c.codes.stop()
	c.gate.shut()
	c.wire.sever()
	expectEnd(c.client)
	if c.wire.isUsed() {
		time.AfterFunc(lastFrameTime, c.unwind)
	} else {
		c.unwind() // still dialling
	}
	<-c.dialled
	c.gate.wait()
}

// setLimit gives the connection some time until it ends; the next limit replaces it.
func (c *connection) setLimit(d time.Duration, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit != nil {
		c.limit.Stop()
	}
	c.limit = time.AfterFunc(d, func() { c.end(e) })
}

// stretchLimit is setLimit for a connection whose limit is still running.
func (c *connection) stretchLimit(d time.Duration, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit != nil && c.limit.Stop() {
		c.limit = time.AfterFunc(d, func() { c.end(e) })
	}
}

func (c *connection) clearLimit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit != nil {
		c.limit.Stop()
	}
}

// ended gives how the connection ended.
func (c *connection) ended() ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		return ending{kind: endClosed}
	}
	return *c.cause
}

// gotThrough reports whether messages have flowed on the connection.
func (c *connection) gotThrough() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.steady.IsZero()
}

// wasSteady reports whether the connection held for a while.
func (c *connection) wasSteady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.steady.IsZero() && c.line.engine.now().Sub(c.steady) >= steadyAfter
}

// bound gives a context that ends with the connection. The library takes the cancellation off the contexts of some of its
// background work; those get the connection's.
func (c *connection) bound(ctx context.Context) context.Context {
	if ctx.Done() != nil {
		return ctx
	}
	return joined{Context: c.ctx, values: ctx}
}

// joined ends with one context and has the values of another.
type joined struct {
	context.Context
	values context.Context
}

// Value implements context.Context.
func (j joined) Value(key any) any {
	if v := j.values.Value(key); v != nil {
		return v
	}
	return j.Context.Value(key)
}

// tell calls the session's Sink within its time limit. A panic of the Sink is an error like any other.
func (c *connection) tell(ctx context.Context, call func(ctx context.Context, sink whatsapp.Sink) error) error {
	ctx, cancel := context.WithTimeout(ctx, sinkLimit)
	defer cancel()
	return safely(func() error { return call(ctx, c.line.sink) })
}

// learned tells the session that two addresses are one person's: somebody else's, and once it is connected. Before that every
// message brings both addresses along.
func (c *connection) learned(ctx context.Context, who whatsapp.ContactIDs) error {
	me := c.me.Load()
	if me == nil || who.Number.IsZero() || who.LID.IsZero() || who.Number == me.Number || who.LID == me.LID {
		return nil
	}
	err := c.tell(ctx, func(ctx context.Context, sink whatsapp.Sink) error { return sink.Learned(ctx, who) })
	if err != nil && ctx.Err() == nil {
		c.refuse(err)
	}
	return err
}
