package wasim

import (
	"go.mau.fi/whatsmeow/types"
)

// Read is the user of a phone looking at a chat: whoever wrote there is told that it has been read, and so are the phone's
// own linked devices. chat is a number or a group; empty means all chats. It returns how many messages had not been read.
// Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Read(number, chat string) (int, error) {
	reader, err := n.phoneOf(number)
	if err != nil {
		return 0, err
	}
	if chat != "" {
		jid, err := n.destination(chat)
		if err != nil {
			return 0, err
		}
		chat = n.display(jid)
	}
	p := reader.phone
	var c changes
	p.mu.Lock()
	seen := p.seeByChat(chat, &c)
	generation := n.store.apply(c)
	p.mu.Unlock()
	out := n.newOutgoing()
	out.after(generation)
	count := 0
	for _, s := range seen {
		count += len(s.ids)
		n.tellRead(reader, s, out)
	}
	return count, out.release()
}

// seen is what a phone has just seen of one writer in one chat.
type seen struct {
	writer  string
	address types.JID // the chat, as the writer addresses it
	ids     []string
}

// tellRead tells the writer's devices that messages have been read, and the reader's own that they need not show them as new.
func (n *Network) tellRead(reader *account, s *seen, out *outgoing) {
	writer := n.account(s.writer)
	n.phoneReceipts(out, reader, writer, s.address, s.ids, ReceiptRead)
	a := attrs{"from": reader.addressed(s.address), "recipient": writer.addressed(s.address), "id": s.ids[0], "type": "read-self", "t": n.now().Unix()}
	if isShared(s.address) {
		a = attrs{"from": s.address, "participant": reader.pn, "id": s.ids[0], "type": "read-self", "t": n.now().Unix()}
	}
	for _, d := range reader.linked() {
		out.add(d, node{Tag: "receipt", Attrs: a, Content: receiptList(s.ids)}, nil)
		n.stats.ReceiptsOut.Add(1)
	}
}

// seeByChat marks what the phone has not yet seen, of one chat or of all, and returns it by writer and address. The caller
// holds p.mu.
func (p *phone) seeByChat(chat string, c *changes) []*seen {
	now := p.account.net.now().UTC()
	var list []*seen
	byKey := map[[2]string]*seen{}
	for _, e := range p.history.entries {
		if e.IsSeen || e.Direction != DirectionIn || chat != "" && e.Chat != chat {
			continue
		}
		e.IsSeen = true
		p.mark(e, Receipt{Type: ReceiptRead, By: p.account.number(), Timestamp: now}, c)
		key := [2]string{e.From, e.Address}
		if byKey[key] == nil {
			address, err := types.ParseJID(e.Address)
			if err != nil {
				continue
			}
			byKey[key] = &seen{writer: e.From, address: address}
			list = append(list, byKey[key])
		}
		byKey[key].ids = append(byKey[key].ids, e.ID)
	}
	return list
}

// noteSeen records that one of the phone's linked devices has shown messages to its user.
func (p *phone) noteSeen(ids []string, writer string, receipt Receipt) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	for _, id := range ids {
		if e := p.history.find(id, writer); e != nil {
			e.IsSeen = true
			p.mark(e, receipt, &c)
		}
	}
	return p.account.net.store.apply(c)
}

// markRead marks one message as read without telling anybody.
func (p *phone) markRead(writer *account, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.history.find(id, writer.number())
	if r == nil || r.IsSeen {
		return
	}
	r.IsSeen = true
	var c changes
	p.mark(r, Receipt{Type: ReceiptRead, By: p.account.number(), Timestamp: p.account.net.now().UTC()}, &c)
	p.account.net.store.apply(c)
}
