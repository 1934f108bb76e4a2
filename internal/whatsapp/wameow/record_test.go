package wameow

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/libsignal/keys/chain"
	"go.mau.fi/libsignal/keys/message"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/optional"
	"pgregory.net/rapid"
)

func someKey(t *rapid.T, what string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 1, 33).Draw(t, what)
}

func someChain(t *rapid.T) *record.ChainStructure {
	c := &record.ChainStructure{SenderRatchetKeyPublic: someKey(t, "ratchet"), SenderRatchetKeyPrivate: rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "private"),
		ChainKey: &chain.KeyStructure{Key: someKey(t, "chain"), Index: rapid.Uint32().Draw(t, "index")}, MessageKeys: []*message.KeysStructure{}}
	for range rapid.IntRange(0, 3).Draw(t, "skipped") {
		c.MessageKeys = append(c.MessageKeys, &message.KeysStructure{CipherKey: someKey(t, "cipher"), MacKey: someKey(t, "mac"), IV: someKey(t, "iv"), Index: rapid.Uint32().Draw(t, "of")})
	}
	return c
}

func someState(t *rapid.T) *record.StateStructure {
	s := &record.StateStructure{LocalIdentityPublic: someKey(t, "own"), LocalRegistrationID: rapid.Uint32().Draw(t, "registration"), NeedsRefresh: rapid.Bool().Draw(t, "refresh"),
		PreviousCounter: rapid.Uint32().Draw(t, "previous"), RemoteIdentityPublic: someKey(t, "their"), RemoteRegistrationID: rapid.Uint32().Draw(t, "theirs"),
		RootKey: someKey(t, "root"), SenderBaseKey: someKey(t, "base"), SenderChain: someChain(t), SessionVersion: rapid.IntRange(2, 4).Draw(t, "version"),
		ReceiverChains: []*record.ChainStructure{}}
	for range rapid.IntRange(0, 5).Draw(t, "chains") {
		s.ReceiverChains = append(s.ReceiverChains, someChain(t))
	}
	if rapid.Bool().Draw(t, "is pending") {
		s.PendingPreKey = &record.PendingPreKeyStructure{PreKeyID: optional.NewEmptyUint32(), SignedPreKeyID: rapid.Uint32().Draw(t, "signed"), BaseKey: someKey(t, "pending")}
		if rapid.Bool().Draw(t, "with a one-time key") {
			s.PendingPreKey.PreKeyID = optional.NewOptionalUint32(rapid.Uint32().Draw(t, "one-time"))
		}
	}
	if rapid.Bool().Draw(t, "is exchanging") {
		s.PendingKeyExchange = &record.PendingKeyExchangeStructure{Sequence: rapid.Uint32().Draw(t, "sequence"), LocalBaseKeyPublic: someKey(t, "1"), LocalBaseKeyPrivate: someKey(t, "2"),
			LocalRatchetKeyPublic: someKey(t, "3"), LocalRatchetKeyPrivate: someKey(t, "4"), LocalIdentityKeyPublic: someKey(t, "5"), LocalIdentityKeyPrivate: someKey(t, "6")}
	}
	return s
}

// What is read is what was written, in our form and in the library's, whose own reading of its own form is the oracle.
func TestSignalSessionsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &record.SessionStructure{SessionState: someState(t), PreviousStates: []*record.StateStructure{}}
		for range rapid.IntRange(0, 2).Draw(t, "archived") {
			s.PreviousStates = append(s.PreviousStates, someState(t))
		}
		libraries := libraryRecords.Serialize(s)
		want, err := libraryRecords.Deserialize(libraries)
		require.NoError(t, err)
		raw := sessionRecords{}.Serialize(s)
		got, err := sessionRecords{}.Deserialize(raw)
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = sessionRecords{}.Deserialize(libraries)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Less(t, len(raw), len(libraries)*2/3)
	})
}

func TestWhatIsNoSignalSessionIsRefused(t *testing.T) {
	for _, raw := range []string{"", "{", "null", "no record", "\x0a\x00", "\x0a\x02\x08\x03"} {
		_, err := sessionRecords{}.Deserialize([]byte(raw))
		require.Error(t, err, "%q", raw)
	}
}
