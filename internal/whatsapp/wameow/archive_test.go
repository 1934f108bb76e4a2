package wameow

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/libsignal/ecc"
	groupstore "go.mau.fi/libsignal/groups/state/store"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/optional"
)

// correspondent is one side of a Signal session, with a store that a test can look into.
type correspondent struct {
	groupstore.SenderKey // not needed
	t                    *testing.T
	address              *protocol.SignalAddress
	keys                 *identity.KeyPair
	signed               *record.SignedPreKey
	once                 *record.PreKey
	session              []byte
	restores             bool
}

// serializer is the library's as it is in a process.
var serializer = func() *serialize.Serializer {
	s := serialize.NewProtoBufSerializer()
	s.Session = sessionRecords{}
	return s
}()

func newCorrespondent(t *testing.T, name string, restores bool) *correspondent {
	t.Helper()
	pair := func() *ecc.ECKeyPair {
		keys, err := ecc.GenerateKeyPair()
		require.NoError(t, err)
		return keys
	}
	own := pair()
	c := &correspondent{t: t, address: protocol.NewSignalAddress(name, 1), restores: restores,
		keys: identity.NewKeyPair(identity.NewKey(own.PublicKey()), own.PrivateKey())}
	signed := pair()
	signature := ecc.CalculateSignature(c.keys.PrivateKey(), signed.PublicKey().Serialize())
	c.signed = record.NewSignedPreKey(1, 0, signed, signature, serializer.SignedPreKeyRecord)
	c.once = record.NewPreKey(1, pair(), serializer.PreKeyRecord)
	return c
}

func (c *correspondent) bundle() *prekey.Bundle {
	return prekey.NewBundle(1, 1, optional.NewOptionalUint32(c.once.ID().Value), c.signed.ID(), c.once.KeyPair().PublicKey(), c.signed.KeyPair().PublicKey(),
		c.signed.Signature(), c.keys.PublicKey())
}

func (c *correspondent) GetIdentityKeyPair() *identity.KeyPair { return c.keys }
func (c *correspondent) GetLocalRegistrationID() uint32        { return 1 }
func (c *correspondent) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}
func (c *correspondent) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}
func (c *correspondent) LoadPreKey(context.Context, uint32) (*record.PreKey, error) {
	return c.once, nil
}
func (c *correspondent) RemovePreKey(context.Context, uint32) error                { return nil }
func (c *correspondent) StorePreKey(context.Context, uint32, *record.PreKey) error { return nil }
func (c *correspondent) ContainsPreKey(context.Context, uint32) (bool, error)      { return true, nil }
func (c *correspondent) LoadSignedPreKey(context.Context, uint32) (*record.SignedPreKey, error) {
	return c.signed, nil
}
func (c *correspondent) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) {
	return []*record.SignedPreKey{c.signed}, nil
}
func (c *correspondent) StoreSignedPreKey(context.Context, uint32, *record.SignedPreKey) error {
	return nil
}
func (c *correspondent) ContainsSignedPreKey(context.Context, uint32) (bool, error) { return true, nil }
func (c *correspondent) RemoveSignedPreKey(context.Context, uint32) error           { return nil }

func (c *correspondent) LoadSession(context.Context, *protocol.SignalAddress) (*record.Session, error) {
	if c.session == nil {
		return record.NewSession(serializer.Session, serializer.State), nil
	}
	return record.NewSessionFromBytes(c.session, serializer.Session, serializer.State)
}

func (c *correspondent) StoreSession(_ context.Context, _ *protocol.SignalAddress, r *record.Session) error {
	now := r.Serialize()
	if c.restores {
		now = restoreArchived(c.session, now)
	}
	c.session = now
	return nil
}
func (c *correspondent) GetSubDeviceSessions(context.Context, string) ([]uint32, error) {
	return nil, nil
}
func (c *correspondent) ContainsSession(context.Context, *protocol.SignalAddress) (bool, error) {
	return c.session != nil, nil
}
func (c *correspondent) DeleteSession(context.Context, *protocol.SignalAddress) error { return nil }
func (c *correspondent) DeleteAllSessions(context.Context) error                      { return nil }

// begin makes a session from the other's bundle, as for a first message.
func (c *correspondent) begin(to *correspondent) {
	require.NoError(c.t, session.NewBuilderFromSignal(c, to.address, serializer).ProcessBundle(c.t.Context(), to.bundle()))
}

func (c *correspondent) encrypt(to *correspondent, text string) protocol.CiphertextMessage {
	c.t.Helper()
	m, err := session.NewCipher(session.NewBuilderFromSignal(c, to.address, serializer), to.address).Encrypt(c.t.Context(), []byte(text))
	require.NoError(c.t, err)
	return m
}

func (c *correspondent) decrypt(from *correspondent, m protocol.CiphertextMessage) (string, error) {
	c.t.Helper()
	cipher := session.NewCipher(session.NewBuilderFromSignal(c, from.address, serializer), from.address)
	if m.Type() == protocol.PREKEY_TYPE {
		first, err := protocol.NewPreKeySignalMessageFromBytes(m.Serialize(), serializer.PreKeySignalMessage, serializer.SignalMessage)
		require.NoError(c.t, err)
		text, err := cipher.DecryptMessage(c.t.Context(), first)
		return string(text), err
	}
	later, err := protocol.NewSignalMessageFromBytes(m.Serialize(), serializer.SignalMessage)
	require.NoError(c.t, err)
	text, err := cipher.Decrypt(c.t.Context(), later)
	return string(text), err
}

// glare has both begin at once, and messages of both beginnings mixed. It gives how many could not be read.
func glare(t *testing.T, restores bool) (unread int) {
	t.Helper()
	a, b := newCorrespondent(t, "a", restores), newCorrespondent(t, "b", restores)
	a.begin(b)
	b.begin(a)
	read := func(by, from *correspondent, text string, m protocol.CiphertextMessage) {
		got, err := by.decrypt(from, m)
		if err != nil {
			unread++
			return
		}
		require.Equal(t, text, got)
	}
	a1, b1 := a.encrypt(b, "a1"), b.encrypt(a, "b1")
	b2 := b.encrypt(a, "b2")
	read(b, a, "a1", a1)
	read(a, b, "b1", b1)
	a2, b3 := a.encrypt(b, "a2"), b.encrypt(a, "b3")
	read(a, b, "b3", b3)
	read(a, b, "b2", b2)
	read(b, a, "a2", a2)
	for range 4 {
		a3, b4 := a.encrypt(b, "a3"), b.encrypt(a, "b4")
		read(a, b, "b4", b4)
		read(b, a, "a3", a3)
		read(b, a, "a4", a.encrypt(b, "a4"))
	}
	return unread
}

func TestSidesThatBeginAtOnceReadEachOther(t *testing.T) {
	t.Parallel()
	require.NotZero(t, glare(t, false), "without it, messages cannot be read: the library has learnt better, and this can go")
	require.Zero(t, glare(t, true))
}

func TestARecordWithoutArchiveStaysAsItIs(t *testing.T) {
	t.Parallel()
	a, b := newCorrespondent(t, "a", false), newCorrespondent(t, "b", false)
	a.begin(b)
	before := a.session
	a.encrypt(b, "x")
	require.False(t, hasArchive(a.session))
	require.Equal(t, a.session, restoreArchived(before, a.session))
	for _, broken := range [][]byte{nil, []byte("{"), []byte(`{"PreviousStates":[{}]}`), []byte("not a record")} {
		require.Equal(t, broken, restoreArchived(nil, broken))
		require.Equal(t, broken, restoreArchived([]byte("nor this"), broken))
	}
}
