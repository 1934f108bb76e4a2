package wasim

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types"
)

const (
	linkCodeTime       = 160 * time.Second
	linkCodeIterations = 2 << 16
	linkSaltSize       = 32
	linkNonceSize      = 12
)

// displayName is what a client may call itself when it asks to be linked by code: "Browser (system)".
var displayName = regexp.MustCompile(`^(Chrome|Edge|Firefox|IE|Opera|Safari|Brave|Vivaldi) \([A-Za-z][A-Za-z0-9 .]*\)$`)

// linkCode is a link by code under way: the client shows eight characters, the phone's user types them, and both ends prove
// to each other that they know them without sending them.
type linkCode struct {
	link    *pairing
	ref     []byte
	wrapped []byte // the client's ephemeral key, encrypted with the code
	expires time.Time

	mu        sync.Mutex
	ephemeral *ecdh.PrivateKey // the phone's, once the code has been typed
	theirs    *ecdh.PublicKey
	result    chan error
}

// answerLinkCode serves the two requests of a client that is being linked by code.
func (c *conn) answerLinkCode(n, child *node) error {
	if c.link == nil {
		c.replyError(n, 405, "not-allowed")
		return nil
	}
	jid := jidOf(child.Attrs["jid"])
	switch text(child.Attrs["stage"]) {
	case "companion_hello":
		return c.linkCodeHello(n, child, jid)
	case "companion_finish":
		return c.linkCodeFinish(n, child, jid)
	}
	c.replyError(n, 400, "bad-request")
	return nil
}

func (c *conn) linkCodeHello(n, child *node, jid types.JID) error {
	wrapped := content(child, "link_code_pairing_wrapped_companion_ephemeral_pub")
	name := string(content(child, "companion_platform_display"))
	if len(wrapped) != linkSaltSize+aes.BlockSize+32 || !displayName.MatchString(name) {
		c.replyError(n, 400, "bad-request")
		return nil
	}
	a := c.net.lookup(jid)
	if a == nil {
		c.replyError(n, 404, "item-not-found")
		return nil
	}
	code := &linkCode{link: c.link, ref: []byte(randomHex(16)), wrapped: wrapped, expires: c.net.now().Add(linkCodeTime)}
	c.net.pairings.mu.Lock()
	c.net.pairings.codes[a.number()] = code
	c.net.pairings.mu.Unlock()
	c.reply(n, node{Tag: "link_code_companion_reg", Attrs: attrs{"stage": "companion_hello"},
		Content: []node{{Tag: "link_code_pairing_ref", Content: code.ref}}})
	return nil
}

// EnterCode is the user of a phone typing the eight characters that a client shows. It returns when the client has confirmed
// the link. Errors: ErrCodeUnknown (no client waits for this number, or it shows another code), ErrCodeExpired, ErrNotLinked,
// ErrNoWhatsApp, ErrInvalid.
func (n *Network) EnterCode(number, code string) error {
	a, err := n.phoneOf(number)
	if err != nil {
		return err
	}
	code = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(code), "-", ""))
	if len(code) != 8 {
		return invalid("code", "a code has eight characters")
	}
	n.pairings.mu.Lock()
	l := n.pairings.codes[a.number()]
	n.pairings.mu.Unlock()
	if l == nil {
		return ErrCodeUnknown.because("code", "no client waits to be linked to this number by code")
	}
	if n.now().After(l.expires) {
		return ErrCodeExpired.because("code", "this code has expired")
	}
	result, err := l.begin(a, code)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(n.ctx, confirmTimeout)
	defer cancel()
	select {
	case err = <-result:
		return err
	case <-ctx.Done():
		return ErrNotLinked.because("code", "the client did not confirm the link in time")
	}
}

// begin sends the phone's ephemeral key, encrypted with the typed code.
func (l *linkCode) begin(a *account, code string) (<-chan error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	theirs, err := codeCipher(code, l.wrapped[:linkSaltSize], l.wrapped[linkSaltSize:linkSaltSize+aes.BlockSize], l.wrapped[linkSaltSize+aes.BlockSize:])
	if err != nil {
		return nil, err
	}
	if l.theirs, err = ecdh.X25519().NewPublicKey(theirs); err != nil {
		return nil, err
	}
	if l.ephemeral, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
		return nil, err
	}
	lead := make([]byte, linkSaltSize+aes.BlockSize)
	_, _ = rand.Read(lead)
	sealed, err := codeCipher(code, lead[:linkSaltSize], lead[linkSaltSize:], l.ephemeral.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	l.result = make(chan error, 1)
	n := a.net
	l.link.conn.send(node{Tag: "notification", Attrs: attrs{"from": types.ServerJID, "type": "link_code_companion_reg", "id": n.newStanzaID(),
		"t": n.now().Unix()}, Content: []node{{Tag: "link_code_companion_reg", Attrs: attrs{"stage": "primary_hello"}, Content: []node{
		{Tag: "link_code_pairing_ref", Content: l.ref},
		{Tag: "link_code_pairing_wrapped_primary_ephemeral_pub", Content: append(lead, sealed...)},
		{Tag: "primary_identity_pub", Content: a.phone.keys().identity.Pub[:]},
	}}}})
	return l.result, nil
}

// settle tells whoever typed the code what became of it; nil is success. Only the first call does anything.
func (l *linkCode) settle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.result == nil {
		return
	}
	select {
	case l.result <- err:
	default: // it has its result
	}
}

// codeCipher encrypts or decrypts 32 bytes with a key made of the eight characters.
func codeCipher(code string, salt, iv, in []byte) ([]byte, error) {
	key, err := pbkdf2.Key(sha256.New, code, salt, linkCodeIterations, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(in))
	cipher.NewCTR(block, iv).XORKeyStream(out, in)
	return out, nil
}

// linkCodeFinish takes the client's key bundle. Only a client and a phone with the same code can have the key that opens it.
func (c *conn) linkCodeFinish(n, child *node, jid types.JID) error {
	a := c.net.lookup(jid)
	if a == nil {
		c.replyError(n, 404, "item-not-found")
		return nil
	}
	c.net.pairings.mu.Lock()
	l := c.net.pairings.codes[a.number()]
	c.net.pairings.mu.Unlock()
	if l == nil || l.link != c.link {
		c.replyError(n, 404, "item-not-found")
		return nil
	}
	c.reply(n)
	l.mu.Lock()
	isTyped := l.result != nil
	identity, secret, isOpen := l.open(a, content(child, "link_code_pairing_wrapped_key_bundle"))
	l.mu.Unlock()
	if !isTyped {
		return nil
	}
	if !isOpen {
		l.settle(ErrCodeUnknown.because("code", "the client shows another code"))
		return nil
	}
	c.net.pairings.mu.Lock()
	delete(c.net.pairings.codes, a.number())
	c.net.pairings.mu.Unlock()
	if string(identity) != string(c.link.registration.identity[:]) {
		l.settle(ErrNotLinked.because("code", "the client proved another identity than it registered"))
		return nil
	}
	// The client's answer arrives through this goroutine, so waiting for it is another's work.
	c.net.wg.Go(func() { l.settle(c.link.complete(a, secret)) })
	return nil
}

// open opens the key bundle and derives the secret that both ends share from then on; it does not open when the code that was
// typed is not the one that the client shows. The caller holds l.mu.
func (l *linkCode) open(a *account, wrapped []byte) (identity, secret []byte, isOpen bool) {
	lead := linkSaltSize + linkNonceSize
	if l.ephemeral == nil || len(wrapped) < lead {
		return nil, nil, false
	}
	shared, err := l.ephemeral.ECDH(l.theirs)
	if err != nil {
		return nil, nil, false
	}
	key, err := hkdf.Key(sha256.New, shared, wrapped[:linkSaltSize], "link_code_pairing_key_bundle_encryption_key", 32)
	if err != nil {
		return nil, nil, false
	}
	aead, err := newGCM(key)
	if err != nil {
		return nil, nil, false
	}
	bundle, err := aead.Open(nil, wrapped[linkSaltSize:lead], wrapped[lead:], nil)
	if err != nil || len(bundle) != 96 {
		return nil, nil, false
	}
	identity, random := bundle[:32], bundle[64:]
	identityShared, err := a.phone.agree(identity)
	if err != nil {
		return nil, nil, false
	}
	secret, err = hkdf.Key(sha256.New, concat(shared, identityShared, random), nil, "adv_secret", 32)
	return identity, secret, err == nil
}

// agree makes the secret that the phone's identity shares with another identity.
func (p *phone) agree(theirs []byte) ([]byte, error) {
	own, err := ecdh.X25519().NewPrivateKey(p.keys().identity.Priv[:])
	if err != nil {
		return nil, err
	}
	public, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return nil, err
	}
	return own.ECDH(public)
}
