package groupcommit

import (
	"fmt"
	"strings"
	"sync"

	"turnero/internal/platform/sqlkit"
)

// statements are the texts for one table. On PostgreSQL one text serves any number of rows, as arrays; on MySQL the text grows with the rows; on
// SQLite each row is a statement.
type statements struct {
	put, remove       string
	putRow, removeRow string // one row more
	putBetween        string
	putEnd            string
}

type texts struct {
	dialect sqlkit.Dialect
	byTable sync.Map // *Table → *statements
}

func (t *texts) of(table *Table) *statements {
	if s, ok := t.byTable.Load(table); ok {
		return s.(*statements)
	}
	s := build(t.dialect, table)
	t.byTable.Store(table, s)
	return s
}

func build(d sqlkit.Dialect, t *Table) *statements {
	if t.OnlyOld {
		return buildUpdate(d, t)
	}
	all := append(append([]Column{}, t.Keys...), t.Values...)
	s := &statements{put: "INSERT INTO " + t.Name + " (" + names(all, "", "", ", ") + ")", putBetween: ", "}
	if d == sqlkit.Postgres {
		s.put += " SELECT * FROM unnest(" + arrays(all) + ")" + conflict(d, t)
		s.remove = "DELETE FROM " + t.Name + " t USING " + sqlkit.Keys(arrays(t.Keys), len(t.Keys)+1) + " AS gone(" + names(t.Keys, "", "", ", ") + ") WHERE "
		for i, c := range t.Keys {
			if i > 0 {
				s.remove += " AND "
			}
			s.remove += "t." + c.Name + " = gone." + c.Name
		}
		return s
	}
	s.put += " VALUES "
	s.putRow = "(" + strings.TrimSuffix(strings.Repeat("?, ", len(all)), ", ") + ")"
	s.putEnd = conflict(d, t)
	s.remove = "DELETE FROM " + t.Name + " WHERE "
	s.removeRow = "(" + names(t.Keys, "", " = ?", " AND ") + ")"
	return s
}

// buildUpdate is build for a table whose rows are only changed. Rows of such a table are never deleted.
func buildUpdate(d sqlkit.Dialect, t *Table) *statements {
	all := append(append([]Column{}, t.Keys...), t.Values...)
	var on, set []string
	for _, c := range t.Keys {
		on = append(on, "t."+c.Name+" = v."+c.Name)
	}
	switch d {
	case sqlkit.Postgres:
		for _, c := range t.Values {
			set = append(set, c.Name+" = v."+c.Name)
		}
		return &statements{put: "UPDATE " + t.Name + " t SET " + strings.Join(set, ", ") + " FROM " + sqlkit.Keys(arrays(all), len(all)+1) + " AS v(" + names(all, "", "", ", ") + ") WHERE " + strings.Join(on, " AND ")}
	case sqlkit.MySQL:
		for _, c := range t.Values {
			set = append(set, "t."+c.Name+" = v."+c.Name)
		}
		return &statements{put: "UPDATE (", putRow: "SELECT " + names(all, "? AS ", "", ", "), putBetween: " UNION ALL ",
			putEnd: ") AS v STRAIGHT_JOIN " + t.Name + " AS t ON " + strings.Join(on, " AND ") + " SET " + strings.Join(set, ", ")}
	}
	return &statements{put: "UPDATE " + t.Name + " SET " + names(t.Values, "", " = ?", ", ") + " WHERE " + names(t.Keys, "", " = ?", " AND ")}
}

func names(columns []Column, prefix, suffix, between string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = prefix + c.Name + suffix
	}
	return strings.Join(parts, between)
}

func arrays(columns []Column) string {
	kinds := map[Kind]string{Text: "text", Int: "bigint", Bytes: "bytea"}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf("$%d::%s[]", i+1, kinds[c.Kind])
	}
	return strings.Join(parts, ", ")
}

// conflict says what becomes of a row that is there already.
func conflict(d sqlkit.Dialect, t *Table) string {
	var set []string
	for _, c := range t.Values {
		if d == sqlkit.MySQL {
			set = append(set, c.Name+" = VALUES("+c.Name+")")
		} else {
			set = append(set, c.Name+" = EXCLUDED."+c.Name)
		}
	}
	switch {
	case t.OnlyNew:
		return ""
	case d == sqlkit.MySQL && t.KeepFirst:
		return " ON DUPLICATE KEY UPDATE " + t.Keys[0].Name + " = " + t.Name + "." + t.Keys[0].Name
	case d == sqlkit.MySQL:
		return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
	case t.KeepFirst:
		return " ON CONFLICT DO NOTHING"
	}
	return " ON CONFLICT (" + names(t.Keys, "", "", ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// statement gives text and arguments that put, or delete, the rows, which are all of one table.
func (t *texts) statement(rows []*Row, isDelete bool) (string, []any) {
	s := t.of(rows[0].Table)
	text, row, between, end := s.put, s.putRow, s.putBetween, s.putEnd
	columns := append(append([]Column{}, rows[0].Table.Keys...), rows[0].Table.Values...)
	if isDelete {
		text, row, between, end = s.remove, s.removeRow, " OR ", ""
		columns = rows[0].Table.Keys
	}
	if t.dialect == sqlkit.Postgres {
		args := byColumn(columns, rows)
		if isDelete || rows[0].Table.OnlyOld {
			args = append(args, len(rows))
		}
		return text, args
	}
	var b strings.Builder
	b.Grow(len(text) + len(rows)*(len(row)+len(between)) + len(end))
	b.WriteString(text)
	args := make([]any, 0, len(rows)*len(columns))
	for i, r := range rows {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(row)
		if r.Table.OnlyOld && t.dialect == sqlkit.SQLite { // its text names the keys last
			args = append(args, r.Values[len(r.Table.Keys):]...)
			args = append(args, r.Values[:len(r.Table.Keys)]...)
			continue
		}
		args = append(args, r.Values...)
	}
	b.WriteString(end)
	return b.String(), args
}

// byColumn turns rows into one array per column.
func byColumn(columns []Column, rows []*Row) []any {
	args := make([]any, len(columns))
	for i, c := range columns {
		switch c.Kind {
		case Text:
			args[i] = pick[string](rows, i)
		case Int:
			args[i] = pick[int64](rows, i)
		case Bytes:
			args[i] = pick[[]byte](rows, i)
		}
	}
	return args
}

func pick[T any](rows []*Row, column int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = r.Values[column].(T)
	}
	return out
}
