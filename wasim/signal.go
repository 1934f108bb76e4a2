package wasim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mau.fi/libsignal/ecc"
	groupRecord "go.mau.fi/libsignal/groups/state/record"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/logger"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/optional"
)

var serializer = serialize.NewProtoBufSerializer()

// Kinds of ciphertext in <enc>.
const (
	encPreKey    = "pkmsg"
	encMessage   = "msg"
	encSenderKey = "skmsg"
)

// quiet takes the place of libsignal's own logger, which prints to standard output, unless the program has set one.
type quiet struct{}

func (quiet) Debug(string, string)   {}
func (quiet) Info(string, string)    {}
func (quiet) Warning(string, string) {}
func (quiet) Error(string, string)   {}
func (quiet) Configure(string)       {}

func init() {
	if logger.Logger == nil {
		logger.Logger = quiet{}
	}
}

// vault is the phone's Signal state as libsignal wants to see it, for the length of one operation: what changes is collected
// with it. The phone's lock is held meanwhile. Records are kept taken apart and put together for each use, because a failed
// decryption leaves traces in the record it worked on.
type vault struct {
	phone *phone
	keys  *phoneKeys
	out   *changes
}

func (v vault) GetIdentityKeyPair() *identity.KeyPair {
	return identity.NewKeyPair(identity.NewKey(ecc.NewDjbECPublicKey(*v.keys.identity.Pub)), ecc.NewDjbECPrivateKey(*v.keys.identity.Priv))
}

func (v vault) GetLocalRegistrationID() uint32 { return v.keys.registration }

func (v vault) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}

func (v vault) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}

func (v vault) LoadPreKey(_ context.Context, id uint32) (*record.PreKey, error) {
	if id == 0 || id > v.phone.issued.Load() {
		return nil, nil
	}
	k := v.phone.oneTimeKey(id)
	return record.NewPreKey(id, ecc.NewECKeyPair(ecc.NewDjbECPublicKey(*k.Pub), ecc.NewDjbECPrivateKey(*k.Priv)), nil), nil
}

func (v vault) StorePreKey(context.Context, uint32, *record.PreKey) error { return errUnused }

func (v vault) ContainsPreKey(_ context.Context, id uint32) (bool, error) {
	return id > 0 && id <= v.phone.issued.Load(), nil
}

// RemovePreKey keeps the key: it can be made again at any time, and a session that exists does not ask for it twice.
func (v vault) RemovePreKey(context.Context, uint32) error { return nil }

func (v vault) LoadSignedPreKey(_ context.Context, id uint32) (*record.SignedPreKey, error) {
	k := v.keys.signed
	if id != k.KeyID {
		return nil, nil
	}
	pair := ecc.NewECKeyPair(ecc.NewDjbECPublicKey(*k.Pub), ecc.NewDjbECPrivateKey(*k.Priv))
	return record.NewSignedPreKey(id, 0, pair, *k.Signature, nil), nil
}

func (v vault) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) {
	return nil, errUnused
}

func (v vault) StoreSignedPreKey(context.Context, uint32, *record.SignedPreKey) error {
	return errUnused
}

func (v vault) ContainsSignedPreKey(_ context.Context, id uint32) (bool, error) {
	return id == v.keys.signed.KeyID, nil
}

func (v vault) RemoveSignedPreKey(context.Context, uint32) error { return errUnused }

func (v vault) LoadSession(_ context.Context, a *protocol.SignalAddress) (*record.Session, error) {
	known := v.phone.sessions[a.String()]
	if known == nil {
		return record.NewSession(serializer.Session, serializer.State), nil
	}
	return record.NewSessionFromStructure(known, serializer.Session, serializer.State)
}

func (v vault) StoreSession(_ context.Context, a *protocol.SignalAddress, r *record.Session) error {
	if v.phone.sessions == nil {
		v.phone.sessions = map[string]*record.SessionStructure{}
	}
	structure := r.Structure()
	restoreArchived(v.phone.sessions[a.String()], structure)
	v.phone.sessions[a.String()] = structure
	if v.phone.account.net.store != nil {
		v.out.put("ses/"+v.phone.account.number()+"/"+a.String(), serializer.Session.Serialize(structure))
	}
	return nil
}

// restoreArchived puts back the archived states of a session as they were before, each once. A real phone leaves them alone; the library
// steps the ratchet of every state on which it tries a message, and archives what it has spoilt when two sides began at the same moment.
func restoreArchived(before, now *record.SessionStructure) {
	if before == nil || len(now.PreviousStates) == 0 {
		return
	}
	known := map[string]*record.StateStructure{}
	for _, state := range append([]*record.StateStructure{before.SessionState}, before.PreviousStates...) {
		known[string(state.SenderBaseKey)] = state
	}
	kept := map[string]bool{string(now.SessionState.SenderBaseKey): true}
	archived := now.PreviousStates[:0:0]
	for _, state := range now.PreviousStates {
		key := string(state.SenderBaseKey)
		if kept[key] {
			continue
		}
		kept[key] = true
		if unspoilt := known[key]; unspoilt != nil {
			state = unspoilt
		}
		archived = append(archived, state)
	}
	now.PreviousStates = archived
}

func (v vault) ContainsSession(_ context.Context, a *protocol.SignalAddress) (bool, error) {
	return v.phone.sessions[a.String()] != nil, nil
}

func (v vault) DeleteSession(_ context.Context, a *protocol.SignalAddress) error {
	delete(v.phone.sessions, a.String())
	v.out.del("ses/" + v.phone.account.number() + "/" + a.String())
	return nil
}

func (v vault) DeleteAllSessions(context.Context) error                        { return errUnused }
func (v vault) GetSubDeviceSessions(context.Context, string) ([]uint32, error) { return nil, errUnused }

func senderKeyID(name *protocol.SenderKeyName) string {
	return name.GroupID() + "|" + name.Sender().String()
}

func (v vault) StoreSenderKey(_ context.Context, name *protocol.SenderKeyName, r *groupRecord.SenderKey) error {
	raw := r.Serialize()
	if v.phone.senderKeys == nil {
		v.phone.senderKeys = map[string][]byte{}
	}
	v.phone.senderKeys[senderKeyID(name)] = raw
	v.out.put("snd/"+v.phone.account.number()+"/"+senderKeyID(name), raw)
	return nil
}

func (v vault) LoadSenderKey(_ context.Context, name *protocol.SenderKeyName) (*groupRecord.SenderKey, error) {
	raw := v.phone.senderKeys[senderKeyID(name)]
	if raw == nil {
		return groupRecord.NewSenderKey(serializer.SenderKeyRecord, serializer.SenderKeyState), nil
	}
	return groupRecord.NewSenderKeyFromBytes(raw, serializer.SenderKeyRecord, serializer.SenderKeyState)
}

// errUnused is returned where libsignal's interface asks for more than a phone needs.
var errUnused = errors.New("not used by simulated phones")

// address names a device in a phone's own state.
func (d *device) address() *protocol.SignalAddress {
	return protocol.NewSignalAddress(d.account.number(), uint32(d.number))
}

// encrypt seals a padded plaintext for a device. fresh begins a new session, from the given bundle or one of the device's
// uploaded keys; so does the first message. The caller holds p.mu.
func (p *phone) encrypt(ctx context.Context, d *device, plaintext []byte, fresh bool, from *bundle, out *changes) (kind string, ciphertext []byte, err error) {
	v := vault{p, p.keys(), out}
	address := d.address()
	builder := session.NewBuilderFromSignal(v, address, serializer)
	if fresh || p.sessions[address.String()] == nil {
		if from == nil {
			from, _ = d.takeBundle() // kept with what follows, at the latest
		}
		if err = builder.ProcessBundle(ctx, from.signal(uint32(d.number))); err != nil {
			return "", nil, fmt.Errorf("begin session with %s: %w", d.jid, err)
		}
	}
	sealed, err := session.NewCipher(builder, address).Encrypt(ctx, plaintext)
	if err != nil {
		return "", nil, fmt.Errorf("encrypt for %s: %w", d.jid, err)
	}
	kind = encMessage
	if sealed.Type() == protocol.PREKEY_TYPE {
		kind = encPreKey
	}
	return kind, sealed.Serialize(), nil
}

// takeBundle takes a bundle of the device and returns the generation with which it is gone for good.
func (d *device) takeBundle() (*bundle, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key, generation := d.takeKey()
	return &bundle{registration: d.registration, identity: d.identity, signed: d.signed, oneTime: key}, generation
}

// signal is the bundle in libsignal's form.
func (b *bundle) signal(deviceNumber uint32) *prekey.Bundle {
	id, key := optional.NewEmptyUint32(), ecc.ECPublicKeyable(nil)
	if b.oneTime != nil {
		id, key = optional.NewOptionalUint32(b.oneTime.id), ecc.NewDjbECPublicKey(b.oneTime.key)
	}
	return prekey.NewBundle(b.registration, deviceNumber, id, b.signed.id, key, ecc.NewDjbECPublicKey(b.signed.key), b.signed.signature,
		identity.NewKey(ecc.NewDjbECPublicKey(b.identity)))
}

// envelope is a parsed one-to-one ciphertext.
type envelope struct {
	preKey  *protocol.PreKeySignalMessage
	message *protocol.SignalMessage
}

func openEnvelope(kind string, ciphertext []byte) (*envelope, error) {
	switch kind {
	case encPreKey:
		m, err := protocol.NewPreKeySignalMessageFromBytes(ciphertext, serializer.PreKeySignalMessage, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		return &envelope{m, m.WhisperMessage()}, nil
	case encMessage:
		m, err := protocol.NewSignalMessageFromBytes(ciphertext, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		return &envelope{nil, m}, nil
	}
	return nil, fmt.Errorf("unknown kind of ciphertext %q", kind)
}

// decrypt opens a device's ciphertext. The caller holds p.mu.
func (p *phone) decrypt(ctx context.Context, d *device, e *envelope, out *changes) ([]byte, error) {
	v := vault{p, p.keys(), out}
	builder := session.NewBuilderFromSignal(v, d.address(), serializer)
	cipher := session.NewCipher(builder, d.address())
	var plaintext []byte
	var err error
	if e.preKey != nil {
		plaintext, err = cipher.DecryptMessage(ctx, e.preKey)
	} else {
		plaintext, err = cipher.Decrypt(ctx, e.message)
	}
	if err != nil {
		return nil, err
	}
	return unpad(plaintext)
}

// pad adds 1 to 15 bytes, each of which says how many there are, and returns a new slice.
func pad(plaintext []byte) []byte {
	var b [1]byte
	_, _ = rand.Read(b[:])
	size := int(b[0] & 0xf)
	if size == 0 {
		size = 15
	}
	out := make([]byte, len(plaintext), len(plaintext)+size)
	copy(out, plaintext)
	for range size {
		out = append(out, byte(size))
	}
	return out
}

func unpad(plaintext []byte) ([]byte, error) {
	if len(plaintext) == 0 {
		return nil, errors.New("the plaintext is empty")
	}
	size := int(plaintext[len(plaintext)-1])
	if size == 0 || size > len(plaintext) {
		return nil, errors.New("the plaintext's padding is wrong")
	}
	return plaintext[:len(plaintext)-size], nil
}
