package wastore

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.mau.fi/whatsmeow/store"
)

func appKeyRow(keyID []byte) key { return key{table: tAppKey, a: bytesKey(keyID)} }

// PutAppStateSyncKey implements store.AppStateSyncKeyStore. Only a newer key takes the place of one.
func (s *session) PutAppStateSyncKey(ctx context.Context, keyID []byte, k store.AppStateSyncKey) error {
	have, err := s.find(ctx, appKeyRow(keyID))
	if err != nil || have != nil && have.ints[0] >= k.Timestamp {
		return err
	}
	return s.put(ctx, durable, appKeyRow(keyID), newAppKey(k.Data, k.Fingerprint, k.Timestamp))
}

func newAppKey(secret, fingerprint []byte, made int64) *row {
	data := binary.AppendUvarint(nil, uint64(len(secret)))
	return &row{ints: []int64{made}, data: append(append(data, secret...), fingerprint...)}
}

func appKeyOf(r *row) (*store.AppStateSyncKey, error) {
	size, n := binary.Uvarint(r.data)
	if n <= 0 || uint64(len(r.data)-n) < size {
		return nil, errors.New("wastore: an app state key cannot be read")
	}
	rest := r.data[n:]
	return &store.AppStateSyncKey{Data: rest[:size:size], Fingerprint: rest[size:], Timestamp: r.ints[0]}, nil
}

// GetAppStateSyncKey implements store.AppStateSyncKeyStore; nil when there is none.
func (s *session) GetAppStateSyncKey(ctx context.Context, keyID []byte) (*store.AppStateSyncKey, error) {
	r, err := s.find(ctx, appKeyRow(keyID))
	if err != nil || r == nil {
		return nil, err
	}
	return appKeyOf(r)
}

// appKeys gives all keys, newest first.
func (s *session) appKeys(ctx context.Context) ([]found, error) {
	list, err := s.search(ctx, tAppKey, func(key, *row) bool { return true }, "")
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Compare(b.row.ints[0], a.row.ints[0]) })
	return list, err
}

// GetLatestAppStateSyncKeyID implements store.AppStateSyncKeyStore; nil when there is none.
func (s *session) GetLatestAppStateSyncKeyID(ctx context.Context) ([]byte, error) {
	list, err := s.appKeys(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return []byte(list[0].key.a), nil
}

// GetAllAppStateSyncKeys implements store.AppStateSyncKeyStore, newest first.
func (s *session) GetAllAppStateSyncKeys(ctx context.Context) ([]*store.AppStateSyncKey, error) {
	list, err := s.appKeys(ctx)
	if err != nil {
		return nil, err
	}
	var out []*store.AppStateSyncKey
	for _, f := range list {
		k, err := appKeyOf(f.row)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// PutAppStateVersion implements store.AppStateStore.
func (s *session) PutAppStateVersion(ctx context.Context, name string, version uint64, hash [128]byte) error {
	return s.put(ctx, durable, textRow(tAppVersion, name), &row{ints: []int64{int64(version)}, data: hash[:]})
}

// GetAppStateVersion implements store.AppStateStore; zero values when there is none.
func (s *session) GetAppStateVersion(ctx context.Context, name string) (version uint64, hash [128]byte, err error) {
	r, err := s.find(ctx, textRow(tAppVersion, name))
	switch {
	case err != nil || r == nil:
		return 0, hash, err
	case len(r.data) != len(hash) || r.ints[0] == 0:
		return 0, hash, fmt.Errorf("wastore: the saved app state %q is not valid", name)
	}
	return uint64(r.ints[0]), [128]byte(r.data), nil
}

// DeleteAppStateVersion implements store.AppStateStore. The version's MACs go with it.
func (s *session) DeleteAppStateVersion(ctx context.Context, name string) error {
	k := textRow(tAppVersion, name)
	macs, err := s.search(ctx, tAppMAC, func(m key, _ *row) bool { return m.a == k.a }, "name = ?", k.a)
	if err != nil {
		return err
	}
	return s.change(ctx, durable, func(w *writes) {
		w.put(k, nil)
		for _, f := range macs {
			w.put(f.key, nil)
		}
	})
}

// PutAppStateMutationMACs implements store.AppStateStore.
func (s *session) PutAppStateMutationMACs(ctx context.Context, name string, version uint64, mutations []store.AppStateMutationMAC) error {
	return s.change(ctx, durable, func(w *writes) {
		for _, m := range mutations {
			w.put(key{table: tAppMAC, a: textKey(name), b: bytesKey(m.IndexMAC), num: int64(version)}, &row{data: m.ValueMAC})
		}
	})
}

// macs gives what is stored of some indexes, of all versions.
func (s *session) macs(ctx context.Context, name string, indexMACs [][]byte) ([]found, error) {
	name = textKey(name)
	var out []found
	for part := range slices.Chunk(indexMACs, mostAsked) {
		wanted := make(map[string]bool, len(part))
		for _, m := range part {
			wanted[bytesKey(m)] = true
		}
		condition, args := s.store.inBytes("index_mac", part)
		rows, err := s.search(ctx, tAppMAC, func(k key, _ *row) bool { return k.a == name && wanted[k.b] }, "name = ? AND "+condition, append([]any{name}, args...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// DeleteAppStateMutationMACs implements store.AppStateStore.
func (s *session) DeleteAppStateMutationMACs(ctx context.Context, name string, indexMACs [][]byte) error {
	rows, err := s.macs(ctx, name, indexMACs)
	if err != nil {
		return err
	}
	return s.change(ctx, durable, func(w *writes) {
		for _, f := range rows {
			w.put(f.key, nil)
		}
	})
}

// GetAppStateMutationMAC implements store.AppStateStore: that of the latest version, nil when there is none.
func (s *session) GetAppStateMutationMAC(ctx context.Context, name string, indexMAC []byte) ([]byte, error) {
	rows, err := s.macs(ctx, name, [][]byte{indexMAC})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	latest := slices.MaxFunc(rows, func(a, b found) int { return cmp.Compare(a.key.num, b.key.num) })
	return latest.row.data, nil
}
