package wastore

import (
	"context"
	"fmt"
	"strings"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
)

// lookup asks for one row of one session. Its answer is the row as it is stored, sealed; nil when there is none.
type lookup struct {
	tenant, session string
	key             key
}

// lookUp reads rows of many sessions, one query for each table, all at once. PostgreSQL only.
func (s *Store) lookUp(ctx context.Context, wanted []lookup) ([]*row, error) {
	byTable := map[tableID][]lookup{}
	for _, l := range wanted {
		byTable[l.key.table] = append(byTable[l.key.table], l)
	}
	rows := make(map[lookup]*row, len(wanted))
	asStored := func(_ key, data []byte) ([]byte, error) { return data, nil }
	var all []sqlkit.Statement
	for id, list := range byTable {
		query, args := lookupQuery(id, list)
		all = append(all, sqlkit.Statement{Text: query, Args: args, Each: func(stored sqlkit.Row) error {
			var l lookup
			f, err := scan(id, stored, asStored, &l.tenant, &l.session)
			l.key = f.key
			rows[l] = f.row
			return err
		}})
	}
	if err := s.db.Keyed().Send(ctx, all...); err != nil {
		return nil, fmt.Errorf("read rows by their keys: %w", err)
	}
	out := make([]*row, len(wanted))
	for i, l := range wanted {
		out[i] = rows[l]
	}
	return out, nil
}

// lookupQuery asks for the rows that have one of the keys, each of which is a row of arrays.
func lookupQuery(id tableID, list []lookup) (string, []any) {
	t := tables[id]
	tenants, sessions := make([]string, len(list)), make([]string, len(list))
	for i, l := range list {
		tenants[i], sessions[i] = l.tenant, l.session
	}
	args := []any{tenants, sessions}
	arrays, names, on := "$1::text[], $2::text[]", "t, x", "r.tenant_id = w.t AND r.session_id = w.x"
	for i, c := range t.keys {
		kind, values := keyArray(c.Kind, i, list)
		args = append(args, values)
		arrays += fmt.Sprintf(", $%d::%s[]", len(args), kind)
		names += fmt.Sprintf(", k%d", i)
		on += fmt.Sprintf(" AND r.%s = w.k%d", c.Name, i)
	}
	return "SELECT r.tenant_id, r.session_id, r." + strings.ReplaceAll(t.columns, ", ", ", r.") + " FROM " + sqlkit.Keys(arrays, len(args)+1) + " AS w(" + names + ") JOIN " + t.name + " AS r ON " + on, append(args, len(list))
}

// keyArray gives the i-th part of keys as an array of PostgreSQL.
func keyArray(kind groupcommit.Kind, i int, list []lookup) (name string, values any) {
	switch kind {
	case groupcommit.Int:
		out := make([]int64, len(list))
		for n, l := range list {
			out[n] = l.key.num
		}
		return "bigint", out
	case groupcommit.Bytes:
		out := make([][]byte, len(list))
		for n, l := range list {
			out[n] = l.key.part(i).([]byte)
		}
		return "bytea", out
	}
	out := make([]string, len(list))
	for n, l := range list {
		out[n] = l.key.part(i).(string)
	}
	return "text", out
}
