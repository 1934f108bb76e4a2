package groupcommit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"turnero/internal/platform/sqlkit"
)

// owner is the key of a fence row.
type owner struct{ tenant, id string }

func (f Fence) owner() owner { return owner{f.Tenant, f.ID} }

// lock reads the fences of a group and keeps them as they are until the transaction ends. On SQLite a writing transaction excludes
// every other already.
func (c *Committer) lock(ctx context.Context, h sqlkit.Handle, group []*Member) (map[owner]int64, error) {
	owners := make(map[owner]int64, len(group))
	for _, m := range group {
		if m.Fence != (Fence{}) {
			owners[m.Fence.owner()] = 0
		}
	}
	order := slices.SortedFunc(maps.Keys(owners), func(a, b owner) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.id, b.id))
	})
	clear(owners)
	size := mostPerStatement
	if c.texts.dialect == sqlkit.SQLite {
		size = 1
	}
	var statements []sqlkit.Statement
	for part := range slices.Chunk(order, size) {
		query, args := c.lockQuery(part)
		statements = append(statements, sqlkit.Statement{Text: query, Args: args, Each: func(row sqlkit.Row) error {
			var o owner
			var value int64
			err := row.Scan(&o.tenant, &o.id, &value)
			owners[o] = value
			return err
		}})
	}
	if err := h.Send(ctx, statements...); err != nil {
		return nil, fmt.Errorf("lock fences: %w", err)
	}
	return owners, nil
}

func (c *Committer) lockQuery(order []owner) (string, []any) {
	query := "SELECT s.tenant_id, s.id, s.fence FROM " + c.fences.Table + " s "
	if c.texts.dialect == sqlkit.Postgres {
		tenants, ids := make([]string, len(order)), make([]string, len(order))
		for i, o := range order {
			tenants[i], ids[i] = o.tenant, o.id
		}
		return query + "JOIN " + sqlkit.Keys("$1::text[], $2::text[]", 3) + " AS want(tenant_id, id) ON s.tenant_id = want.tenant_id AND s.id = want.id " +
			"ORDER BY s.tenant_id, s.id FOR SHARE OF s", []any{tenants, ids, len(order)}
	}
	args := make([]any, 0, 2*len(order))
	for _, o := range order {
		args = append(args, o.tenant, o.id)
	}
	query += "WHERE " + strings.TrimSuffix(strings.Repeat("(s.tenant_id = ? AND s.id = ?) OR ", len(order)), " OR ") + " ORDER BY s.tenant_id, s.id"
	if c.texts.dialect == sqlkit.MySQL {
		query += " LOCK IN SHARE MODE"
	}
	return query, args
}

// write stores the rows of those members that have no error, and those that their batches gave.
func (c *Committer) write(ctx context.Context, h sqlkit.Handle, group []*Member, outcomes []error, more []Row) error {
	if c.texts.dialect == sqlkit.SQLite { // a context that can end costs a goroutine for each of the many statements
		ctx = context.WithoutCancel(ctx)
	}
	var statements []sqlkit.Statement
	for _, t := range gather(group, outcomes, more) {
		for _, isDelete := range []bool{true, false} {
			rows := slices.DeleteFunc(slices.Clone(t.rows), func(r *Row) bool { return r.isDelete() != isDelete })
			for part := range slices.Chunk(rows, chunk(c.texts.dialect, isDelete)) {
				query, args := c.texts.statement(part, isDelete)
				statements = append(statements, sqlkit.Statement{Text: query, Args: args})
			}
		}
	}
	if err := h.SendLast(ctx, statements...); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// change is what becomes of the rows of one table.
type change struct {
	table *Table
	rows  []*Row
	ids   []string
	at    map[string]int
}

// gather sorts the rows by table and key, so that transactions touch them in one order, and keeps one of those with the same key.
func gather(group []*Member, outcomes []error, more []Row) []*change {
	byTable := map[*Table]*change{}
	var buf [128]byte
	add := func(rows []Row) {
		for j := range rows {
			row := &rows[j]
			t := byTable[row.Table]
			if t == nil {
				t = &change{table: row.Table, at: map[string]int{}}
				byTable[row.Table] = t
			}
			t.add(row, string(row.id(buf[:0])))
		}
	}
	for i, m := range group {
		if outcomes[i] == nil {
			add(m.Rows)
		}
	}
	add(more)
	changes := slices.SortedFunc(maps.Values(byTable), func(a, b *change) int {
		return cmp.Or(cmp.Compare(a.table.Name, b.table.Name), a.table.rank()-b.table.rank())
	})
	for _, t := range changes {
		t.sort()
	}
	return changes
}

func (t *change) add(row *Row, id string) {
	at, isThere := t.at[id]
	switch {
	case !isThere:
		t.at[id] = len(t.rows)
		t.rows, t.ids = append(t.rows, row), append(t.ids, id)
	case t.table.KeepFirst && !row.isDelete() && !t.rows[at].isDelete():
	default:
		t.rows[at] = row
	}
}

func (t *change) sort() {
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(t.ids[a], t.ids[b]) })
	rows := make([]*Row, len(order))
	for i, from := range order {
		rows[i] = t.rows[from]
	}
	t.rows = rows
}
