package wasim

import (
	"bytes"
	"time"
)

// attrs are the attributes of <failure>.
func (f *Fault) attrs() attrs {
	a := attrs{"reason": f.Code}
	if f.Code == 402 {
		a["code"], a["expire"] = 102, max(f.Expire, 1)
	}
	return a
}

// messagePlan is what is to happen to a message of a client.
type messagePlan struct {
	nack     int
	dropAck  bool
	delayAck time.Duration
}

func (t *faultTable) onMessage(c *conn) messagePlan {
	var plan messagePlan
	if f := t.strike("nack", c.number(), nil); f != nil {
		plan.nack = f.Code
		return plan
	}
	plan.dropAck = t.strike("drop_ack", c.number(), nil) != nil
	if f := t.strike("delay_ack", c.number(), nil); f != nil {
		plan.delayAck = seconds(f.Delay)
	}
	return plan
}

// onDelivery marks a stanza that was just put into an outbox. The device's lock is held.
func (t *faultTable) onDelivery(d *device, s *stanza) {
	number := d.account.number()
	if f := t.strike("delay", number, nil); f != nil {
		s.notBefore = time.Now().Add(seconds(f.Delay))
	}
	if s.key.class != "message" {
		return
	}
	if t.strike("duplicate", number, nil) != nil {
		s.copies = 1
	}
	if t.strike("reorder", number, nil) != nil {
		s.heldUntil = time.Now().Add(reorderLimit)
	}
}

// onSeal damages a ciphertext when that is wanted.
func (t *faultTable) onSeal(d *device, ciphertext []byte) []byte {
	if len(ciphertext) < 4 || t.strike("corrupt", d.account.number(), nil) == nil {
		return ciphertext
	}
	damaged := bytes.Clone(ciphertext)
	damaged[len(damaged)-3] ^= 0xff
	return damaged
}

func (t *faultTable) onLogin(number string) *Fault { return t.strike("login_failure", number, nil) }

func (t *faultTable) onQuery(c *conn, xmlns string) int {
	f := t.strike("query_error", c.number(), func(f *Fault) bool { return f.Query == "" || f.Query == xmlns })
	if f == nil {
		return 0
	}
	return f.Code
}

func (t *faultTable) onUpgrade() int {
	if f := t.strike("http_503", "", nil); f != nil {
		return f.Code
	}
	return 0
}

// isDeaf says whether a connection has fallen into a black hole.
func (t *faultTable) isDeaf(c *conn) bool { return t.lasts("black_hole", c.number()) }

// reorderLimit is how long a message waits for another one to overtake it.
const reorderLimit = 2 * time.Second
