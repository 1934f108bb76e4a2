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
	isNew, generation := to.phone.deliver(from, id, from.number(), body, now)
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
	plain, err := proto.Marshal(body)
	if err != nil {
		return err
	}
	kind, words, media := describeMessage(body)
	address := from.addressOf(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	r := &entry{Content: plain, Message: Message{ID: id, Direction: DirectionOut, Chat: to.number(), From: from.number(), To: to.number(),
		Type: kind, Text: words, Timestamp: now, Media: media, Receipts: []Receipt{{Type: ReceiptSent, Timestamp: now}}}}
	p.add(r, &c)
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
	p.tell(Event{Type: EventMessage, Message: ptr(r.public())})
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
	return out.add(d, node{Tag: "message", Attrs: l.attrs, Content: []node{{Tag: "enc", Attrs: enc, Content: ciphertext}}}, c), nil
}

// handleRetry encrypts a message once more for a device that could not read it, in a new session, or passes the request on to
// the linked device that wrote it.
func (n *Network) handleRetry(c *conn, receipt *node, to types.JID, out *outgoing) {
	writer := to
	isGroup := to.Server == types.GroupServer || to.Server == types.BroadcastServer
	if isGroup {
		writer = jidOf(receipt.Attrs["participant"])
	}
	a := n.lookup(writer)
	if a == nil {
		return
	}
	if writer.Device != 0 {
		n.passRetry(c, receipt, a, writer, to, out)
		return
	}
	count := 1
	retry := receipt.GetChildByTag("retry")
	if v := retry.AttrGetter().OptionalInt("count"); v > 0 {
		count = v
	}
	id := text(receipt.Attrs["id"])
	if err := a.phone.repeat(n.ctx, c.device, receipt, to, id, count, out); err != nil {
		n.log.Warn("retry not answered", "device", c.device.jid, "id", id, "error", err)
	}
}

// passRetry hands a request to encrypt again to the linked device that wrote the message.
func (n *Network) passRetry(c *conn, receipt *node, a *account, writer, to types.JID, out *outgoing) {
	d := a.device(writer.Device)
	if d == nil {
		return
	}
	r := attrs{"from": c.device.addressed(writer), "id": receipt.Attrs["id"], "type": "retry", "t": n.now().Unix()}
	switch {
	case to != writer:
		r["from"], r["participant"] = to, c.device.addressed(writer)
	case a == c.device.account:
		r["recipient"] = receipt.Attrs["recipient"]
	}
	out.add(d, node{Tag: "receipt", Attrs: r, Content: receipt.Content}, nil)
	n.stats.ReceiptsOut.Add(1)
}

// repeat seals one of the phone's messages again, under its ID.
func (p *phone) repeat(ctx context.Context, d *device, receipt *node, to types.JID, id string, count int, out *outgoing) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.letterAgain(ctx, d, to, id)
	if err != nil {
		return err
	}
	l.fresh, l.isRetry = true, count
	if keys, ok := receipt.GetOptionalChildByTag("keys"); ok {
		l.bundle = bundleFrom(receipt, &keys)
	}
	var c changes
	s, err := p.sealFor(ctx, d, l, &c, out)
	if err != nil {
		return err
	}
	out.stamp([]*stanza{s}, p.account.net.store.apply(c))
	return nil
}

// letterAgain makes a letter of a message that the phone sent earlier. The caller holds p.mu.
func (p *phone) letterAgain(ctx context.Context, d *device, to types.JID, id string) (*letter, error) {
	if raw := p.peerSent[id]; raw != nil {
		body := &waE2E.Message{}
		if err := proto.Unmarshal(raw, body); err != nil {
			return nil, err
		}
		return p.peerLetter(id, body), nil
	}
	r := p.history.own(id, p.account.number())
	if r == nil {
		return nil, ErrNotFound.because("id", "the phone has no message %s", id)
	}
	body := &waE2E.Message{}
	if err := proto.Unmarshal(r.Content, body); err != nil {
		return nil, err
	}
	if to.Server == types.GroupServer || to.Server == types.BroadcastServer {
		return p.groupLetterAgain(ctx, to, r, body)
	}
	target := p.account.net.find(r.Chat)
	if target == nil {
		return nil, ErrNotFound.because("id", "the chat of message %s is gone", id)
	}
	return copyFor(d, p.account, p.account.addressOf(target), id, body, r.Timestamp), nil
}

// bundleFrom reads the keys that a retry receipt brings along; nil when they are not complete.
func bundleFrom(receipt, keys *node) *bundle {
	registration, ok := parseKeyID(content(receipt, "registration"))
	identity := content(keys, "identity")
	skey := keys.GetChildByTag("skey")
	signed, isSigned := parseSignedKey(&skey)
	if !ok || len(identity) != 32 || !isSigned {
		return nil
	}
	b := &bundle{registration: registration, identity: [32]byte(identity), signed: signed}
	key := keys.GetChildByTag("key")
	if k, ok := parseOneTimeKey(&key); ok {
		b.oneTime = &k
	}
	return b
}
