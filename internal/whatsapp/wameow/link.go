package wameow

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/internal/fault"
	"turnero/internal/whatsapp"
)

const (
	// pairCodeLimit bounds the wait for a code to type, the connection included.
	pairCodeLimit = 20 * time.Second
	// clientName is what a request for a code to type calls itself. WhatsApp accepts only the form "Browser (System)".
	clientName = "Chrome (Linux)"
)

// reasonCodesOver says that nobody used a code in time.
const reasonCodesOver = "qr_expired"

// codes are the QR codes of one connection, shown one after the other.
type codes struct {
	shown chan struct{} // closed when the first is shown

	mu     sync.Mutex
	rest   []string
	timer  *time.Timer
	isOver bool
}

func newCodes() codes { return codes{shown: make(chan struct{})} }

// stop ends the showing of codes.
func (k *codes) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.isOver = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (k *codes) wereShown() bool {
	select {
	case <-k.shown:
		return true
	default:
		return false
	}
}

// next takes the next code and calls then when its life is over. ok is false when there is none, or no need for one.
func (k *codes) next(life time.Duration, then func()) (code string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.isOver || len(k.rest) == 0 {
		return "", false
	}
	code, k.rest = k.rest[0], k.rest[1:]
	k.timer = time.AfterFunc(life, then)
	return code, true
}

// showCodes begins to show the codes that WhatsApp gave.
func (c *connection) showCodes(list []string) {
	c.clearLimit()
	c.codes.mu.Lock()
	c.codes.rest = list
	isFirst := !c.codes.wereShown()
	if isFirst {
		close(c.codes.shown)
	}
	c.codes.mu.Unlock()
	c.line.engine.reached()
	c.line.beginCodes()
	c.showNext(c.line.engine.pace.firstCode)
}

// showNext shows one code. After the last one the line stops: whoever wants to link the session opens it anew.
func (c *connection) showNext(life time.Duration) {
	code, ok := c.codes.next(life, func() {
		if !c.gate.enter() {
			return
		}
		defer c.gate.leave()
		c.showNext(c.line.engine.pace.code)
	})
	if !ok {
		c.codes.mu.Lock()
		isOver := c.codes.isOver
		c.codes.mu.Unlock()
		if !isOver {
			c.end(ending{kind: endStopped, reason: reasonCodesOver})
		}
		return
	}
	c.line.tellCode(code, c.line.engine.now().Add(life))
	c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkQR})
}

// beginCodes notes when the term began to show codes.
func (l *line) beginCodes() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.codesEnd.IsZero() {
		l.codesEnd = l.engine.now().Add(l.engine.pace.linking)
	}
}

// areCodesOver reports whether the term has waited long enough to be linked. A server that closes the connection after its last
// code would otherwise be asked for new ones for ever.
func (l *line) areCodesOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.codesEnd.IsZero() && l.engine.now().After(l.codesEnd.Add(-l.engine.pace.code))
}

// tellCode gives the session the code to show, "" when there is none any more.
func (l *line) tellCode(code string, until time.Time) {
	err := l.within(func(ctx context.Context) error { l.sink.QR(ctx, code, until); return nil })
	if err != nil {
		l.log.Error("session failed to take a code", "error", err)
	}
}

// paired is the moment in which the phone has accepted the device and its keys are stored. What is left is a reconnect.
func (c *connection) paired(ev *events.PairSuccess) {
	c.codes.stop()
	c.line.tellCode("", time.Time{})
	c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkPairing})
	who := whatsapp.Identity{Contact: contactOf(ev.ID, ev.LID)}
	err := c.tell(c.ctx, func(ctx context.Context, sink whatsapp.Sink) error { return sink.Linked(ctx, who) })
	if err != nil && c.ctx.Err() == nil {
		c.line.log.Error("link not stored, it will be when connected", "error", err) // connected tells it again
	}
	c.linkStep()
}

// restart is told that WhatsApp wants the client to connect anew. It does after a link, perhaps before the library has
// noticed that its part of it is done.
func (c *connection) restart() {
	if c.isLinked {
		c.end(ending{kind: endAgain, reason: "stream_error_515"})
		return
	}
	c.linkStep()
}

// linkStep ends the connection when both steps of a link are done, or when the second does not come.
func (c *connection) linkStep() {
	e := ending{kind: endRestart, reason: "linked"}
	if c.linking.Add(1) < 2 {
		c.setLimit(restartLimit, e)
		return
	}
	c.end(e)
}

var errLinked = fault.New(fault.Conflict, "already_linked", "the session is linked already")

// PairCode implements whatsapp.Line. It waits for the connection that can give a code.
func (l *line) PairCode(ctx context.Context, number string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, pairCodeLimit)
	defer cancel()
	c, err := l.linking(ctx)
	if err != nil {
		return "", err
	}
	if !c.gate.enter() {
		return "", whatsapp.ErrNotConnected
	}
	defer c.gate.leave()
	defer context.AfterFunc(c.ctx, cancel)()
	code, err := c.client.PairPhone(ctx, number, true, whatsmeow.PairClientChrome, clientName)
	var refused *whatsmeow.IQError
	switch {
	case err == nil:
		return code, nil
	case errors.Is(err, whatsmeow.ErrPhoneNumberTooShort), errors.Is(err, whatsmeow.ErrPhoneNumberIsNotInternational):
		return "", fault.BadField("phone", "must be a full number with country code").WithCause(err)
	case errors.As(err, &refused) && refused.Code == 429:
		return "", fault.New(fault.TooMany, "too_many_pair_codes", "WhatsApp gives no more codes for this number at the moment; link by QR").
			WithRetryAfter(time.Minute).WithCause(err)
	case errors.As(err, &refused) && refused.Code >= 400 && refused.Code < 500:
		return "", fault.BadField("phone", "was not accepted by WhatsApp").WithCause(err)
	}
	return "", notConnected(err)
}

// linking waits for a connection that asks to be linked.
func (l *line) linking(ctx context.Context) (*connection, error) {
	for {
		l.mu.Lock()
		c, moved, isIdle := l.conn, l.moved, l.isIdle
		l.mu.Unlock()
		if isIdle {
			return nil, whatsapp.ErrNotConnected
		}
		if c == nil {
			select {
			case <-moved:
				continue
			case <-ctx.Done():
				return nil, whatsapp.ErrNotConnected
			case <-l.term.Done():
				return nil, whatsapp.ErrNotConnected
			}
		}
		if c.isLinked {
			return nil, errLinked
		}
		select {
		case <-c.codes.shown:
			return c, nil
		case <-c.ctx.Done():
			select {
			case <-moved:
			case <-ctx.Done():
				return nil, whatsapp.ErrNotConnected
			}
		case <-ctx.Done():
			return nil, whatsapp.ErrNotConnected
		}
	}
}
