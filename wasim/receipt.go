package wasim

import (
	"time"

	"go.mau.fi/whatsmeow/types"
)

// acknowledgeAs answers a message as the faults in force want it.
func (c *conn) acknowledgeAs(plan messagePlan, n *node, code int, hash string) {
	switch {
	case plan.dropAck:
		c.net.stats.AcksDropped.Add(1)
		c.net.frames.add(c, "dropped", n, "acknowledgement")
	case plan.delayAck > 0:
		time.AfterFunc(plan.delayAck, func() { c.acknowledge(n, code, hash) })
	default:
		c.acknowledge(n, code, hash)
	}
}

// acknowledge answers a message: the network has it, or refuses it with a code.
func (c *conn) acknowledge(n *node, code int, hash string) {
	a := attrs{"class": "message", "id": n.Attrs["id"], "from": n.Attrs["to"], "t": c.net.now().Unix(), "phash": hash}
	if participant, ok := n.Attrs["participant"]; ok {
		a["participant"] = participant
	}
	if code != 0 {
		a["error"] = code
	}
	c.net.stats.AcksOut.Add(1)
	c.send(node{Tag: "ack", Attrs: a})
}

// handleAck takes a client's acknowledgement of a stanza.
func (c *conn) handleAck(n *node) {
	key := stanzaKey{class: text(n.Attrs["class"]), id: text(n.Attrs["id"]), from: jidText(n.Attrs["to"]), participant: jidText(n.Attrs["participant"])}
	if key.class != "message" {
		key.kind = text(n.Attrs["type"])
	} else if c.forgetRetried(key.id) {
		return // it speaks of the copy that did not decrypt, not of the one under way
	}
	if code := text(n.Attrs["error"]); code != "" {
		c.net.stats.NacksIn.Add(1)
		c.net.frames.event(c.device, "nack", key.id, code)
	}
	if s := c.device.waiting(key); s != nil {
		c.device.drop(s)
		c.net.stats.AcksIn.Add(1)
		if key.class == "message" {
			c.net.loads.acknowledged(c.device, key.id)
		}
	}
}

// handleReceipt takes a receipt of a client. It acknowledges the message it is for, goes on to whoever wrote that message,
// and is acknowledged itself.
func (c *conn) handleReceipt(n *node) error {
	c.net.stats.ReceiptsIn.Add(1)
	kind, id, to := text(n.Attrs["type"]), text(n.Attrs["id"]), jidOf(n.Attrs["to"])
	key := stanzaKey{class: "message", id: id, from: jidText(n.Attrs["to"]), participant: jidText(n.Attrs["participant"])}
	meant := c.device.waiting(key)
	out := c.net.newOutgoing()
	switch kind {
	case "retry":
		if meant != nil {
			c.rememberRetried(id)
		}
		c.net.stats.RetriesIn.Add(1)
		c.net.handleRetry(c, n, to, out)
	case "", "inactive", "read", "played":
		c.passReceipt(n, kind, to, out)
	case "read-self", "played-self", "sender", "peer_msg", "hist_sync", "server-error":
	default:
		c.net.log.Warn("unknown receipt", "type", kind, "device", c.device.jid)
	}
	c.device.drop(meant) // only now: a copy that takes its place is in the outbox before it goes
	if meant != nil && kind != "retry" {
		c.net.loads.acknowledged(c.device, id)
	}
	if err := out.release(); err != nil {
		return err
	}
	a := attrs{"class": "receipt", "id": id, "from": n.Attrs["to"], "type": kind}
	if participant, ok := n.Attrs["participant"]; ok {
		a["participant"] = participant
	}
	if recipient, ok := n.Attrs["recipient"]; ok {
		a["recipient"] = recipient
	}
	c.send(node{Tag: "ack", Attrs: a})
	return nil
}

// passReceipt tells the writer of messages what a client did with them: its phone remembers, its linked devices are told.
func (c *conn) passReceipt(n *node, kind string, to types.JID, out *outgoing) {
	writer := to
	if isShared(to) {
		writer = jidOf(n.Attrs["participant"])
	}
	a := c.net.lookup(writer)
	if a == nil || a == c.device.account {
		return
	}
	ids := receiptIDs(n)
	receipt := Receipt{Type: ReceiptDelivered, By: c.device.account.number(), Device: int(c.device.number),
		Inactive: kind == "inactive", Timestamp: c.net.now().UTC()}
	if kind == "read" || kind == "played" {
		receipt.Type = kind
	}
	out.after(a.phone.noteReceipt(ids, receipt))
	if receipt.Type != ReceiptDelivered {
		out.after(c.device.account.phone.noteSeen(ids, a.number(), receipt))
	}
	r := attrs{"from": c.device.addressed(to), "id": ids[0], "type": kind, "t": c.net.now().Unix()}
	if writer != to {
		r["from"], r["participant"] = to, c.device.addressed(writer)
	}
	for _, d := range a.linked() {
		out.add(d, node{Tag: "receipt", Attrs: r, Content: receiptList(ids)}, nil)
		c.net.stats.ReceiptsOut.Add(1)
	}
}

// receiptIDs lists the messages that a receipt is about.
func receiptIDs(n *node) []string {
	ids := []string{text(n.Attrs["id"])}
	list := n.GetChildByTag("list")
	for _, item := range list.GetChildrenByTag("item") {
		if id := text(item.Attrs["id"]); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// receiptList is the content of a receipt for several messages; the first is in its attributes.
func receiptList(ids []string) any {
	if len(ids) < 2 {
		return nil
	}
	items := make([]node, 0, len(ids)-1)
	for _, id := range ids[1:] {
		items = append(items, node{Tag: "item", Attrs: attrs{"id": id}})
	}
	return []node{{Tag: "list", Content: items}}
}

// confirmDelivery makes a phone that has a message from a linked device say so.
func (n *Network) confirmDelivery(out *outgoing, reader *account, from *device, chat types.JID, id string) {
	now := n.now()
	if reader == from.account {
		out.add(from, node{Tag: "receipt", Attrs: attrs{"from": reader.addressed(chat), "recipient": chat, "id": id, "type": "sender",
			"t": now.Unix()}}, nil)
		n.stats.ReceiptsOut.Add(1)
		return
	}
	n.phoneReceipts(out, reader, from.account, chat, []string{id}, ReceiptDelivered)
	reader.mu.Lock()
	isReading := reader.isReading
	reader.mu.Unlock()
	if isReading {
		reader.phone.markRead(from.account, id)
		n.phoneReceipts(out, reader, from.account, chat, []string{id}, ReceiptRead)
	}
}

// phoneReceipts sends receipts of a phone to the account that wrote the messages. chat is the chat as the writer addresses it.
func (n *Network) phoneReceipts(out *outgoing, reader, writer *account, chat types.JID, ids []string, kind string) {
	now := n.now()
	out.after(writer.phone.noteReceipt(ids, Receipt{Type: kind, By: reader.number(), Timestamp: now.UTC()}))
	a := attrs{"from": chat, "id": ids[0], "t": now.Unix()}
	if kind != ReceiptDelivered {
		a["type"] = kind
	}
	if isShared(chat) {
		a["participant"] = reader.pn
	}
	for _, d := range writer.linked() {
		out.add(d, node{Tag: "receipt", Attrs: a, Content: receiptList(ids)}, nil)
		n.stats.ReceiptsOut.Add(1)
	}
}
