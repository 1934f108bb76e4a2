package main

import (
	"net"
	"sync"
	"time"
)

// relayMode is what a relay does with the connections that run through it.
type relayMode int

const (
	relayOpen relayMode = iota
	relayCut            // connections are ended, new ones too
	relayHole           // connections stay open and nothing passes; what was sent goes on when the relay opens
)

// relay is one link of one process to one server: a TCP proxy that can break.
type relay struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	changed chan struct{} // closed and made anew at each change of mode
	mode    relayMode
	delay   time.Duration // of each piece of data, in both directions
	pairs   map[*relayPair]struct{}
}

type relayPair struct {
	client net.Conn
	gone   chan struct{}
	once   sync.Once
}

func newRelay(target string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, target: target, changed: make(chan struct{}), pairs: map[*relayPair]struct{}{}}
	go r.accept()
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.serve(client)
	}
}

// serve passes data until either side ends.
func (r *relay) serve(client net.Conn) {
	p := &relayPair{client: client, gone: make(chan struct{})}
	defer p.end()
	r.mu.Lock()
	if r.mode == relayCut {
		r.mu.Unlock()
		return
	}
	r.pairs[p] = struct{}{}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.pairs, p)
		r.mu.Unlock()
	}()
	if !r.pass(p) {
		return
	}
	server, err := net.DialTimeout("tcp", r.target, 5*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	go func() { r.pump(p, client, server); done <- struct{}{} }()
	go func() { r.pump(p, server, client); done <- struct{}{} }()
	select {
	case <-done:
	case <-p.gone:
	}
}

func (p *relayPair) end() {
	p.once.Do(func() { close(p.gone) })
	p.client.Close()
}

func (r *relay) pump(p *relayPair, from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !r.pass(p) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits until data may pass; false means that the connection is over.
func (r *relay) pass(p *relayPair) bool {
	for {
		r.mu.Lock()
		mode, delay, changed := r.mode, r.delay, r.changed
		r.mu.Unlock()
		switch mode {
		case relayCut:
			return false
		case relayOpen:
			if delay > 0 {
				time.Sleep(delay)
			}
			return true
		}
		select {
		case <-changed:
		case <-p.gone:
			return false
		}
	}
}

// set changes what the relay does.
func (r *relay) set(mode relayMode, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode, r.delay = mode, delay
	close(r.changed)
	r.changed = make(chan struct{})
	if mode == relayCut {
		r.endAll()
	}
}

// strike ends the connections of this moment; new ones are taken.
func (r *relay) strike() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endAll()
}

func (r *relay) endAll() {
	for p := range r.pairs {
		p.end()
	}
}

func (r *relay) close() {
	r.set(relayCut, 0)
	r.listener.Close()
}
