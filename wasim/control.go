package wasim

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Phone is a simulated phone as the control API shows it.
type Phone struct {
	Number     string   `json:"number"` // digits with country code
	Name       string   `json:"name"`   // the name that others see
	LID        string   `json:"lid"`    // "…@lid"
	OnWhatsApp bool     `json:"onWhatsApp"`
	AutoRead   bool     `json:"autoRead"`   // marks what arrives as read at once
	Addressing string   `json:"addressing"` // "pn" or "lid": how its messages name it first
	Online     bool     `json:"online"`
	Devices    []Device `json:"devices"`

	Restriction *Restriction `json:"restriction,omitempty"` // in force now
}

// Device is a device linked to a phone.
type Device struct {
	Number    int       `json:"number"`
	JID       string    `json:"jid"`
	Name      string    `json:"name"` // what it calls itself
	Platform  string    `json:"platform"`
	LinkedAt  time.Time `json:"linkedAt"`
	Connected bool      `json:"connected"`
	Available bool      `json:"available"` // has announced that its user is there
	Keys      int       `json:"keys"`      // one-time keys that nobody has taken
	Waiting   int       `json:"waiting"`   // stanzas it has not acknowledged
}

// Settings change how a phone behaves; nil leaves things as they are.
type Settings struct {
	Name       *string `json:"name"`
	OnWhatsApp *bool   `json:"onWhatsApp"`
	AutoRead   *bool   `json:"autoRead"`
	Addressing *string `json:"addressing"`
}

// AddPhone adds a phone, or renames the one that has the number. An empty name leaves the name as it is; a new phone is
// then called by its number. Numbers that begin with 999 have no WhatsApp account. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) AddPhone(number, name string) (Phone, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return Phone{}, err
	}
	if name != "" {
		return n.Configure(number, Settings{Name: &name})
	}
	return a.public(), nil
}

// Configure changes a phone's settings. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Configure(number string, s Settings) (Phone, error) {
	digits, err := parseNumber("number", number)
	if err != nil {
		return Phone{}, err
	}
	if s.Addressing != nil && *s.Addressing != "pn" && *s.Addressing != "lid" {
		return Phone{}, invalid("addressing", `must be "pn" or "lid"`)
	}
	if s.Name != nil && len(*s.Name) > 100 {
		return Phone{}, invalid("name", "a name has at most 100 bytes")
	}
	a := n.known(digits)
	a.mu.Lock()
	isRenamed := s.Name != nil && *s.Name != "" && *s.Name != a.name
	if isRenamed {
		a.name = *s.Name
	}
	if s.OnWhatsApp != nil {
		a.isAbsent = !*s.OnWhatsApp
	}
	if s.AutoRead != nil {
		a.isReading = *s.AutoRead
	}
	if s.Addressing != nil {
		a.usesLID = *s.Addressing == "lid"
	}
	var c changes
	a.save(&c)
	generation := n.store.apply(c)
	a.mu.Unlock()
	if isRenamed {
		if err = a.phone.publishName(n.ctx); err != nil {
			return Phone{}, err
		}
	}
	return a.public(), n.store.wait(generation)
}

// Phones returns all phones, in the order of their numbers. Numbers that were asked about or written to are among them.
func (n *Network) Phones() []Phone {
	everybody := n.everybody()
	list := make([]Phone, 0, len(everybody))
	for _, a := range everybody {
		list = append(list, a.public())
	}
	return list
}

// Phone returns one phone. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Phone(number string) (Phone, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return Phone{}, err
	}
	return a.public(), nil
}

// Unlink removes a linked device as the phone's user would; device 0 stands for all of them. Errors: ErrInvalid,
// ErrNotFound, ErrNoWhatsApp.
func (n *Network) Unlink(number string, device int) error {
	a, err := n.phoneOf(number)
	if err != nil {
		return err
	}
	found := false
	for _, d := range a.linked() {
		if device != 0 && int(d.number) != device {
			continue
		}
		found = true
		if err = n.unlinkAtPhone(d); err != nil {
			return err
		}
	}
	if !found {
		return ErrNotFound.because("device", "the phone has no such linked device")
	}
	return nil
}

// Messages returns the messages of a phone that came after a point: the ID of a message or its Seq as a number; all of them
// when it is empty. Errors: ErrInvalid, ErrNotFound, ErrNoWhatsApp.
func (n *Network) Messages(number, after string) ([]Message, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return nil, err
	}
	return a.phone.page(after, math.MaxInt)
}

// page returns up to limit messages that came after a point.
func (p *phone) page(after string, limit int) ([]Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seq, err := p.history.position(after)
	if err != nil {
		return nil, err
	}
	entries := p.history.after(seq)
	entries = entries[:min(limit, len(entries))]
	list := make([]Message, 0, len(entries))
	for _, r := range entries {
		list = append(list, r.public())
	}
	return list, nil
}

// shortestID is the least length at which a cursor of digits alone is an ID rather than a sequence number. Clients make IDs of
// 16 characters and more.
const shortestID = 16

// position turns a cursor into a sequence number.
func (h *history) position(after string) (uint64, error) {
	if after == "" {
		return 0, nil
	}
	if seq, err := strconv.ParseUint(after, 10, 64); err == nil && len(after) < shortestID {
		return seq, nil
	}
	for _, r := range slices.Backward(h.entries) {
		if r.ID == after {
			return r.Seq, nil
		}
	}
	return 0, ErrNotFound.because("after", "the phone has no message %s", after)
}

// WaitMessage returns the first message of a phone, past or to come, for which match is true. It fails when ctx ends.
func (n *Network) WaitMessage(ctx context.Context, number string, match func(Message) bool) (Message, error) {
	w, err := n.Watch(number)
	if err != nil {
		return Message{}, err
	}
	defer w.Stop()
	for {
		list, err := n.Messages(number, "")
		if err != nil {
			return Message{}, err
		}
		if i := slices.IndexFunc(list, match); i >= 0 {
			return list[i], nil
		}
		select {
		case _, ok := <-w.C:
			if !ok {
				return Message{}, ErrClosed
			}
		case <-ctx.Done():
			return Message{}, ctx.Err()
		}
	}
}

// phoneOf returns the account of a number that is on WhatsApp.
func (n *Network) phoneOf(number string) (*account, error) { return n.phoneAt("number", number) }

func (n *Network) phoneAt(field, number string) (*account, error) {
	digits, err := parseNumber(field, number)
	if err != nil {
		return nil, err
	}
	a := n.lookup(types.NewJID(digits, types.DefaultUserServer))
	if a == nil {
		return nil, ErrNoWhatsApp.because(field, "%s has no WhatsApp account", number)
	}
	return a, nil
}

// anybody returns all accounts in no order.
func (n *Network) anybody() []*account {
	n.mu.RLock()
	defer n.mu.RUnlock()
	list := make([]*account, 0, len(n.accounts))
	for _, a := range n.accounts {
		list = append(list, a)
	}
	return list
}

// everybody returns all accounts in the order of their numbers.
func (n *Network) everybody() []*account {
	list := n.anybody()
	slices.SortFunc(list, func(x, y *account) int { return cmp.Compare(x.number(), y.number()) })
	return list
}

// display is how people see an address: a number for a person, the address itself for anything else.
func (n *Network) display(jid types.JID) string {
	if a := n.lookup(jid); a != nil {
		return a.number()
	}
	return jid.String()
}

func (a *account) public() Phone {
	devices := a.linked()
	list := make([]Device, 0, len(devices))
	for _, d := range devices {
		list = append(list, d.public())
	}
	a.phone.mu.Lock()
	isOnline := a.phone.isOnline
	a.phone.mu.Unlock()
	restriction := a.restricted()
	a.mu.Lock()
	defer a.mu.Unlock()
	p := Phone{Restriction: restriction, Number: a.number(), Name: a.name, LID: a.lid.String(), OnWhatsApp: !a.isAbsent, AutoRead: a.isReading, Addressing: "pn",
		Online: isOnline, Devices: list}
	if a.usesLID {
		p.Addressing = "lid"
	}
	return p
}

func (d *device) public() Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Device{Number: int(d.number), JID: d.label, Name: d.name, Platform: d.platform, LinkedAt: d.linkedAt, Connected: d.conn != nil,
		Available: d.isAvailable, Keys: d.keyCount(),
		Waiting: len(d.outbox.stanzas)}
}
