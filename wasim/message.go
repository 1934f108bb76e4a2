package wasim

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// sending is one <message> of a client on its way through the network.
type sending struct {
	net    *Network
	from   *device
	stanza *node
	id     string
	to     types.JID // the chat, as the client addresses it
	isPeer bool
	out    *outgoing
}

// handleMessage takes a message of a client: one ciphertext for each device that is to have it. It is acknowledged when every
// phone has dealt with it and everything that follows from it is kept.
func (c *conn) handleMessage(n *node) error {
	s := &sending{net: c.net, from: c.device, stanza: n, id: text(n.Attrs["id"]), to: jidOf(n.Attrs["to"]),
		isPeer: text(n.Attrs["category"]) == "peer", out: c.net.newOutgoing()}
	c.net.stats.MessagesIn.Add(1)
	if s.id == "" || s.to.IsEmpty() {
		c.acknowledge(n, 400, "")
		return nil
	}
	plan := c.net.faults.onMessage(c)
	if plan.nack != 0 {
		c.net.stats.Nacks.Add(1)
		c.acknowledge(n, plan.nack, "")
		return nil
	}
	code := s.deliver(c)
	if err := s.out.release(); err != nil {
		return err
	}
	c.acknowledgeAs(plan, n, code, s.participantsHash())
	return nil
}

// deliver hands the parts of a message to the devices they are for. The result is the error code of the acknowledgement.
func (s *sending) deliver(c *conn) int {
	parts := s.parts()
	switch s.to.Server {
	case types.GroupServer, types.BroadcastServer:
		return s.deliverGroup(c.net.ctx, parts)
	case types.DefaultUserServer, types.HiddenUserServer:
	default:
		return 405
	}
	to := s.net.lookup(s.to)
	if to == nil {
		return 404
	}
	if s.from.account.restricted().refuses(s.from.account, to) {
		s.net.stats.Restricted.Add(1)
		s.net.frames.event(s.from, "restricted", s.id, s.to.String())
		return codeRestricted
	}
	for i := range parts {
		s.deliverPart(&parts[i])
	}
	return 0
}

// part is the ciphertext for one device.
type part struct {
	to  types.JID
	enc node
}

// parts lists the ciphertexts of a message with the devices they are for, the sender's own devices first: its phone has to
// know a message before it hears what became of it. A message for one device alone, an answer to its retry or one between own
// devices, has no list of participants.
func (s *sending) parts() []part {
	var own, others []part
	participants := s.stanza.GetChildByTag("participants")
	for _, to := range participants.GetChildrenByTag("to") {
		enc, ok := to.GetOptionalChildByTag("enc")
		jid := jidOf(to.Attrs["jid"])
		switch {
		case !ok:
		case jid.User == s.from.jid.User || jid.User == s.from.lid.User:
			own = append(own, part{jid, enc})
		default:
			others = append(others, part{jid, enc})
		}
	}
	if list := append(own, others...); len(list) > 0 {
		return list
	}
	to := s.to
	if participant := jidOf(s.stanza.Attrs["participant"]); !participant.IsEmpty() {
		to = participant
	}
	for _, enc := range s.stanza.GetChildrenByTag("enc") {
		if text(enc.Attrs["type"]) != encSenderKey {
			others = append(others, part{to, enc})
		}
	}
	return others
}

// deliverPart gives one ciphertext to the phone or the linked device that it is for.
func (s *sending) deliverPart(p *part) {
	target := s.net.lookup(p.to)
	if target == nil {
		return
	}
	kind := text(p.enc.Attrs["type"])
	ciphertext, _ := p.enc.Content.([]byte)
	e, err := openEnvelope(kind, ciphertext)
	if err != nil {
		s.net.stats.DecryptErrors.Add(1)
		s.net.log.Warn("ciphertext does not parse", "from", s.from.jid, "to", p.to, "error", err)
		return
	}
	addressee, sum := target.number()+":"+strconv.Itoa(int(p.to.Device)), checksum(ciphertext)
	v := s.from.ratchets.check(addressee, e.message.SenderRatchetKey().PublicKey(), e.message.Counter(), sum)
	if v == isReuse {
		s.net.stats.RatchetReuse.Add(1)
		s.net.log.Error("ratchet reuse: a counter came back with another ciphertext", "from", s.from.jid, "to", p.to, "id", s.id,
			"counter", e.message.Counter())
		s.net.frames.event(s.from, "ratchet_reuse", s.id, p.to.String())
		return
	}
	if p.to.Device != 0 {
		if v == isPast {
			s.count(wasStale, target)
			return
		}
		s.relay(target, p)
		return
	}
	s.deliverToPhone(target, &incoming{from: s.from, chat: s.to, id: s.id, envelope: e, verdict: v, sum: sum, isPeer: s.isPeer})
}

// deliverToPhone lets a simulated phone open its part and answer as phones do.
func (s *sending) deliverToPhone(target *account, in *incoming) {
	result, message, generation := target.phone.receive(s.net.ctx, in)
	s.out.after(generation)
	s.count(result, target)
	switch result {
	case wasUnreadable:
		target.phone.askAgain(s, in)
		return
	case wasStale, wasIDReuse, wasRepeated:
		return
	case wasHandled:
		if target == s.from.account {
			target.phone.serve(s.net.ctx, s.from, message, s.out)
		}
		return
	}
	if result == wasShown && target != s.from.account {
		s.net.stats.MessagesShown.Add(1)
	}
	s.net.confirmDelivery(s.out, target, s.from, s.to, s.id)
}

func (s *sending) count(result outcome, target *account) {
	n := s.net
	switch result {
	case wasShown, wasHandled:
		n.stats.Decrypted.Add(1)
	case wasDuplicate, wasRepeated:
		n.stats.Duplicates.Add(1)
		n.frames.event(s.from, "duplicate", s.id, target.pn.String())
	case wasIDReuse:
		n.stats.IDReuse.Add(1)
		n.log.Error("message ID reused with another text", "from", s.from.jid, "to", target.pn, "id", s.id)
		n.frames.event(s.from, "id_reuse", s.id, target.pn.String())
	case wasStale:
		n.stats.StaleCounters.Add(1)
		n.log.Error("stale ratchet counter", "from", s.from.jid, "to", target.pn, "id", s.id)
		n.frames.event(s.from, "stale_counter", s.id, target.pn.String())
	case wasUnreadable:
		n.stats.DecryptErrors.Add(1)
		n.frames.event(s.from, "undecryptable", s.id, target.pn.String())
	}
}

// relay passes a ciphertext on to another linked device, untouched.
func (s *sending) relay(target *account, p *part) {
	d := target.device(p.to.Device)
	if d == nil || d == s.from {
		return
	}
	a := s.messageAttrs(p.to)
	if target == s.from.account {
		chat := s.to
		if recipient := jidOf(s.stanza.Attrs["recipient"]); !recipient.IsEmpty() {
			chat = recipient // an answer to a retry is addressed to the device itself
		}
		a["recipient"] = chat
		if alt := s.net.lookup(chat); alt != nil {
			if chat.Server == types.HiddenUserServer {
				a["peer_recipient_pn"] = alt.pn
			} else {
				a["peer_recipient_lid"] = alt.lid
			}
		}
	}
	if s.isPeer {
		a["category"] = "peer"
	}
	children := []node{p.enc}
	if identity, ok := s.stanza.GetOptionalChildByTag("device-identity"); ok {
		children = append(children, identity)
	}
	s.out.add(d, node{Tag: "message", Attrs: a, Content: children}, nil)
	s.net.stats.Relayed.Add(1)
}

// messageAttrs are the attributes with which a message of the sender goes to a device in a given address space.
func (s *sending) messageAttrs(like types.JID) attrs {
	a := attrs{"from": s.from.addressed(like), "id": s.id, "t": s.net.now().Unix(), "type": text(s.stanza.Attrs["type"]),
		"notify": s.from.account.displayName()}
	if like.Server == types.HiddenUserServer {
		a["sender_pn"], a["addressing_mode"] = s.from.jid, "lid"
	} else {
		a["sender_lid"] = s.from.lid
	}
	if edit := text(s.stanza.Attrs["edit"]); edit != "" {
		a["edit"] = edit
	}
	return a
}

// participantsHash is the hash of the devices that the message should have been for, when they are others than it was for:
// the client's list of devices is out of date.
func (s *sending) participantsHash() string {
	target := s.net.lookup(s.to)
	if target == nil || s.isPeer || s.stanza.GetChildByTag("participants").Tag == "" {
		return ""
	}
	sides := []*account{s.from.account}
	if target != s.from.account {
		sides = append(sides, target)
	}
	wanted := map[types.JID]bool{}
	for _, a := range sides {
		wanted[a.addressed(s.to)] = true
		for _, d := range a.linked() {
			wanted[d.addressed(s.to)] = true
		}
	}
	had := map[types.JID]bool{s.from.addressed(s.to): true}
	for _, p := range s.parts() {
		had[p.to] = true
	}
	if maps.Equal(wanted, had) {
		return ""
	}
	return hashDevices(slices.Collect(maps.Keys(wanted)))
}

// hashDevices is the short hash by which clients and servers compare lists of devices.
func hashDevices(list []types.JID) string {
	names := make([]string, len(list))
	for i, j := range list {
		names[i] = j.ADString()
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(names), "")))
	return "2:" + base64.RawStdEncoding.EncodeToString(sum[:6])
}
