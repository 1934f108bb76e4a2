package wasim

import (
	"go.mau.fi/whatsmeow/types"
)

// unlink removes a device from its account: from the phone, when isTold, which the device learns at once or when it logs in
// next; or at its own request.
func (n *Network) unlink(d *device, isTold bool) error {
	generation := d.account.remove(d)
	d.unsubscribe()
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
	n.announceDevices(d.account, d, false)
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

// announceDevices tells the other devices of an account, and the devices of everybody who has a chat with it, that a device has
// been added or removed.
func (n *Network) announceDevices(a *account, changed *device, isAdded bool) {
	devices := a.linked()
	jids, lids := []types.JID{a.pn}, []types.JID{a.lid}
	list := []node{{Tag: "device", Attrs: attrs{"jid": a.pn}}}
	for _, d := range devices {
		jids, lids = append(jids, d.jid), append(lids, d.lid)
		list = append(list, node{Tag: "device", Attrs: attrs{"jid": d.jid, "key-index": int(d.number)}})
	}
	now := n.now().Unix()
	out := n.newOutgoing()
	for _, d := range devices {
		if d == changed {
			continue
		}
		out.add(d, node{Tag: "notification", Attrs: attrs{"from": a.pn, "type": "account_sync", "id": n.newStanzaID(), "t": now},
			Content: []node{{Tag: "devices", Attrs: attrs{"dhash": hashDevices(jids)}, Content: list}}}, nil)
	}
	change := node{Tag: "remove", Attrs: attrs{"device_hash": hashDevices(jids), "device_lid_hash": hashDevices(lids)}, Content: []node{
		{Tag: "device", Attrs: attrs{"jid": changed.jid, "lid": changed.lid, "key-index": int(changed.number)}},
		{Tag: "key-index-list", Attrs: attrs{"ts": now}}}}
	if isAdded {
		change.Tag = "add"
	}
	for _, number := range a.phone.peers() {
		other := n.find(number)
		if other == nil || other == a {
			continue
		}
		for _, d := range other.linked() {
			out.add(d, node{Tag: "notification", Attrs: attrs{"from": a.pn, "lid": a.lid, "type": "devices", "id": n.newStanzaID(), "t": now},
				Content: []node{change}}, nil)
		}
	}
	if err := out.release(); err != nil {
		n.log.Error("device list not announced", "error", err)
	}
}
