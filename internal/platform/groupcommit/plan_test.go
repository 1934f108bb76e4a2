package groupcommit

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// Neither fences nor rows to delete may be looked for by reading a whole table.
func TestRowsAreFoundByTheirKeys(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		for _, statement := range []string{
			"CREATE TABLE owners (tenant_id VARCHAR(64) NOT NULL, id VARCHAR(64) NOT NULL, fence BIGINT NOT NULL, PRIMARY KEY (tenant_id, id))",
			"CREATE TABLE notes (tenant_id VARCHAR(64) NOT NULL, session_id VARCHAR(64) NOT NULL, n BIGINT NOT NULL, body VARCHAR(64) NOT NULL, PRIMARY KEY (tenant_id, session_id, n))",
		} {
			_, err := db.SQL().ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		notes := &Table{Name: "notes", Keys: []Column{{"tenant_id", Text}, {"session_id", Text}, {"n", Int}}, Values: []Column{{"body", Text}}}
		fences := &Table{Name: "owners", Keys: []Column{{"tenant_id", Text}, {"id", Text}}, Values: []Column{{"fence", Int}}}
		c := New(db, Fences{Table: "owners"})
		var puts, removes []*Row
		var owners []owner
		for i := range 12_000 {
			tenant, session := fmt.Sprint("tenant", i%7), fmt.Sprint("session", i/20)
			puts = append(puts, &Row{notes, []any{tenant, session, int64(i), "text"}})
			if i%1000 == 0 {
				removes = append(removes, &Row{notes, []any{tenant, session, int64(i)}})
				owners = append(owners, owner{tenant, session})
			}
		}
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			for i, row := range puts {
				put := []*Row{{fences, []any{row.Values[0], row.Values[1], int64(1)}}}
				if i%400 == 0 {
					query, args := c.texts.statement(puts[i:i+400], false)
					if _, err := h.Native().ExecContext(ctx, query, args...); err != nil {
						return err
					}
				}
				if i%20 < 7 {
					query, args := c.texts.statement(put, false)
					if _, err := h.Native().ExecContext(ctx, query, args...); err != nil {
						return err
					}
				}
			}
			return nil
		})
		require.NoError(t, err)
		analyze := map[sqlkit.Dialect]string{sqlkit.SQLite: "ANALYZE", sqlkit.Postgres: "ANALYZE", sqlkit.MySQL: "ANALYZE TABLE notes, owners"}[db.Dialect()]
		_, err = db.SQL().ExecContext(t.Context(), analyze)
		require.NoError(t, err)
		query, args := c.texts.statement(removes, true)
		usesKey(t, db, query, args)
		query, args = c.lockQuery(owners)
		usesKey(t, db, query, args)
	})
}

func usesKey(t *testing.T, db *sqlkit.DB, query string, args []any) {
	t.Helper()
	explain := map[sqlkit.Dialect]string{sqlkit.SQLite: "EXPLAIN QUERY PLAN ", sqlkit.Postgres: "EXPLAIN ", sqlkit.MySQL: "EXPLAIN FORMAT=TRADITIONAL "}[db.Dialect()]
	rows, err := db.SQL().QueryContext(t.Context(), explain+query, args...)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var plan strings.Builder
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				v = string(raw)
			}
			fmt.Fprintf(&plan, "%s=%v ", columns[i], v)
		}
		plan.WriteString("\n")
	}
	require.NoError(t, rows.Err())
	for _, bad := range []string{"Seq Scan", "type=ALL", "type=index ", "SCAN s", "SCAN notes"} {
		require.NotContains(t, plan.String(), bad, query)
	}
}
