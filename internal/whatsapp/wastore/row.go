package wastore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
)

// place names where sealed bytes are kept: table, session and row.
func (s *session) place(buf []byte, k key) []byte {
	buf = secret.AppendPart(buf, tables[k.table].name)
	buf = secret.AppendPart(buf, s.sessionText)
	buf = secret.AppendPart(buf, k.a)
	buf = secret.AppendPart(buf, k.b)
	buf = secret.AppendPart(buf, k.c)
	return strconv.AppendInt(buf, k.num, 10)
}

// sealed gives a row as it is written.
func (s *session) sealed(k key, r *row) groupcommit.Row {
	t := tables[k.table]
	values := make([]any, 0, len(t.write.Keys)+len(t.write.Values))
	values = append(values, s.tenantText)
	if !t.isShared {
		values = append(values, s.sessionText)
	}
	for i := range t.keys {
		values = append(values, k.part(i))
	}
	if r == nil {
		return groupcommit.Row{Table: t.write, Values: values}
	}
	for i := range t.texts {
		values = append(values, r.texts[i])
	}
	for i := range t.ints {
		values = append(values, r.ints[i])
	}
	if t.hasData {
		values = append(values, s.seal(k, r.data))
	}
	return groupcommit.Row{Table: t.write, Values: values}
}

func (s *session) seal(k key, data []byte) []byte {
	switch {
	case len(data) == 0:
		return []byte{}
	case !tables[k.table].isSealed:
		return data
	}
	var buf [256]byte
	return s.keys.Seal(s.place(buf[:0], k), data)
}

// opened reads what seal made.
func (s *session) opened(k key, data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if !tables[k.table].isSealed {
		return data, nil
	}
	var buf [256]byte
	plain, err := s.keys.Open(s.place(buf[:0], k), data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tables[k.table].name, err)
	}
	return plain, nil
}

// found is a row that a query gave.
type found struct {
	key key
	row *row
}

// query reads rows of one table: those of the session, or of the tenant, that meet the condition. It may name the columns and has ? for arguments.
func (s *session) query(ctx context.Context, id tableID, condition string, args ...any) ([]found, error) {
	t := tables[id]
	where, scope := " WHERE tenant_id = ? AND session_id = ?", []any{s.tenantText, s.sessionText}
	if t.isShared {
		where, scope = " WHERE tenant_id = ?", scope[:1]
	}
	if condition != "" {
		where += " AND " + condition
	}
	var out []found
	query := s.store.db.Dialect().Placeholders("SELECT " + t.columns + " FROM " + t.name + where)
	err := s.store.db.Handle().Send(ctx, sqlkit.Statement{Text: query, Args: append(scope, args...), Each: func(row sqlkit.Row) error {
		f, err := scan(id, row, s.opened)
		out = append(out, f)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	return out, nil
}

// scan reads one row whose columns are those of the table: keys, texts, whole numbers, bytes. What stands before them goes into before.
func scan(id tableID, from sqlkit.Row, open func(k key, data []byte) ([]byte, error), before ...any) (found, error) {
	t := tables[id]
	k, r := key{table: id}, &row{}
	var parts [3][]byte
	into := before
	for i, c := range t.keys {
		if c.Kind == groupcommit.Int {
			into = append(into, &k.num)
		} else {
			into = append(into, &parts[i])
		}
	}
	r.texts, r.ints = make([]string, len(t.texts)), make([]int64, len(t.ints))
	for i := range r.texts {
		into = append(into, &r.texts[i])
	}
	for i := range r.ints {
		into = append(into, &r.ints[i])
	}
	var data []byte
	if t.hasData {
		into = append(into, &data)
	}
	if err := from.Scan(into...); err != nil {
		return found{}, err
	}
	k.a, k.b, k.c = string(parts[0]), string(parts[1]), string(parts[2])
	var err error
	r.data, err = open(k, data)
	return found{k, r}, err
}

// newest orders by the time at which a pair of addresses was stored: of two that name the same number the later counts.
const newest = " ORDER BY updated_at DESC, lid"

// read reads one row; nil when there is none.
func (s *session) read(ctx context.Context, k key) (*row, error) {
	t := tables[k.table]
	if t.name == "" {
		return nil, nil
	}
	if s.store.lookups != nil && !t.isShared {
		r, err := s.store.lookups.Ask(ctx, lookup{s.tenantText, s.sessionText, k})
		if err != nil || r == nil {
			return nil, err
		}
		plain, err := s.opened(k, r.data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.name, err)
		}
		return &row{texts: r.texts, ints: r.ints, data: plain}, nil
	}
	var condition strings.Builder
	args := make([]any, len(t.keys))
	for i, c := range t.keys {
		if i > 0 {
			condition.WriteString(" AND ")
		}
		condition.WriteString(c.Name + " = ?")
		args[i] = k.part(i)
	}
	if k.table == tPN {
		condition.WriteString(newest + " LIMIT 1")
	}
	list, err := s.query(ctx, k.table, condition.String(), args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0].row, nil
}

// mostAsked bounds the keys that one query names.
const mostAsked = 500

// readMany reads rows of a table by its first key column, which must be a text.
func (s *session) readMany(ctx context.Context, id tableID, keys []key) ([]found, error) {
	var out []found
	for len(keys) > 0 {
		part := keys[:min(len(keys), mostAsked)]
		keys = keys[len(part):]
		names := make([]string, len(part))
		for i, k := range part {
			names[i] = k.a
		}
		list, err := s.query(ctx, id, s.store.in(tables[id].keys[0].Name, len(names)), s.store.list(names)...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// in gives a condition for one of n values, which list turns into arguments.
func (s *Store) in(column string, n int) string {
	if s.db.Dialect() == sqlkit.Postgres {
		return column + " = ANY(?)"
	}
	return column + " IN (" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")"
}

func (s *Store) list(values []string) []any {
	if s.db.Dialect() == sqlkit.Postgres {
		return []any{values}
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// inBytes is in and list for a column of bytes.
func (s *Store) inBytes(column string, values [][]byte) (string, []any) {
	parts := make([][]byte, len(values))
	args := make([]any, len(values))
	for i, v := range values {
		parts[i] = []byte(bytesKey(v))
		args[i] = parts[i]
	}
	if s.db.Dialect() == sqlkit.Postgres {
		args = []any{parts}
	}
	return s.in(column, len(values)), args
}
