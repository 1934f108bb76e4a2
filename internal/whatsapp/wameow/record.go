package wameow

import (
	"bytes"
	"errors"

	"go.mau.fi/libsignal/keys/chain"
	"go.mau.fi/libsignal/keys/message"
	"go.mau.fi/libsignal/logger"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/optional"
	"google.golang.org/protobuf/proto"
)

// errNoState refuses a session's record in which there is no session.
var errNoState = errors.New("wameow: a record of a Signal session without a session")

// sessionRecords keeps a Signal session as Signal's own clients do: as a RecordStructure (LocalStorageProtocol.proto of libsignal-protocol-c). That is
// shorter than the library's JSON and less work, twice for every message. What the library wrote as JSON is still read.
type sessionRecords struct{}

var (
	_ record.SessionSerializer = sessionRecords{}

	libraryRecords serialize.JSONSessionSerializer
)

// Serialize implements record.SessionSerializer.
func (sessionRecords) Serialize(s *record.SessionStructure) []byte {
	stored := &serialize.RecordStructure{CurrentSession: packState(s.SessionState)}
	for _, previous := range s.PreviousStates {
		stored.PreviousSessions = append(stored.PreviousSessions, packState(previous))
	}
	raw, err := proto.Marshal(stored)
	if err != nil {
		logger.Error("Error serializing session: ", err) // as the library does: nothing in it can fail
	}
	return raw
}

// Deserialize implements record.SessionSerializer.
func (sessionRecords) Deserialize(raw []byte) (*record.SessionStructure, error) {
	if bytes.HasPrefix(raw, []byte("{")) { // never a RecordStructure's first byte: that would be the beginning of a group, of field 15
		return libraryRecords.Deserialize(raw)
	}
	var stored serialize.RecordStructure
	if err := proto.Unmarshal(raw, &stored); err != nil {
		return nil, err
	}
	if stored.CurrentSession.GetSenderChain().GetChainKey() == nil { // the library would not look
		return nil, errNoState
	}
	s := &record.SessionStructure{SessionState: unpackState(stored.CurrentSession), PreviousStates: make([]*record.StateStructure, len(stored.PreviousSessions))}
	for i, previous := range stored.PreviousSessions {
		s.PreviousStates[i] = unpackState(previous)
	}
	return s, nil
}

func packState(s *record.StateStructure) *serialize.SessionStructure {
	if s == nil {
		return nil
	}
	version := uint32(s.SessionVersion) //nolint:gosec // 3
	packed := &serialize.SessionStructure{
		SessionVersion: &version, LocalIdentityPublic: s.LocalIdentityPublic, RemoteIdentityPublic: s.RemoteIdentityPublic, RootKey: s.RootKey,
		PreviousCounter: &s.PreviousCounter, SenderChain: packChain(s.SenderChain), RemoteRegistrationId: &s.RemoteRegistrationID,
		LocalRegistrationId: &s.LocalRegistrationID, NeedsRefresh: &s.NeedsRefresh, AliceBaseKey: s.SenderBaseKey,
	}
	for _, c := range s.ReceiverChains {
		packed.ReceiverChains = append(packed.ReceiverChains, packChain(c))
	}
	if p := s.PendingKeyExchange; p != nil {
		packed.PendingKeyExchange = &serialize.SessionStructure_PendingKeyExchange{
			Sequence: &p.Sequence, LocalBaseKey: p.LocalBaseKeyPublic, LocalBaseKeyPrivate: p.LocalBaseKeyPrivate, LocalRatchetKey: p.LocalRatchetKeyPublic,
			LocalRatchetKeyPrivate: p.LocalRatchetKeyPrivate, LocalIdentityKey: p.LocalIdentityKeyPublic, LocalIdentityKeyPrivate: p.LocalIdentityKeyPrivate,
		}
	}
	if p := s.PendingPreKey; p != nil {
		signed := int32(p.SignedPreKeyID) //nolint:gosec // comes back as it went in
		packed.PendingPreKey = &serialize.SessionStructure_PendingPreKey{SignedPreKeyId: &signed, BaseKey: p.BaseKey}
		if p.PreKeyID != nil && !p.PreKeyID.IsEmpty {
			packed.PendingPreKey.PreKeyId = &p.PreKeyID.Value
		}
	}
	return packed
}

func unpackState(s *serialize.SessionStructure) *record.StateStructure {
	if s == nil {
		return nil
	}
	state := &record.StateStructure{
		LocalIdentityPublic: s.LocalIdentityPublic, LocalRegistrationID: s.GetLocalRegistrationId(), NeedsRefresh: s.GetNeedsRefresh(),
		PreviousCounter: s.GetPreviousCounter(), ReceiverChains: make([]*record.ChainStructure, len(s.ReceiverChains)),
		RemoteIdentityPublic: s.RemoteIdentityPublic, RemoteRegistrationID: s.GetRemoteRegistrationId(), RootKey: s.RootKey, SenderBaseKey: s.AliceBaseKey,
		SenderChain: unpackChain(s.SenderChain), SessionVersion: int(s.GetSessionVersion()),
	}
	for i, c := range s.ReceiverChains {
		state.ReceiverChains[i] = unpackChain(c)
	}
	if p := s.PendingKeyExchange; p != nil {
		state.PendingKeyExchange = &record.PendingKeyExchangeStructure{
			Sequence: p.GetSequence(), LocalBaseKeyPublic: p.LocalBaseKey, LocalBaseKeyPrivate: p.LocalBaseKeyPrivate, LocalRatchetKeyPublic: p.LocalRatchetKey,
			LocalRatchetKeyPrivate: p.LocalRatchetKeyPrivate, LocalIdentityKeyPublic: p.LocalIdentityKey, LocalIdentityKeyPrivate: p.LocalIdentityKeyPrivate,
		}
	}
	if p := s.PendingPreKey; p != nil {
		state.PendingPreKey = &record.PendingPreKeyStructure{PreKeyID: optional.NewEmptyUint32(), SignedPreKeyID: uint32(p.GetSignedPreKeyId()), BaseKey: p.BaseKey} //nolint:gosec // see packState
		if p.PreKeyId != nil {
			state.PendingPreKey.PreKeyID = optional.NewOptionalUint32(*p.PreKeyId)
		}
	}
	return state
}

func packChain(c *record.ChainStructure) *serialize.SessionStructure_Chain {
	if c == nil {
		return nil
	}
	packed := &serialize.SessionStructure_Chain{SenderRatchetKey: c.SenderRatchetKeyPublic, SenderRatchetKeyPrivate: c.SenderRatchetKeyPrivate}
	if c.ChainKey != nil {
		packed.ChainKey = &serialize.SessionStructure_Chain_ChainKey{Index: &c.ChainKey.Index, Key: c.ChainKey.Key}
	}
	for _, k := range c.MessageKeys {
		packed.MessageKeys = append(packed.MessageKeys, &serialize.SessionStructure_Chain_MessageKey{Index: &k.Index, CipherKey: k.CipherKey, MacKey: k.MacKey, Iv: k.IV})
	}
	return packed
}

func unpackChain(c *serialize.SessionStructure_Chain) *record.ChainStructure {
	if c == nil {
		return nil
	}
	unpacked := &record.ChainStructure{SenderRatchetKeyPublic: c.SenderRatchetKey, SenderRatchetKeyPrivate: c.SenderRatchetKeyPrivate,
		MessageKeys: make([]*message.KeysStructure, len(c.MessageKeys))}
	if c.ChainKey != nil {
		unpacked.ChainKey = &chain.KeyStructure{Index: c.ChainKey.GetIndex(), Key: c.ChainKey.Key}
	}
	for i, k := range c.MessageKeys {
		unpacked.MessageKeys[i] = &message.KeysStructure{Index: k.GetIndex(), CipherKey: k.CipherKey, MacKey: k.MacKey, IV: k.Iv}
	}
	return unpacked
}
