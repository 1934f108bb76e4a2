package wasim

import (
	"maps"
	"slices"
)

// Reinstall is the user of a phone installing WhatsApp anew: the phone keeps its number and forgets its keys. Its linked devices
// are logged out, and the devices of everybody it has a chat with learn that its identity has changed. Errors: ErrInvalid,
// ErrNoWhatsApp.
func (n *Network) Reinstall(number string) error {
	a, err := n.phoneOf(number)
	if err != nil {
		return err
	}
	for _, d := range a.linked() {
		if err = n.unlinkAtPhone(d); err != nil {
			return err
		}
	}
	chats, generation := a.phone.forget()
	out := n.newOutgoing()
	out.after(generation)
	for _, chat := range chats {
		other := n.find(chat)
		if other == nil || other == a {
			continue
		}
		for _, d := range other.linked() {
			out.add(d, node{Tag: "notification", Attrs: attrs{"from": a.pn, "lid": a.lid, "type": "encrypt", "id": n.newStanzaID(),
				"t": n.now().Unix()}, Content: []node{{Tag: "identity"}}}, nil)
		}
	}
	return out.release()
}

// forget drops the phone's keys and sessions and returns the numbers with which it has a chat.
func (p *phone) forget() (chats []string, generation uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	for address := range p.sessions {
		c.del("ses/" + p.account.number() + "/" + address)
	}
	for id := range p.senderKeys {
		c.del("snd/" + p.account.number() + "/" + id)
	}
	p.sessions, p.senderKeys, p.peerSent, p.retries = nil, nil, nil, nil
	p.account.mu.Lock()
	p.installation.Add(1)
	p.account.save(&c)
	p.account.mu.Unlock()
	chats = slices.Sorted(maps.Keys(p.history.peers))
	return chats, p.account.net.store.apply(c)
}
