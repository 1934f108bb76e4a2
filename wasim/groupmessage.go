package wasim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"

	"go.mau.fi/libsignal/groups"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// deliverGroup hands a client's group message to the members: first the keys sealed for single devices, then the message
// sealed with that key for everybody.
func (s *sending) deliverGroup(ctx context.Context, parts []part) int {
	numbers := []string{}
	if s.to.Server == types.GroupServer {
		g := s.net.findGroup(s.to)
		if g == nil {
			return 404
		}
		if !slices.Contains(g.Members, s.from.account.number()) {
			return 403
		}
		numbers = g.Members
	} else {
		for _, p := range parts {
			if a := s.net.lookup(p.to); a != nil && !slices.Contains(numbers, a.number()) {
				numbers = append(numbers, a.number())
			}
		}
	}
	var sealed *node
	for _, enc := range s.stanza.GetChildrenByTag("enc") {
		if text(enc.Attrs["type"]) == encSenderKey {
			sealed = &enc
			break
		}
	}
	keyParts := map[string]*node{}
	for i := range parts {
		if parts[i].to.Device == 0 || sealed == nil {
			s.deliverPart(&parts[i])
		} else if a := s.net.lookup(parts[i].to); a != nil {
			keyParts[a.number()+":"+strconv.Itoa(int(parts[i].to.Device))] = &parts[i].enc
		}
	}
	if sealed == nil {
		return 0
	}
	for _, number := range numbers {
		s.deliverGroupTo(ctx, s.net.account(number), sealed, keyParts)
	}
	return 0
}

// deliverGroupTo gives a sealed group message to one member: its phone and its linked devices.
func (s *sending) deliverGroupTo(ctx context.Context, member *account, sealed *node, keyParts map[string]*node) {
	for _, d := range member.linked() {
		if d == s.from {
			continue
		}
		children := []node{}
		if key := keyParts[member.number()+":"+strconv.Itoa(int(d.number))]; key != nil {
			children = append(children, *key)
		}
		children = append(children, *sealed)
		if identity, ok := s.stanza.GetOptionalChildByTag("device-identity"); ok {
			children = append(children, identity)
		}
		a := s.messageAttrs(s.from.jid)
		a["from"], a["participant"], a["participant_lid"] = s.to, s.from.jid, s.from.lid
		delete(a, "sender_lid")
		s.out.add(d, node{Tag: "message", Attrs: a, Content: children}, nil)
		s.net.stats.Relayed.Add(1)
	}
	raw, _ := sealed.Content.([]byte)
	result, generation := member.phone.receiveGroup(ctx, s, raw)
	s.out.after(generation)
	s.count(result, member)
	switch result {
	case wasShown, wasDuplicate:
		if member != s.from.account {
			s.net.phoneReceipts(s.out, member, s.from.account, s.to, []string{s.id}, ReceiptDelivered)
		}
	case wasUnreadable:
		member.phone.askAgain(s, &incoming{from: s.from, chat: s.to, id: s.id})
	}
}

// receiveGroup opens a group message with the sender's key.
func (p *phone) receiveGroup(ctx context.Context, s *sending, raw []byte) (outcome, uint64) {
	n := p.account.net
	p.mu.Lock()
	defer p.mu.Unlock()
	m, err := protocol.NewSenderKeyMessageFromBytes(raw, serializer.SenderKeyMessage)
	if err != nil {
		return wasUnreadable, 0
	}
	known, sum := p.history.find(s.id, s.from.account.number()), checksum(raw)
	v := s.from.ratchets.check(p.account.number()+"/"+s.to.String(), groupRatchet(s.to, m.KeyID()), m.Iteration(), sum)
	switch {
	case v == isReuse:
		n.stats.RatchetReuse.Add(1)
		return wasStale, 0
	case known != nil && known.Sum == sum:
		return wasDuplicate, 0
	case v == isRepeat:
		return wasRepeated, 0
	}
	var c changes
	own := vault{p, p.keys(), &c}
	name := protocol.NewSenderKeyName(s.to.String(), s.from.address())
	plain, err := groups.NewGroupCipher(groups.NewGroupSessionBuilder(own, serializer), name, own).Decrypt(ctx, m)
	if err == nil {
		plain, err = unpad(plain)
	}
	body := &waE2E.Message{}
	if err == nil {
		err = proto.Unmarshal(plain, body)
	}
	if errors.Is(err, signalerror.ErrOldCounter) {
		return wasStale, 0
	}
	if err != nil {
		n.log.Warn("phone cannot decrypt group message", "phone", p.account.pn, "from", s.from.jid, "id", s.id, "error", err)
		return wasUnreadable, 0
	}
	result := p.show(&incoming{from: s.from, chat: s.to, id: s.id, sum: sum}, known, body, &c)
	return result, n.store.apply(c)
}

// groupRatchet names a sender's chain in a group.
func groupRatchet(group types.JID, keyID uint32) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint32([]byte(group.String()), keyID))
}

// learnSenderKey takes the key with which a device writes to a group. The caller holds p.mu.
func (p *phone) learnSenderKey(ctx context.Context, groupID string, from *device, raw []byte, c *changes) error {
	m, err := protocol.NewSenderKeyDistributionMessageFromBytes(raw, serializer.SenderKeyDistributionMessage)
	if err != nil {
		return err
	}
	return groups.NewGroupSessionBuilder(vault{p, p.keys(), c}, serializer).Process(ctx, protocol.NewSenderKeyName(groupID, from.address()), m)
}
