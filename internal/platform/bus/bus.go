// Package bus carries wake-ups between the parts of an installation: "there is something new under this topic". It carries
// no data that anybody needs: whoever wakes up reads the database, and who misses a wake-up polls a little later.
//
// Memory serves one process, Redis several. Losing Redis costs the wake-ups between processes until it is back, never those
// inside of one; when it is back, everybody is woken once.
package bus

import "sync"

// Topics of the platform.
const (
	TopicOutbox = "outbox" // events were appended
	TopicEvents = "events" // events were numbered
	TopicJobs   = "jobs"   // jobs were enqueued
)

// Bus passes wake-ups from whoever changed something to whoever waits for it.
type Bus interface {
	// Wake tells every subscriber of the topic. It never blocks; wake-ups that were not yet taken are merged into one.
	Wake(topic string)
	// Subscribe gives a channel that receives a value after each Wake of the topic (or of several merged), until cancel is called.
	Subscribe(topic string) (woken <-chan struct{}, cancel func())
}

// Memory is the Bus of one process.
type Memory struct {
	mu   sync.Mutex
	subs map[string]map[chan struct{}]bool
}

var _ Bus = (*Memory)(nil)

// NewMemory makes the Bus of one process.
func NewMemory() *Memory { return &Memory{subs: map[string]map[chan struct{}]bool{}} }

// Wake implements Bus.
func (m *Memory) Wake(topic string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wake(m.subs[topic])
}

func wake(subs map[chan struct{}]bool) {
	for ch := range subs {
		select {
		case ch <- struct{}{}:
		default: // one is waiting there already
		}
	}
}

// wakeAll wakes the subscribers of all topics.
func (m *Memory) wakeAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, subs := range m.subs {
		wake(subs)
	}
}

// Subscribe implements Bus.
func (m *Memory) Subscribe(topic string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.subs[topic] == nil {
		m.subs[topic] = map[chan struct{}]bool{}
	}
	m.subs[topic][ch] = true
	return ch, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.subs[topic], ch)
		if len(m.subs[topic]) == 0 {
			delete(m.subs, topic)
		}
	}
}
