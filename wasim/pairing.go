package wasim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// confirmTimeout is how long a device may take to confirm its link.
const confirmTimeout = 15 * time.Second

// Prefixes of what is signed in a device's identity, by the account and by the device.
var (
	accountSignaturePrefix = []byte{6, 0}
	deviceSignaturePrefix  = []byte{6, 1}
)

// pairing is one connection whose client asks to be linked.
type pairing struct {
	conn         *conn
	registration *registration
	refs         []*ref // guarded by pairings.mu

	mu     sync.Mutex
	device *device                        // linked but not yet confirmed
	signed *waAdv.ADVSignedDeviceIdentity // what the device must countersign
	query  string                         // ID of the pair-success query
	result chan error                     // buffered
}

// startPairing offers a client the codes by which a phone can link it.
func (c *conn) startPairing(payload *waWa6.ClientPayload) {
	r, err := parseRegistration(payload.GetDevicePairingData())
	if err != nil {
		c.net.log.Warn("registration refused", "error", err)
		c.refuse(attrs{"reason": 400})
		return
	}
	c.link = &pairing{conn: c, registration: r}
	refs := c.net.pairings.issue(c.link)
	list := make([]node, len(refs))
	for i, r := range refs {
		list[i] = node{Tag: "ref", Content: []byte(r)}
	}
	c.send(node{Tag: "iq", Attrs: attrs{"from": types.ServerJID, "type": "set", "id": c.net.newStanzaID(), "xmlns": "md"},
		Content: []node{{Tag: "pair-device", Content: list}}})
}

func parseRegistration(d *waWa6.ClientPayload_DevicePairingRegistrationData) (*registration, error) {
	id, ok := parseKeyID(d.GetERegid())
	if !ok || len(d.GetEIdent()) != 32 || len(d.GetESkeyVal()) != 32 || len(d.GetESkeySig()) != 64 {
		return nil, fmt.Errorf("registration data is incomplete")
	}
	signedID, ok := parseKeyID(d.GetESkeyID())
	if !ok {
		return nil, fmt.Errorf("registration data has no signed key ID")
	}
	r := &registration{id: id, identity: [32]byte(d.GetEIdent()),
		signed: signedKey{signedID, [32]byte(d.GetESkeyVal()), [64]byte(d.GetESkeySig())}}
	signedBytes := append([]byte{ecc.DjbType}, r.signed.key[:]...)
	if !ecc.VerifySignature(ecc.NewDjbECPublicKey(r.identity), signedBytes, r.signed.signature) {
		return nil, fmt.Errorf("the signed key is not signed by the identity")
	}
	var props waCompanionReg.DeviceProps
	if err := proto.Unmarshal(d.GetDeviceProps(), &props); err == nil {
		r.name, r.platform = props.GetOs(), strings.ToLower(props.GetPlatformType().String())
	}
	return r, nil
}

// Scan is the user of a phone scanning the code that a client shows: the client becomes a linked device of the number. It
// returns when the client has confirmed. Errors: ErrCodeUnknown, ErrCodeUsed, ErrCodeExpired, ErrNotLinked, ErrNoWhatsApp,
// ErrInvalid.
func (n *Network) Scan(number, qr string) error {
	a, err := n.phoneOf(number)
	if err != nil {
		return err
	}
	// Clients show the bare fields or a link that has them as its fragment.
	if _, fragment, ok := strings.Cut(qr, "#"); ok {
		qr = fragment
	}
	fields := strings.Split(strings.TrimSpace(qr), ",")
	if len(fields) < 4 {
		return invalid("qr", "this is not a code for linking a device")
	}
	noise, identity, secret := base64Bytes(fields[1]), base64Bytes(fields[2]), base64Bytes(fields[3])
	if len(noise) != 32 || len(identity) != 32 || len(secret) == 0 {
		return invalid("qr", "this is not a code for linking a device")
	}
	link, err := n.pairings.take(fields[0])
	if err != nil {
		return err
	}
	if string(identity) != string(link.registration.identity[:]) || string(noise) != string(link.conn.key[:]) {
		return ErrNotLinked.because("qr", "the code's keys are not those of the client that showed it")
	}
	return link.complete(a, secret)
}

// complete vouches for the device with the account's identity and waits for the device to countersign.
func (l *pairing) complete(a *account, secret []byte) error {
	n := l.conn.net
	d, err := a.link(l.registration, l.conn.key, n.now())
	if err != nil {
		return err
	}
	signed, container, err := a.vouch(d, secret)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	l.mu.Lock()
	if l.device != nil {
		l.mu.Unlock()
		return ErrCodeUsed.because("", "the client is being linked already")
	}
	l.device, l.signed, l.query, l.result = d, signed, n.newStanzaID(), result
	l.mu.Unlock()
	l.conn.send(node{Tag: "iq", Attrs: attrs{"from": types.ServerJID, "type": "set", "id": l.query, "xmlns": "md", "t": n.now().Unix()},
		Content: []node{{Tag: "pair-success", Content: []node{
			{Tag: "device-identity", Content: container},
			{Tag: "platform", Attrs: attrs{"name": "android"}},
			{Tag: "device", Attrs: attrs{"jid": d.jid, "lid": d.lid}},
		}}}})
	ctx, cancel := context.WithTimeout(n.ctx, confirmTimeout)
	defer cancel()
	select {
	case err = <-result:
		return err
	case <-ctx.Done():
		return ErrNotLinked.because("", "the client did not confirm the link in time")
	}
}

// vouch makes the device's identity document: its details signed by the account and authenticated with the secret that only
// the client's own screen has shown.
func (a *account) vouch(d *device, secret []byte) (*waAdv.ADVSignedDeviceIdentity, []byte, error) {
	k := a.phone.keys()
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(k.registration), Timestamp: proto.Uint64(uint64(d.linkedAt.Unix())), KeyIndex: proto.Uint32(uint32(d.number)),
		AccountType: waAdv.ADVEncryptionType_E2EE.Enum(), DeviceType: waAdv.ADVEncryptionType_E2EE.Enum(),
	})
	if err != nil {
		return nil, nil, err
	}
	message := concat(accountSignaturePrefix, details, d.identity[:])
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*k.identity.Priv), message)
	signed := &waAdv.ADVSignedDeviceIdentity{Details: details, AccountSignatureKey: k.identity.Pub[:], AccountSignature: signature[:]}
	raw, err := proto.Marshal(signed)
	if err != nil {
		return nil, nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(raw)
	container, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: raw, HMAC: mac.Sum(nil), AccountType: waAdv.ADVEncryptionType_E2EE.Enum()})
	return signed, container, err
}

// confirm takes the device's answer: its countersignature, or why it refuses.
func (l *pairing) confirm(n *node) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.result == nil || l.query != text(n.Attrs["id"]) {
		return nil
	}
	if text(n.Attrs["type"]) == "error" {
		refusal := n.GetChildByTag("error")
		l.finishLocked(ErrNotLinked.because("", "the client refused the link: %s", text(refusal.Attrs["text"])))
		return nil
	}
	if !l.isCountersigned(n) {
		l.finishLocked(ErrNotLinked.because("", "the client's signature of the link is wrong"))
		return nil
	}
	d := l.device
	net := l.conn.net
	if err := net.store.wait(d.account.admit(d)); err != nil {
		return err
	}
	net.stats.Pairings.Add(1)
	net.log.Info("device linked", "name", d.name, "platform", d.platform, "device", d.number)
	l.conn.end(streamError("515", "")) // the client comes back and logs in
	d.account.phone.tell(Event{Type: EventLinked, Device: d.label})
	net.announceDevices(d.account, d, true)
	l.finishLocked(nil)
	return nil
}

func (l *pairing) isCountersigned(n *node) bool {
	answer, ok := n.GetOptionalChildByTag("pair-device-sign", "device-identity")
	raw, isBytes := answer.Content.([]byte)
	var identity waAdv.ADVSignedDeviceIdentity
	if !ok || !isBytes || proto.Unmarshal(raw, &identity) != nil || len(identity.GetDeviceSignature()) != 64 {
		return false
	}
	message := concat(deviceSignaturePrefix, l.signed.GetDetails(), l.device.identity[:], l.signed.GetAccountSignatureKey())
	return ecc.VerifySignature(ecc.NewDjbECPublicKey(l.device.identity), message, [64]byte(identity.GetDeviceSignature()))
}

func (l *pairing) finish(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finishLocked(err)
}

func (l *pairing) finishLocked(err error) {
	if l.result != nil {
		l.result <- err
		l.result = nil
		if err != nil {
			l.device = nil // another code of the client may still be scanned
		}
	}
}

func (l *pairing) isPending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.result != nil
}

func concat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
