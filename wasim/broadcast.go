package wasim

import (
	"context"
	"slices"
	"time"

	"go.mau.fi/libsignal/groups"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// writeGroup sends a message of a phone to a group: the other members' phones have it at once, linked devices get the
// sender's key and the message sealed with it.
func (n *Network) writeGroup(ctx context.Context, m *writing, jid types.JID) error {
	g := n.findGroup(jid)
	if g == nil || !slices.Contains(g.Members, m.from.number()) {
		return ErrNotFound.because("to", "%s is in no group %s", m.from.pn.User, jid)
	}
	return n.broadcast(ctx, &circular{writing: m, to: jid, numbers: g.Members})
}

// writeStatus sends a status message. Everybody with a linked device is taken to have the sender among the contacts.
func (n *Network) writeStatus(ctx context.Context, m *writing, jid types.JID) error {
	if jid != types.StatusBroadcastJID {
		return invalid("to", "only status@broadcast can be broadcast to")
	}
	var audience []string
	for _, a := range n.everybody() {
		if len(a.linked()) > 0 {
			audience = append(audience, a.number())
		}
	}
	return n.broadcast(ctx, &circular{writing: m, to: jid, numbers: audience})
}

// circular is one message to many.
type circular struct {
	*writing
	to      types.JID
	numbers []string
}

// broadcast seals a message once with the sender's key and sends it to everybody.
func (n *Network) broadcast(ctx context.Context, m *circular) error {
	out := n.newOutgoing()
	for _, number := range m.numbers {
		if a := n.account(number); a != m.from {
			_, generation := a.phone.deliver(m.writing, m.to)
			out.after(generation)
		}
	}
	if err := m.from.phone.sealBroadcast(ctx, m, out); err != nil {
		return err
	}
	return out.release()
}

// sealBroadcast records a message to many and puts it into the outbox of each of their linked devices, with the key to it.
func (p *phone) sealBroadcast(ctx context.Context, m *circular, out *outgoing) error {
	n := p.account.net
	e, err := newEntry(m.id, p.account, m.to.String(), m.body, m.at)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	key, ciphertext, err := p.sealWithOwnKey(ctx, m.to, pad(e.Content), &c)
	if err != nil {
		return err
	}
	keyPlain, err := proto.Marshal(keyMessage(m.to, key))
	if err != nil {
		return err
	}
	p.add(e.asSent(e.To), &c)
	var stanzas []*stanza
	for _, number := range m.numbers {
		for _, d := range n.account(number).linked() {
			kind, sealedKey, err := p.encrypt(ctx, d, pad(keyPlain), false, nil, &c)
			if err != nil {
				n.log.Error("group message not sent to a device", "device", d.jid, "error", err)
				continue
			}
			n.stats.MessagesOut.Add(1)
			stanzas = append(stanzas, out.add(d, node{Tag: "message", Attrs: p.groupAttrs(m.to, m.id, m.body, m.at), Content: []node{
				{Tag: "enc", Attrs: attrs{"v": "2", "type": kind}, Content: n.faults.onSeal(d, sealedKey)},
				{Tag: "enc", Attrs: attrs{"v": "2", "type": encSenderKey}, Content: ciphertext}}}, &c))
		}
	}
	p.tell(Event{Type: EventMessage, Message: ptr(e.public())})
	out.stamp(stanzas, n.store.apply(c))
	return nil
}

func (p *phone) groupAttrs(to types.JID, id string, body *waE2E.Message, at time.Time) attrs {
	return attrs{"from": to, "participant": p.account.pn, "participant_lid": p.account.lid, "id": id, "t": at.Unix(),
		"type": stanzaType(body), "notify": p.account.displayName()}
}

func keyMessage(to types.JID, key []byte) *waE2E.Message {
	return &waE2E.Message{SenderKeyDistributionMessage: &waE2E.SenderKeyDistributionMessage{
		GroupID: proto.String(to.String()), AxolotlSenderKeyDistributionMessage: key}}
}

// groupLetterAgain makes the letter by which a member that could not read a group message gets it: to it alone, with the key.
func (p *phone) groupLetterAgain(ctx context.Context, to types.JID, r *entry, body *waE2E.Message) (*letter, error) {
	var c changes
	v := vault{p, p.keys(), &c}
	key, err := groups.NewGroupSessionBuilder(v, serializer).Create(ctx, p.ownSenderKey(to))
	if err != nil {
		return nil, err
	}
	p.account.net.store.apply(c)
	body.SenderKeyDistributionMessage = keyMessage(to, key.Serialize()).SenderKeyDistributionMessage
	return &letter{body: body, attrs: p.groupAttrs(to, r.ID, body, r.Timestamp)}, nil
}

// ownSenderKey names the phone's own key in a group.
func (p *phone) ownSenderKey(to types.JID) *protocol.SenderKeyName {
	return protocol.NewSenderKeyName(to.String(), protocol.NewSignalAddress(p.account.number(), 0))
}

// sealWithOwnKey encrypts for a group and returns the key as others need it to read from this message on.
func (p *phone) sealWithOwnKey(ctx context.Context, to types.JID, padded []byte, c *changes) (key, ciphertext []byte, err error) {
	v := vault{p, p.keys(), c}
	builder := groups.NewGroupSessionBuilder(v, serializer)
	name := p.ownSenderKey(to)
	distribution, err := builder.Create(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := groups.NewGroupCipher(builder, name, v).Encrypt(ctx, padded)
	if err != nil {
		return nil, nil, err
	}
	return distribution.Serialize(), sealed.SignedSerialize(), nil
}

// writeChannel puts a message of a channel before every linked device. Channels are not encrypted.
func (n *Network) writeChannel(jid types.JID, m *writing) error {
	plain, err := proto.Marshal(m.body)
	if err != nil {
		return err
	}
	out := n.newOutgoing()
	for _, a := range n.everybody() {
		for _, d := range a.linked() {
			out.add(d, node{Tag: "message", Attrs: attrs{"from": jid, "id": m.id, "server_id": 100, "t": m.at.Unix(), "type": "text"},
				Content: []node{{Tag: "plaintext", Content: plain}}}, nil)
			n.stats.MessagesOut.Add(1)
		}
	}
	return out.release()
}
