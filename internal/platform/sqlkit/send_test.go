package sqlkit_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func makeNotes(t *testing.T, db *sqlkit.DB) {
	t.Helper()
	_, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE notes (n BIGINT NOT NULL PRIMARY KEY, body VARCHAR(64) NOT NULL)")
	require.NoError(t, err)
}

func addNote(n string) sqlkit.Statement {
	return sqlkit.Statement{Text: "INSERT INTO notes (n, body) VALUES (" + n + ", 'text')"}
}

func countNotes(into *[]int64) sqlkit.Statement {
	return sqlkit.Statement{Text: "SELECT n FROM notes ORDER BY n", Each: func(row sqlkit.Row) error {
		var n int64
		err := row.Scan(&n)
		*into = append(*into, n)
		return err
	}}
}

func TestStatementsAreSentInOrder(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		makeNotes(t, db)
		var before, inside, after []int64
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			inside, before = nil, nil
			return h.Send(ctx, countNotes(&before), addNote("1"), addNote("2"), countNotes(&inside))
		})
		require.NoError(t, err)
		require.NoError(t, db.Handle().Send(t.Context(), countNotes(&after)))
		require.NoError(t, db.Handle().Send(t.Context()))
		require.Empty(t, before)
		require.Equal(t, []int64{1, 2}, inside)
		require.Equal(t, inside, after)
	})
}

func TestAStatementThatFailsEndsTheSend(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		makeNotes(t, db)
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			return h.Send(ctx, addNote("1"), addNote("1"), addNote("2"))
		})
		require.True(t, sqlkit.IsUnique(err), "%v", err)
		refused := errors.New("not this row")
		err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			return h.Send(ctx, addNote("3"), sqlkit.Statement{Text: "SELECT n FROM notes", Each: func(sqlkit.Row) error { return refused }}, addNote("4"))
		})
		require.ErrorIs(t, err, refused)
		require.PanicsWithValue(t, "of the caller", func() {
			_ = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
				return h.Send(ctx, addNote("5"), sqlkit.Statement{Text: "SELECT n FROM notes", Each: func(sqlkit.Row) error { panic("of the caller") }})
			})
		})
		var left []int64
		require.NoError(t, db.Handle().Send(t.Context(), countNotes(&left)))
		require.Empty(t, left)
	})
}

// A transaction that its context has ended must not go on as single statements.
// Not parallel: it looks at all goroutines.
func TestConnectionsThatBreakUnderASendLeaveNothingBehind(t *testing.T) {
	db := sqltest.Fresh(t, "postgres")
	dies := sqlkit.Statement{Text: "SELECT pg_terminate_backend(pg_backend_pid())", Each: func(sqlkit.Row) error { return nil }}
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Handle().Send(ctx, dies, dies)
		require.True(t, sqlkit.IsUnreachable(err), "%v", err)
		require.Error(t, db.Keyed().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error { return h.Send(ctx, dies, dies) }))
		cancel()
	}
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		began := time.Now()
		err := db.Handle().Send(ctx, sqlkit.Statement{Text: "SELECT pg_sleep(30)", Each: func(sqlkit.Row) error { return nil }})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(began), 10*time.Second)
		require.ErrorIs(t, db.Handle().Send(ctx, dies), context.DeadlineExceeded)
		cancel()
	}
	require.NoError(t, db.Handle().Send(t.Context(), sqlkit.Statement{Text: "SELECT 1", Each: func(sqlkit.Row) error { return nil }}))
	var all strings.Builder
	for range 1200 { // a minute: the driver takes its time to close what broke
		all.Reset()
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&all, 2))
		if !strings.Contains(all.String(), "ctxwatch") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("goroutines are left behind\n" + all.String())
}

func TestNothingIsSentAfterTheTransactionEnded(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		makeNotes(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Handle().InTx(ctx, func(_ context.Context, h sqlkit.Handle) error {
			if err := h.Send(t.Context(), addNote("1")); err != nil {
				return err
			}
			cancel()
			return h.Send(t.Context(), addNote("2"))
		})
		if !errors.Is(err, context.Canceled) { // which of the two is told depends on who is first
			require.ErrorIs(t, err, sql.ErrTxDone)
		}
		var left []int64
		require.NoError(t, db.Handle().Send(t.Context(), countNotes(&left)))
		require.Empty(t, left)
	})
}

func TestTheLastStatementsEndTheTransaction(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		makeNotes(t, db)
		isTold := false
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			h.AfterCommit(func() { isTold = true })
			return h.SendLast(ctx, addNote("1"), addNote("2"))
		})
		require.NoError(t, err)
		require.True(t, isTold)

		err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error { return h.SendLast(ctx, addNote("3"), addNote("1")) })
		require.True(t, sqlkit.IsUnique(err), "%v", err)

		undone := errors.New("undone")
		err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			err := h.InTx(ctx, func(ctx context.Context, joined sqlkit.Handle) error { return joined.SendLast(ctx, addNote("4")) })
			return errors.Join(err, undone)
		})
		require.ErrorIs(t, err, undone, "who joined a transaction does not end it")

		var left []int64
		require.NoError(t, db.Handle().Send(t.Context(), countNotes(&left)))
		require.Equal(t, []int64{1, 2}, left)
	})
}

func TestNothingFollowsOnTheLastStatements(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "postgres")
	makeNotes(t, db)
	for _, more := range []func(ctx context.Context, h sqlkit.Handle) error{
		func(ctx context.Context, h sqlkit.Handle) error { return h.Send(ctx, addNote("2")) },
		func(ctx context.Context, h sqlkit.Handle) error {
			_, err := h.Native().ExecContext(ctx, "INSERT INTO notes (n, body) VALUES (3, 'text')")
			return err
		},
		func(ctx context.Context, h sqlkit.Handle) error {
			_, err := h.Write().NewRaw("INSERT INTO notes (n, body) VALUES (?, 'text')", 4).Exec(ctx)
			return err
		},
		func(ctx context.Context, h sqlkit.Handle) error {
			return h.Read().NewRaw("SELECT 1").Scan(ctx, new(int))
		},
	} {
		err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			if err := h.SendLast(ctx, sqlkit.Statement{Text: "DELETE FROM notes"}, addNote("1")); err != nil {
				return err
			}
			return more(ctx, h)
		})
		require.ErrorContains(t, err, "committed already")
	}
	var left []int64
	require.NoError(t, db.Handle().Send(t.Context(), countNotes(&left)))
	require.Equal(t, []int64{1}, left)
}

// A statement that fails ends what came before it in its transaction, also where nobody looks at the error.
func TestATransactionWithAFailureIsNotCommitted(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "postgres")
	makeNotes(t, db)
	err := db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		_ = h.Send(ctx, addNote("1"), addNote("1"))
		return nil
	})
	require.Error(t, err)
	err = db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		_ = h.Send(ctx, addNote("1"), addNote("1"))
		return h.SendLast(ctx, addNote("2"))
	})
	require.Error(t, err)
	require.NoError(t, db.Handle().InTx(t.Context(), func(context.Context, sqlkit.Handle) error { return nil }))
	var left []int64
	require.NoError(t, db.Handle().Send(t.Context(), countNotes(&left)))
	require.Empty(t, left)
}
