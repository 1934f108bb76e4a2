package wasim

import (
	"context"
	"encoding/binary"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

const (
	// maxRetries is how often a phone asks for one message again.
	maxRetries = 4
	// retriesRemembered bounds what a phone knows about how often it has asked.
	retriesRemembered = 1024
)

// handleRetry encrypts a message once more for a device that could not read it, in a new session, or passes the request on to
// the linked device that wrote it.
func (n *Network) handleRetry(c *conn, receipt *node, to types.JID, out *outgoing) {
	writer := to
	isGroup := isShared(to)
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
	if isShared(to) {
		return p.groupLetterAgain(ctx, to, r, body)
	}
	target := p.account.net.find(r.Chat)
	if target == nil {
		return nil, ErrNotFound.because("id", "the chat of message %s is gone", id)
	}
	return copyFor(d, p.account, p.account.addressOf(target), &writing{p.account, id, body, r.Timestamp}), nil
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

// rememberRetried notes that a copy of a message did not decrypt: the acknowledgement that may follow is for that copy.
func (c *conn) rememberRetried(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retried == nil || len(c.retried) >= retriesRemembered {
		c.retried = map[string]int{}
	}
	c.retried[id]++
}

func (c *conn) forgetRetried(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retried[id] == 0 {
		return false
	}
	if c.retried[id]--; c.retried[id] == 0 {
		delete(c.retried, id)
	}
	return true
}

// askAgain makes a phone ask a linked device for a message that did not decrypt.
func (p *phone) askAgain(s *sending, in *incoming) {
	p.mu.Lock()
	if p.retries == nil || len(p.retries) >= retriesRemembered {
		p.retries = map[retryKey]int{}
	}
	key := retryKey{in.from, in.id}
	p.retries[key]++
	count := p.retries[key]
	p.mu.Unlock()
	if count > maxRetries {
		return
	}
	b, generation := p.takeBundle()
	s.out.after(generation)
	a := attrs{"from": p.account.addressed(in.chat), "id": in.id, "type": "retry", "t": s.net.now().Unix()}
	switch {
	case isShared(in.chat):
		a["from"], a["participant"] = in.chat, p.account.pn
	case p.account == in.from.account:
		a["recipient"] = in.chat
	}
	children := []node{
		{Tag: "retry", Attrs: attrs{"count": count, "id": in.id, "t": s.net.now().Unix(), "v": 1}},
		{Tag: "registration", Content: binary.BigEndian.AppendUint32(nil, b.registration)},
		{Tag: "keys", Content: b.nodes()[1:]},
	}
	s.out.add(in.from, node{Tag: "receipt", Attrs: a, Content: children}, nil)
	s.net.stats.RetriesOut.Add(1)
}
