package wameow

import (
	"sync"
	"time"
)

// outageAfter is how many attempts of a process must fail in a row, without one that got through, to be taken for an outage.
const outageAfter = 4

// outage tells a line's own trouble from everybody's. While nobody gets through, only few of the process's lines knock, each so
// often that the end of the outage is noticed soon; the first that gets through calls all others.
type outage struct {
	mu     sync.Mutex
	failed int       // attempts that failed since one got through
	next   time.Time // during an outage: when the next attempt may begin
}

// mayTry reports whether an attempt may begin now. During an outage it lets one through per pause.
func (o *outage) mayTry(now time.Time, pause time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed < outageAfter {
		return true
	}
	if now.Before(o.next) {
		return false
	}
	o.next = now.Add(pause)
	return true
}

// fail notes an attempt that got no answer.
func (o *outage) fail() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed++
}

// end notes that an attempt got through. It reports whether that is the end of an outage.
func (o *outage) end() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	wasOut := o.failed >= outageAfter
	o.failed = 0
	return wasOut
}

// reached is told that a line got through to WhatsApp. At the end of an outage all that wait for it are called, spread as
// after a loss.
func (e *Engine) reached() {
	if !e.outage.end() {
		return
	}
	e.mu.Lock()
	lines := make([]*line, 0, len(e.open))
	for _, l := range e.open {
		if l != nil {
			lines = append(lines, l)
		}
	}
	e.mu.Unlock()
	e.log.Info("whatsapp can be reached again", "lines", len(lines))
	for _, l := range lines {
		l.hasten(e.pace.retry(1, len(lines)))
	}
}
