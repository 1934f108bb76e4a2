package whatsapp

import (
	"context"
	"sync"
	"time"

	"turnero/internal/id"
)

// How often a waiting request looks by itself: for an outcome that another process records, and in case one was missed.
const (
	outcomePollElsewhere = 50 * time.Millisecond
	outcomePoll          = time.Second
)

// outcomes wakes the requests that wait for what becomes of a message.
type outcomes struct {
	mu      sync.Mutex
	waiting map[id.Message]map[chan struct{}]bool
}

func newOutcomes() *outcomes { return &outcomes{waiting: map[id.Message]map[chan struct{}]bool{}} }

// watch gives a channel that receives when the message has moved, until stop is called.
func (o *outcomes) watch(message id.Message) (moved <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting[message] == nil {
		o.waiting[message] = map[chan struct{}]bool{}
	}
	o.waiting[message][ch] = true
	return ch, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.waiting[message], ch)
		if len(o.waiting[message]) == 0 {
			delete(o.waiting, message)
		}
	}
}

// tell wakes who waits for the messages.
func (o *outcomes) tell(messages ...id.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range messages {
		for ch := range o.waiting[m] {
			select {
			case ch <- struct{}{}:
			default: // it is awake already
			}
		}
	}
}

// await returns the message once it is no longer queued, or as it was last seen when the time is over or cannot be waited for any longer: it is
// stored, and who sent it must not be told otherwise because nobody could look.
func (s *Service) await(ctx context.Context, m Message, most time.Duration) Message {
	moved, stop := s.outcomes.watch(m.ID)
	defer stop()
	end := time.NewTimer(most)
	defer end.Stop()
	every := outcomePoll
	if !s.sessions.carries(m.Ref) {
		every = outcomePollElsewhere
	}
	poll := time.NewTicker(every)
	defer poll.Stop()
	for {
		now, err := s.store.FindMessage(ctx, m.Tenant, m.ID)
		if err != nil {
			return m
		}
		if m = now; !m.isWaiting() {
			return m
		}
		select {
		case <-moved:
		case <-poll.C:
		case <-end.C:
			return m
		case <-ctx.Done():
			return m
		}
	}
}
