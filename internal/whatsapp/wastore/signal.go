package wastore

import (
	"context"
	"fmt"
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// GetSession implements store.SessionStore.
func (s *session) GetSession(ctx context.Context, address string) ([]byte, error) {
	return s.data(ctx, textRow(tSession, address))
}

// data gives the bytes under a key, nil when there is no row.
func (s *session) data(ctx context.Context, k key) ([]byte, error) {
	r, err := s.find(ctx, k)
	if err != nil || r == nil {
		return nil, err
	}
	return r.data, nil
}

// HasSession implements store.SessionStore.
func (s *session) HasSession(ctx context.Context, address string) (bool, error) {
	r, err := s.find(ctx, textRow(tSession, address))
	return r != nil, err
}

// GetManySessions implements store.SessionStore: every address is in the answer, absent ones with nil.
func (s *session) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	keys := make([]key, len(addresses))
	for i, address := range addresses {
		keys[i] = textRow(tSession, address)
	}
	rows, err := s.findMany(ctx, tSession, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]byte, len(addresses))
	for i, address := range addresses {
		out[address] = nil
		if r := rows[keys[i]]; r != nil {
			out[address] = r.data
		}
	}
	return out, nil
}

// PutSession implements store.SessionStore.
func (s *session) PutSession(ctx context.Context, address string, state []byte) error {
	return s.put(ctx, durable, textRow(tSession, address), &row{data: state})
}

// PutManySessions implements store.SessionStore.
func (s *session) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	return s.change(ctx, durable, func(w *writes) {
		for address, state := range sessions {
			w.put(textRow(tSession, address), &row{data: state})
		}
	})
}

// DeleteSession implements store.SessionStore.
func (s *session) DeleteSession(ctx context.Context, address string) error {
	return s.put(ctx, durable, textRow(tSession, address), nil)
}

// DeleteAllSessions implements store.SessionStore: those of all devices of a user.
func (s *session) DeleteAllSessions(ctx context.Context, user string) error {
	return s.deleteAll(ctx, tSession, user)
}

// PutIdentity implements store.IdentityStore. A key that is there already is not written again.
func (s *session) PutIdentity(ctx context.Context, address string, identity [32]byte) error {
	k := textRow(tIdentity, address)
	have, err := s.data(ctx, k)
	if err != nil || string(have) == string(identity[:]) {
		return err
	}
	return s.put(ctx, durable, k, &row{data: identity[:]})
}

// IsTrustedIdentity implements store.IdentityStore. An unknown one is trusted.
func (s *session) IsTrustedIdentity(ctx context.Context, address string, identity [32]byte) (bool, error) {
	have, err := s.data(ctx, textRow(tIdentity, address))
	if err != nil {
		return false, err
	}
	return have == nil || string(have) == string(identity[:]), nil
}

// DeleteIdentity implements store.IdentityStore.
func (s *session) DeleteIdentity(ctx context.Context, address string) error {
	return s.put(ctx, durable, textRow(tIdentity, address), nil)
}

// DeleteAllIdentities implements store.IdentityStore: those of all devices of a user.
func (s *session) DeleteAllIdentities(ctx context.Context, user string) error {
	return s.deleteAll(ctx, tIdentity, user)
}

// PutSenderKey implements store.SenderKeyStore.
func (s *session) PutSenderKey(ctx context.Context, group, user string, state []byte) error {
	return s.put(ctx, durable, textRow(tSenderKey, group, user), &row{data: state})
}

// GetSenderKey implements store.SenderKeyStore.
func (s *session) GetSenderKey(ctx context.Context, group, user string) ([]byte, error) {
	return s.data(ctx, textRow(tSenderKey, group, user))
}

// address gives the part of a key that names whose it is, of the tables that have one.
func (k *key) address() *string {
	if k.table == tSenderKey {
		return &k.b
	}
	return &k.a
}

// ofUser gives the rows of all devices of a user. An address is "user:device"; ';' is the character behind ':'.
func (s *session) ofUser(ctx context.Context, id tableID, user string) ([]found, error) {
	column := "address"
	if id == tSenderKey {
		column = "sender"
	}
	isMatch := func(k key, _ *row) bool { return strings.HasPrefix(*k.address(), user+":") }
	return s.search(ctx, id, isMatch, column+" >= ? AND "+column+" < ?", user+":", user+";")
}

func (s *session) deleteAll(ctx context.Context, id tableID, user string) error {
	rows, err := s.ofUser(ctx, id, user)
	if err != nil {
		return err
	}
	return s.change(ctx, durable, func(w *writes) {
		for _, f := range rows {
			w.put(f.key, nil)
		}
	})
}

// MigratePNToLID implements store.SessionStore: what was agreed with a phone number's devices goes on under the LID. Each number is migrated
// once while it is remembered.
func (s *session) MigratePNToLID(ctx context.Context, pn, lid types.JID) error {
	from, to := pn.SignalAddressUser(), lid.SignalAddressUser()
	if from == to {
		return nil
	}
	mark := textRow(tMigrated, from)
	if done, err := s.find(ctx, mark); err != nil || done != nil {
		return err
	}
	var moved []found
	for _, id := range []tableID{tSession, tIdentity, tSenderKey} {
		rows, err := s.ofUser(ctx, id, from)
		if err != nil {
			return fmt.Errorf("migrate to the LID: %w", err)
		}
		moved = append(moved, rows...)
	}
	return s.change(ctx, durable, func(w *writes) {
		for _, f := range moved {
			k := f.key
			*k.address() = textKey(to + strings.TrimPrefix(*k.address(), from))
			w.put(k, f.row)
			w.put(f.key, nil)
		}
		w.put(mark, &row{})
	})
}
