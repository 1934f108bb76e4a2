package wasim

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
)

const (
	handshakeTimeout = 20 * time.Second
	writeTimeout     = 10 * time.Second
	// idleLimit ends connections on which nothing arrives; clients send a keep-alive at least every half minute.
	idleLimit = 4 * time.Minute
	// firstStanzaDelay is the time a real network takes: some clients finish their handshake asynchronously and would lose a
	// stanza that comes in the same instant.
	firstStanzaDelay = 50 * time.Millisecond
	// lingerTime is how long a connection stays open behind a stream error or failure: clients stop reading their queue when
	// the socket closes and would not see it otherwise.
	lingerTime = 500 * time.Millisecond
	// queueLimit bounds answers and acknowledgements that wait to be written. A client that does not read them is cut off.
	queueLimit = 512
	// deafPoll is how often a connection in a black hole looks whether it is over.
	deafPoll = 250 * time.Millisecond
)

// conn is one client's WebSocket. One goroutine reads its stanzas and handles them in order; one writes.
type conn struct {
	net    *Network
	id     uint64
	ws     *websocket.Conn
	noise  *transport
	key    [32]byte // the client's static Noise key
	device *device  // after login; the reader's, others load owner
	owner  atomic.Pointer[device]
	link   *pairing // while asking to be linked; the reader's

	lastRead  atomic.Int64
	deafUntil atomic.Int64  // a fault: neither reads nor writes until then, in nanoseconds since 1970
	wakeUp    chan struct{} // something to write
	done      chan struct{} // closed when the reader has ended
	gone      chan struct{} // closed when the socket is
	closing   sync.Once

	handling sync.Mutex // held while a stanza is taken, so that what ends the connection can wait for the last one

	mu         sync.Mutex
	queue      [][]byte
	cursor     uint64 // newest stanza of the outbox that was sent here
	isActive   bool   // the client takes its stanzas now
	offlineEnd uint64 // last stanza that waited when the client became active
	offline    int    // how many those were
	isEnding   bool   // a stream error or failure is on its way; nothing else is
	isReplaced bool   // a newer connection of the same device exists: what arrives here is refused
	retried    map[string]int
}

// serve runs a connection from handshake to end.
func (n *Network) serve(ws *websocket.Conn) {
	defer func() { _ = ws.CloseNow() }() // it may be closed already
	defer func() {
		if r := recover(); r != nil {
			n.stats.Panics.Add(1)
			n.log.Error("connection panicked", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	ws.SetReadLimit(frameMaxSize)
	ctx, cancel := context.WithTimeout(n.ctx, handshakeTimeout)
	noise, who, err := respond(ctx, &frameStream{ws: ws}, n.authority)
	cancel()
	if err != nil {
		n.stats.HandshakeErrors.Add(1)
		n.log.Warn("handshake failed", "error", err)
		return
	}
	c := &conn{net: n, id: n.connIDs.Add(1), ws: ws, noise: noise, key: who.noise,
		wakeUp: make(chan struct{}, 1), done: make(chan struct{}), gone: make(chan struct{})}
	c.lastRead.Store(time.Now().UnixNano())
	if !n.register(c) {
		return
	}
	defer n.unregister(c)
	n.wg.Go(c.write)
	defer close(c.done)
	defer c.cut()
	defer c.leave()
	if who.payload.GetDevicePairingData() != nil {
		c.startPairing(who.payload)
	} else {
		c.login(who.payload)
	}
	c.readAll()
}

// readAll handles what the client sends until the connection ends.
func (c *conn) readAll() {
	for {
		// No common context: thousands of connections would queue up for its lock at each frame. Close cuts each of them.
		raw, err := c.noise.read(context.Background())
		if err != nil {
			return
		}
		c.lastRead.Store(time.Now().UnixNano())
		n, err := decode(raw)
		if err != nil {
			c.net.log.Warn("stanza does not parse", "conn", c.id, "error", err)
			return
		}
		c.net.faults.onStanza(c)
		if c.net.faults.isDeaf(c) {
			c.net.stats.Faulted.Add(1)
			c.net.frames.add(c, "dropped", n, "black hole")
			continue
		}
		if err = c.take(n); err != nil {
			c.net.log.Error("stanza handling failed", "conn", c.id, "tag", n.Tag, "error", err)
			return
		}
	}
}

// take handles a stanza unless the connection has been ended. Looking and handling are one step: whoever ends a connection and
// then waits with settle knows that nothing that arrives on it is accepted any more.
func (c *conn) take(n *node) error {
	c.handling.Lock()
	defer c.handling.Unlock()
	if isOver, isReplaced := c.hasEnded(); isOver {
		if isReplaced {
			c.net.stats.StaleFrames.Add(1)
		}
		c.net.frames.add(c, "refused", n, "the connection has been ended")
		return nil
	}
	return c.handle(n)
}

// settle waits for the stanza that is being handled and notes what has ended the connection behind it. A connection's own
// reader must not call it while it handles a stanza.
func (c *conn) settle(event string) {
	c.handling.Lock()
	defer c.handling.Unlock()
	c.net.frames.note(c, event, "")
}

func decode(raw []byte) (*node, error) {
	if len(raw) == 0 {
		return nil, fmt.Errorf("empty frame")
	}
	data, err := waBinary.Unpack(raw)
	if err != nil {
		return nil, err
	}
	return waBinary.Unmarshal(data)
}

// handle acts on one stanza of the client. An error ends the connection without an acknowledgement.
func (c *conn) handle(n *node) error {
	c.net.frames.add(c, "in", n, "")
	if n.Tag == "iq" {
		return c.handleQuery(n)
	}
	if c.device == nil {
		return nil // a client that asks to be linked has nothing else to say
	}
	switch n.Tag {
	case "message":
		return c.handleMessage(n)
	case "receipt":
		return c.handleReceipt(n)
	case "ack":
		c.handleAck(n)
	case "presence":
		c.handlePresence(n)
	case "chatstate":
		c.handleChatState(n)
	case "ib", "call", "notification":
	default:
		c.net.log.Warn("unknown stanza", "tag", n.Tag, "device", c.device.jid)
	}
	return nil
}

// cut closes the connection without a word; its reader and writer end.
func (c *conn) cut() {
	c.closing.Do(func() { close(c.gone) })
	_ = c.ws.CloseNow() // it may be closed already
}

// leave undoes what the connection meant to others.
func (c *conn) leave() {
	if c.link != nil {
		c.net.pairings.drop(c.link)
	}
	if c.device != nil {
		c.device.detach(c)
		c.net.frames.note(c, "disconnected", "")
	}
}

// hasEnded says whether the connection is only waiting to be closed, and whether because another one has taken its place.
func (c *conn) hasEnded() (isOver, isReplaced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isReplaced || c.isEnding, c.isReplaced
}

// number is the number of the account whose device is connected, empty before login.
func (c *conn) number() string {
	if d := c.owner.Load(); d != nil {
		return d.account.number()
	}
	return ""
}

// label is the address of the device that is connected, empty before login.
func (c *conn) label() string {
	if d := c.owner.Load(); d != nil {
		return d.label
	}
	return ""
}
