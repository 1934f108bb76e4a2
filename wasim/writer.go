package wasim

import (
	"context"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// write sends what is queued and what the device's outbox holds until the connection ends.
func (c *conn) write() {
	defer c.cut() // the reader ends with it
	if !c.pause(firstStanzaDelay) {
		return
	}
	for {
		data, wait, isLast := c.next()
		switch {
		case data != nil:
			c.net.faults.onWrite(c)
			ctx, cancel := context.WithTimeout(context.Background(), writeTimeout) // Close cuts the connection
			err := c.noise.write(ctx, data)
			cancel()
			if err != nil {
				return
			}
		case isLast:
			c.pause(lingerTime)
			return
		case wait > 0:
			if !c.pauseOrWake(wait) {
				return
			}
		default:
			select {
			case <-c.wakeUp:
			case <-c.done:
				return
			}
		}
	}
}

func (c *conn) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.done:
		return false
	}
}

// rest holds the connection up until the time is over or its socket is closed.
func (c *conn) rest(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.gone:
	}
}

func (c *conn) pauseOrWake(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.wakeUp:
		return true
	case <-c.done:
		return false
	}
}

// next returns the bytes to write now; nothing and a time when a stanza is being held back; isLast when the connection has
// said its last word.
func (c *conn) next() (data []byte, wait time.Duration, isLast bool) {
	if c.net.faults.isDeaf(c) {
		return nil, deafPoll, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		data = c.queue[0]
		c.queue[0] = nil
		c.queue = c.queue[1:]
		if len(c.queue) == 0 {
			c.queue = nil
		}
		return data, 0, false
	}
	if c.isEnding {
		return nil, 0, true
	}
	d := c.owner.Load()
	if d == nil || !c.isActive {
		return nil, 0, false
	}
	return c.nextStanza(d)
}

// nextStanza takes the next stanza of the outbox. The caller holds c.mu.
func (c *conn) nextStanza(d *device) (data []byte, wait time.Duration, isLast bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != c {
		return nil, 0, false // another connection has taken its place; the last word is on its way
	}
	s := d.outbox.after(c.cursor)
	if c.offlineEnd > 0 && (s == nil || s.seq > c.offlineEnd) {
		c.offlineEnd = 0
		return c.offlineDone(), 0, false
	}
	if s == nil || !c.net.store.isKept(s.generation.Load()) {
		return nil, 0, false // its maker wakes us when it is kept
	}
	if wait = time.Until(s.notBefore); wait > 0 {
		return nil, wait, false
	}
	if wait = time.Until(s.heldUntil); wait > 0 {
		next := d.outbox.after(s.seq)
		if next == nil || !c.net.store.isKept(next.generation.Load()) {
			return nil, wait, false
		}
		d.swap(s, next)
	}
	if s.copies > 0 {
		s.copies--
	} else {
		c.cursor = s.seq
	}
	s.attempts++
	data = s.data
	if s.attempts > 1 || s.seq <= c.offlineEnd {
		data = markOffline(data)
	}
	c.net.countOut(c, s)
	return data, 0, false
}

// send queues a stanza that needs no acknowledgement: an answer, an acknowledgement, presence.
func (c *conn) send(n node) {
	data, err := waBinary.Marshal(n)
	if err != nil {
		c.net.log.Error("stanza cannot be encoded", "tag", n.Tag, "error", err)
		return
	}
	c.mu.Lock()
	if c.isEnding {
		c.mu.Unlock()
		return
	}
	isFull := len(c.queue) >= queueLimit
	if !isFull {
		c.queue = append(c.queue, data)
	}
	c.mu.Unlock()
	if isFull {
		c.net.stats.SlowClients.Add(1)
		c.net.log.Warn("client does not read, connection closed", "conn", c.id)
		c.cut()
		return
	}
	c.net.frames.add(c, "out", &n, "")
	c.signal()
}

// end sends a last stanza; the connection closes when the client does, or a moment later.
func (c *conn) end(n node) {
	c.send(n)
	c.mu.Lock()
	c.isEnding = true
	c.mu.Unlock()
	c.signal()
}

func (c *conn) signal() {
	select {
	case c.wakeUp <- struct{}{}:
	default:
	}
}
