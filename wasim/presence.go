package wasim

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// handlePresence takes what a client says about its user, or its wish to hear about another.
func (c *conn) handlePresence(n *node) {
	d := c.device
	switch kind := text(n.Attrs["type"]); kind {
	case "subscribe":
		to := jidOf(n.Attrs["to"])
		a := c.net.lookup(to)
		if a == nil || !d.subscribe(a, to) {
			return
		}
		c.send(a.presence(a.addressed(to)))
	case "available", "unavailable", "":
		d.setAvailable(kind != "unavailable")
	}
}

// subscribe makes a device hear whether the user of an account is there.
func (d *device) subscribe(a *account, as types.JID) bool {
	d.mu.Lock()
	if d.isRemoved {
		d.mu.Unlock()
		return false
	}
	if !slices.Contains(d.watched, a) {
		d.watched = append(d.watched, a)
	}
	d.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.subscribers == nil {
		a.subscribers = map[*device]types.JID{}
	}
	a.subscribers[d] = as
	return true
}

// unsubscribe forgets what a device that is no more wanted to hear.
func (d *device) unsubscribe() {
	d.mu.Lock()
	watched := d.watched
	d.watched = nil
	d.mu.Unlock()
	for _, a := range watched {
		a.mu.Lock()
		delete(a.subscribers, d)
		a.mu.Unlock()
	}
}

// setAvailable notes whether the user of a device is there and tells those who want to know.
func (d *device) setAvailable(isAvailable bool) {
	d.mu.Lock()
	isNew := d.isAvailable != isAvailable
	d.isAvailable = isAvailable
	d.mu.Unlock()
	if !isNew {
		return
	}
	if !isAvailable {
		p := d.account.phone
		p.mu.Lock()
		p.lastOnline = d.account.net.now()
		p.mu.Unlock()
	}
	d.account.tellPresence()
}

// presence says whether the user of the account is there: at the phone or at a linked device.
func (a *account) presence(from types.JID) node {
	isThere := false
	for _, d := range a.linked() {
		d.mu.Lock()
		isThere = isThere || d.isAvailable
		d.mu.Unlock()
	}
	a.phone.mu.Lock()
	defer a.phone.mu.Unlock()
	n := node{Tag: "presence", Attrs: attrs{"from": from}}
	if !a.phone.isOnline && !isThere {
		n.Attrs["type"], n.Attrs["last"] = "unavailable", "deny"
		if !a.phone.lastOnline.IsZero() {
			n.Attrs["last"] = a.phone.lastOnline.Unix()
		}
	}
	return n
}

// tellPresence tells everybody who asked whether the user of the account is there.
func (a *account) tellPresence() {
	a.mu.Lock()
	told := make(map[*device]types.JID, len(a.subscribers))
	for d, jid := range a.subscribers {
		told[d] = jid
	}
	a.mu.Unlock()
	for d, jid := range told {
		if c := d.connection(); c != nil {
			c.send(a.presence(jid))
		}
	}
}

// SetOnline says that the user of a phone is looking at it, or no longer. Clients that asked for it are told. Errors:
// ErrInvalid, ErrNoWhatsApp.
func (n *Network) SetOnline(number string, isOnline bool) error {
	a, err := n.phoneOf(number)
	if err != nil {
		return err
	}
	a.phone.mu.Lock()
	a.phone.isOnline = isOnline
	a.phone.lastOnline = n.now()
	a.phone.mu.Unlock()
	a.tellPresence()
	return nil
}

// SetTyping makes the user of a phone type, or stop. state is "composing", "recording" or "paused". Errors: ErrInvalid,
// ErrNoWhatsApp.
func (n *Network) SetTyping(number, to, state string) error {
	from, err := n.phoneOf(number)
	if err != nil {
		return err
	}
	target, err := n.phoneAt("to", to)
	if err != nil {
		return err
	}
	child := node{Tag: "composing"}
	switch state {
	case "composing":
	case "recording":
		child.Attrs = attrs{"media": "audio"}
	case "paused":
		child.Tag = "paused"
	default:
		return invalid("state", "must be composing, recording or paused")
	}
	for _, d := range target.linked() {
		if c := d.connection(); c != nil {
			c.send(node{Tag: "chatstate", Attrs: attrs{"from": from.addressOfSelf()}, Content: []node{child}})
		}
	}
	target.phone.tell(Event{Type: EventTyping, From: from.number(), State: state})
	return nil
}

// handleChatState passes on that the user of a client types.
func (c *conn) handleChatState(n *node) {
	to := jidOf(n.Attrs["to"])
	a := c.net.lookup(to)
	children := n.GetChildren()
	if a == nil || len(children) == 0 {
		return
	}
	state := children[0].Tag
	if text(children[0].Attrs["media"]) == "audio" {
		state = "recording"
	}
	a.phone.tell(Event{Type: EventTyping, From: c.device.account.number(), State: state})
	for _, d := range a.linked() {
		if other := d.connection(); other != nil {
			other.send(node{Tag: "chatstate", Attrs: attrs{"from": c.device.account.addressed(to)}, Content: children})
		}
	}
}

// addressOfSelf is how an account names itself.
func (a *account) addressOfSelf() types.JID {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.usesLID {
		return a.lid
	}
	return a.pn
}

// answerTokens takes the privacy tokens that a client gives to people it trusts and brings them to their devices.
func (c *conn) answerTokens(n, child *node) error {
	out := c.net.newOutgoing()
	giver := c.device.account
	for _, t := range child.GetChildrenByTag("token") {
		a := c.net.lookup(jidOf(t.Attrs["jid"]))
		if a == nil || a == giver {
			continue
		}
		mac := hmac.New(sha256.New, c.net.secret[:])
		mac.Write([]byte("token " + giver.number() + " " + a.number() + " " + text(t.Attrs["t"])))
		for _, d := range a.linked() {
			out.add(d, node{Tag: "notification", Attrs: attrs{"from": giver.pn, "sender_lid": giver.lid, "type": "privacy_token",
				"id": c.net.newStanzaID(), "t": c.net.now().Unix()}, Content: []node{{Tag: "tokens", Content: []node{{Tag: "token",
				Attrs: attrs{"type": "trusted_contact", "t": text(t.Attrs["t"])}, Content: mac.Sum(nil)[:16]}}}}}, nil)
		}
	}
	if err := out.release(); err != nil {
		return err
	}
	c.reply(n)
	return nil
}
