package bus

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"turnero/internal/platform/redisconn"
)

const (
	silence    = time.Second            // without any message, after which the server is asked whether it is there
	firstPause = 50 * time.Millisecond  // before a broken connection is tried again; doubled each time
	longPause  = 500 * time.Millisecond // the longest of these pauses
	maxPending = 10_000                 // topics that wait to be sent; beyond that everybody is woken
	everything = "*"                    // the topic that stands for all
)

// Redis is the Bus of several processes, over one channel (SUBSCRIBE and PUBLISH). Subscribers in the same process are woken
// at once, whatever Redis does. A message names its sender and the topics, nothing else; topics that were woken while the
// message before was on its way travel together. After every connection, the first included, all subscribers are woken once,
// because wake-ups may have been missed.
type Redis struct {
	client  *redis.Client
	channel string
	sender  string
	logger  *slog.Logger
	local   *Memory

	connected atomic.Bool

	mu      sync.Mutex
	pending map[string]bool
	changed chan struct{} // holds a value while topics are pending
}

var _ Bus = (*Redis)(nil)

// NewRedis makes the Bus that all processes share which give the same name. It reaches other processes while Run runs; what
// is woken before is sent then.
func NewRedis(conn *redisconn.Conn, name string, logger *slog.Logger) *Redis {
	return &Redis{client: conn.Client(), channel: "turnero:bus:" + name, sender: rand.Text(), logger: logger, local: NewMemory(),
		pending: map[string]bool{}, changed: make(chan struct{}, 1)}
}

// Wake implements Bus. A topic is any text without line breaks.
func (r *Redis) Wake(topic string) {
	r.local.Wake(topic)
	r.mu.Lock()
	r.pend(topic)
	r.mu.Unlock()
	r.send()
}

// pend notes a topic to be sent. The caller holds mu.
func (r *Redis) pend(topic string) {
	if r.pending[everything] {
		return
	}
	if len(r.pending) >= maxPending || topic == everything {
		clear(r.pending)
		topic = everything
	}
	r.pending[topic] = true
}

func (r *Redis) send() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Subscribe implements Bus.
func (r *Redis) Subscribe(topic string) (<-chan struct{}, func()) { return r.local.Subscribe(topic) }

// Follow implements Bus.
func (r *Redis) Follow(prefix string, fn func(rest string)) (cancel func()) {
	return r.local.Follow(prefix, fn)
}

// Connected reports whether wake-ups of other processes arrive at present. Without, those who wait poll.
func (r *Redis) Connected() bool { return r.connected.Load() }

// Run carries wake-ups to and from other processes until ctx ends, over as many connections as it takes. It returns nil.
func (r *Redis) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { r.publish(ctx) })
	r.follow(ctx)
	wg.Wait()
	return nil
}

// publish sends what is pending. What could not be sent stays pending.
func (r *Redis) publish(ctx context.Context) {
	pause := firstPause
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
		topics := r.take()
		if len(topics) == 0 {
			continue
		}
		err := r.client.Publish(ctx, r.channel, r.sender+"\n"+strings.Join(topics, "\n")).Err()
		if err == nil {
			pause = firstPause
			continue
		}
		r.putBack(topics)
		if !rest(ctx, &pause) {
			return
		}
		r.send()
	}
}

func (r *Redis) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	topics := make([]string, 0, len(r.pending))
	for topic := range r.pending {
		topics = append(topics, topic)
	}
	clear(r.pending)
	return topics
}

func (r *Redis) putBack(topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, topic := range topics {
		r.pend(topic)
	}
}

// follow listens over one connection after another.
func (r *Redis) follow(ctx context.Context) {
	pause, said := firstPause, false
	for ctx.Err() == nil {
		err := r.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if r.connected.Swap(false) {
			pause, said = firstPause, false
		}
		if !said {
			r.logger.WarnContext(ctx, "wake-ups of other processes do not arrive", "error", err.Error())
			said = true
		}
		if !rest(ctx, &pause) {
			return
		}
	}
}

// listen passes messages on until the connection breaks, falls silent or ctx ends.
func (r *Redis) listen(ctx context.Context) error {
	sub := r.client.Subscribe(ctx, r.channel)
	hang := sync.OnceFunc(func() { _ = sub.Close() }) // which ends Receive; that does not look at ctx
	defer hang()
	ctx, cancel := context.WithCancel(ctx)
	var heard atomic.Bool
	var watching sync.WaitGroup
	watching.Go(func() {
		defer hang()
		watch(ctx, sub, &heard)
	})
	defer watching.Wait()
	defer cancel()
	for {
		msg, err := sub.Receive(ctx)
		if err != nil {
			return err
		}
		heard.Store(true)
		r.handle(ctx, msg)
	}
}

// watch returns when ctx has ended or when the server does not answer any more, which reading alone would not notice.
func watch(ctx context.Context, sub *redis.PubSub, heard *atomic.Bool) {
	tick := time.NewTicker(silence)
	defer tick.Stop()
	asked := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch {
		case heard.Swap(false):
			asked = false
		case asked || sub.Ping(ctx) != nil:
			return
		default:
			asked = true
		}
	}
}

func (r *Redis) handle(ctx context.Context, msg any) {
	switch m := msg.(type) {
	case *redis.Subscription: // of this connection or of one that the library opened instead
		if m.Kind != "subscribe" {
			return
		}
		r.local.wakeAll()
		if !r.connected.Swap(true) {
			r.logger.InfoContext(ctx, "wake-ups of other processes arrive")
		}
	case *redis.Message:
		sender, topics, _ := strings.Cut(m.Payload, "\n")
		if sender == r.sender {
			return // its subscribers here were woken already
		}
		for topic := range strings.SplitSeq(topics, "\n") {
			if topic == everything {
				r.local.wakeAll()
				return
			}
			r.local.Wake(topic)
		}
	}
}

// rest waits a little, longer each time, not in step with other processes. It reports false when ctx has ended.
func rest(ctx context.Context, pause *time.Duration) bool {
	timer := time.NewTimer(*pause/2 + mathrand.N(*pause/2))
	defer timer.Stop()
	*pause = min(2**pause, longPause)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
