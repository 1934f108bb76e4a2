package wasim

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow/types"
)

// restore makes the network what it was when the store was last written. Keys are visited in their order, so accounts come
// before their devices, and devices before their stanzas.
func (n *Network) restore(ctx context.Context) error {
	var left changes // what belonged to devices that are no more
	root := hex.EncodeToString(n.authority.root[:])
	isNew := true
	err := n.store.load(ctx, func(key string, value []byte) error {
		isNew = false
		kind, rest, _ := strings.Cut(key, "/")
		parts := strings.Split(rest, "/")
		switch kind {
		case "acct":
			return n.restoreAccount(rest, value)
		case "meta":
			if rest == "root" && string(value) != root {
				return fmt.Errorf("the folder belongs to a network with another seed")
			}
			return nil
		case "grp":
			return n.restoreGroup(rest, value)
		}
		a := n.accounts[parts[0]]
		if a == nil || len(parts) < 2 {
			return fmt.Errorf("there is no such account")
		}
		isKnown, err := a.restore(ctx, kind, parts[1:], rest, value)
		if !isKnown {
			left.del(key)
		}
		return err
	})
	if err != nil {
		return err
	}
	if isNew {
		left.put("meta/root", []byte(root))
	}
	n.store.apply(left)
	return nil
}

func (n *Network) restoreAccount(number string, value []byte) error {
	var r accountRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return err
	}
	a := n.newAccount(number, r.LID)
	a.name, a.isAbsent, a.isReading, a.usesLID, a.lastDevice = r.Name, r.Absent, r.Reading, r.UsesLID, r.LastDevice
	if a.restriction = r.Restriction; a.restriction != nil {
		n.liftLater(a, a.restriction.Until)
	}
	a.phone.issued.Store(r.Issued)
	a.phone.installation.Store(r.Installed)
	n.accounts[number], n.byLID[r.LID] = a, a
	return nil
}

func (n *Network) restoreGroup(user string, value []byte) error {
	g := &group{jid: types.NewJID(user, types.GroupServer)}
	if err := json.Unmarshal(value, &g.Group); err != nil {
		return err
	}
	n.groups[user] = g
	return nil
}

// restore takes one thing of an account out of the store. What belongs to no known device is not known.
func (a *account) restore(ctx context.Context, kind string, parts []string, rest string, value []byte) (isKnown bool, err error) {
	switch kind {
	case "app":
		return true, a.phone.restoreState(ctx, parts[0], value)
	case "msg":
		return true, a.phone.restoreEntry(value)
	case "ses":
		session, err := serializer.Session.Deserialize(value)
		if a.phone.sessions == nil {
			a.phone.sessions = map[string]*record.SessionStructure{}
		}
		a.phone.sessions[parts[0]] = session
		return true, err
	case "snd":
		if a.phone.senderKeys == nil {
			a.phone.senderKeys = map[string][]byte{}
		}
		a.phone.senderKeys[strings.TrimPrefix(rest, a.number()+"/")] = value
		return true, nil
	}
	number, err := strconv.ParseUint(parts[0], 10, 16)
	if err != nil {
		return true, err
	}
	if kind == "dev" {
		return true, a.restoreDevice(uint16(number), value)
	}
	d := a.devices[uint16(number)]
	if d == nil {
		return false, nil
	}
	return true, d.restore(kind, parts, value)
}

func (a *account) restoreDevice(number uint16, value []byte) error {
	d, err := restoreDevice(a, number, value)
	if err != nil {
		return err
	}
	if a.devices == nil {
		a.devices = map[uint16]*device{}
	}
	a.devices[number] = d
	return nil
}

func (d *device) restore(kind string, parts []string, value []byte) error {
	switch {
	case kind == "pre":
		d.oneTime = decodeOneTime(value)
		d.given = min(d.given, len(d.oneTime))
		return nil
	case kind == "out" && len(parts) == 2:
		seq, err := strconv.ParseUint(parts[1], 16, 64)
		if err != nil {
			return err
		}
		n, err := decode(value)
		if err != nil {
			return err
		}
		s := &stanza{seq: seq, key: keyOf(n), data: value}
		d.outbox.stanzas = append(d.outbox.stanzas, s)
		d.outbox.last = seq
		return nil
	}
	return fmt.Errorf("unknown kind of key")
}

func (p *phone) restoreEntry(value []byte) error {
	r := &entry{}
	if err := json.Unmarshal(value, r); err != nil {
		return err
	}
	h := &p.history
	if h.index == nil {
		h.index = map[messageKey]*entry{}
	}
	h.entries = append(h.entries, r)
	h.index[messageKey{r.ID, r.From}] = r
	h.last = r.Seq
	h.notePeer(r)
	p.account.net.kept.Add(1)
	return nil
}

func (p *phone) restoreState(ctx context.Context, name string, patch []byte) error {
	if p.state == nil {
		p.state = newAppState(p)
	}
	return p.state.add(ctx, name, patch, nil)
}
