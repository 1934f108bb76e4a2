package sqlkit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

type note struct {
	bun.BaseModel `bun:"table:notes"`
	ID            string `bun:"id,pk"`
	Owner         string `bun:"owner"`
	N             int64  `bun:"n"`
}

func notes(t *testing.T, db *sqlkit.DB) sqlkit.Handle {
	t.Helper()
	stmt := "CREATE TABLE notes (id VARCHAR(64) NOT NULL PRIMARY KEY, owner VARCHAR(64) NOT NULL, n BIGINT NOT NULL)"
	if db.Dialect() == sqlkit.MySQL {
		stmt += " DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	}
	_, err := db.SQL().ExecContext(t.Context(), stmt)
	require.NoError(t, err)
	return db.Handle()
}

func count(t *testing.T, h sqlkit.Handle) int64 {
	t.Helper()
	n, err := h.Read().NewSelect().Model((*note)(nil)).Count(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	return n
}

func TestTransactionsCommitTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		h := notes(t, db)
		told := 0
		refused := errors.New("refused")
		err := h.InTx(t.Context(), func(ctx context.Context, tx sqlkit.Handle) error {
			require.True(t, tx.InsideTx())
			tx.AfterCommit(func() { told++ })
			fresh, err := tx.InsertIfAbsent(ctx, &note{ID: "a"})
			require.NoError(t, err)
			require.True(t, fresh)
			fresh, err = tx.InsertIfAbsent(ctx, &note{ID: "a"})
			require.NoError(t, err, "a refused row must not spoil the transaction")
			require.False(t, fresh)
			n, err := tx.Read().NewSelect().Model((*note)(nil)).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n, "a transaction reads what it wrote")
			return refused
		})
		require.ErrorIs(t, err, refused)
		require.Zero(t, count(t, h))
		require.Zero(t, told)

		err = h.InTx(t.Context(), func(ctx context.Context, tx sqlkit.Handle) error {
			tx.AfterCommit(func() { told++ })
			return tx.InTx(ctx, func(ctx context.Context, inner sqlkit.Handle) error {
				_, err := inner.InsertIfAbsent(ctx, &note{ID: "b"})
				return err
			})
		})
		require.NoError(t, err)
		require.EqualValues(t, 1, count(t, h))
		require.Equal(t, 1, told)
		h.AfterCommit(func() { told++ })
		require.Equal(t, 2, told, "outside of a transaction there is nothing to wait for")
	})
}

func TestPanicInATransactionRollsBack(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		h := notes(t, db)
		require.PanicsWithValue(t, "oops", func() {
			_ = h.InTx(t.Context(), func(ctx context.Context, tx sqlkit.Handle) error {
				_, err := tx.InsertIfAbsent(ctx, &note{ID: "a"})
				require.NoError(t, err)
				panic("oops")
			})
		})
		require.Zero(t, count(t, h))
		_, err := h.InsertIfAbsent(t.Context(), &note{ID: "b"})
		require.NoError(t, err, "the connection is back in its pool")
	})
}

func TestDeadlockedTransactionsAreRunAgain(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		h := notes(t, db)
		for _, id := range []string{"a", "b"} {
			_, err := h.InsertIfAbsent(t.Context(), &note{ID: id})
			require.NoError(t, err)
		}
		add := func(ctx context.Context, first, second string) error {
			return h.InTx(ctx, func(ctx context.Context, tx sqlkit.Handle) error {
				for _, id := range []string{first, second} {
					if _, err := tx.Write().NewUpdate().Model((*note)(nil)).Set("n = n + 1").Where("id = ?", id).Exec(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		const rounds = 20
		ends := make(chan error, 2)
		for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}} {
			go func() {
				var err error
				for range rounds {
					err = errors.Join(err, add(t.Context(), pair[0], pair[1]))
				}
				ends <- err
			}()
		}
		require.NoError(t, errors.Join(<-ends, <-ends))
		var all []note
		require.NoError(t, h.Read().NewSelect().Model(&all).Order("id").Scan(t.Context()))
		require.EqualValues(t, 2*rounds, all[0].N)
		require.EqualValues(t, 2*rounds, all[1].N)
	})
}

func TestErrorsAreReadAlike(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		h := notes(t, db)
		_, err := h.Write().NewInsert().Model(&note{ID: "a"}).Exec(t.Context())
		require.NoError(t, err)
		_, err = h.Write().NewInsert().Model(&note{ID: "a"}).Exec(t.Context())
		require.True(t, sqlkit.IsUnique(err), err)
		require.False(t, sqlkit.IsRetryable(err))
		require.True(t, sqlkit.IsNoRows(h.Read().NewSelect().Model(&note{}).Where("id = ?", "z").Scan(t.Context())))
		_, err = h.Write().NewInsert().Model(&note{ID: "A"}).Exec(t.Context())
		require.NoError(t, err, "IDs that differ in letter case are different IDs")
		n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*note)(nil)).Set("n = 0").Where("id = ?", "a").Exec(t.Context()))
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "an update counts the rows that it matched, changed or not")
	})
}

func TestUpsertSetsOnlyTheNamedColumns(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		h := notes(t, db)
		require.NoError(t, h.Upsert(t.Context(), &note{ID: "a", Owner: "first", N: 1}, []string{"id"}, []string{"n"}))
		require.NoError(t, h.Upsert(t.Context(), &note{ID: "a", Owner: "second", N: 2}, []string{"id"}, []string{"n"}))
		var got note
		require.NoError(t, h.Read().NewSelect().Model(&got).Where("id = ?", "a").Scan(t.Context()))
		require.Equal(t, "first", got.Owner)
		require.EqualValues(t, 2, got.N)
	})
}

func TestTheDatabasesClockIsInMicroseconds(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		var got int64
		require.NoError(t, db.Handle().Read().NewRaw("SELECT ?", db.Handle().Clock()).Scan(t.Context(), &got))
		require.WithinDuration(t, time.Now(), sqlkit.Time(got), 5*time.Second)
	})
}

func TestPostgresPreparesNothingForFilledInQueries(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "postgres")
	h := notes(t, db)
	err := h.InTx(t.Context(), func(ctx context.Context, tx sqlkit.Handle) error { // one connection, so that the answer is about it
		for _, id := range []string{"a", "b", "c"} {
			_, err := tx.InsertIfAbsent(ctx, &note{ID: id, Owner: "it's", N: 1 << 40})
			require.NoError(t, err)
			var got note
			require.NoError(t, tx.Read().NewSelect().Model(&got).Where("id = ?", id).Scan(ctx))
			require.Equal(t, note{ID: id, Owner: "it's", N: 1 << 40}, got)
		}
		var prepared []string
		require.NoError(t, tx.Read().NewRaw("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%notes%'").Scan(ctx, &prepared))
		require.Empty(t, prepared)
		return nil
	})
	require.NoError(t, err)
	var two int
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT $1::int + 1", 1).Scan(&two), "queries with arguments still work")
	require.Equal(t, 2, two)
}

func TestURLsThatCannotBeOpenedAreRefusedWithoutTheirPassword(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "turnero.db", "oracle://x", "sqlite:", "mysql:///x", "postgres://u:s3cr3t@127.0.0.1:1/x?connect_timeout=1", "mysql://u:s3cr3t@127.0.0.1:1/x"} {
		_, err := sqlkit.Open(t.Context(), bad, 1)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}

func TestInstantsRoundTripAsMicroseconds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	require.Equal(t, now.UTC().Truncate(time.Microsecond), sqlkit.Time(sqlkit.Micros(now)))
	require.Zero(t, sqlkit.Micros(time.Time{}))
	require.True(t, sqlkit.Time(0).IsZero())
}

var errGivenUp = errors.New("given up")

func TestServersEndAbandonedTransactions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sqltest.Fresh(t, name)
			ctx := t.Context()
			for _, statement := range []string{"CREATE TABLE held (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)", "INSERT INTO held VALUES (1, 0)"} {
				_, err := db.SQL().ExecContext(ctx, statement)
				require.NoError(t, err)
			}
			for _, h := range []sqlkit.Handle{db.Handle(), db.Keyed()} {
				freed := make(chan error, 1)
				isFirst := true
				err := h.InTx(ctx, func(ctx context.Context, tx sqlkit.Handle) error {
					if !isFirst {
						return errGivenUp // PostgreSQL says why it ended the first attempt, so that there is a second
					}
					isFirst = false
					_, err := tx.Native().ExecContext(ctx, "UPDATE held SET n = 1 WHERE id = 1")
					require.NoError(t, err)
					go func() { // waits for the row that the first transaction, which says nothing more, holds
						_, err := db.SQL().ExecContext(ctx, "UPDATE held SET n = n + 10 WHERE id = 1")
						freed <- err
					}()
					began := time.Now()
					require.NoError(t, <-freed)
					require.Less(t, time.Since(began), 8*time.Second)
					return nil
				})
				require.Error(t, err, "what was abandoned is not stored")
			}
			var n int
			require.NoError(t, db.SQL().QueryRowContext(ctx, "SELECT n FROM held").Scan(&n))
			require.Equal(t, 20, n)
		})
	}
}
