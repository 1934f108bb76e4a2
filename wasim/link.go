package wasim

import (
	"go.mau.fi/whatsmeow/types"
)

// unlink removes a device from its account: from the phone, when isTold, which the device learns at once or when it logs in
// next; or at its own request.
func (n *Network) unlink(d *device, isTold bool) error {
	generation := d.account.remove(d)
	n.stats.Unlinked.Add(1)
	n.log.Info("device unlinked", "name", d.name, "device", d.number)
	if c := d.connection(); c != nil {
		if isTold {
			c.end(streamError("401", "device_removed"))
		} else {
			c.end(node{Tag: "xmlstreamend"})
		}
	}
	d.account.phone.tell(Event{Type: EventUnlinked, Device: d.label})
	n.announceDevices(d.account, nil)
	return n.store.wait(generation)
}

// unlinkAtPhone removes a device as the phone's user does. When it returns, nothing that the device still sends is accepted.
func (n *Network) unlinkAtPhone(d *device) error {
	c := d.connection()
	err := n.unlink(d, true)
	if c != nil {
		c.settle("unlinked")
	}
	return err
}

// announceDevices tells the devices of an account, but the one that caused it, which devices the account has now.
func (n *Network) announceDevices(a *account, except *device) {
	devices := a.linked()
	if except != nil {
		a.phone.tell(Event{Type: EventLinked, Device: except.label})
	}
	jids := []types.JID{a.pn}
	list := []node{{Tag: "device", Attrs: attrs{"jid": a.pn}}}
	for _, d := range devices {
		jids = append(jids, d.jid)
		list = append(list, node{Tag: "device", Attrs: attrs{"jid": d.jid, "key-index": int(d.number)}})
	}
	out := n.newOutgoing()
	for _, d := range devices {
		if d == except {
			continue
		}
		out.add(d, node{Tag: "notification", Attrs: attrs{"from": a.pn, "type": "account_sync", "id": n.newStanzaID(), "t": n.now().Unix()},
			Content: []node{{Tag: "devices", Attrs: attrs{"dhash": hashDevices(jids)}, Content: list}}}, nil)
	}
	if err := out.release(); err != nil {
		n.log.Error("device list not announced", "error", err)
	}
}
