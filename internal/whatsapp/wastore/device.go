package wastore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"
	"go.mau.fi/util/random"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
)

// mostText bounds texts of others, in bytes.
const mostText = 4000

func clean(s string) string { return sqlkit.Text(s, mostText) }

// deviceState is a linked device as it is sealed.
type deviceState struct {
	ID             types.JID `json:"id"`
	LID            types.JID `json:"lid"`
	RegistrationID uint32    `json:"registrationId"`
	Noise          []byte    `json:"noise"`
	Identity       []byte    `json:"identity"`
	SignedPreKey   []byte    `json:"signedPreKey"`
	SignedPreKeyID uint32    `json:"signedPreKeyId"`
	Signature      []byte    `json:"signature"`
	AdvSecret      []byte    `json:"advSecret"`
	Details        []byte    `json:"details"`
	AccountKey     []byte    `json:"accountKey"`
	AccountSign    []byte    `json:"accountSignature"`
	DeviceSign     []byte    `json:"deviceSignature"`
	Platform       string    `json:"platform"`
	BusinessName   string    `json:"businessName"`
	PushName       string    `json:"pushName"`
	FacebookUUID   uuid.UUID `json:"facebookUuid"`
	MigratedAt     int64     `json:"lidMigrationTimestamp"`
	MetaNonce      string    `json:"companionMetaNonce"`
}

// newDevice makes a device that is not linked yet. Nothing is stored before it is saved.
func (s *session) newDevice() *store.Device {
	d := &store.Device{Log: noLog, Container: s, NoiseKey: keys.NewKeyPair(), IdentityKey: keys.NewKeyPair(),
		RegistrationID: rand.Uint32(), AdvSecretKey: random.Bytes(32)}
	d.SignedPreKey = d.IdentityKey.CreateSignedPreKey(1)
	return d
}

// device makes a device of what was saved.
func (s *session) device(saved *row) (*store.Device, error) {
	var v deviceState
	if err := json.Unmarshal(saved.data, &v); err != nil {
		return nil, fmt.Errorf("read a device: %w", err)
	}
	if len(v.Noise) != 32 || len(v.Identity) != 32 || len(v.SignedPreKey) != 32 || len(v.Signature) != 64 {
		return nil, errors.New("read a device: a key has the wrong length")
	}
	d := &store.Device{Log: noLog, ID: &v.ID, LID: v.LID, RegistrationID: v.RegistrationID, AdvSecretKey: v.AdvSecret,
		NoiseKey: keyPair(v.Noise), IdentityKey: keyPair(v.Identity),
		SignedPreKey: &keys.PreKey{KeyPair: *keyPair(v.SignedPreKey), KeyID: v.SignedPreKeyID, Signature: (*[64]byte)(v.Signature)},
		Account:      &waAdv.ADVSignedDeviceIdentity{Details: v.Details, AccountSignatureKey: v.AccountKey, AccountSignature: v.AccountSign, DeviceSignature: v.DeviceSign},
		Platform:     v.Platform, BusinessName: v.BusinessName, PushName: v.PushName, FacebookUUID: v.FacebookUUID,
		LIDMigrationTimestamp: v.MigratedAt, CompanionMetaNonce: v.MetaNonce}
	s.equip(d)
	return d, nil
}

func keyPair(private []byte) *keys.KeyPair { return keys.NewKeyPairFromPrivateKey([32]byte(private)) }

// equip gives a linked device its stores.
func (s *session) equip(d *store.Device) {
	d.SetAllStores(s)
	d.LIDs, d.Container, d.Initialized = s, s, true
}

func stateOf(d *store.Device) (*row, error) {
	v := deviceState{ID: *d.ID, LID: d.LID, RegistrationID: d.RegistrationID, AdvSecret: d.AdvSecretKey,
		Noise: d.NoiseKey.Priv[:], Identity: d.IdentityKey.Priv[:],
		SignedPreKey: d.SignedPreKey.Priv[:], SignedPreKeyID: d.SignedPreKey.KeyID, Signature: d.SignedPreKey.Signature[:],
		Details: d.Account.GetDetails(), AccountKey: d.Account.GetAccountSignatureKey(), AccountSign: d.Account.GetAccountSignature(), DeviceSign: d.Account.GetDeviceSignature(),
		Platform: d.Platform, BusinessName: d.BusinessName, PushName: d.PushName, FacebookUUID: d.FacebookUUID,
		MigratedAt: d.LIDMigrationTimestamp, MetaNonce: d.CompanionMetaNonce}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("save a device: %w", err)
	}
	return &row{texts: []string{textKey(d.ID.String()), textKey(d.LID.String())}, data: data}, nil
}

// errNoJID says that a device has no address yet.
var errNoJID = errors.New("wastore: a device must have its address before it is saved")

// PutDevice implements store.DeviceContainer. A device that is saved for the first time takes the place of everything that the session had
// before.
func (s *session) PutDevice(ctx context.Context, d *store.Device) error {
	if d.ID == nil {
		return errNoJID
	}
	saved, err := stateOf(d)
	if err != nil {
		return err
	}
	if d.Initialized {
		return s.put(ctx, durable, key{table: tDevice}, saved)
	}
	w := newWrites()
	w.put(key{table: tDevice}, saved)
	if err = s.erase(ctx, w); err != nil {
		return err
	}
	s.equip(d)
	return nil
}

// DeleteDevice implements store.DeviceContainer.
func (s *session) DeleteDevice(ctx context.Context, _ *store.Device) error {
	return s.erase(ctx, newWrites())
}

// erase deletes everything that the session has stored and writes w in its place. What was handed over before, by an earlier device too, is
// stored first: it would come back otherwise.
func (s *session) erase(ctx context.Context, w *writes) error {
	if err := s.store.committer.Submit(ctx, &groupcommit.Member{Fence: s.fence()}); err != nil {
		return fmt.Errorf("erase a device: %w", err)
	}
	have, err := s.count(ctx, "SELECT COUNT(*) FROM whatsapp_devices WHERE tenant_id = ? AND session_id = ?", s.tenantText, s.sessionText)
	if err != nil {
		return fmt.Errorf("erase a device: %w", err)
	}
	if have > 0 { // without a device there is nothing: its stores come with it and go with it
		w.do = s.eraseTables
	}
	s.mu.Lock()
	s.cache = cache{}
	s.commits++
	s.mu.Unlock()
	if err = s.commit(ctx, w, durable); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache = cache{}
	s.commits++
	return nil
}

// eraseTables deletes every row of the session.
func (s *session) eraseTables(ctx context.Context, h sqlkit.Handle) error {
	var all []sqlkit.Statement
	for _, t := range tables {
		if t.isShared || t.isVirtual {
			continue
		}
		query := s.store.db.Dialect().Placeholders("DELETE FROM " + t.name + " WHERE tenant_id = ? AND session_id = ?")
		all = append(all, sqlkit.Statement{Text: query, Args: []any{s.tenantText, s.sessionText}})
	}
	if err := h.Send(ctx, all...); err != nil {
		return fmt.Errorf("erase the session's rows: %w", err)
	}
	return nil
}
