package wasim

import (
	"bytes"
	"time"
)

// reorderLimit is how long a message waits for another one to overtake it.
const reorderLimit = 2 * time.Second

// occasion says whose the connection is; nobody's before login.
func (c *conn) occasion() occasion {
	if d := c.owner.Load(); d != nil {
		return d.occasion()
	}
	return occasion{}
}

func (d *device) occasion() occasion { return occasion{d.account.number(), int(d.number)} }

// attrs are the attributes of <failure>.
func (f *Fault) attrs() attrs {
	a := attrs{"reason": f.Code}
	if f.Code == 402 {
		a["code"], a["expire"] = 102, max(f.Expire, 1)
	}
	return a
}

// onStanza lets faults at a rate strike the connection on which a client has sent something.
func (t *faultTable) onStanza(c *conn) {
	if t.count.Load() == 0 {
		return
	}
	o := c.occasion()
	if f := t.strike("slow", o, nil); f != nil {
		c.rest(seconds(f.Delay))
	}
	isAtRate := func(f *Fault) bool { return f.Every > 1 || f.Probability > 0 }
	for _, kind := range []string{"black_hole", "stream_error", "replace", "cut"} {
		if f := t.strike(kind, o, isAtRate); f != nil {
			faultKinds[kind].conn(c, f)
		}
	}
}

// onWrite holds up what is written to a slow connection.
func (t *faultTable) onWrite(c *conn) {
	if f := t.strike("slow", c.occasion(), nil); f != nil {
		c.rest(seconds(f.Delay))
	}
}

// messagePlan is what is to happen to a message of a client.
type messagePlan struct {
	nack     int
	dropAck  bool
	delayAck time.Duration
}

func (t *faultTable) onMessage(c *conn) messagePlan {
	var plan messagePlan
	if f := t.strike("nack", c.occasion(), nil); f != nil {
		plan.nack = f.Code
		return plan
	}
	plan.dropAck = t.strike("drop_ack", c.occasion(), nil) != nil
	if f := t.strike("delay_ack", c.occasion(), nil); f != nil {
		plan.delayAck = seconds(f.Delay)
	}
	return plan
}

// onDelivery marks a stanza that was just put into an outbox. The device's lock is held.
func (t *faultTable) onDelivery(d *device, s *stanza) {
	o := d.occasion()
	if f := t.strike("delay", o, nil); f != nil {
		s.notBefore = time.Now().Add(seconds(f.Delay))
	}
	if s.key.class != "message" {
		return
	}
	if t.strike("duplicate", o, nil) != nil {
		s.copies = 1
	}
	if t.strike("reorder", o, nil) != nil {
		s.heldUntil = time.Now().Add(reorderLimit)
	}
}

// onSeal damages a ciphertext when that is wanted.
func (t *faultTable) onSeal(d *device, ciphertext []byte) []byte {
	if len(ciphertext) < 4 || t.strike("corrupt", d.occasion(), nil) == nil {
		return ciphertext
	}
	damaged := bytes.Clone(ciphertext)
	damaged[len(damaged)-3] ^= 0xff
	return damaged
}

func (t *faultTable) onLogin(number string, device int) *Fault {
	return t.strike("login_failure", occasion{number, device}, nil)
}

// onQuery says with which code a query is to be answered, or that it is not to be answered at all.
func (t *faultTable) onQuery(c *conn, xmlns, tag string) (code int, isSilent bool) {
	isMeant := func(f *Fault) bool { return f.Query == "" || f.Query == xmlns || f.Query == xmlns+"/"+tag }
	if t.strike("query_silence", c.occasion(), isMeant) != nil {
		return 0, true
	}
	if f := t.strike("query_error", c.occasion(), isMeant); f != nil {
		return f.Code, false
	}
	return 0, false
}

func (t *faultTable) onUpgrade() int {
	if f := t.strike("http_503", occasion{}, nil); f != nil {
		return f.Code
	}
	return 0
}

// isDeaf says whether a connection has fallen into a black hole.
func (t *faultTable) isDeaf(c *conn) bool {
	if until := c.deafUntil.Load(); until != 0 {
		if time.Now().UnixNano() < until {
			return true
		}
		c.deafUntil.CompareAndSwap(until, 0)
	}
	return t.lasts("black_hole", c.occasion())
}
