package wasim

import (
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
)

// Reasons of <failure>, as clients know them.
const failureLoggedOut = 401

// login lets a linked device in, or tells it why not. A connection that this one replaces takes nothing more before this one is
// told that it is in; one that replaces this one waits until it is.
func (c *conn) login(payload *waWa6.ClientPayload) {
	c.handling.Lock()
	defer c.handling.Unlock()
	number := strconv.FormatUint(payload.GetUsername(), 10)
	if f := c.net.faults.onLogin(number, int(payload.GetDevice())); f != nil {
		c.refuse(f.attrs())
		return
	}
	a := c.net.find(number)
	var d *device
	if a != nil {
		d = a.device(uint16(payload.GetDevice()))
	}
	if d == nil || d.noise != c.key {
		c.refuse(attrs{"reason": failureLoggedOut})
		return
	}
	old, ok := d.attach(c)
	if !ok {
		c.refuse(attrs{"reason": failureLoggedOut})
		return
	}
	c.device = d
	c.owner.Store(d)
	if old != nil {
		old.replace()
		d.setAvailable(false) // until the new connection says otherwise
	}
	c.net.stats.Logins.Add(1)
	c.net.frames.note(c, "connected", "")
	welcome := func() {
		c.send(node{Tag: "success", Attrs: attrs{"t": c.net.now().Unix(), "lid": d.lid, "location": "sim", "props": "27",
			"companion_enc_static": ""}})
	}
	if payload.GetPassive() {
		welcome()
	} else if err := c.activate(welcome); err != nil {
		c.net.log.Error("login failed", "device", d.label, "error", err)
		c.cut()
	}
}

func (c *conn) refuse(a attrs) {
	c.net.stats.LoginsRefused.Add(1)
	a["location"] = "sim"
	c.end(node{Tag: "failure", Attrs: a})
}

// replace tells a connection that its device has connected again. When it returns, nothing that still arrives on the connection
// is accepted.
func (c *conn) replace() {
	c.net.stats.Replaced.Add(1)
	c.mu.Lock()
	c.isReplaced = true
	c.mu.Unlock()
	c.settle("replaced")
	c.end(streamError("", "replaced"))
}

// streamError builds <stream:error>. A code or a conflict may be empty.
func streamError(code, conflict string) node {
	n := node{Tag: "stream:error", Attrs: attrs{"code": code}}
	if conflict != "" {
		n.Content = []node{{Tag: "conflict", Attrs: attrs{"type": conflict}}}
	}
	return n
}

// handlePassive opens or closes the flow of stanzas. A client that logged in as passive asks for it when it is ready.
func (c *conn) handlePassive(n, child *node) error {
	if child.Tag != "active" {
		c.mu.Lock()
		c.isActive = false
		c.mu.Unlock()
		c.reply(n)
		return nil
	}
	return c.activate(func() { c.reply(n) })
}

// activate lets the stanzas flow, behind what answers the client.
func (c *conn) activate(answer func()) error {
	d := c.device
	if err := c.net.greet(d); err != nil {
		return err
	}
	answer()
	d.mu.Lock()
	counts := map[string]int{}
	for _, s := range d.outbox.stanzas {
		counts[s.key.class]++
	}
	waiting, last := len(d.outbox.stanzas), d.outbox.last
	d.mu.Unlock()
	c.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline_preview", Attrs: attrs{
		"count": waiting, "message": counts["message"], "receipt": counts["receipt"], "notification": counts["notification"], "appdata": 0}}}})
	c.mu.Lock()
	c.isActive, c.offlineEnd, c.offline = true, max(last, 1), waiting
	c.mu.Unlock()
	c.signal()
	return nil
}

// offlineDone is the stanza behind the last one that waited.
func (c *conn) offlineDone() []byte {
	n := node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline", Attrs: attrs{"count": c.offline}}}}
	data, err := waBinary.Marshal(n)
	if err != nil {
		return nil
	}
	c.net.frames.add(c, "out", &n, "")
	return data
}

// markOffline adds the mark of a stanza that waited.
func markOffline(data []byte) []byte {
	n, err := decode(data)
	if err != nil {
		return data
	}
	n.Attrs["offline"] = "0"
	marked, err := waBinary.Marshal(*n)
	if err != nil {
		return data
	}
	return marked
}
