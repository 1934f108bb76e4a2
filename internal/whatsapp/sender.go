package whatsapp

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"turnero/internal/id"
)

// What bounds a session's sending.
const (
	queueBatch    = 64               // messages read from the queue at once
	parallelChats = 4                // chats of one session sent to at the same time
	sendTimeout   = 10 * time.Second // one attempt
	mostAttempts  = 30               // with unknown outcome, until a message fails; more than ten minutes of a connected line
	offlinePause  = time.Second      // after an attempt that found no connection
)

// sender sends a session's queued messages: those of one chat in order, several chats at the same time. It runs only while
// there is something to send and the line is connected; an idle session has no goroutine here.
type sender struct {
	term *term

	mu        sync.Mutex
	isRunning bool
	isDirty   bool // the queue may hold what was not read yet
	isClosed  bool
	offered   []Queued      // handed over by who queued them, not looked at yet
	poke      chan struct{} // while running: look again
	ended     chan struct{} // while running: closed at the end
}

// wake says that there may be something to send.
func (o *sender) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.isDirty = true
	if o.isRunning {
		o.pokeLocked()
		return
	}
	if o.isClosed || !o.term.canSend() {
		return
	}
	o.startLocked()
}

// offer hands over a message that was just queued and was, at that moment, the only one of its session that waited, so that the queue need not be read for
// it. It must come before anything can be recorded of the message. False: only the next wake will find it.
func (o *sender) offer(q Queued) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.isClosed || !o.term.canSend() {
		return false
	}
	o.offered = append(o.offered, q)
	if o.isRunning {
		o.pokeLocked()
	} else {
		o.startLocked()
	}
	return true
}

func (o *sender) startLocked() {
	o.isRunning, o.poke, o.ended = true, make(chan struct{}, 1), make(chan struct{})
	go o.run(o.term.ctx)
}

func (o *sender) pokeLocked() {
	select {
	case o.poke <- struct{}{}:
	default:
	}
}

// close lets the attempts under way finish and begins none. The returned channel is closed when the last has ended.
func (o *sender) close() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.isClosed = true
	if o.isRunning {
		o.pokeLocked()
		return o.ended
	}
	done := make(chan struct{})
	close(done)
	return done
}

// tryEnd ends the run unless there is a reason to go on.
func (o *sender) tryEnd() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if (o.isDirty || len(o.offered) > 0) && !o.isClosed && o.term.canSend() {
		return false
	}
	o.isDirty = o.isDirty || len(o.offered) > 0
	o.offered = nil
	o.isRunning = false
	close(o.ended)
	return true
}

func (o *sender) takeDirty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.isDirty
	o.isDirty = false
	return was
}

func (o *sender) setDirty() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.isDirty = true
}

func (o *sender) mayStart() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.isClosed && o.term.canSend() && o.term.ctx.Err() == nil
}

// chatRun is the outcome of sending to one chat until it was done or had to stop.
type chatRun struct {
	chat    id.Chat
	stopped *Queued // the message that could not be settled; nil when all were
	outcome attempt
}

// sending is the state of one run.
type sending struct {
	backlog  [][]Queued             // by chat, not begun
	busy     map[id.Chat]bool       // begun; true when the queue was read meanwhile without the chat
	inHand   map[id.Message]id.Chat // what the busy chats have, by the chat it was read from: a merge may give it to another
	paused   map[id.Chat]time.Time  // until when a chat's next message must not be tried
	attempts map[id.Message]int
	finished chan chatRun
}

// run is the loop of the sender.
func (o *sender) run(ctx context.Context) {
	r := &sending{busy: map[id.Chat]bool{}, inHand: map[id.Message]id.Chat{}, paused: map[id.Chat]time.Time{}, attempts: map[id.Message]int{}, finished: make(chan chatRun, parallelChats)}
	for {
		o.takeOffered(r)
		if o.mayStart() {
			o.fill(ctx, r)
			o.begin(ctx, r)
		} else {
			if len(r.backlog) > 0 {
				o.setDirty()
			}
			r.backlog = nil // what is not sent stays queued; the next run reads it
			clear(r.paused)
		}
		if len(r.busy) == 0 && len(r.backlog) == 0 && len(r.paused) == 0 && o.tryEnd() {
			return
		}
		o.wait(ctx, r)
	}
}

// fill reads the queue when it may have something that is not in hand.
func (o *sender) fill(ctx context.Context, r *sending) {
	if len(r.backlog) > 0 || !o.takeDirty() {
		return
	}
	except := make([]id.Chat, 0, len(r.busy)+len(r.paused))
	for chat := range r.busy {
		r.busy[chat] = true
		except = append(except, chat)
	}
	for chat := range r.paused {
		except = append(except, chat)
	}
	queued, err := o.term.svc.store.ListQueued(ctx, o.term.Ref, except, queueBatch)
	if err != nil {
		o.term.fail(err)
		return
	}
	if len(queued) == queueBatch {
		o.setDirty()
	}
	r.backlog = slices.DeleteFunc(byChat(queued), r.isInHand)
}

// takeOffered takes over what was offered. What must wait for others of its chat is left to the queue.
func (o *sender) takeOffered(r *sending) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.offered {
		if !r.accept(q) {
			o.isDirty = true
		}
	}
	o.offered = nil
}

// accept adds a message to the backlog unless it is in hand already; false when others of its chat are.
func (r *sending) accept(q Queued) bool {
	if _, isInHand := r.inHand[q.ID]; isInHand {
		return true
	}
	for _, chat := range r.backlog {
		for i := range chat {
			if chat[i].ID == q.ID {
				return true
			}
		}
		if chat[0].ChatID == q.ChatID {
			return false
		}
	}
	_, isBusy := r.busy[q.ChatID]
	_, isPaused := r.paused[q.ChatID]
	if isBusy || isPaused {
		return false
	}
	r.backlog = append(r.backlog, []Queued{q})
	return true
}

// isInHand reports whether some of a chat's messages are being sent as those of a chat that was merged into it meanwhile. It has to wait for that one.
func (r *sending) isInHand(chat []Queued) bool {
	for _, q := range chat {
		if from, ok := r.inHand[q.ID]; ok {
			r.busy[from] = true
			return true
		}
	}
	return false
}

// byChat splits messages by chat, keeping their order.
func byChat(queued []Queued) [][]Queued {
	var out [][]Queued
	at := map[id.Chat]int{}
	for _, q := range queued {
		i, ok := at[q.ChatID]
		if !ok {
			i, at[q.ChatID] = len(out), len(out)
			out = append(out, nil)
		}
		out[i] = append(out[i], q)
	}
	return out
}

// begin starts as many chats as may be sent to at once.
func (o *sender) begin(ctx context.Context, r *sending) {
	for len(r.busy) < parallelChats && len(r.backlog) > 0 {
		chat := r.backlog[0]
		r.backlog = r.backlog[1:]
		r.busy[chat[0].ChatID] = false
		for _, q := range chat {
			r.inHand[q.ID] = q.ChatID
		}
		go func() { r.finished <- o.sendChat(ctx, chat) }()
	}
}

// wait blocks until a chat is finished, a pause ends or somebody wakes the sender.
func (o *sender) wait(ctx context.Context, r *sending) {
	var pauseEnds <-chan time.Time
	if next, ok := r.nextPause(); ok {
		timer := time.NewTimer(next.Sub(o.term.svc.clock()))
		defer timer.Stop()
		pauseEnds = timer.C
	}
	over := ctx.Done()
	if len(r.busy) > 0 && ctx.Err() != nil {
		over = nil // the attempts under way end by themselves, and soon
	}
	select {
	case done := <-r.finished:
		o.finish(r, done)
	case <-pauseEnds:
		r.endPauses(o.term.svc.clock())
		o.setDirty()
	case <-o.poke:
	case <-over:
	}
}

func (r *sending) nextPause() (next time.Time, ok bool) {
	for _, until := range r.paused {
		if !ok || until.Before(next) {
			next, ok = until, true
		}
	}
	return next, ok
}

func (r *sending) endPauses(now time.Time) {
	for chat, until := range r.paused {
		if !until.After(now) {
			delete(r.paused, chat)
		}
	}
}

// finish takes note of a chat that is done or stopped.
func (o *sender) finish(r *sending, done chatRun) {
	o.takeOffered(r) // as long as what the chat's run was given is known to be in hand: it may have been read before it was offered
	wasPassedOver := r.busy[done.chat]
	delete(r.busy, done.chat)
	maps.DeleteFunc(r.inHand, func(_ id.Message, chat id.Chat) bool { return chat == done.chat })
	if done.stopped == nil {
		if wasPassedOver {
			o.setDirty()
		}
		return
	}
	o.setDirty()
	pause := offlinePause
	if done.outcome == attemptUnknown {
		r.attempts[done.stopped.ID]++
		pause = backoff(r.attempts[done.stopped.ID])
	}
	if r.attempts[done.stopped.ID] >= mostAttempts {
		if err := o.term.settle(*done.stopped, MessageFailed, FailedOutcomeUnknown, Sent{}); err != nil {
			return // the term is over
		}
		delete(r.attempts, done.stopped.ID)
		return
	}
	r.paused[done.chat] = o.term.svc.clock().Add(pause)
}

// sendChat sends messages of one chat in order, until one of them cannot be settled now.
func (o *sender) sendChat(ctx context.Context, queued []Queued) chatRun {
	run := chatRun{chat: queued[0].ChatID}
	for i := range queued {
		if !o.mayStart() {
			run.stopped, run.outcome = &queued[i], attemptOffline
			return run
		}
		outcome := o.term.attempt(ctx, queued[i])
		if outcome != attemptSettled {
			run.stopped, run.outcome = &queued[i], outcome
			return run
		}
	}
	return run
}
