package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// chat is one conversation: a line and one person. In each direction one text follows another, so that their order is known.
type chat struct {
	index   int
	session *session

	outBusy, inBusy atomic.Bool

	mu  sync.Mutex
	out []text // accepted by the API
	in  []text // written at the phone
}

// text is one message that must arrive.
type text struct {
	Text     string
	ID       string    // WhatsApp's
	At       time.Time // when it was first tried
	Accepted time.Time
	Tries    int
}

func (c *chat) number() string { return personNumber(c.index) }

func (c *chat) path() string {
	return "/api/chats/" + url.PathEscape(c.number()) + "/messages" + c.session.query()
}

func (c *chat) texts() (out, in []text) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.out), slices.Clone(c.in)
}

// The texts name their chat and their number in it.
func outText(chat, n int) string { return fmt.Sprintf("out %d.%d", chat, n) }
func inText(chat, n int) string  { return fmt.Sprintf("in %d.%d", chat, n) }

// traffic has texts go both ways until it is stopped.
type traffic struct {
	run     *campaign
	draw    *rand.Rand
	cancel  context.CancelFunc             // no new texts
	abandon context.CancelFunc             // give up those under way
	start   func(c *chat, isOut bool) bool // begins the next text of a chat unless one is under way in that direction
	work    sync.WaitGroup
	done    chan struct{}
	skipped atomic.Int64 // texts not begun because all tried chats still had one under way
}

// begin starts traffic at rate texts a second in each direction.
func (c *campaign) begin(ctx context.Context, rate int, seed uint64) *traffic {
	t := &traffic{run: c, draw: rand.New(rand.NewPCG(seed, 1)), done: make(chan struct{})}
	work, abandon := context.WithCancel(ctx)
	flow, cancel := context.WithCancel(work)
	t.cancel, t.abandon = cancel, abandon
	t.start = func(c *chat, isOut bool) bool {
		busy, do := &c.inBusy, t.write
		if isOut {
			busy, do = &c.outBusy, t.post
		}
		if flow.Err() != nil || !busy.CompareAndSwap(false, true) {
			return false
		}
		t.work.Go(func() {
			defer busy.Store(false)
			do(work, c)
		})
		return true
	}
	go func() {
		defer close(t.done)
		tick := time.NewTicker(time.Second / time.Duration(max(rate, 1)))
		defer tick.Stop()
		for {
			select {
			case <-flow.Done():
				return
			case <-tick.C:
			}
			t.next(true)
			t.next(false)
		}
	}()
	return t
}

// next begins a text in some chat that has none under way in the direction.
func (t *traffic) next(isOut bool) {
	for range 5 {
		if t.start(t.run.chats[t.draw.IntN(len(t.run.chats))], isOut) {
			return
		}
	}
	t.skipped.Add(1)
}

// end stops new texts and waits until those under way are accepted; those that are not in time are reported.
func (t *traffic) end(within time.Duration) {
	t.cancel()
	<-t.done
	timer := time.AfterFunc(within, t.abandon)
	t.work.Wait()
	timer.Stop()
	t.abandon()
}

// post sends the next text of a chat through the API of any process, with one key however often it is tried.
func (t *traffic) post(ctx context.Context, c *chat) {
	c.mu.Lock()
	n := len(c.out)
	c.mu.Unlock()
	x, err := t.run.post(ctx, c, outText(c.index, n))
	if err != nil {
		t.run.blame("text %q of line %d (%s), first tried at %s, was never accepted: %v", x.Text, c.session.index, c.session.id, x.At.Format(clock), err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, x)
}

func (c *campaign) post(ctx context.Context, to *chat, body string) (text, error) {
	x := text{Text: body, At: time.Now()}
	var message struct {
		WhatsAppID string `json:"whatsappId"`
	}
	var err error
	x.Tries, err = c.insist(ctx, to.session.tenant, "POST", to.path(), map[string]string{"type": "text", "text": body}, &message, "Idempotency-Key", "chaos "+body)
	x.ID, x.Accepted = message.WhatsAppID, time.Now()
	return x, err
}

// write has the person of a chat write the next text.
func (t *traffic) write(ctx context.Context, c *chat) {
	c.mu.Lock()
	x := text{Text: inText(c.index, len(c.in)), At: time.Now(), Tries: 1}
	c.mu.Unlock()
	var err error
	x.ID, err = t.run.sim.write(context.WithoutCancel(ctx), c.number(), c.session.number(), x.Text)
	if err != nil {
		t.run.blame("the phone %s could not write: %v", c.number(), err)
		return
	}
	x.Accepted = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, x)
}

// counts gives how many texts were accepted in each direction.
func (c *campaign) counts() (out, in int) {
	for _, chat := range c.chats {
		chat.mu.Lock()
		out, in = out+len(chat.out), in+len(chat.in)
		chat.mu.Unlock()
	}
	return out, in
}
