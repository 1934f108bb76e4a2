package main

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// memoryDevice keeps one device's Signal state in maps: the library with the cheapest store there can be.
type memoryDevice struct {
	store.NoopStore
	mu         sync.Mutex
	identities map[string][32]byte
	sessions   map[string][]byte
	preKeys    map[uint32]*keys.PreKey
	nextKey    uint32
	uploaded   uint32
}

func newMemoryDevice(lids *memoryLIDs) *store.Device {
	m := &memoryDevice{identities: map[string][32]byte{}, sessions: map[string][]byte{}, preKeys: map[uint32]*keys.PreKey{}}
	d := &store.Device{NoiseKey: keys.NewKeyPair(), IdentityKey: keys.NewKeyPair(), RegistrationID: rand.Uint32(), AdvSecretKey: make([]byte, 32), Initialized: true,
		Identities: m, Sessions: m, PreKeys: m, SenderKeys: m, AppStateKeys: m, AppState: m, Contacts: m, ChatSettings: m, MsgSecrets: m, PrivacyTokens: m,
		NCTSalt: m, EventBuffer: m, LIDs: lids, Container: m}
	d.SignedPreKey = d.IdentityKey.CreateSignedPreKey(1)
	return d
}

func (m *memoryDevice) PutIdentity(_ context.Context, address string, key [32]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.identities[address] = key
	return nil
}

func (m *memoryDevice) IsTrustedIdentity(_ context.Context, address string, key [32]byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.identities[address]
	return !ok || known == key, nil
}

func (m *memoryDevice) GetSession(_ context.Context, address string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[address], nil
}

func (m *memoryDevice) HasSession(_ context.Context, address string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[address] != nil, nil
}

func (m *memoryDevice) GetManySessions(_ context.Context, addresses []string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[string][]byte, len(addresses))
	for _, a := range addresses {
		out[a] = m.sessions[a]
	}
	return out, nil
}

func (m *memoryDevice) PutSession(_ context.Context, address string, session []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[address] = session
	return nil
}

func (m *memoryDevice) PutManySessions(_ context.Context, sessions map[string][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.sessions, sessions)
	return nil
}

func (m *memoryDevice) GetOrGenPreKeys(_ context.Context, count uint32) ([]*keys.PreKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]*keys.PreKey, count)
	for i := range out {
		m.nextKey++
		out[i] = keys.NewPreKey(m.nextKey)
		m.preKeys[m.nextKey] = out[i]
	}
	return out, nil
}

func (m *memoryDevice) GetPreKey(_ context.Context, keyID uint32) (*keys.PreKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.preKeys[keyID], nil
}

func (m *memoryDevice) RemovePreKey(_ context.Context, keyID uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.preKeys, keyID)
	return nil
}

func (m *memoryDevice) MarkPreKeysAsUploaded(_ context.Context, upTo uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uploaded = upTo
	return nil
}

func (m *memoryDevice) UploadedPreKeyCount(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for keyID := range m.preKeys {
		if keyID <= m.uploaded {
			n++
		}
	}
	return n, nil
}

// memoryLIDs keeps which number has which LID.
type memoryLIDs struct {
	mu    sync.RWMutex
	byLID map[string]string
	byPN  map[string]string
}

func newMemoryLIDs() *memoryLIDs {
	return &memoryLIDs{byLID: map[string]string{}, byPN: map[string]string{}}
}

func (m *memoryLIDs) PutLIDMapping(_ context.Context, lid, pn types.JID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byLID[lid.User], m.byPN[pn.User] = pn.User, lid.User
	return nil
}

func (m *memoryLIDs) PutManyLIDMappings(ctx context.Context, mappings []store.LIDMapping) error {
	for _, x := range mappings {
		if err := m.PutLIDMapping(ctx, x.LID, x.PN); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryLIDs) GetPNForLID(_ context.Context, lid types.JID) (types.JID, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if pn := m.byLID[lid.User]; pn != "" {
		return types.JID{User: pn, Device: lid.Device, Server: types.DefaultUserServer}, nil
	}
	return types.EmptyJID, nil
}

func (m *memoryLIDs) GetLIDForPN(_ context.Context, pn types.JID) (types.JID, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if lid := m.byPN[pn.User]; lid != "" {
		return types.JID{User: lid, Device: pn.Device, Server: types.HiddenUserServer}, nil
	}
	return types.EmptyJID, nil
}

func (m *memoryLIDs) GetManyLIDsForPNs(ctx context.Context, pns []types.JID) (map[types.JID]types.JID, error) {
	out := map[types.JID]types.JID{}
	for _, pn := range pns {
		if lid, _ := m.GetLIDForPN(ctx, pn); !lid.IsEmpty() {
			out[pn] = lid
		}
	}
	return out, nil
}
