package wasim

import (
	"encoding/binary"
	"fmt"

	"go.mau.fi/whatsmeow/util/keys"
)

// phoneKeys are a phone's Signal keys. They follow from the network's secret, the number, and how often the phone has been
// installed anew.
type phoneKeys struct {
	installation uint32
	registration uint32
	identity     *keys.KeyPair
	signed       *keys.PreKey
}

// signedKeyID numbers the only signed key that an installation ever has.
const signedKeyID = 1

// keys returns the phone's keys, making them on first use.
func (p *phone) keys() *phoneKeys {
	p.keysMu.Lock()
	defer p.keysMu.Unlock()
	installation := p.installation.Load()
	if p.ownKeys != nil && p.ownKeys.installation == installation {
		return p.ownKeys
	}
	purpose := fmt.Sprintf(" %s %d", p.account.number(), installation)
	secret := p.account.net.secret
	identity, id := deriveKey(secret, "identity"+purpose), derive(secret, "registration"+purpose)
	signed := &keys.PreKey{KeyPair: *deriveKey(secret, "signed key"+purpose), KeyID: signedKeyID}
	signed.Signature = identity.Sign(&signed.KeyPair)
	p.ownKeys = &phoneKeys{installation: installation, registration: binary.BigEndian.Uint32(id[:4])&0x3fff | 1, identity: identity, signed: signed}
	return p.ownKeys
}

// oneTimeKey makes the phone's one-time key with a number.
func (p *phone) oneTimeKey(id uint32) *keys.KeyPair {
	return deriveKey(p.account.net.secret, fmt.Sprintf("one-time key %s %d %d", p.account.number(), p.installation.Load(), id))
}

// takeBundle hands out what begins a session with the phone.
func (p *phone) takeBundle() (*bundle, uint64) {
	k := p.keys()
	p.account.mu.Lock()
	id := p.issued.Add(1)
	var c changes
	p.account.save(&c)
	generation := p.account.net.store.apply(c)
	p.account.mu.Unlock()
	return &bundle{
		registration: k.registration,
		identity:     *k.identity.Pub,
		signed:       signedKey{k.signed.KeyID, *k.signed.Pub, *k.signed.Signature},
		oneTime:      &oneTimeKey{id, *p.oneTimeKey(id).Pub},
	}, generation
}
