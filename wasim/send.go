package wasim

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// Send writes a text message as the user of a phone and returns its ID. to is a number, a group ("…@g.us"), a channel
// ("…@newsletter") or "status@broadcast". Written at a phone that has linked devices, these get their copy as of a message
// from their own user. Errors: ErrInvalid, ErrNoWhatsApp, ErrNotFound.
func (n *Network) Send(ctx context.Context, number, to, text string) (string, error) {
	if text == "" {
		return "", invalid("text", "the text is empty")
	}
	return n.write(ctx, number, to, &waE2E.Message{Conversation: proto.String(text)})
}

// write sends any message as the user of a phone.
func (n *Network) write(ctx context.Context, number, to string, body *waE2E.Message) (string, error) {
	from, err := n.phoneOf(number)
	if err != nil {
		return "", err
	}
	jid, err := n.destination(to)
	if err != nil {
		return "", err
	}
	id := n.newID()
	n.stats.MessagesWritten.Add(1)
	switch jid.Server {
	case types.GroupServer:
		return id, n.writeGroup(ctx, from, jid, id, body)
	case types.BroadcastServer:
		return id, n.writeStatus(ctx, from, jid, id, body)
	case types.NewsletterServer:
		return id, n.writeChannel(jid, id, body)
	}
	target := n.lookup(jid)
	if target == nil {
		return "", ErrNoWhatsApp.because("to", "%s has no WhatsApp account", to)
	}
	return id, n.writeTo(ctx, from, target, id, body)
}

// destination reads where a message is to go.
func (n *Network) destination(to string) (types.JID, error) {
	if jid, err := types.ParseJID(to); err == nil && jid.User != "" {
		switch jid.Server {
		case types.GroupServer, types.BroadcastServer, types.NewsletterServer:
			return jid, nil
		case types.HiddenUserServer:
			if a := n.lookup(jid); a != nil {
				return a.pn, nil
			}
			return jid, ErrNotFound.because("to", "no account has the LID %s", to)
		}
	}
	number, err := parseNumber("to", to)
	return types.NewJID(number, types.DefaultUserServer), err
}

// writeTo sends a message from one phone to one account: the other phone has it at once, linked devices of both get their
// ciphertexts.
func (n *Network) writeTo(ctx context.Context, from, to *account, id string, body *waE2E.Message) error {
	out := n.newOutgoing()
	now := n.now().UTC()
	if err := from.phone.seal(ctx, from, to, id, body, now, out); err != nil {
		return err
	}
	if to == from {
		return out.release()
	}
	isNew, generation := to.phone.deliver(from, id, from.addressOf(to), body, now)
	out.after(generation)
	if isNew {
		n.phoneReceipts(out, to, from, from.addressOf(to), []string{id}, ReceiptDelivered)
		to.mu.Lock()
		isReading := to.isReading
		to.mu.Unlock()
		if isReading {
			to.phone.markRead(from, id)
			n.phoneReceipts(out, to, from, from.addressOf(to), []string{id}, ReceiptRead)
		}
	}
	return out.release()
}

// addressOf is how an account addresses another one in its messages.
func (a *account) addressOf(other *account) types.JID {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.usesLID {
		return other.lid
	}
	return other.pn
}

// seal records a message that the phone's user wrote and puts one ciphertext of it into the outbox of every linked device of
// the addressee and of the phone itself.
func (p *phone) seal(ctx context.Context, from, to *account, id string, body *waE2E.Message, now time.Time, out *outgoing) error {
	e, err := newEntry(id, from, to.number(), body, now)
	if err != nil {
		return err
	}
	address := from.addressOf(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	p.add(e.asSent(to.number()), &c)
	var stanzas []*stanza
	devices := from.linked()
	if to != from {
		devices = append(to.linked(), devices...)
	}
	for _, d := range devices {
		s, err := p.sealFor(ctx, d, copyFor(d, from, address, id, body, now), &c, out)
		if err != nil {
			from.net.log.Error("message not sent to a device", "device", d.jid, "error", err)
			continue
		}
		stanzas = append(stanzas, s)
	}
	p.tell(Event{Type: EventMessage, Message: ptr(e.public())})
	out.stamp(stanzas, from.net.store.apply(c))
	return nil
}

// letter is one message for one device before it is encrypted.
type letter struct {
	attrs   attrs
	body    *waE2E.Message
	fresh   bool    // begin a new session
	bundle  *bundle // with these keys
	isRetry int     // which repetition this is
}

// copyFor makes the copy of a message that a device gets: its account's own devices learn that their user wrote to somebody,
// the other side's learn that somebody wrote to them.
func copyFor(d *device, from *account, to types.JID, id string, body *waE2E.Message, at time.Time) *letter {
	l := &letter{body: body, attrs: from.letterAttrs(to, id, body, at)}
	if d.account != from {
		return l
	}
	l.body = &waE2E.Message{DeviceSentMessage: &waE2E.DeviceSentMessage{DestinationJID: proto.String(to.String()), Message: body},
		MessageContextInfo: body.GetMessageContextInfo()}
	l.attrs["recipient"] = to
	if other := from.net.lookup(to); other != nil {
		if to.Server == types.HiddenUserServer {
			l.attrs["peer_recipient_pn"] = other.pn
		} else {
			l.attrs["peer_recipient_lid"] = other.lid
		}
	}
	return l
}

// letterAttrs are the attributes of a phone's <message>; like says in which address space.
func (a *account) letterAttrs(like types.JID, id string, body *waE2E.Message, at time.Time) attrs {
	l := attrs{"from": a.addressed(like), "id": id, "t": at.Unix(), "type": stanzaType(body), "notify": a.displayName()}
	if like.Server == types.HiddenUserServer {
		l["sender_pn"], l["addressing_mode"] = a.pn, "lid"
	} else {
		l["sender_lid"] = a.lid
	}
	return l
}

// sealFor encrypts a letter for a device and puts it into its outbox. The caller holds p.mu and stamps the stanza.
func (p *phone) sealFor(ctx context.Context, d *device, l *letter, c *changes, out *outgoing) (*stanza, error) {
	plain, err := proto.Marshal(l.body)
	if err != nil {
		return nil, err
	}
	kind, ciphertext, err := p.encrypt(ctx, d, pad(plain), l.fresh, l.bundle, c)
	if err != nil {
		return nil, err
	}
	enc := attrs{"v": "2", "type": kind}
	if l.isRetry > 0 {
		enc["count"] = l.isRetry
	}
	if _, _, media := describeMessage(l.body); media != nil {
		enc["mediatype"] = kindOf(l.body)
	}
	ciphertext = p.account.net.faults.onSeal(d, ciphertext)
	p.account.net.stats.MessagesOut.Add(1)
	p.account.net.tellLowKeys(d, out)
	return out.add(d, node{Tag: "message", Attrs: l.attrs, Content: []node{{Tag: "enc", Attrs: enc, Content: ciphertext}}}, c), nil
}
