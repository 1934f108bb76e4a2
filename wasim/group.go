package wasim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"go.mau.fi/libsignal/groups"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// Group is a group of numbers. The first member made it and is its administrator.
type Group struct {
	ID      string    `json:"id"` // its address, "…@g.us"
	Subject string    `json:"subject"`
	Members []string  `json:"members"`
	Created time.Time `json:"created"`
}

// group is a Group as the network keeps it. It does not change.
type group struct {
	Group
	jid types.JID
}

// AddGroup makes a group. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) AddGroup(subject string, members []string) (Group, error) {
	if subject == "" {
		return Group{}, invalid("subject", "the subject is empty")
	}
	if len(members) == 0 {
		return Group{}, invalid("members", "a group has at least one member")
	}
	numbers := make([]string, 0, len(members))
	for i, m := range members {
		a, err := n.phoneAt("members["+strconv.Itoa(i)+"]", m)
		if err != nil {
			return Group{}, err
		}
		if !slices.Contains(numbers, a.number()) {
			numbers = append(numbers, a.number())
		}
	}
	g, generation := n.makeGroup(subject, numbers)
	out := n.newOutgoing()
	out.after(generation)
	n.announceGroup(g, out)
	return g.Group, out.release()
}

func (n *Network) makeGroup(subject string, numbers []string) (*group, uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := 120_363_000_000_000_000 + uint64(len(n.groups)) + 1
	g := &group{jid: types.NewJID(strconv.FormatUint(id, 10), types.GroupServer)}
	g.Group = Group{ID: g.jid.String(), Subject: subject, Members: numbers, Created: n.now().UTC()}
	n.groups[g.jid.User] = g
	var c changes
	if raw, err := json.Marshal(g.Group); err == nil {
		c.put("grp/"+g.jid.User, raw)
	}
	return g, n.store.apply(c)
}

func (n *Network) findGroup(jid types.JID) *group {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.groups[jid.User]
}

// announceGroup tells all linked devices of the members that they are in a group.
func (n *Network) announceGroup(g *group, out *outgoing) {
	for _, number := range g.Members {
		for _, d := range n.account(number).linked() {
			out.add(d, node{Tag: "notification", Attrs: attrs{"from": g.jid, "type": "w:gp2", "id": n.newStanzaID(), "t": n.now().Unix(),
				"participant": n.account(g.Members[0]).pn}, Content: []node{{Tag: "create", Attrs: attrs{"type": "new"}, Content: []node{n.describeGroup(g)}}}}, nil)
		}
	}
}

func (n *Network) describeGroup(g *group) node {
	members := make([]node, 0, len(g.Members))
	for i, number := range g.Members {
		a := n.account(number)
		m := attrs{"jid": a.pn, "lid": a.lid}
		if i == 0 {
			m["type"] = "superadmin"
		}
		members = append(members, node{Tag: "participant", Attrs: m})
	}
	owner := n.account(g.Members[0]).pn
	return node{Tag: "group", Attrs: attrs{"id": g.jid.User, "creator": owner, "creation": g.Created.Unix(), "subject": g.Subject,
		"s_t": g.Created.Unix(), "s_o": owner, "addressing_mode": "pn"}, Content: members}
}

func (c *conn) answerGroup(n, _ *node) error {
	g := c.net.findGroup(jidOf(n.Attrs["to"]))
	switch {
	case g == nil:
		c.replyError(n, 404, "item-not-found")
	case !slices.Contains(g.Members, c.device.account.number()):
		c.replyError(n, 403, "forbidden")
	default:
		c.reply(n, c.net.describeGroup(g))
	}
	return nil
}

func (c *conn) answerGroups(n, _ *node) error {
	var list []node
	for _, g := range c.net.allGroups() {
		if slices.Contains(g.Members, c.device.account.number()) {
			list = append(list, c.net.describeGroup(g))
		}
	}
	c.reply(n, node{Tag: "groups", Content: list})
	return nil
}

func (n *Network) allGroups() []*group {
	n.mu.RLock()
	defer n.mu.RUnlock()
	list := make([]*group, 0, len(n.groups))
	for _, g := range n.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(x, y *group) int { return x.Created.Compare(y.Created) })
	return list
}

func (c *conn) answerCreateGroup(n, child *node) error {
	numbers := []string{c.device.account.number()}
	for _, p := range child.GetChildrenByTag("participant") {
		if a := c.net.lookup(jidOf(p.Attrs["jid"])); a != nil && !slices.Contains(numbers, a.number()) {
			numbers = append(numbers, a.number())
		}
	}
	g, generation := c.net.makeGroup(text(child.Attrs["subject"]), numbers)
	out := c.net.newOutgoing()
	out.after(generation)
	c.net.announceGroup(g, out)
	if err := out.release(); err != nil {
		return err
	}
	c.reply(n, c.net.describeGroup(g))
	return nil
}

// writeGroup sends a message of a phone to a group: the other members' phones have it at once, linked devices get the
// sender's key and the message sealed with it.
func (n *Network) writeGroup(ctx context.Context, from *account, jid types.JID, id string, body *waE2E.Message) error {
	g := n.findGroup(jid)
	if g == nil || !slices.Contains(g.Members, from.number()) {
		return ErrNotFound.because("to", "%s is in no group %s", from.pn.User, jid)
	}
	return n.broadcast(ctx, from, jid, g.Members, id, body)
}

// writeStatus sends a status message. Everybody with a linked device is taken to have the sender among the contacts.
func (n *Network) writeStatus(ctx context.Context, from *account, jid types.JID, id string, body *waE2E.Message) error {
	if jid != types.StatusBroadcastJID {
		return invalid("to", "only status@broadcast can be broadcast to")
	}
	var audience []string
	for _, a := range n.everybody() {
		if len(a.linked()) > 0 {
			audience = append(audience, a.number())
		}
	}
	return n.broadcast(ctx, from, jid, audience, id, body)
}

// broadcast seals a message once with the sender's key and sends it to everybody.
func (n *Network) broadcast(ctx context.Context, from *account, to types.JID, numbers []string, id string, body *waE2E.Message) error {
	out := n.newOutgoing()
	now := n.now().UTC()
	for _, number := range numbers {
		if a := n.account(number); a != from {
			_, generation := a.phone.deliver(from, id, to.String(), body, now)
			out.after(generation)
		}
	}
	plain, err := proto.Marshal(body)
	if err != nil {
		return err
	}
	if err = from.phone.sealBroadcast(ctx, to, numbers, id, body, plain, now, out); err != nil {
		return err
	}
	return out.release()
}

func (p *phone) sealBroadcast(ctx context.Context, to types.JID, numbers []string, id string, body *waE2E.Message, plain []byte, now time.Time, out *outgoing) error {
	n := p.account.net
	kind, words, media := describeMessage(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	key, ciphertext, err := p.sealWithOwnKey(ctx, to, pad(plain), &c)
	if err != nil {
		return err
	}
	r := &entry{Content: plain, Message: Message{ID: id, Direction: DirectionOut, Chat: to.String(), From: p.account.number(), To: to.String(),
		Type: kind, Text: words, Timestamp: now, Media: media, Receipts: []Receipt{{Type: ReceiptSent, Timestamp: now}}}}
	p.add(r, &c)
	var stanzas []*stanza
	for _, number := range numbers {
		for _, d := range n.account(number).linked() {
			sealedKey, err := proto.Marshal(keyMessage(to, key))
			if err != nil {
				return err
			}
			encKind, sealed, err := p.encrypt(ctx, d, pad(sealedKey), false, nil, &c)
			if err != nil {
				n.log.Error("group message not sent to a device", "device", d.jid, "error", err)
				continue
			}
			n.stats.MessagesOut.Add(1)
			stanzas = append(stanzas, out.add(d, node{Tag: "message", Attrs: p.groupAttrs(to, id, body, now), Content: []node{
				{Tag: "enc", Attrs: attrs{"v": "2", "type": encKind}, Content: sealed},
				{Tag: "enc", Attrs: attrs{"v": "2", "type": encSenderKey}, Content: ciphertext}}}, &c))
		}
	}
	p.tell(Event{Type: EventMessage, Message: ptr(r.public())})
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

// learnSenderKey takes the key with which a device writes to a group. The caller holds p.mu.
func (p *phone) learnSenderKey(ctx context.Context, groupID string, from *device, raw []byte, c *changes) error {
	m, err := protocol.NewSenderKeyDistributionMessageFromBytes(raw, serializer.SenderKeyDistributionMessage)
	if err != nil {
		return err
	}
	return groups.NewGroupSessionBuilder(vault{p, p.keys(), c}, serializer).Process(ctx, protocol.NewSenderKeyName(groupID, from.address()), m)
}

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
	known := p.history.find(s.id, s.from.account.number())
	var ratchet [32]byte
	binary.BigEndian.PutUint32(ratchet[:], m.KeyID())
	sum := sha256.Sum256([]byte(s.to.String()))
	copy(ratchet[4:], sum[:28])
	switch s.from.ratchets.check(p.account.number()+"/"+s.to.String(), ratchet, m.Iteration(), raw) {
	case isReuse:
		n.stats.RatchetReuse.Add(1)
		return wasStale, 0
	case isRepeat:
		if known != nil {
			return wasDuplicate, 0
		}
	}
	var c changes
	v := vault{p, p.keys(), &c}
	name := protocol.NewSenderKeyName(s.to.String(), s.from.address())
	plain, err := groups.NewGroupCipher(groups.NewGroupSessionBuilder(v, serializer), name, v).Decrypt(ctx, m)
	if err == nil {
		plain, err = unpad(plain)
	}
	body := &waE2E.Message{}
	if err == nil {
		err = proto.Unmarshal(plain, body)
	}
	if err != nil {
		n.log.Warn("phone cannot decrypt group message", "phone", p.account.pn, "from", s.from.jid, "id", s.id, "error", err)
		return wasUnreadable, 0
	}
	result := p.show(&incoming{from: s.from, chat: s.to, id: s.id}, known, body, &c)
	return result, n.store.apply(c)
}

// writeChannel puts a message of a channel before every linked device. Channels are not encrypted.
func (n *Network) writeChannel(jid types.JID, id string, body *waE2E.Message) error {
	plain, err := proto.Marshal(body)
	if err != nil {
		return err
	}
	out := n.newOutgoing()
	for _, a := range n.everybody() {
		for _, d := range a.linked() {
			out.add(d, node{Tag: "message", Attrs: attrs{"from": jid, "id": id, "server_id": 100, "t": n.now().Unix(), "type": "text"},
				Content: []node{{Tag: "plaintext", Content: plain}}}, nil)
			n.stats.MessagesOut.Add(1)
		}
	}
	return out.release()
}

// Groups returns all groups, the oldest first.
func (n *Network) Groups() []Group {
	groups := n.allGroups()
	list := make([]Group, 0, len(groups))
	for _, g := range groups {
		list = append(list, g.Group)
	}
	return list
}
