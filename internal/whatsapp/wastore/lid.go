package wastore

import (
	"context"
	"fmt"
	"slices"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// A tenant's pairs of addresses are shared by its sessions, in this process and in others. That a pair is not known is therefore never
// remembered.

func lidRow(user string) key { return textRow(tLID, user) }

func pnRow(user string) key { return textRow(tPN, user) }

// PutLIDMapping implements store.LIDStore.
func (s *session) PutLIDMapping(ctx context.Context, lid, pn types.JID) error {
	if lid.Server != types.HiddenUserServer || pn.Server != types.DefaultUserServer {
		return fmt.Errorf("wastore: %s and %s are no pair of a LID and a number", lid.Server, pn.Server)
	}
	return s.putPairs(ctx, slices.DeleteFunc([]store.LIDMapping{{LID: lid, PN: pn}}, isOdd))
}

// isOdd reports whether a pair has an address that is none, and that no column would take.
func isOdd(m store.LIDMapping) bool {
	return m.LID.Server != types.HiddenUserServer || m.PN.Server != types.DefaultUserServer ||
		textKey(m.LID.User) != m.LID.User || textKey(m.PN.User) != m.PN.User
}

// PutManyLIDMappings implements store.LIDStore. What is no pair of a LID and a number is passed over; of two pairs that contradict each other the later
// counts.
func (s *session) PutManyLIDMappings(ctx context.Context, mappings []store.LIDMapping) error {
	for part := range slices.Chunk(slices.DeleteFunc(slices.Clone(mappings), isOdd), mostAsked) {
		if err := s.putPairs(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) putPairs(ctx context.Context, pairs []store.LIDMapping) error {
	lids, pns := make([]key, len(pairs)), make([]key, len(pairs))
	for i, m := range pairs {
		lids[i], pns[i] = lidRow(m.LID.User), pnRow(m.PN.User)
	}
	byPN, err := s.findMany(ctx, tPN, pns)
	if err != nil {
		return err
	}
	byLID, err := s.findMany(ctx, tLID, lids)
	if err != nil {
		return err
	}
	now := s.store.now().UnixMicro()
	return s.change(ctx, lazy, func(w *writes) {
		for i, m := range pairs {
			pair(w, byLID, byPN, lids[i], pns[i], m, now)
		}
	})
}

// pair makes one LID and one number each other's only partner.
func pair(w *writes, byLID, byPN map[key]*row, lid, pn key, m store.LIDMapping, now int64) {
	other, mine := byPN[pn], byLID[lid]
	if other != nil && other.texts[0] == m.LID.User && mine != nil && mine.texts[0] == m.PN.User {
		return
	}
	put := func(known map[key]*row, k key, r *row) {
		known[k] = r
		w.put(k, r)
	}
	if other != nil && other.texts[0] != m.LID.User {
		put(byLID, lidRow(other.texts[0]), nil)
	}
	if mine != nil && mine.texts[0] != m.PN.User {
		put(byPN, pnRow(mine.texts[0]), nil)
	}
	put(byLID, lid, &row{texts: []string{m.PN.User}, ints: []int64{now}})
	put(byPN, pn, &row{texts: []string{m.LID.User}, ints: []int64{now}})
}

// GetPNForLID implements store.LIDStore: the number of the same device, empty when it is not known.
func (s *session) GetPNForLID(ctx context.Context, lid types.JID) (types.JID, error) {
	if lid.Server != types.HiddenUserServer {
		return types.JID{}, fmt.Errorf("wastore: an address at %s is no LID", lid.Server)
	}
	return s.partner(ctx, lidRow(lid.User), types.JID{Device: lid.Device, Server: types.DefaultUserServer})
}

// GetLIDForPN implements store.LIDStore: the LID of the same device, empty when it is not known.
func (s *session) GetLIDForPN(ctx context.Context, pn types.JID) (types.JID, error) {
	if pn.Server != types.DefaultUserServer {
		return types.JID{}, fmt.Errorf("wastore: an address at %s is no number", pn.Server)
	}
	return s.partner(ctx, pnRow(pn.User), types.JID{Device: pn.Device, Server: types.HiddenUserServer})
}

func (s *session) partner(ctx context.Context, k key, jid types.JID) (types.JID, error) {
	r, err := s.find(ctx, k)
	if err != nil || r == nil {
		return types.JID{}, err
	}
	jid.User = r.texts[0]
	return jid, nil
}

// GetManyLIDsForPNs implements store.LIDStore. Numbers without a known LID, and what is no number, are not in the answer.
func (s *session) GetManyLIDsForPNs(ctx context.Context, pns []types.JID) (map[types.JID]types.JID, error) {
	if len(pns) == 0 {
		return nil, nil
	}
	var keys []key
	for _, pn := range pns {
		if pn.Server == types.DefaultUserServer {
			keys = append(keys, pnRow(pn.User))
		}
	}
	rows, err := s.findMany(ctx, tPN, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[types.JID]types.JID, len(pns))
	for _, pn := range pns {
		if r := rows[pnRow(pn.User)]; pn.Server == types.DefaultUserServer && r != nil {
			out[pn] = types.JID{User: r.texts[0], Device: pn.Device, Server: types.HiddenUserServer}
		}
	}
	return out, nil
}
