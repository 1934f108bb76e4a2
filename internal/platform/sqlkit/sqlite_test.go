package sqlkit_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// Statements are kept compiled on a connection; nobody may notice.
func TestSQLiteStatementsAreUsedAgain(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	_, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE notes (n INTEGER PRIMARY KEY, body TEXT NOT NULL)")
	require.NoError(t, err)
	const many = 200
	err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		for n := range many {
			if _, err := h.Native().ExecContext(ctx, "INSERT INTO notes (n, body) VALUES (?, ?)", n, fmt.Sprint("note ", n)); err != nil {
				return err
			}
			if n%2 == 0 { // texts that no connection keeps all of
				if _, err := h.Native().ExecContext(ctx, fmt.Sprintf("UPDATE notes SET body = ? WHERE n = %d", n), "even"); err != nil {
					return err
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	_, err = db.SQL().ExecContext(t.Context(), "INSERT INTO notes (n, body) VALUES (?, ?)", 1, "again")
	require.True(t, sqlkit.IsUnique(err), "%v", err)
	_, err = db.SQL().ExecContext(t.Context(), "INSERT INTO notes (n, body) VALUES (?, ?)", many, "after the refusal")
	require.NoError(t, err)

	// The same text while it runs already, on one connection.
	err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		const query = "SELECT n FROM notes WHERE n >= ? ORDER BY n"
		outer, err := h.Native().QueryContext(ctx, query, 0)
		if err != nil {
			return err
		}
		defer outer.Close()
		seen := 0
		for outer.Next() {
			var n, first int
			require.NoError(t, outer.Scan(&n))
			require.Equal(t, seen, n)
			inner, err := h.Native().QueryContext(ctx, query, n)
			require.NoError(t, err)
			require.True(t, inner.Next())
			require.NoError(t, inner.Scan(&first))
			require.Equal(t, n, first)
			require.NoError(t, inner.Err())
			require.NoError(t, inner.Close())
			seen++
		}
		require.Equal(t, many+1, seen)
		return outer.Err()
	})
	require.NoError(t, err)
	_, err = db.SQL().ExecContext(t.Context(), "ALTER TABLE notes ADD COLUMN extra TEXT NOT NULL DEFAULT ''")
	require.NoError(t, err)
	_, err = db.SQL().ExecContext(t.Context(), "INSERT INTO notes (n, body) VALUES (?, ?)", many+1, "with the new column")
	require.NoError(t, err)
}
