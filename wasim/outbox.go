package wasim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// node and attrs are the XML-like elements of which the protocol is made.
type (
	node  = waBinary.Node
	attrs = waBinary.Attrs
)

// outboxLimit is how many unacknowledged stanzas a device may have. Beyond it the oldest is dropped and counted: a device
// that stays away for long loses its oldest stanzas, as on the real network.
const outboxLimit = 10_000

// notKept is the generation of a stanza whose changes have not been applied yet.
const notKept = math.MaxUint64

// stanzaKey says which acknowledgement belongs to a stanza.
type stanzaKey struct {
	class       string // message, receipt, notification
	id          string
	kind        string // the stanza's type attribute, except for messages
	from        string
	participant string
}

// stanza is one element on its way to a device, kept until the device acknowledges it.
type stanza struct {
	seq        uint64
	key        stanzaKey
	data       []byte        // as encoded for the wire
	generation atomic.Uint64 // leaves once the store has this
	notBefore  time.Time     // leaves no earlier (a fault)
	heldUntil  time.Time     // lets the next one pass until then (a fault)
	copies     int           // further copies to send (a fault)
	attempts   int           // how often it has been sent
}

func keyOf(n *node) stanzaKey {
	key := stanzaKey{class: n.Tag, id: text(n.Attrs["id"]), from: jidText(n.Attrs["from"]), participant: jidText(n.Attrs["participant"])}
	if n.Tag != "message" {
		key.kind = text(n.Attrs["type"])
	}
	return key
}

// outbox holds a device's unacknowledged stanzas in the order in which they were made. The device's lock guards it.
type outbox struct {
	stanzas []*stanza
	last    uint64 // sequence number of the newest stanza ever
}

// add appends a stanza and returns it with the one that had to give way, if any.
func (o *outbox) add(n *node, data []byte) (added, dropped *stanza) {
	if len(o.stanzas) >= outboxLimit {
		dropped = o.stanzas[0]
		o.stanzas = o.stanzas[1:]
	}
	o.last++
	added = &stanza{seq: o.last, key: keyOf(n), data: data}
	added.generation.Store(notKept)
	o.stanzas = append(o.stanzas, added)
	return added, dropped
}

// after returns the oldest stanza newer than a sequence number, or nil.
func (o *outbox) after(seq uint64) *stanza {
	i, found := slices.BinarySearchFunc(o.stanzas, seq, func(s *stanza, seq uint64) int { return cmp.Compare(s.seq, seq) })
	if found {
		i++
	}
	if i >= len(o.stanzas) {
		return nil
	}
	return o.stanzas[i]
}

// swap lets the stanza behind pass: the two change places, also in the store.
func (d *device) swap(first, second *stanza) {
	first.key, second.key = second.key, first.key
	first.data, second.data = second.data, first.data
	first.heldUntil, second.heldUntil = time.Time{}, time.Time{}
	var c changes
	c.put(d.stanzaStoreKey(first.seq), first.data)
	c.put(d.stanzaStoreKey(second.seq), second.data)
	d.account.net.store.apply(c)
}

// find returns the stanza that an acknowledgement is for. Libraries differ in how exactly they repeat the addresses, so when
// no stanza matches in full the oldest one of that class, ID and type is meant.
func (o *outbox) find(key stanzaKey) *stanza {
	var similar *stanza
	for _, s := range o.stanzas {
		if s.key == key {
			return s
		}
		if similar == nil && s.key.class == key.class && s.key.id == key.id && s.key.kind == key.kind {
			similar = s
		}
	}
	return similar
}

// remove takes a stanza out and says whether it was there.
func (o *outbox) remove(s *stanza) bool {
	i, found := slices.BinarySearchFunc(o.stanzas, s.seq, func(x *stanza, seq uint64) int { return cmp.Compare(x.seq, seq) })
	if !found || o.stanzas[i] != s {
		return false
	}
	if i == 0 {
		o.stanzas[0] = nil
		o.stanzas = o.stanzas[1:]
	} else {
		o.stanzas = slices.Delete(o.stanzas, i, i+1)
	}
	if len(o.stanzas) == 0 {
		o.stanzas = nil
	}
	return true
}

func (d *device) stanzaStoreKey(seq uint64) string {
	return fmt.Sprintf("out/%s/%d/%016x", d.account.number(), d.number, seq)
}

// outgoing collects what one step sends to devices, so that all of it is kept before any of it leaves.
type outgoing struct {
	net        *Network
	devices    []*device
	generation uint64
}

func (n *Network) newOutgoing() *outgoing { return &outgoing{net: n} }

// add puts a stanza into a device's outbox. When changes is nil the stanza is kept at once; otherwise it is added to the
// caller's changes, and its generation must be set from theirs with stamp.
func (o *outgoing) add(d *device, n node, with *changes) *stanza {
	data, err := waBinary.Marshal(n)
	if err != nil {
		o.net.log.Error("stanza cannot be encoded", "tag", n.Tag, "error", err)
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isRemoved {
		return nil
	}
	added, dropped := d.outbox.add(&n, data)
	o.net.faults.onDelivery(d, added)
	var own changes
	list := with
	if list == nil {
		list = &own
	}
	list.put(d.stanzaStoreKey(added.seq), data)
	if dropped != nil {
		list.del(d.stanzaStoreKey(dropped.seq))
		o.net.stats.QueueOverflows.Add(1)
		o.net.log.Warn("outbox is full, oldest stanza dropped", "device", d.jid, "dropped", dropped.key.id)
	}
	o.touch(d)
	if with == nil {
		o.stamp([]*stanza{added}, o.net.store.apply(own))
	}
	return added
}

// stamp says with which generation stanzas are kept.
func (o *outgoing) stamp(stanzas []*stanza, generation uint64) {
	for _, s := range stanzas {
		if s != nil {
			s.generation.Store(generation)
		}
	}
	o.generation = max(o.generation, generation)
}

// after makes release wait for a generation as well.
func (o *outgoing) after(generation uint64) { o.generation = max(o.generation, generation) }

func (o *outgoing) touch(d *device) {
	if !slices.Contains(o.devices, d) {
		o.devices = append(o.devices, d)
	}
}

// release waits until everything is kept and lets it leave.
func (o *outgoing) release() error {
	if err := o.net.store.wait(o.generation); err != nil {
		return err
	}
	for _, d := range o.devices {
		d.wake()
	}
	o.devices = o.devices[:0]
	return nil
}

// text returns an attribute or content as a string, whatever form the decoder gave it.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	case nil:
		return ""
	case types.JID:
		return x.String()
	}
	return fmt.Sprint(v)
}

func jidText(v any) string {
	if j, ok := v.(types.JID); ok {
		return j.String()
	}
	return text(v)
}

// jidOf returns an attribute as an address; the zero JID when it is none.
func jidOf(v any) types.JID {
	switch x := v.(type) {
	case types.JID:
		return x
	case string:
		if j, err := types.ParseJID(x); err == nil && j.User != "" {
			return j
		}
	}
	return types.EmptyJID
}

// content returns the bytes inside a child element.
func content(n *node, tag string) []byte {
	child := n.GetChildByTag(tag)
	switch x := child.Content.(type) {
	case []byte:
		return x
	case string:
		return []byte(x)
	}
	return nil
}
