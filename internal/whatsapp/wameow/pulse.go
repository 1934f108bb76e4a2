package wameow

import (
	"time"

	"go.mau.fi/whatsmeow"

	"turnero/internal/whatsapp"
)

// probeLimit is the time in which a link that has missed a keep-alive must answer a second one.
const probeLimit = 4 * time.Second

// reasonTimeout says that WhatsApp did not answer.
const reasonTimeout = "timeout"

// silenceLimit is how long a connected link may say nothing. The library asks for a sign of life within its longest interval and
// gives it a time to come, so a link that lives is never silent for longer.
func silenceLimit() time.Duration {
	return whatsmeow.KeepAliveIntervalMax + whatsmeow.KeepAliveResponseDeadline
}

// listen begins to watch for silence. The library's own keep-alives do not see every dead link: when the socket takes no more,
// they wait in line behind whoever is writing.
func (c *connection) listen() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = time.AfterFunc(silenceLimit(), c.checkSilence)
	if c.ctx.Err() != nil {
		c.watch.Stop()
	}
}

// checkSilence looks when the link last said something, and comes back when that may have been too long ago.
func (c *connection) checkSilence() {
	left := silenceLimit() - c.wire.silence()
	if left <= 0 {
		c.missed()
		left = silenceLimit()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() == nil {
		c.watch.Reset(left)
	}
}

// missed is told of a keep-alive without an answer, or of silence. The library would go on for three minutes; a second question,
// asked at once, decides.
func (c *connection) missed() {
	if c.isConnected.Load() { // else its time limit is running
		c.ask(func() { c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkDegraded, Reason: reasonTimeout}) })
	}
}

// probe looks whether anybody is there, for those who have waited in vain for an answer.
func (c *connection) probe() { c.ask(func() {}) }

// ask asks WhatsApp for a sign of life and ends the connection when there is none within the limit, whether or not the question
// could be asked. What is to be told meanwhile holds nothing up. One question is asked at a time.
func (c *connection) ask(meanwhile func()) {
	if !c.isProbing.CompareAndSwap(false, true) {
		return
	}
	dead := ending{kind: endAgain, reason: reasonTimeout}
	c.line.spawn(func() {
		defer c.isProbing.Store(false)
		if !c.gate.enter() {
			return
		}
		limit := time.AfterFunc(probeLimit, func() { c.end(dead) })
		defer limit.Stop()
		answer := make(chan bool, 1)
		go func() {
			defer c.gate.leave()
			answer <- isAlive(c.ctx, c.client)
		}()
		meanwhile()
		select {
		case isThere := <-answer:
			if !isThere {
				c.end(dead)
			} else if limit.Stop() {
				c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkConnected})
			}
		case <-c.ctx.Done():
		}
	})
}
