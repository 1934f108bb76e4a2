// Package bus carries wake-ups between the parts of an installation: "there is something new under this topic". It carries
// no data that anybody needs: whoever wakes up reads the database, and who misses a wake-up polls a little later.
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
	for ch := range m.subs[topic] {
		select {
		case ch <- struct{}{}:
		default: // one is waiting there already
		}
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
	}
}
