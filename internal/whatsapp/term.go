package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"turnero/internal/events"
)

// storeTimeout bounds what a term asks of the database by itself.
const storeTimeout = 10 * time.Second

// errTermOver is why the context of a term ends when somebody asked for it.
var errTermOver = errors.New("whatsapp: the term of ownership is over")

// errClaimLost is why a term ends whose session is no longer this process's.
var errClaimLost = errors.New("whatsapp: the session is not this process's any more")

// term is one term of ownership of a session: one fence, one context, one line. It is the Sink of its engine. Whatever goes
// wrong in it ends the context first, so that nothing of the term writes, sends or acknowledges afterwards.
type term struct {
	Term
	svc     *Service
	manager *SessionManager
	ctx     context.Context // the term itself: all it does runs under it; it ends with the claim
	cancel  context.CancelCauseFunc
	unwatch func() bool
	out     sender

	telling sync.Mutex // one change of status is written after another

	mu        sync.Mutex
	line      Line // nil until the engine has opened it
	status    Status
	qr        QRCode
	isOver    bool
	isLeaving bool // the link is being removed because somebody asked for it
}

var _ Sink = (*term)(nil)

func newTerm(claim context.Context, m *SessionManager, session Session) *term {
	t := &term{Term: Term{session.Ref, session.Fence}, svc: m.svc, manager: m, status: session.Status}
	t.ctx, t.cancel = context.WithCancelCause(claim)
	t.out.term = t
	t.unwatch = context.AfterFunc(claim, func() { t.fail(fmt.Errorf("%w: %w", errClaimLost, context.Cause(claim))) })
	return t
}

// opened gives the term its line.
func (t *term) opened(line Line) {
	t.mu.Lock()
	t.line = line
	t.mu.Unlock()
	t.out.wake()
}

// canSend reports whether messages can leave now.
func (t *term) canSend() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line != nil && t.status.isUp() && !t.isOver
}

// live gives the line and the status it is in; ok is false when the term has none or is over.
func (t *term) live() (line Line, status Status, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line, t.status, t.line != nil && !t.isOver
}

func (t *term) code() QRCode {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.qr
}

// leave says that the link is about to be removed because somebody asked for it.
func (t *term) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.isLeaving = true
}

// over marks the term as ended; it reports whether it was not yet.
func (t *term) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.isOver
	t.isOver = true
	return !was
}

// ended reports whether the term is over, or about to be closed.
func (t *term) ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isOver
}

func (t *term) isLoggedOut() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status == StatusLoggedOut
}

// fail ends the term because of an error: its context first, then, elsewhere, its line. The session is opened again after a pause, here if
// this process still has it.
func (t *term) fail(err error) {
	if !t.over() {
		return
	}
	t.cancel(err)
	t.svc.log.Warn("whatsapp term ended", "tenant", t.Tenant.String(), "session", t.Session.String(), "error", err.Error())
	switch {
	case errors.Is(err, ErrStaleFence):
		t.svc.observe.TermEnded("stale_fence")
		t.manager.reapAndGiveUp(t)
	case errors.Is(err, errClaimLost):
		t.svc.observe.TermEnded("claim_lost")
		t.manager.reap(t)
	default:
		t.svc.observe.TermEnded(ReasonStoreError)
		t.manager.reopenAfterFailure(t)
	}
}

// close ends the term because somebody asked for it and returns when nothing of it runs any more.
func (t *term) close() {
	t.over()
	t.unwatch()
	t.cancel(errTermOver)
	if line, _, _ := t.live(); line != nil {
		line.Close()
	}
	<-t.out.close()
}

// drain is close that first lets the sends under way finish, for at most the duration.
func (t *term) drain(most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-t.out.close():
	case <-timer.C:
	}
	t.close()
}

// heed lets an error of the store end the term before the engine sees it. An end of the engine's own time, on ctx, is none.
func (t *term) heed(ctx context.Context, err error) error {
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		t.fail(err)
	}
	return err
}

// Received implements Sink.
func (t *term) Received(ctx context.Context, m Incoming) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	return t.heed(ctx, t.svc.receive(ctx, t.Term, m))
}

// Receipt implements Sink.
func (t *term) Receipt(ctx context.Context, r Receipt) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	return t.heed(ctx, t.svc.receipt(ctx, t.Term, r))
}

// Learned implements Sink.
func (t *term) Learned(ctx context.Context, c ContactIDs) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	return t.heed(ctx, t.svc.learned(ctx, t.Term, c))
}

// Linked implements Sink.
func (t *term) Linked(ctx context.Context, who Identity) error {
	_, err := t.svc.turnSession(ctx, t.Term, func(s *Session) []events.Event {
		s.IsLinked = true
		s.Identity.Contact = who.Contact.orElse(s.Identity.Contact)
		if name := clean(who.PushName, mostName); name != "" {
			s.Identity.PushName = name
		}
		return nil
	})
	return t.heed(ctx, err)
}

// Unlinked implements Sink. What is queued can no longer be sent, and a new link may be another number: it fails.
func (t *term) Unlinked(ctx context.Context, reason string) error {
	t.mu.Lock()
	isLeaving := t.isLeaving
	t.mu.Unlock()
	if isLeaving {
		reason = ReasonRequested
	}
	t.telling.Lock()
	defer t.telling.Unlock()
	if _, err := t.svc.unlink(ctx, t.Ref, t.Fence, StatusLoggedOut, clean(reason, mostWAID)); err != nil {
		return t.heed(ctx, err)
	}
	t.setStatus(StatusLoggedOut)
	if !isLeaving && t.over() {
		t.manager.reap(t)
	}
	return nil
}

// Changed implements Sink. It writes under the term's own context: the engine's may belong to a connection that has just ended.
func (t *term) Changed(_ context.Context, c LinkChange) {
	t.telling.Lock()
	defer t.telling.Unlock()
	if t.ended() {
		return
	}
	ctx, cancel := context.WithTimeout(t.ctx, storeTimeout)
	defer cancel()
	session, err := t.svc.linkChanged(ctx, t.Term, c)
	if err != nil {
		t.fail(err)
		return
	}
	t.setStatus(session.Status)
	if session.Status.isUp() {
		t.manager.connected(t.Ref)
		t.out.wake()
	}
	if Status(c.State).isFinal() && t.over() {
		t.manager.ended(t, session)
	}
}

// Restricted implements Sink.
func (t *term) Restricted(ctx context.Context, r Restriction) error {
	t.telling.Lock()
	defer t.telling.Unlock()
	if err := t.ctx.Err(); err != nil {
		return err
	}
	session, err := t.svc.restricted(ctx, t.Term, r)
	if err != nil {
		return t.heed(ctx, err)
	}
	t.setStatus(session.Status)
	return nil
}

// setStatus records the status that was stored. A QR ends with its status.
func (t *term) setStatus(status Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status = status
	if status != StatusQR && status != StatusConnecting {
		t.qr = QRCode{}
	}
}

// QR implements Sink. The code is kept in memory only.
func (t *term) QR(_ context.Context, code string, expiresAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.qr = QRCode{Text: code, ExpiresAt: expiresAt}
}

// SentText implements Sink.
func (t *term) SentText(ctx context.Context, _ Address, waID string) (string, bool, error) {
	own, err := t.svc.store.FindOwn(ctx, t.Ref, []string{waID})
	if err != nil || len(own) == 0 {
		return "", false, t.heed(ctx, err)
	}
	return own[0].Text, own[0].Type == TypeText, nil
}
