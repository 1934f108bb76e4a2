package wasim

import "sync"

// watcherBuffer is how many events may wait for a watcher. One that lets more pile up is cut off.
const watcherBuffer = 256

// Kinds of events at a phone.
const (
	EventMessage  = "message"  // a message was written or came in
	EventReceipt  = "receipt"  // something happened to a message that the phone's account wrote
	EventTyping   = "typing"   // somebody is or is no longer typing
	EventLinked   = "linked"   // a device was linked
	EventUnlinked = "unlinked" // a device was unlinked
)

// Event is something that the user of a phone can see happen.
type Event struct {
	Type    string   `json:"type"`
	Message *Message `json:"message,omitempty"`
	Receipt *Receipt `json:"receipt,omitempty"`
	From    string   `json:"from,omitempty"`  // number, for typing
	State   string   `json:"state,omitempty"` // composing, recording, paused
	Device  string   `json:"device,omitempty"`
}

// Watcher receives a phone's events on C until it is stopped, the network closes, or it has let too many pile up; then C is
// closed.
type Watcher struct {
	C <-chan Event

	phone  *phone
	events chan Event
	once   sync.Once
}

// Watch begins to receive the events of a phone. The caller must call Stop. Errors: ErrInvalid, ErrNoWhatsApp, ErrClosed.
func (n *Network) Watch(number string) (*Watcher, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return nil, err
	}
	events := make(chan Event, watcherBuffer)
	w := &Watcher{C: events, phone: a.phone, events: events}
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.isClosed {
		return nil, ErrClosed
	}
	a.phone.watch(w)
	return w, nil
}

// Stop ends the watching. Calling it again does nothing.
func (w *Watcher) Stop() { w.phone.unwatch(w) }

func (p *phone) watch(w *Watcher) {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	if p.watchers == nil {
		p.watchers = map[*Watcher]struct{}{}
	}
	p.watchers[w] = struct{}{}
}

func (p *phone) unwatch(w *Watcher) {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	delete(p.watchers, w)
	w.once.Do(func() { close(w.events) })
}

// tell passes an event to everybody who watches the phone.
func (p *phone) tell(e Event) {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	for w := range p.watchers {
		select {
		case w.events <- e:
		default:
			delete(p.watchers, w)
			w.once.Do(func() { close(w.events) })
		}
	}
}

func (p *phone) closeWatchers() {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	for w := range p.watchers {
		w.once.Do(func() { close(w.events) })
	}
	p.watchers = nil
}

func (n *Network) closeWatchers() {
	for _, a := range n.everybody() {
		a.phone.closeWatchers()
	}
}
