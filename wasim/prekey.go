package wasim

import (
	"encoding/binary"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/types"
)

const (
	// lowKeyCount is when a device is told to upload more one-time keys.
	lowKeyCount = 5
	// givenKept is how many handed-out keys are remembered so that uploading them again does not hand them out twice.
	givenKept = 256
)

// keyCount is how many one-time keys of the device are left. The caller holds d.mu.
func (d *device) keyCount() int { return len(d.oneTime) - d.given }

func (c *conn) answerKeyCount(n, _ *node) error {
	c.device.mu.Lock()
	count, isNew := c.device.keyCount(), len(c.device.oneTime) == 0
	c.device.mu.Unlock()
	if c.net.options.FastPair && isNew {
		count = 1
	}
	c.reply(n, node{Tag: "count", Attrs: attrs{"value": count}})
	return nil
}

// answerUpload takes a device's keys: its signed key and one-time keys to be handed out, each once.
func (c *conn) answerUpload(n, _ *node) error {
	signed := n.GetChildByTag("skey")
	list := n.GetChildByTag("list")
	identity := content(n, "identity")
	if string(identity) != string(c.device.identity[:]) {
		c.replyError(n, 406, "not-acceptable")
		return nil
	}
	key, ok := parseSignedKey(&signed)
	if !ok {
		c.replyError(n, 400, "bad-request")
		return nil
	}
	uploaded := make([]oneTimeKey, 0, len(list.GetChildren()))
	for _, child := range list.GetChildren() {
		k, ok := parseOneTimeKey(&child)
		if !ok {
			c.replyError(n, 400, "bad-request")
			return nil
		}
		uploaded = append(uploaded, k)
	}
	if err := c.net.store.wait(c.device.upload(key, uploaded)); err != nil {
		return err
	}
	c.reply(n)
	return nil
}

// upload adds keys to the device's stock and returns the generation with which they are kept.
func (d *device) upload(signed signedKey, keys []oneTimeKey) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	drop := max(0, d.given-givenKept)
	d.oneTime, d.given = d.oneTime[drop:], d.given-drop
	known := make(map[oneTimeKey]bool, len(d.oneTime))
	for _, k := range d.oneTime {
		known[k] = true
	}
	stock := make([]oneTimeKey, len(d.oneTime), len(d.oneTime)+len(keys))
	copy(stock, d.oneTime)
	for _, k := range keys {
		if !known[k] {
			stock = append(stock, k)
		}
	}
	d.oneTime, d.signed = stock, signed
	var c changes
	c.put(d.storeKey("pre"), encodeOneTime(d.oneTime))
	d.save(&c)
	return d.account.net.store.apply(c)
}

// answerRotate replaces the device's signed key.
func (c *conn) answerRotate(n, child *node) error {
	skey := child.GetChildByTag("skey")
	key, ok := parseSignedKey(&skey)
	if !ok {
		c.replyError(n, 400, "bad-request")
		return nil
	}
	if err := c.net.store.wait(c.device.upload(key, nil)); err != nil {
		return err
	}
	c.reply(n)
	return nil
}

// answerBundles hands out what is needed to begin sessions with devices: identity, signed key and one one-time key each.
func (c *conn) answerBundles(n, child *node) error {
	var users []node
	var newest uint64
	for _, u := range child.GetChildrenByTag("user") {
		jid := jidOf(u.Attrs["jid"])
		bundle, generation := c.net.bundle(jid)
		newest = max(newest, generation)
		if bundle == nil {
			users = append(users, node{Tag: "user", Attrs: attrs{"jid": jid},
				Content: []node{{Tag: "error", Attrs: attrs{"code": 404, "text": "item-not-found"}}}})
			continue
		}
		users = append(users, node{Tag: "user", Attrs: attrs{"jid": jid}, Content: bundle.nodes()})
	}
	if err := c.net.store.wait(newest); err != nil {
		return err
	}
	c.reply(n, node{Tag: "list", Content: users})
	return nil
}

// bundle is what begins a session with one device.
type bundle struct {
	registration uint32
	identity     [32]byte
	signed       signedKey
	oneTime      *oneTimeKey
}

// bundle takes a bundle of the device with an address: the phone itself or a linked device.
func (n *Network) bundle(jid types.JID) (*bundle, uint64) {
	a := n.lookup(jid)
	if a == nil {
		return nil, 0
	}
	if jid.Device == 0 {
		return a.phone.takeBundle()
	}
	d := a.device(jid.Device)
	if d == nil {
		return nil, 0
	}
	b, generation := d.takeBundle()
	out := n.newOutgoing()
	n.tellLowKeys(d, out)
	if err := out.release(); err != nil {
		n.log.Error("low key notice not kept", "error", err)
	}
	return b, generation
}

// takeKey takes one one-time key from the stock; nil when there is none. The caller holds d.mu.
func (d *device) takeKey() (*oneTimeKey, uint64) {
	if d.keyCount() <= 0 {
		return nil, 0
	}
	k := d.oneTime[d.given]
	d.given++
	var c changes
	d.save(&c)
	return &k, d.account.net.store.apply(c)
}

// tellLowKeys asks a device for more one-time keys when its stock has come down to a mark.
func (n *Network) tellLowKeys(d *device, out *outgoing) {
	d.mu.Lock()
	left, isToldNow := d.keyCount(), false
	if left < lowKeyCount && d.lowKeysTold != d.given {
		isToldNow = left == lowKeyCount-1 || left == 0
		d.lowKeysTold = d.given
	}
	d.mu.Unlock()
	if !isToldNow {
		return
	}
	out.add(d, node{Tag: "notification", Attrs: attrs{"from": types.ServerJID, "type": "encrypt", "id": n.newStanzaID(), "t": n.now().Unix()},
		Content: []node{{Tag: "count", Attrs: attrs{"value": left}}}}, nil)
}

func (b *bundle) nodes() []node {
	registration := binary.BigEndian.AppendUint32(nil, b.registration)
	list := []node{
		{Tag: "registration", Content: registration},
		{Tag: "type", Content: []byte{ecc.DjbType}},
		{Tag: "identity", Content: b.identity[:]},
		{Tag: "skey", Content: []node{{Tag: "id", Content: keyID(b.signed.id)}, {Tag: "value", Content: b.signed.key[:]},
			{Tag: "signature", Content: b.signed.signature[:]}}},
	}
	if b.oneTime != nil {
		list = append(list, node{Tag: "key", Content: []node{{Tag: "id", Content: keyID(b.oneTime.id)}, {Tag: "value", Content: b.oneTime.key[:]}}})
	}
	return list
}

// keyID is a key's number in three big-endian bytes.
func keyID(id uint32) []byte { return binary.BigEndian.AppendUint32(nil, id)[1:] }

func parseKeyID(raw []byte) (uint32, bool) {
	if len(raw) == 0 || len(raw) > 4 {
		return 0, false
	}
	var padded [4]byte
	copy(padded[4-len(raw):], raw)
	return binary.BigEndian.Uint32(padded[:]), true
}

func parseOneTimeKey(n *node) (oneTimeKey, bool) {
	id, ok := parseKeyID(content(n, "id"))
	value := content(n, "value")
	if !ok || len(value) != 32 {
		return oneTimeKey{}, false
	}
	return oneTimeKey{id, [32]byte(value)}, true
}

func parseSignedKey(n *node) (signedKey, bool) {
	k, ok := parseOneTimeKey(n)
	signature := content(n, "signature")
	if !ok || len(signature) != 64 {
		return signedKey{}, false
	}
	return signedKey{k.id, k.key, [64]byte(signature)}, true
}
