package wastore

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"go.mau.fi/whatsmeow/util/keys"

	"turnero/internal/platform/sqlkit"
)

func preKeyRow(keyID uint32) key { return key{table: tPreKey, num: int64(keyID)} }

func isUploaded(r *row) bool { return r.ints[0] == 1 }

func preKeyOf(f found) (*keys.PreKey, error) {
	if len(f.row.data) != 32 {
		return nil, errors.New("wastore: a pre-key has the wrong length")
	}
	return &keys.PreKey{KeyPair: *keyPair(f.row.data), KeyID: uint32(f.key.num)}, nil
}

// GetOrGenPreKeys implements store.PreKeyStore: the oldest keys that were not uploaded, and new ones up to count, all stored at once.
func (s *session) GetOrGenPreKeys(ctx context.Context, count uint32) ([]*keys.PreKey, error) {
	s.preKeys.Lock()
	defer s.preKeys.Unlock()
	waiting, err := s.search(ctx, tPreKey, func(_ key, r *row) bool { return !isUploaded(r) }, "is_uploaded = 0")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(waiting, func(a, b found) int { return cmp.Compare(a.key.num, b.key.num) })
	out := make([]*keys.PreKey, 0, count)
	for _, f := range waiting[:min(len(waiting), int(count))] {
		k, err := preKeyOf(f)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	missing := int(count) - len(out)
	if missing == 0 {
		return out, nil
	}
	made, err := s.makePreKeys(ctx, missing, false)
	return append(out, made...), err
}

// GenOnePreKey implements store.PreKeyStore. The key counts as uploaded.
func (s *session) GenOnePreKey(ctx context.Context) (*keys.PreKey, error) {
	s.preKeys.Lock()
	defer s.preKeys.Unlock()
	made, err := s.makePreKeys(ctx, 1, true)
	if err != nil {
		return nil, err
	}
	return made[0], nil
}

// makePreKeys makes keys with the numbers that follow and stores them. The caller holds s.preKeys.
func (s *session) makePreKeys(ctx context.Context, count int, uploaded bool) ([]*keys.PreKey, error) {
	last, err := s.search(ctx, tPreKey, func(key, *row) bool { return true },
		"key_id = (SELECT MAX(key_id) FROM whatsapp_pre_keys WHERE tenant_id = ? AND session_id = ?)", s.tenantText, s.sessionText)
	if err != nil {
		return nil, err
	}
	next := uint32(1)
	for _, f := range last {
		next = max(next, uint32(f.key.num)+1)
	}
	flag := int64(0)
	if uploaded {
		flag = 1
	}
	made := make([]*keys.PreKey, count)
	for i := range made {
		made[i] = keys.NewPreKey(next + uint32(i))
	}
	return made, s.change(ctx, durable, func(w *writes) {
		for _, k := range made {
			w.put(preKeyRow(k.KeyID), &row{ints: []int64{flag}, data: k.Priv[:]})
		}
	})
}

// GetPreKey implements store.PreKeyStore; nil when there is none.
func (s *session) GetPreKey(ctx context.Context, keyID uint32) (*keys.PreKey, error) {
	k := preKeyRow(keyID)
	r, err := s.find(ctx, k)
	if err != nil || r == nil {
		return nil, err
	}
	return preKeyOf(found{k, r})
}

// RemovePreKey implements store.PreKeyStore.
func (s *session) RemovePreKey(ctx context.Context, keyID uint32) error {
	return s.put(ctx, durable, preKeyRow(keyID), nil)
}

// MarkPreKeysAsUploaded implements store.PreKeyStore.
func (s *session) MarkPreKeysAsUploaded(ctx context.Context, upTo uint32) error {
	waiting, err := s.search(ctx, tPreKey, func(k key, r *row) bool { return !isUploaded(r) && k.num <= int64(upTo) },
		"is_uploaded = 0 AND key_id <= ?", int64(upTo))
	if err != nil {
		return err
	}
	return s.change(ctx, durable, func(w *writes) {
		for _, f := range waiting {
			w.put(f.key, &row{ints: []int64{1}, data: f.row.data})
		}
	})
}

// UploadedPreKeyCount implements store.PreKeyStore.
func (s *session) UploadedPreKeyCount(ctx context.Context) (int, error) {
	if s.isOwn(ctx, tPreKey) {
		rows, err := s.search(ctx, tPreKey, func(_ key, r *row) bool { return isUploaded(r) }, "is_uploaded = 1")
		return len(rows), err
	}
	if err := s.drain(ctx); err != nil {
		return 0, err
	}
	return s.count(ctx, "SELECT COUNT(*) FROM whatsapp_pre_keys WHERE tenant_id = ? AND session_id = ? AND is_uploaded = 1", s.tenantText, s.sessionText)
}

// count gives the one number of a query.
func (s *session) count(ctx context.Context, query string, args ...any) (n int, err error) {
	err = s.store.db.Handle().Send(ctx, sqlkit.Statement{Text: s.store.db.Dialect().Placeholders(query), Args: args, Each: func(row sqlkit.Row) error { return row.Scan(&n) }})
	return n, err
}
