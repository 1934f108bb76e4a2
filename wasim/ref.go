package wasim

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"
)

const (
	refCount = 6
	// The first code is shown for a minute, each further one for twenty seconds; a code stays good for as long again as it
	// takes to point a phone at it.
	firstRefTime = 60 * time.Second
	nextRefTime  = 20 * time.Second
	refGrace     = 15 * time.Second
	// refMemory is how long the network can still say what became of a code.
	refMemory = 15 * time.Minute
)

// pairings knows every code that was issued and every device that asks to be linked.
type pairings struct {
	net *Network

	mu    sync.Mutex
	refs  map[string]*ref
	codes map[string]*linkCode // by number
}

// ref is one scannable code.
type ref struct {
	link    *pairing // nil once it is gone
	expires time.Time
	isUsed  bool
	isGone  bool // its connection has ended
}

func newPairings(n *Network) *pairings {
	return &pairings{net: n, refs: map[string]*ref{}, codes: map[string]*linkCode{}}
}

// issue makes the codes of one connection.
func (p *pairings) issue(link *pairing) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.net.now()
	list := make([]string, refCount)
	for i := range list {
		var random [24]byte
		_, _ = rand.Read(random[:])
		list[i] = "2@" + base64.StdEncoding.EncodeToString(random[:])
		r := &ref{link: link, expires: now.Add(firstRefTime + time.Duration(i)*nextRefTime + refGrace)}
		p.refs[list[i]] = r
		link.refs = append(link.refs, r)
	}
	return list
}

// take uses a code up, once and for all.
func (p *pairings) take(code string) (*pairing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.refs[code]
	switch {
	case r == nil:
		return nil, ErrCodeUnknown.because("qr", "the network did not issue this code")
	case r.isUsed:
		return nil, ErrCodeUsed.because("qr", "this code has been used")
	case r.isGone:
		return nil, ErrCodeExpired.because("qr", "the client that showed this code has gone")
	case p.net.now().After(r.expires):
		return nil, ErrCodeExpired.because("qr", "this code has expired")
	}
	r.isUsed = true
	return r.link, nil
}

// drop forgets a connection that has ended; its codes are remembered as gone for a while.
func (p *pairings) drop(link *pairing) {
	p.mu.Lock()
	for _, r := range link.refs {
		r.isGone, r.link = true, nil
	}
	var codes []*linkCode
	for number, code := range p.codes {
		if code.link == link {
			delete(p.codes, number)
			codes = append(codes, code)
		}
	}
	p.mu.Unlock()
	gone := ErrNotLinked.because("", "the client went away before the link was complete")
	link.finish(gone)
	for _, code := range codes {
		code.settle(gone)
	}
}

// expire forgets old codes and ends the connections whose last code nobody scanned.
func (p *pairings) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.net.now()
	open := map[*pairing]bool{}
	for code, r := range p.refs {
		if now.Sub(r.expires) > refMemory {
			delete(p.refs, code)
			continue
		}
		if !r.isGone {
			open[r.link] = open[r.link] || !now.After(r.expires)
		}
	}
	for link, hasCode := range open {
		if !hasCode && !link.isPending() {
			link.conn.cut()
		}
	}
}
