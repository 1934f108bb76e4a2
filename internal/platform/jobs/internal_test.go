package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// statements collects what a database is asked.
type statements struct{ asked []string }

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (s *statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if op := e.Operation(); op == "SELECT" || op == "UPDATE" || op == "DELETE" || op == "WITH" {
		s.asked = append(s.asked, e.Query)
	}
}

// fullScan is how each database says that it reads a whole table.
var fullScan = map[sqlkit.Dialect]*regexp.Regexp{
	sqlkit.SQLite:   regexp.MustCompile(`SCAN (jobs|row|j|e|r)\b`),
	sqlkit.Postgres: regexp.MustCompile(`Seq Scan on jobs`),
	sqlkit.MySQL:    regexp.MustCompile(`\|(row|j|e|r|jobs)\|+ALL\|`),
}

func TestNothingOnTheWayOfAJobReadsTheWholeTable(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, h := t.Context(), db.Handle()
		asked := &statements{}
		q := New(db.Observed(asked), bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		q.Register("whatsapp.handoff", func() events.Job { return &events.HandOffChat{} }, func(context.Context, events.Job, Run) error { return nil })
		tenant := id.NewTenant().String()
		now := time.Now().UnixMicro()
		fill(t, h, tenant, ready, 4000, now+3600e6, func(n int) string { return fmt.Sprint("later", n) })
		fill(t, h, tenant, waiting, 4000, now-1e6, func(int) string { return "hot" })
		fill(t, h, tenant, ready, 200, now-2e6, func(n int) string { return fmt.Sprint("chat", n/2) })
		fill(t, h, tenant, dead, 1000, now, func(int) string { return "hot" })
		analyze := map[sqlkit.Dialect]string{sqlkit.SQLite: "ANALYZE", sqlkit.Postgres: "ANALYZE jobs", sqlkit.MySQL: "ANALYZE TABLE jobs"}
		_, err := db.SQL().ExecContext(ctx, analyze[db.Dialect()])
		require.NoError(t, err)

		_, err = q.nextDue(ctx)
		require.NoError(t, err)
		taken, more, err := q.claim(ctx, 16)
		require.NoError(t, err)
		require.True(t, more)
		require.Len(t, taken, 16)
		require.NoError(t, q.complete(ctx, &taken[0], &claim{holder: q.holder, attempts: 1}))
		require.NoError(t, q.fail(ctx, q.db.Handle(), q.kinds["whatsapp.handoff"], &taken[1], errSilent))
		q.release(ctx, &taken[2])
		require.NoError(t, q.unblock(ctx, lane{tenant, "hot"}))
		require.NoError(t, q.unblock(ctx, taken[0].lane()))
		require.NoError(t, q.rescue(ctx, false))
		_, err = q.Cancel(ctx, q.db.Handle(), "whatsapp.handoff", id.NewTenant(), "none")
		require.NoError(t, err)
		require.Greater(t, len(asked.asked), 10)
		for _, stmt := range asked.asked {
			plan := explain(t, db, stmt)
			require.NotRegexp(t, fullScan[db.Dialect()], plan, stmt)
		}
		require.Regexp(t, fullScan[db.Dialect()], explain(t, db, "SELECT j.payload FROM jobs AS j WHERE j.payload = 'x'")+explain(t, db, "SELECT payload FROM jobs WHERE payload = 'x'"), "the check would see one")
	})
}

func TestOfTwoClaimsOfOneKeyAtLeastOneIsGivenBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} { // on SQLite claims come one after another
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sqltest.Fresh(t, name)
			ctx, h := t.Context(), db.Handle()
			q := New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
			q.Register("whatsapp.handoff", func() events.Job { return &events.HandOffChat{} }, func(context.Context, events.Job, Run) error { return nil })
			tenant := id.NewTenant().String()
			fill(t, h, tenant, ready, 1, time.Now().UnixMicro()-1000, func(int) string { return "k" })
			taken, _, err := q.claim(ctx, 16)
			require.NoError(t, err)
			require.Len(t, taken, 1)
			kept, err := q.giveBackDoubles(ctx, taken)
			require.NoError(t, err)
			require.Len(t, kept, 1, "alone it stays")

			fill(t, h, tenant, running, 1, time.Now().UnixMicro(), func(int) string { return "k" }) // another process claims at the same moment
			kept, err = q.giveBackDoubles(ctx, taken)
			require.NoError(t, err)
			require.Empty(t, kept)
			var back row
			require.NoError(t, h.Read().NewSelect().Model(&back).Where("id = ?", taken[0].ID).Scan(ctx))
			require.Equal(t, ready, back.State)
			require.Zero(t, back.Attempts, "as if it had not been claimed")
		})
	}
}

func TestAStartOnSQLiteRescuesTheJobsOfItsPredecessorOnly(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	ctx, h := t.Context(), db.Handle()
	newQueue := func() *Queue {
		q := New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		q.Register("whatsapp.handoff", func() events.Job { return &events.HandOffChat{} }, func(context.Context, events.Job, Run) error { return nil })
		return q
	}
	states := func() (out []string) {
		require.NoError(t, h.Read().NewSelect().Model((*row)(nil)).Column("state").Order("pos").Scan(ctx, &out))
		return out
	}
	fill(t, h, id.NewTenant().String(), ready, 2, time.Now().UnixMicro()-1000, func(int) string { return "" })
	killed, next := newQueue(), newQueue()
	taken, _, err := killed.claim(ctx, 1)
	require.NoError(t, err)
	require.Len(t, taken, 1)
	taken, _, err = next.claim(ctx, 1)
	require.NoError(t, err)
	require.Len(t, taken, 1)
	require.NoError(t, next.rescue(ctx, true))
	require.Equal(t, []string{ready, running}, states(), "its own are not lost")
	require.NoError(t, next.rescue(ctx, false))
	require.Equal(t, []string{ready, running}, states())
}

func TestAJobLeftBehindByAClockThatWasSetBackIsRescued(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, h := t.Context(), db.Handle()
		newQueue := func() *Queue {
			q := NewWithOptions(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler), Options{Lease: time.Second})
			q.Register("whatsapp.handoff", func() events.Job { return &events.HandOffChat{} }, func(context.Context, events.Job, Run) error { return nil })
			return q
		}
		fill(t, h, id.NewTenant().String(), ready, 2, time.Now().UnixMicro()-1000, func(int) string { return "" })
		killed, alive, other := newQueue(), newQueue(), newQueue()
		dead, _, err := killed.claim(ctx, 1)
		require.NoError(t, err)
		kept, _, err := alive.claim(ctx, 1)
		require.NoError(t, err)
		_, err = h.Write().NewUpdate().Model((*row)(nil)).Set("locked_until = locked_until + ?", time.Hour.Microseconds()).Where("state = ?", running).Exec(ctx)
		require.NoError(t, err)
		w := &worker{q: alive}
		stateOf := func(r row) (state string) {
			require.NoError(t, h.Read().NewSelect().Model((*row)(nil)).Column("state").Where("id = ?", r.ID).Scan(ctx, &state))
			return state
		}
		require.NoError(t, other.rescue(ctx, false))
		require.Equal(t, running, stateOf(dead[0]), "nobody knows yet")
		held, err := w.extend(ctx, map[string]context.CancelFunc{kept[0].ID.String(): nil}, 5*time.Second) // by the clock as it is now
		require.NoError(t, err)
		require.Len(t, held, 1)
		require.Eventually(t, func() bool {
			require.NoError(t, other.rescue(ctx, false))
			_, err := w.extend(ctx, map[string]context.CancelFunc{kept[0].ID.String(): nil}, 5*time.Second)
			require.NoError(t, err)
			return stateOf(dead[0]) == ready
		}, 20*time.Second, 50*time.Millisecond)
		require.Equal(t, running, stateOf(kept[0]), "one that lives keeps its job")
	})
}

func fill(t *testing.T, h sqlkit.Handle, tenant, state string, n int, at int64, key func(int) string) {
	t.Helper()
	for begin := 0; begin < n; begin += 500 {
		rows := make([]row, 0, 500)
		for i := begin; i < min(begin+500, n); i++ {
			rows = append(rows, row{ID: id.NewJob(), Pos: int64(i), TenantID: tenant, Kind: "whatsapp.handoff", OrderKey: key(i), Payload: "{}", State: state, RunAt: at + int64(i), NextAt: at + int64(i), CreatedAt: at})
		}
		_, err := h.Write().NewInsert().Model(&rows).Exec(t.Context())
		require.NoError(t, err)
	}
}

func explain(t *testing.T, db *sqlkit.DB, stmt string) string {
	t.Helper()
	prefix := map[sqlkit.Dialect]string{sqlkit.SQLite: "EXPLAIN QUERY PLAN ", sqlkit.Postgres: "EXPLAIN ", sqlkit.MySQL: "EXPLAIN FORMAT=TRADITIONAL "}[db.Dialect()]
	rows, err := db.SQL().QueryContext(t.Context(), prefix+stmt)
	require.NoError(t, err, stmt)
	defer rows.Close()
	cols, err := rows.Columns()
	require.NoError(t, err)
	var out strings.Builder
	for rows.Next() {
		cells := make([]any, len(cols))
		for i := range cells {
			cells[i] = new(sql.NullString)
		}
		require.NoError(t, rows.Scan(cells...))
		for _, c := range cells {
			out.WriteString("|" + c.(*sql.NullString).String)
		}
		out.WriteString("|\n")
	}
	require.NoError(t, rows.Err())
	return out.String()
}
