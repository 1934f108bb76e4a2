package wasim

import (
	"context"
	"regexp"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// Draft is a message that the user of a phone writes.
type Draft struct {
	To   string // a number, a group ("…@g.us"), a channel ("…@newsletter") or "status@broadcast"
	Text string // the text, or the caption of a file; a caption may be empty
	File *File  // nil: a text message
	// ID is the message's ID; empty: a new one. Writing a message again under its ID does nothing and gives the ID again, so that
	// a request that got no answer can be repeated. Letters, digits and hyphens, 16 to 64 of them.
	ID string
	// Timestamp is when the message says that it was written; zero: now. It lies in the past.
	Timestamp time.Time
}

// Send writes a text message as the user of a phone and returns its ID. Written at a phone that has linked devices, these get
// their copy as of a message from their own user. Errors: as Write.
func (n *Network) Send(ctx context.Context, number, to, text string) (string, error) {
	return n.Write(ctx, number, Draft{To: to, Text: text})
}

// Write sends a message as the user of a phone and returns its ID. Errors: ErrInvalid, ErrNoWhatsApp, ErrNotFound, ErrIDTaken.
func (n *Network) Write(ctx context.Context, number string, d Draft) (string, error) {
	if err := d.check(n.now()); err != nil {
		return "", err
	}
	if d.File != nil {
		sealed, err := n.sealFile(*d.File)
		if err != nil {
			return "", err
		}
		return n.write(ctx, number, d, sealed.message(*d.File, d.Text))
	}
	return n.write(ctx, number, d, &waE2E.Message{Conversation: proto.String(d.Text)})
}

func (d *Draft) check(now time.Time) error {
	if d.File == nil && d.Text == "" {
		return invalid("text", "the text is empty")
	}
	if d.File != nil {
		if err := d.File.check(); err != nil {
			return err
		}
	}
	if d.ID != "" && !draftID.MatchString(d.ID) {
		return invalid("id", "must be 16 to 64 letters, digits or hyphens")
	}
	if d.Timestamp.After(now.Add(time.Second)) {
		return invalid("timestamp", "must not be in the future")
	}
	return nil
}

var draftID = regexp.MustCompile(`^[A-Za-z0-9-]{16,64}$`)

// write sends any message as the user of a phone.
func (n *Network) write(ctx context.Context, number string, d Draft, body *waE2E.Message) (string, error) {
	from, err := n.phoneOf(number)
	if err != nil {
		return "", err
	}
	jid, err := n.destination(d.To)
	if err != nil {
		return "", err
	}
	m := &writing{from: from, id: d.ID, body: body, at: n.now().UTC()}
	if m.id == "" {
		m.id = n.newID()
	} else if isThere, err := from.phone.hasWritten(m); err != nil || isThere {
		return m.id, err
	}
	if !d.Timestamp.IsZero() {
		m.at = d.Timestamp.UTC()
	}
	n.stats.MessagesWritten.Add(1)
	switch jid.Server {
	case types.GroupServer:
		return m.id, n.writeGroup(ctx, m, jid)
	case types.BroadcastServer:
		return m.id, n.writeStatus(ctx, m, jid)
	case types.NewsletterServer:
		return m.id, n.writeChannel(jid, m)
	}
	target := n.lookup(jid)
	if target == nil {
		return "", ErrNoWhatsApp.because("to", "%s has no WhatsApp account", d.To)
	}
	return m.id, n.writeTo(ctx, m, target)
}

// writing is a message on its way out of a phone.
type writing struct {
	from *account
	id   string
	body *waE2E.Message
	at   time.Time
}

// hasWritten says whether a message is there already. Another one under its ID is an error.
func (p *phone) hasWritten(m *writing) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.history.own(m.id, p.account.number())
	if known == nil {
		return false, nil
	}
	if kind, words, _ := describeMessage(m.body); known.Type != kind || known.Text != words {
		return false, ErrIDTaken.because("id", "the phone has written another message under this ID")
	}
	return true, nil
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
func (n *Network) writeTo(ctx context.Context, m *writing, to *account) error {
	out, from := n.newOutgoing(), m.from
	if err := from.phone.seal(ctx, m, to, out); err != nil {
		return err
	}
	if to == from {
		return out.release()
	}
	isNew, generation := to.phone.deliver(m, from.addressOf(to))
	out.after(generation)
	if isNew {
		n.phoneReceipts(out, to, from, from.addressOf(to), []string{m.id}, ReceiptDelivered)
		to.mu.Lock()
		isReading := to.isReading
		to.mu.Unlock()
		if isReading {
			to.phone.markRead(from, m.id)
			n.phoneReceipts(out, to, from, from.addressOf(to), []string{m.id}, ReceiptRead)
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
func (p *phone) seal(ctx context.Context, m *writing, to *account, out *outgoing) error {
	from := m.from
	e, err := newEntry(m.id, from, to.number(), m.body, m.at)
	if err != nil {
		return err
	}
	address := from.addressOf(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.history.own(m.id, from.number()) != nil {
		return nil // the same request, twice at once
	}
	var c changes
	p.add(e.asSent(to.number()), &c)
	var stanzas []*stanza
	devices := from.linked()
	if to != from {
		devices = append(to.linked(), devices...)
	}
	for _, d := range devices {
		s, err := p.sealFor(ctx, d, copyFor(d, from, address, m), &c, out)
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
func copyFor(d *device, from *account, to types.JID, m *writing) *letter {
	body := m.body
	l := &letter{body: body, attrs: from.letterAttrs(to, m.id, body, m.at)}
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
