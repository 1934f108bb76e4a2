package outbox

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// relayOf makes a log whose relay's row is held under the name it returns.
func relayOf(t *testing.T, db *sqlkit.DB) (l *Log, holder string) {
	t.Helper()
	l = New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
	_, err := db.Handle().InsertIfAbsent(t.Context(), &cursor{Name: relayRow, Holder: "us"})
	require.NoError(t, err)
	return l, "us"
}

func appendNotes(t *testing.T, l *Log, db *sqlkit.DB, n int) {
	t.Helper()
	tenant := id.NewTenant()
	require.NoError(t, db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
		for range n {
			if err := l.Append(ctx, h, &events.ChatModeChanged{Tenant: tenant, Chat: id.NewChat(), Mode: "bot"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestABatchIsNumberedInTheOrderOfItsAppends(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		t.Run(map[bool]string{false: "positions", true: "whole"}[whole], func(t *testing.T) {
			t.Parallel()
			sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
				l, holder := relayOf(t, db)
				if whole {
					l.OnNumbered(func([]Record) {})
				}
				none, err := l.number(t.Context(), holder)
				require.NoError(t, err)
				require.Empty(t, none)
				var all []row
				for _, n := range []int{1, numberBatch + 7, 3} {
					appendNotes(t, l, db, n)
					for n > 0 {
						batch, err := l.number(t.Context(), holder)
						require.NoError(t, err)
						require.Len(t, batch, min(n, numberBatch))
						all = append(all, batch...)
						n -= len(batch)
					}
				}
				stored, err := l.AfterAll(t.Context(), 0, 1000)
				require.NoError(t, err)
				require.Len(t, stored, len(all))
				for i := range all {
					require.EqualValues(t, i+1, *all[i].Seq)
					require.EqualValues(t, i+1, stored[i].Seq)
					if i > 0 {
						require.Greater(t, all[i].Pos, all[i-1].Pos)
					}
					if whole {
						require.Equal(t, stored[i].ID, all[i].EventID)
						require.Equal(t, string(stored[i].Payload), all[i].Payload)
					}
				}
				head, err := l.Head(t.Context())
				require.NoError(t, err)
				require.EqualValues(t, len(all), head)

				appendNotes(t, l, db, 1)
				_, err = l.number(t.Context(), "another")
				require.ErrorIs(t, err, errLost)
			})
		})
	}
}

// The plan is made when the table is as good as empty, and is used when it is large.
func TestTheStatementThatNumbersGoesByIndexesFromTheStart(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "postgres")
	l, holder := relayOf(t, db)
	explain := func() string {
		var plan strings.Builder
		require.NoError(t, db.Keyed().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			if _, err := lockRelay(ctx, h, holder); err != nil {
				return err
			}
			if _, err := h.Native().ExecContext(ctx, "PREPARE numbering(bigint, bigint) AS "+numbering(true)); err != nil {
				return err
			}
			rows, err := h.Native().QueryContext(ctx, "EXPLAIN EXECUTE numbering(0, 0)")
			if err != nil {
				return err
			}
			for rows.Next() {
				var line string
				if err = rows.Scan(&line); err != nil {
					return err
				}
				plan.WriteString(line + "\n")
			}
			if err = rows.Close(); err != nil {
				return err
			}
			_, err = h.Native().ExecContext(ctx, "DEALLOCATE numbering")
			return err
		}))
		return plan.String()
	}
	for range 2 {
		plan := explain()
		require.Contains(t, plan, "Index Scan using outbox_unnumbered on outbox")
		require.Contains(t, plan, "Tid Scan on outbox")
		require.NotContains(t, plan, "Seq Scan on outbox")
		appendNotes(t, l, db, 1500)
		require.NoError(t, l.numberAll(t.Context(), holder, newReader(l)))
		_, err := db.SQL().ExecContext(t.Context(), "ANALYZE outbox")
		require.NoError(t, err)
	}
}
