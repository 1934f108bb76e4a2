package wameow

import "sync"

// gate counts what runs inside of something that will end: after shut nothing enters any more, and wait returns when all that
// had entered has left.
type gate struct {
	mu     sync.Mutex
	inside int
	isShut bool
	empty  chan struct{} // closed once shut and empty
}

func newGate() *gate { return &gate{empty: make(chan struct{})} }

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.isShut && g.inside == 0 {
		close(g.empty)
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut {
		return
	}
	g.isShut = true
	if g.inside == 0 {
		close(g.empty)
	}
}

func (g *gate) wait() { <-g.empty }
