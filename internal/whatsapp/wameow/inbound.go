package wameow

import (
	"context"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/internal/whatsapp"
)

// received hands a message to the session. It returns true when the session has it, and for what is no message to anybody.
func (c *connection) received(ev *events.Message) bool {
	kind, text, ok := contentOf(ev.Message)
	if !ok || ev.IsEdit || ev.Info.Category == "peer" {
		return true
	}
	m, ok, err := c.incoming(c.ctx, ev)
	if err != nil {
		return c.refuse(err)
	}
	if !ok {
		c.line.log.Debug("message of an unknown sort of chat ignored", "server", ev.Info.Chat.Server)
		return true
	}
	m.Type, m.Text = kind, text
	err = c.tell(c.ctx, func(ctx context.Context, sink whatsapp.Sink) error { return sink.Received(ctx, m) })
	if err != nil {
		return c.refuse(err)
	}
	return true
}

// incoming says who wrote a message where; ok is false for chats that the product has no word for.
func (c *connection) incoming(ctx context.Context, ev *events.Message) (m whatsapp.Incoming, ok bool, err error) {
	info := &ev.Info
	m = whatsapp.Incoming{WAID: info.ID, Chat: addressOf(info.Chat), FromMe: info.IsFromMe, PushName: info.PushName, Timestamp: info.Timestamp}
	if m.PushName == "-" {
		m.PushName = "" // WhatsApp's word for "none"
	}
	m.Offline = !c.isCaughtUp.Load() && info.Timestamp.Before(c.began)
	if info.IsFromMe {
		m.Sender, m.PushName = c.own(), ""
	} else if m.Sender, err = c.complete(ctx, contactOf(info.Sender, info.SenderAlt)); err != nil {
		return m, false, err
	}
	switch {
	case isDirect(info):
		m.Peer = m.Sender
		if info.IsFromMe {
			m.Peer, err = c.complete(ctx, contactOf(info.Chat, info.RecipientAlt))
		}
		m.Chat = m.Peer.Canonical()
	case info.Chat.IsBroadcastList() && !info.IsFromMe:
		// A broadcast list is its sender's business: to a receiver it is a direct message.
		m.Peer, m.Chat = m.Sender, m.Sender.Canonical()
	}
	return m, err == nil && !m.Chat.IsZero(), err
}

func isDirect(info *types.MessageInfo) bool {
	switch info.Chat.Server {
	case types.DefaultUserServer, types.HiddenUserServer, types.HostedServer, types.HostedLIDServer:
		return true
	}
	return false
}

// receiptKinds are the receipts that tell something about a message that the session sent. The others concern the account's own
// devices, or a device that nobody is looking at.
var receiptKinds = map[types.ReceiptType]whatsapp.ReceiptKind{
	types.ReceiptTypeDelivered: whatsapp.ReceiptDelivered,
	types.ReceiptTypeRead:      whatsapp.ReceiptRead,
	types.ReceiptTypePlayed:    whatsapp.ReceiptPlayed,
}

// receipted hands a receipt to the session.
func (c *connection) receipted(ev *events.Receipt) bool {
	kind, ok := receiptKinds[ev.Type]
	if !ok || ev.IsFromMe || len(ev.MessageIDs) == 0 {
		return true
	}
	r := whatsapp.Receipt{Chat: addressOf(ev.Chat), WAIDs: ev.MessageIDs, Kind: kind, At: ev.Timestamp}
	if r.Chat.IsZero() {
		return true
	}
	if r.Chat.Kind() == whatsapp.DirectChat {
		var err error
		if r.Peer, err = c.complete(c.ctx, contactOf(ev.Chat, ev.SenderAlt)); err != nil {
			return c.refuse(err)
		}
	}
	err := c.tell(c.ctx, func(ctx context.Context, sink whatsapp.Sink) error { return sink.Receipt(ctx, r) })
	if err != nil {
		return c.refuse(err)
	}
	return true
}

// messageForRetry gives a message that the session sent to somebody who could not read it. The library calls it from a
// goroutine of its own; when the session cannot answer, the connection ends and WhatsApp asks again on the next one.
func (c *connection) messageForRetry(_, to types.JID, waID types.MessageID) *waE2E.Message {
	if !c.gate.enter() {
		return nil
	}
	defer c.gate.leave()
	text, ok, err := c.sentText(c.ctx, to, waID)
	if err != nil {
		c.refuse(err)
		return nil
	}
	if !ok {
		return nil
	}
	return textMessage(text)
}

// sentText asks the session for a text under both addresses of its chat.
func (c *connection) sentText(ctx context.Context, to types.JID, waID string) (text string, ok bool, err error) {
	chats := []whatsapp.Address{addressOf(to)}
	if chats[0].Kind() == whatsapp.DirectChat {
		who, err := c.complete(ctx, contactOf(to))
		if err != nil {
			return "", false, err
		}
		chats = []whatsapp.Address{who.LID, who.Number}
	}
	for _, chat := range chats {
		if chat.IsZero() {
			continue
		}
		err = c.tell(ctx, func(ctx context.Context, sink whatsapp.Sink) (err error) {
			text, ok, err = sink.SentText(ctx, chat, waID)
			return err
		})
		if err != nil || ok {
			return text, ok, err
		}
	}
	return "", false, nil
}
