package wasim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// registration is what a client says about itself when it asks to be linked.
type registration struct {
	id       uint32
	identity [32]byte
	signed   signedKey
	name     string
	platform string
}

type signedKey struct {
	id        uint32
	key       [32]byte
	signature [64]byte
}

type oneTimeKey struct {
	id  uint32
	key [32]byte
}

// device is a linked client: its public keys, what it has still to acknowledge, and its connection if it has one.
type device struct {
	account  *account
	number   uint16
	jid, lid types.JID
	label    string // jid as text
	noise    [32]byte
	identity [32]byte
	name     string
	platform string
	linkedAt time.Time
	ratchets ratchetWatch

	mu           sync.Mutex
	registration uint32
	signed       signedKey
	oneTime      []oneTimeKey // as uploaded; the first given of them have been handed out
	given        int
	lowKeysTold  int  // value of given when the device was last told that it runs out
	hasState     bool // the phone has shared its app state key
	isRemoved    bool
	isAvailable  bool       // has announced that its user is there
	watched      []*account // whose presence it wants to hear
	conn         *conn
	outbox       outbox
}

// deviceRecord is a device as the store keeps it.
type deviceRecord struct {
	Noise        []byte    `json:"noise"`
	Identity     []byte    `json:"identity"`
	Registration uint32    `json:"registration"`
	SignedID     uint32    `json:"signedId"`
	Signed       []byte    `json:"signed"`
	Signature    []byte    `json:"signature"`
	Name         string    `json:"name"`
	Platform     string    `json:"platform"`
	LinkedAt     time.Time `json:"linkedAt"`
	Given        int       `json:"given,omitempty"`
	HasState     bool      `json:"hasState,omitempty"`
}

func newDevice(a *account, number uint16, r *registration, noise [32]byte, now time.Time) *device {
	d := &device{account: a, number: number, jid: a.pn, lid: a.lid, noise: noise, identity: r.identity,
		registration: r.id, signed: r.signed, name: r.name, platform: r.platform, linkedAt: now}
	d.jid.Device, d.lid.Device = number, number
	d.label = d.jid.String()
	return d
}

func (d *device) storeKey(kind string) string {
	return fmt.Sprintf("%s/%s/%d", kind, d.account.number(), d.number)
}

// save adds the change that keeps the device. The caller holds d.mu.
func (d *device) save(c *changes) {
	raw, err := json.Marshal(deviceRecord{Noise: d.noise[:], Identity: d.identity[:], Registration: d.registration,
		SignedID: d.signed.id, Signed: d.signed.key[:], Signature: d.signed.signature[:], Name: d.name, Platform: d.platform,
		LinkedAt: d.linkedAt, Given: d.given, HasState: d.hasState})
	if err != nil {
		d.account.net.log.Error("device cannot be encoded", "error", err)
		return
	}
	c.put(d.storeKey("dev"), raw)
}

// restoreDevice makes a device from what the store kept.
func restoreDevice(a *account, number uint16, raw []byte) (*device, error) {
	var r deviceRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	if len(r.Noise) != 32 || len(r.Identity) != 32 || len(r.Signed) != 32 || len(r.Signature) != 64 {
		return nil, fmt.Errorf("device record of %s:%d is damaged", a.number(), number)
	}
	d := newDevice(a, number, &registration{id: r.Registration, identity: [32]byte(r.Identity), name: r.Name, platform: r.Platform,
		signed: signedKey{r.SignedID, [32]byte(r.Signed), [64]byte(r.Signature)}}, [32]byte(r.Noise), r.LinkedAt)
	d.given, d.hasState = r.Given, r.HasState
	return d, nil
}

// addressed returns the device's address in the space, phone number or LID, of another address.
func (d *device) addressed(like types.JID) types.JID {
	if like.Server == types.HiddenUserServer {
		return d.lid
	}
	return d.jid
}

// wake tells the device's writer that there may be something to send.
func (d *device) wake() {
	d.mu.Lock()
	c := d.conn
	d.mu.Unlock()
	if c != nil {
		c.signal()
	}
}

// attach makes a connection the device's only one and returns the one before it.
func (d *device) attach(c *conn) (old *conn, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isRemoved {
		return nil, false
	}
	old, d.conn = d.conn, c
	return old, true
}

func (d *device) detach(c *conn) {
	d.mu.Lock()
	isLast := d.conn == c
	if isLast {
		d.conn = nil
	}
	d.mu.Unlock()
	if isLast {
		d.setAvailable(false)
	}
}

func (d *device) connection() *conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conn
}

// waiting returns the stanza that an acknowledgement is for, or nil.
func (d *device) waiting(key stanzaKey) *stanza {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.outbox.find(key)
}

// drop takes a stanza out of the outbox.
func (d *device) drop(s *stanza) {
	if s == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.outbox.remove(s) {
		var c changes
		c.del(d.stanzaStoreKey(s.seq))
		d.account.net.store.apply(c)
	}
}

// encodeOneTime packs one-time keys for the store.
func encodeOneTime(list []oneTimeKey) []byte {
	out := make([]byte, 0, len(list)*36)
	for _, k := range list {
		out = binary.BigEndian.AppendUint32(out, k.id)
		out = append(out, k.key[:]...)
	}
	return out
}

func decodeOneTime(raw []byte) []oneTimeKey {
	list := make([]oneTimeKey, 0, len(raw)/36)
	for ; len(raw) >= 36; raw = raw[36:] {
		list = append(list, oneTimeKey{binary.BigEndian.Uint32(raw), [32]byte(raw[4:36])})
	}
	return list
}

func base64Bytes(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil
	}
	return b
}
