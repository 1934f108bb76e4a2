package wasim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// maxDeviceNumber is the highest number that the wire format has room for.
const maxDeviceNumber = 255

// account is one WhatsApp number: a simulated phone and the devices linked to it.
type account struct {
	net     *Network
	pn, lid types.JID
	phone   *phone

	mu          sync.Mutex
	name        string
	isAbsent    bool // known to the network as a number without WhatsApp
	isReading   bool // marks what arrives as read at once
	usesLID     bool // addresses its messages by LID first
	devices     map[uint16]*device
	subscribers map[*device]types.JID // who wants to hear when its user is there, and by which address
	restriction *Restriction          // nil: none
	lastDevice  uint16
}

// accountRecord is an account as the store keeps it.
type accountRecord struct {
	LID        string `json:"lid"`
	Name       string `json:"name,omitempty"`
	Absent     bool   `json:"absent,omitempty"`
	Reading    bool   `json:"reading,omitempty"`
	UsesLID    bool   `json:"usesLid,omitempty"`
	LastDevice uint16 `json:"lastDevice,omitempty"`
	Issued     uint32 `json:"issued,omitempty"`       // one-time keys the phone has handed out
	Installed  uint32 `json:"installation,omitempty"` // how often the phone has been installed anew

	Restriction *Restriction `json:"restriction,omitempty"`
}

func (n *Network) newAccount(number, lid string) *account {
	a := &account{
		net:  n,
		pn:   types.NewJID(number, types.DefaultUserServer),
		lid:  types.NewJID(lid, types.HiddenUserServer),
		name: "+" + number,
	}
	a.phone = newPhone(a)
	return a
}

func (a *account) number() string { return a.pn.User }

// lidFor gives every number a LID that looks nothing like it and is the same in every network with the same seed.
func (n *Network) lidFor(number string) string {
	sum := sha256.Sum256(append(n.secret[:], "lid"+number...))
	return strconv.FormatUint(100_000_000_000_000+binary.BigEndian.Uint64(sum[:8])%900_000_000_000_000, 10)
}

// save returns the change that keeps the account. The caller holds a.mu.
func (a *account) save(c *changes) {
	raw, err := json.Marshal(accountRecord{LID: a.lid.User, Name: a.name, Absent: a.isAbsent, Reading: a.isReading,
		UsesLID: a.usesLID, LastDevice: a.lastDevice, Issued: a.phone.issued.Load(), Installed: a.phone.installation.Load(), Restriction: a.restriction})
	if err != nil {
		a.net.log.Error("account cannot be encoded", "error", err)
		return
	}
	c.put("acct/"+a.number(), raw)
}

func (a *account) displayName() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.name
}

// device returns a linked device, or nil.
func (a *account) device(number uint16) *device {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.devices[number]
}

// linked returns the linked devices in the order of their numbers.
func (a *account) linked() []*device {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.devices) == 0 {
		return nil
	}
	list := make([]*device, 0, len(a.devices))
	for _, d := range a.devices {
		list = append(list, d)
	}
	slices.SortFunc(list, func(x, y *device) int { return int(x.number) - int(y.number) })
	return list
}

// link gives a new device its number and adds it. The oldest numbers come back only after all of them have been used.
func (a *account) link(r *registration, noise [32]byte, now time.Time) (*device, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	number := a.lastDevice
	for range maxDeviceNumber {
		number = number%maxDeviceNumber + 1
		if a.devices[number] == nil {
			a.lastDevice = number
			return newDevice(a, number, r, noise, now), nil
		}
	}
	return nil, fmt.Errorf("the account has %d linked devices", maxDeviceNumber)
}

// admit makes a device that has confirmed its link a device of the account.
func (a *account) admit(d *device) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.devices == nil {
		a.devices = map[uint16]*device{}
	}
	a.devices[d.number] = d
	var c changes
	a.save(&c)
	d.mu.Lock()
	d.save(&c)
	d.mu.Unlock()
	return a.net.store.apply(c)
}

// remove takes a device off the account and forgets what was kept for it.
func (a *account) remove(d *device) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.devices[d.number] == d {
		delete(a.devices, d.number)
	}
	var c changes
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isRemoved = true
	for _, s := range d.outbox.stanzas {
		c.del(d.stanzaStoreKey(s.seq))
	}
	d.outbox.stanzas = nil
	c.del(d.storeKey("dev"))
	c.del(d.storeKey("pre"))
	return a.net.store.apply(c)
}

// addressed returns the account's address in the space, phone number or LID, of another address.
func (a *account) addressed(like types.JID) types.JID {
	if like.Server == types.HiddenUserServer {
		return a.lid
	}
	return a.pn
}
