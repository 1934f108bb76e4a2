package wasim

import (
	"context"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waWeb"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// peerLimit is how many messages between a phone and its devices can be asked for again.
const peerLimit = 64

// sendPeer sends a message that belongs to no chat to one of the phone's own devices. The caller holds p.mu and stamps the
// stanza.
func (p *phone) sendPeer(ctx context.Context, d *device, body *waE2E.Message, c *changes, out *outgoing) (*stanza, error) {
	raw, err := proto.Marshal(body)
	if err != nil {
		return nil, err
	}
	id := p.account.net.newID()
	if p.peerSent == nil || len(p.peerSent) >= peerLimit {
		p.peerSent = map[string][]byte{}
	}
	p.peerSent[id] = raw
	return p.sealFor(ctx, d, p.peerLetter(id, body), c, out)
}

func (p *phone) peerLetter(id string, body *waE2E.Message) *letter {
	a := attrs{"from": p.account.pn, "id": id, "t": p.account.net.now().Unix(), "type": "text", "category": "peer"}
	return &letter{body: body, attrs: a}
}

// serve answers what a device asks of its own phone.
func (p *phone) serve(ctx context.Context, d *device, m *waE2E.Message, out *outgoing) {
	request := m.GetProtocolMessage()
	switch request.GetType() {
	case waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_REQUEST:
		if request.GetAppStateSyncKeyRequest() != nil {
			if err := p.shareState(ctx, d); err != nil {
				p.account.net.log.Error("app state key not shared", "device", d.label, "error", err)
			}
		}
	case waE2E.ProtocolMessage_PEER_DATA_OPERATION_REQUEST_MESSAGE:
		p.resend(ctx, d, request.GetPeerDataOperationRequestMessage(), out)
	}
}

// resend gives a device the messages that it could not read but its phone has.
func (p *phone) resend(ctx context.Context, d *device, request *waE2E.PeerDataOperationRequestMessage, out *outgoing) {
	wanted := request.GetPlaceholderMessageResendRequest()
	if len(wanted) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var results []*waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult
	for _, w := range wanted {
		if raw := p.webMessage(w.GetMessageKey()); raw != nil {
			results = append(results, &waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult{
				PlaceholderMessageResendResponse: &waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult_PlaceholderMessageResendResponse{
					WebMessageInfoBytes: raw}})
		}
	}
	if len(results) == 0 {
		return
	}
	answer := &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE.Enum(),
		PeerDataOperationRequestResponseMessage: &waE2E.PeerDataOperationRequestResponseMessage{
			PeerDataOperationRequestType: waE2E.PeerDataOperationRequestType_PLACEHOLDER_MESSAGE_RESEND.Enum(),
			PeerDataOperationResult:      results,
		}}}
	var c changes
	s, err := p.sendPeer(ctx, d, answer, &c, out)
	if err != nil {
		p.account.net.log.Error("message not given to a device again", "device", d.label, "error", err)
		return
	}
	out.stamp([]*stanza{s}, p.account.net.store.apply(c))
}

// webMessage is a message of the phone in the form in which phones hand whole messages to their devices. The caller holds p.mu.
func (p *phone) webMessage(key *waCommon.MessageKey) []byte {
	chat, err := types.ParseJID(key.GetRemoteJID())
	if err != nil {
		return nil
	}
	writer := p.account.number()
	if !key.GetFromMe() {
		sender := chat
		if participant, err := types.ParseJID(key.GetParticipant()); err == nil && participant.User != "" {
			sender = participant
		}
		writer = p.account.net.display(sender.ToNonAD())
	}
	r := p.history.find(key.GetID(), writer)
	if r == nil {
		return nil
	}
	body := &waE2E.Message{}
	if proto.Unmarshal(r.Content, body) != nil {
		return nil
	}
	info := &waWeb.WebMessageInfo{Key: key, Message: body, MessageTimestamp: proto.Uint64(uint64(r.Timestamp.Unix()))}
	if a := p.account.net.find(writer); a != nil && a != p.account {
		info.PushName = proto.String(a.displayName())
	}
	raw, err := proto.Marshal(info)
	if err != nil {
		return nil
	}
	return raw
}
