// Package bus carries wake-ups between the parts of an installation: "there is something new under this topic". It carries
// no data that anybody needs: whoever wakes up reads the database, and who misses a wake-up polls a little later.
//
// Memory serves one process, Redis several. Losing Redis costs the wake-ups between processes until it is back, never those
// inside of one; when it is back, everybody is woken once.
package bus

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Topics of the platform.
const (
	TopicOutbox = "outbox" // events were appended
	TopicEvents = "events" // events were numbered
	TopicDuties = "duties" // the work on events is to be shared out anew
	TopicJobs   = "jobs"   // jobs were enqueued
)

// Bus passes wake-ups from whoever changed something to whoever waits for it.
type Bus interface {
	// Wake tells every subscriber of the topic. It never blocks; wake-ups that were not yet taken are merged into one.
	Wake(topic string)
	// Subscribe gives a channel that receives a value after each Wake of the topic (or of several merged), until cancel is called.
	Subscribe(topic string) (woken <-chan struct{}, cancel func())
	// Follow calls fn for each Wake of a topic that begins with the prefix, with what follows it, until cancel is called; and with "" when
	// wake-ups may have been missed. fn must not block, and may be called from several goroutines.
	Follow(prefix string, fn func(rest string)) (cancel func())
}

// Memory is the Bus of one process.
type Memory struct {
	mu        sync.Mutex
	subs      map[string]map[chan struct{}]bool
	followers map[*follower]bool
}

type follower struct {
	prefix string
	fn     func(rest string)
}

var _ Bus = (*Memory)(nil)

// NewMemory makes the Bus of one process.
func NewMemory() *Memory {
	return &Memory{subs: map[string]map[chan struct{}]bool{}, followers: map[*follower]bool{}}
}

// Wake implements Bus.
func (m *Memory) Wake(topic string) {
	m.mu.Lock()
	wake(m.subs[topic])
	var follow []*follower
	for f := range m.followers {
		if strings.HasPrefix(topic, f.prefix) {
			follow = append(follow, f)
		}
	}
	m.mu.Unlock()
	for _, f := range follow {
		f.fn(topic[len(f.prefix):])
	}
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
	for _, subs := range m.subs {
		wake(subs)
	}
	follow := slices.Collect(maps.Keys(m.followers))
	m.mu.Unlock()
	for _, f := range follow {
		f.fn("")
	}
}

// Follow implements Bus.
func (m *Memory) Follow(prefix string, fn func(rest string)) (cancel func()) {
	f := &follower{prefix, fn}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.followers[f] = true
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.followers, f)
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
