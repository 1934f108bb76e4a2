package wameow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/types"

	"turnero/internal/whatsapp"
)

const (
	// sendLimit bounds a send from its turn to WhatsApp's acknowledgement, look-ups included.
	sendLimit = 10 * time.Second
	// diagnosisLimit bounds the question why nothing could be encrypted.
	diagnosisLimit = 5 * time.Second
)

var (
	errNoDevice = errors.New("wameow: the message was encrypted for no device of its recipient")
	errGivenUp  = fmt.Errorf("wameow: the send was given up: %w", context.Canceled)
)

// sendOp is one send on its way through the library: what its store calls tell about it, and what it is told to do.
type sendOp struct {
	recipient  string                  // the Signal name of a direct message's recipient, "" for a group
	identities map[string][32]byte     // seen, to be written with the sessions
	cancel     context.CancelCauseFunc // of the library's call

	mu          sync.Mutex
	isEncrypted bool // for at least one device of the recipient
	isGivenUp   bool // nobody waits any more: it must not leave
	hasLeft     bool // from here on its frame may be on the wire
}

// encryptedFor is told for whom the message was encrypted. It refuses when the recipient is not among them.
func (op *sendOp) encryptedFor(addresses []string) error {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.isGivenUp {
		return errGivenUp
	}
	op.isEncrypted = op.recipient == ""
	for _, a := range addresses {
		if strings.HasPrefix(a, op.recipient+":") {
			op.isEncrypted = true
		}
	}
	if !op.isEncrypted {
		return errNoDevice
	}
	return nil
}

// leaving is told right before the frame leaves, and stops it if it must not.
func (op *sendOp) leaving() error {
	op.mu.Lock()
	defer op.mu.Unlock()
	switch {
	case op.isGivenUp:
		return errGivenUp
	case op.recipient != "" && !op.isEncrypted:
		// The library ignores errors here, but sends nothing on a context that has ended.
		op.cancel(errNoDevice)
		return errNoDevice
	}
	op.hasLeft = true
	return nil
}

// giveUp keeps the frame from leaving; false when that is too late.
func (op *sendOp) giveUp() bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.isGivenUp = true
	return !op.hasLeft
}

func (op *sendOp) mayHaveLeft() bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.hasLeft
}

// outcome is what became of a send.
type outcome struct {
	sent whatsapp.Sent
	err  error
}

// Send implements whatsapp.Line. One message of a session is on its way at a time, as the library has it. The call
// returns within its time limit, counted from its turn, even where the library waits for something that it cannot be called back from.
func (l *line) Send(ctx context.Context, m whatsapp.Outgoing) (whatsapp.Sent, error) {
	to, err := recipientOf(m)
	if err != nil {
		return whatsapp.Sent{}, err
	}
	c, ok := l.ready()
	if !ok {
		return whatsapp.Sent{}, whatsapp.ErrNotConnected
	}
	select {
	case l.turn <- struct{}{}:
	case <-c.ctx.Done():
		return whatsapp.Sent{}, whatsapp.ErrNotConnected
	case <-ctx.Done():
		return whatsapp.Sent{}, notConnected(ctx.Err())
	}
	if !c.gate.enter() {
		<-l.turn
		return whatsapp.Sent{}, whatsapp.ErrNotConnected
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	stop := context.AfterFunc(c.ctx, cancel)
	defer stop()
	op := &sendOp{identities: map[string][32]byte{}}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-l.turn }()
		defer c.gate.leave()
		var o outcome
		if err := safely(func() error { o.sent, o.err = c.send(ctx, op, to, m); return nil }); err != nil {
			c.end(ending{kind: endAgain, reason: "panic", err: err})
			o.err = uncertain(op, err)
		}
		done <- o
	}()
	select {
	case o := <-done:
		return o.sent, o.err
	case <-ctx.Done():
	}
	return l.late(c, op, done)
}

// late decides about a send whose time is over.
func (l *line) late(c *connection, op *sendOp, done <-chan outcome) (whatsapp.Sent, error) {
	isHeld := op.giveUp()
	select {
	case o := <-done: // both at once
		return o.sent, o.err
	default:
	}
	if c.ctx.Err() == nil {
		c.probe() // no answer for so long: is anybody there?
	}
	if isHeld {
		return whatsapp.Sent{}, whatsapp.ErrNotConnected
	}
	return whatsapp.Sent{}, whatsapp.ErrUnknownOutcome
}

// uncertain is the error of a send that failed in a way which says nothing about its fate.
func uncertain(op *sendOp, err error) error {
	if op.mayHaveLeft() {
		return fmt.Errorf("%w: %w", whatsapp.ErrUnknownOutcome, err)
	}
	return notConnected(err)
}

// recipientOf checks what a message is sent to.
func recipientOf(m whatsapp.Outgoing) (types.JID, error) {
	to, err := jidOf(m.To)
	if err != nil || m.WAID == "" {
		return types.JID{}, &whatsapp.Rejected{Reason: "invalid_recipient", Err: err}
	}
	switch to.Server {
	case types.DefaultUserServer, types.HiddenUserServer, types.GroupServer:
		return to, nil
	}
	return types.JID{}, &whatsapp.Rejected{Reason: "unsupported_recipient"}
}

// send sends one message: find the recipient's LID and devices first, where a failure means that nothing has left, then
// encrypt and send.
func (c *connection) send(ctx context.Context, op *sendOp, to types.JID, m whatsapp.Outgoing) (whatsapp.Sent, error) {
	s := &scope{send: op}
	defer s.giveBack(c.guard.ratchet)
	ctx, op.cancel = context.WithCancelCause(withScope(ctx, s))
	defer op.cancel(nil)
	var devices []types.JID
	if to.Server != types.GroupServer {
		var err error
		if to, devices, err = c.resolve(ctx, to); err != nil {
			return whatsapp.Sent{}, err
		}
		op.recipient = to.SignalAddressUser()
	}
	answer, err := c.client.SendMessage(ctx, to, textMessage(m.Text), whatsmeow.SendRequestExtra{ID: m.WAID, Timeout: sendLimit})
	c.forget(to, m.WAID)
	s.giveBack(c.guard.ratchet)
	switch {
	case err == nil:
	case errors.Is(err, errNoDevice), errors.Is(context.Cause(ctx), errNoDevice):
		return whatsapp.Sent{}, c.diagnose(devices)
	default:
		err = sendError(op, answer, err)
		if isRestricted(err) {
			c.refusedAsRestricted()
		}
		return whatsapp.Sent{}, err
	}
	sent := whatsapp.Sent{At: answer.Timestamp}
	if op.recipient != "" {
		// The message is out; what the store says about the contact does not change that.
		sent.Contact, _ = c.complete(context.WithoutCancel(ctx), contactOf(to))
	}
	return sent, nil
}

// resolve finds the LID under which the recipient is written to, and the devices to encrypt for.
func (c *connection) resolve(ctx context.Context, to types.JID) (lid types.JID, devices []types.JID, err error) {
	if to.Server == types.DefaultUserServer {
		if to, err = c.lidOf(ctx, to); err != nil {
			return to, nil, err
		}
	}
	users := []types.JID{to}
	if me := c.me.Load(); me != nil && !me.LID.IsZero() && addressOf(to) != me.LID {
		if own, err := jidOf(me.LID); err == nil {
			users = append(users, own)
		}
	}
	all, err := c.client.GetUserDevices(ctx, users)
	if err != nil {
		return to, nil, notSent(err)
	}
	for _, d := range all {
		if d.User == to.User && d.Server == to.Server {
			devices = append(devices, d)
		}
	}
	if len(devices) == 0 {
		return to, nil, &whatsapp.Rejected{Reason: "no_device"}
	}
	return to, devices, nil
}

// lidOf gives the LID of a number: from the store, else from WhatsApp, which the library then remembers.
func (c *connection) lidOf(ctx context.Context, number types.JID) (types.JID, error) {
	lid, err := c.client.Store.LIDs.GetLIDForPN(ctx, number)
	if err != nil {
		return lid, notSent(err)
	}
	if !lid.IsEmpty() {
		return lid, nil
	}
	users, err := c.client.GetUserInfo(ctx, []types.JID{number})
	if err != nil {
		return lid, notSent(err)
	}
	if lid = users[number].LID; !lid.IsEmpty() {
		return lid, nil
	}
	who, ok, err := c.lookup(ctx, number.User)
	switch {
	case err != nil:
		return lid, notSent(err)
	case !ok:
		return lid, &whatsapp.Rejected{Reason: "not_on_whatsapp"}
	case who.LID.IsZero():
		return lid, &whatsapp.Rejected{Reason: "no_lid"}
	}
	return jidOf(who.LID)
}

// diagnose finds out why a message could be encrypted for no device of its recipient. The library does not say; when WhatsApp
// gives keys on request the recipient is to blame, else it was the request.
func (c *connection) diagnose(devices []types.JID) error {
	ctx, cancel := context.WithTimeout(c.ctx, diagnosisLimit)
	defer cancel()
	if err := fetchKeys(ctx, c.client, devices); err != nil {
		return notSent(fmt.Errorf("fetch the recipient's keys: %w", err))
	}
	return &whatsapp.Rejected{Reason: "no_device", Err: errNoDevice}
}

// notSent is the error of a send that stopped before its frame could leave, for a reason that may pass.
func notSent(err error) error {
	if errors.Is(err, whatsapp.ErrNotConnected) {
		return err
	}
	return fmt.Errorf("%w: %w", whatsapp.ErrNotConnected, err)
}

// sendError translates the library's error. Only an answer of WhatsApp rejects a message; what happened before the frame left
// left nothing; the rest is unknown.
func sendError(op *sendOp, answer whatsmeow.SendResponse, err error) error {
	if errors.Is(err, whatsmeow.ErrServerReturnedError) {
		return refusal(err)
	}
	if errors.Is(err, whatsmeow.ErrRecipientADJID) || errors.Is(err, whatsmeow.ErrUnknownServer) || errors.Is(err, whatsmeow.ErrBroadcastListUnsupported) {
		return &whatsapp.Rejected{Reason: "unsupported_recipient", Err: err}
	}
	if !op.mayHaveLeft() {
		return beforeLeaving(err)
	}
	noSocket := errors.Is(err, whatsmeow.ErrNotConnected) || errors.Is(err, socket.ErrSocketClosed)
	if noSocket && answer.DebugTimings.Resp == 0 { // with a response behind it, it was the library's second attempt
		return notSent(err)
	}
	return fmt.Errorf("%w: %w", whatsapp.ErrUnknownOutcome, err)
}

// beforeLeaving translates a failure to prepare a message. For a group WhatsApp may say that the session is not in it.
func beforeLeaving(err error) error {
	var refused *whatsmeow.IQError
	if errors.As(err, &refused) && (refused.Code == 403 || refused.Code == 404) {
		return &whatsapp.Rejected{Reason: "not_in_group", Err: err}
	}
	return notSent(err)
}

// refusal translates the code with which WhatsApp refused a message. Codes that stand for its own trouble, or for having asked
// too often, pass; the others do not.
func refusal(err error) error {
	text := err.Error()
	code, convErr := strconv.Atoi(text[strings.LastIndexByte(text, ' ')+1:])
	if convErr == nil && (code == 408 || code == 429 || code >= 500) {
		return fmt.Errorf("%w: %w", whatsapp.ErrUnknownOutcome, err)
	}
	if convErr == nil && code == codeRestricted {
		return &whatsapp.Rejected{Reason: whatsapp.FailedRestricted, Err: err}
	}
	return &whatsapp.Rejected{Reason: "refused_" + word(strconv.Itoa(code)), Err: err}
}

// isRestricted reports whether a send was refused because of a restriction of the account.
func isRestricted(err error) bool {
	var rejected *whatsapp.Rejected
	return errors.As(err, &rejected) && rejected.Reason == whatsapp.FailedRestricted
}
