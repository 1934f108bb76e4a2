package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

var (
	errStale = errors.New("not yours")
	notes    = &groupcommit.Table{Name: "notes", Keys: []groupcommit.Column{{Name: "owner_id"}, {Name: "n", Kind: groupcommit.Int}},
		Values: []groupcommit.Column{{Name: "body"}, {Name: "raw", Kind: groupcommit.Bytes}}}
	firsts = &groupcommit.Table{Name: "notes", Keys: notes.Keys, Values: notes.Values, KeepFirst: true}
)

func setUp(t *testing.T, db *sqlkit.DB) *groupcommit.Committer {
	t.Helper()
	blob := map[sqlkit.Dialect]string{sqlkit.Postgres: "BYTEA", sqlkit.MySQL: "BLOB", sqlkit.SQLite: "BLOB"}[db.Dialect()]
	for _, statement := range []string{
		"CREATE TABLE owners (tenant_id VARCHAR(64) NOT NULL, id VARCHAR(64) NOT NULL, fence BIGINT NOT NULL, PRIMARY KEY (tenant_id, id))",
		"CREATE TABLE notes (owner_id VARCHAR(64) NOT NULL, n BIGINT NOT NULL, body VARCHAR(64) NOT NULL CHECK (body <> 'refused'), raw " + blob + " NOT NULL, PRIMARY KEY (owner_id, n))",
	} {
		_, err := db.SQL().ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	for i := range 40 {
		_, err := db.Handle().Write().NewRaw("INSERT INTO owners (tenant_id, id, fence) VALUES ('t', ?, 1)", owner(i)).Exec(t.Context())
		require.NoError(t, err)
	}
	c := groupcommit.New(db, groupcommit.Fences{Table: "owners", Stale: errStale})
	t.Cleanup(c.Close)
	return c
}

func owner(i int) string { return fmt.Sprintf("owner%02d", i) }

func note(table *groupcommit.Table, i int, n int64, body string) groupcommit.Row {
	return groupcommit.Row{Table: table, Values: []any{owner(i), n, body, []byte(body)}}
}

func gone(i int, n int64) groupcommit.Row {
	return groupcommit.Row{Table: notes, Values: []any{owner(i), n}}
}

func fence(i int, value int64) groupcommit.Fence {
	return groupcommit.Fence{Tenant: "t", ID: owner(i), Value: value}
}

func stored(t *testing.T, db *sqlkit.DB) map[string]string {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), "SELECT owner_id, n, body, raw FROM notes")
	require.NoError(t, err)
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var owner, body string
		var n int64
		var raw []byte
		require.NoError(t, rows.Scan(&owner, &n, &body, &raw))
		require.Equal(t, body, string(raw))
		out[fmt.Sprint(owner, "/", n)] = body
	}
	require.NoError(t, rows.Err())
	return out
}

// together submits members so that they form one group: the first one holds the committer until all others are there.
func together(t *testing.T, c *groupcommit.Committer, members ...*groupcommit.Member) []error {
	t.Helper()
	began, goOn := make(chan struct{}), make(chan struct{})
	isFirst := true
	go c.Enqueue(&groupcommit.Member{Fence: fence(39, 1), Do: func(context.Context, sqlkit.Handle) error {
		if isFirst { // a deadlock would have it run again
			isFirst = false
			close(began)
		}
		<-goOn
		return nil
	}})
	<-began
	outcomes := make([]chan error, len(members))
	for i, m := range members {
		outcomes[i] = make(chan error, 1)
		m.Done = func(err error) { outcomes[i] <- err }
		c.Enqueue(m)
	}
	close(goOn)
	errs := make([]error, len(members))
	for i := range outcomes {
		select {
		case errs[i] = <-outcomes[i]:
		case <-time.After(20 * time.Second):
			require.FailNow(t, "no outcome")
		}
	}
	return errs
}

func TestStaleMemberFailsAlone(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		errs := together(t, c,
			&groupcommit.Member{Fence: fence(3, 1), Rows: []groupcommit.Row{note(notes, 3, 1, "c")}},
			&groupcommit.Member{Fence: fence(1, 2), Rows: []groupcommit.Row{note(notes, 1, 1, "of the future")}},
			&groupcommit.Member{Fence: fence(2, 0), Rows: []groupcommit.Row{note(notes, 2, 1, "of the past")}},
			&groupcommit.Member{Fence: groupcommit.Fence{Tenant: "t", ID: "OWNER03", Value: 1}, Rows: []groupcommit.Row{note(notes, 4, 1, "of nobody")}},
			&groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(notes, 1, 2, "a")}})
		require.NoError(t, errs[0])
		for _, err := range errs[1:3] {
			require.ErrorIs(t, err, errStale)
		}
		require.NoError(t, errs[4])
		want := map[string]string{"owner03/1": "c", "owner01/2": "a"}
		if errs[3] == nil { // this test's table, unlike the product's, compares as the server does
			want["owner04/1"] = "of nobody"
		}
		require.Equal(t, want, stored(t, db))
	})
}

func TestRefusedMemberFailsAlone(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		errOwn := errors.New("no")
		errs := together(t, c,
			&groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(notes, 1, 1, "a")}},
			&groupcommit.Member{Fence: fence(2, 1), Rows: []groupcommit.Row{note(notes, 2, 1, "refused")}},
			&groupcommit.Member{Fence: fence(3, 1), Rows: []groupcommit.Row{note(notes, 3, 1, "lost")}, Do: func(context.Context, sqlkit.Handle) error { return errOwn }},
			&groupcommit.Member{Fence: fence(4, 1), Rows: []groupcommit.Row{note(notes, 4, 1, "d")}})
		require.NoError(t, errs[0])
		require.True(t, sqlkit.IsRefused(errs[1]), "%v", errs[1])
		require.ErrorIs(t, errs[2], errOwn)
		require.NoError(t, errs[3])
		require.Equal(t, map[string]string{"owner01/1": "a", "owner04/1": "d"}, stored(t, db))
	})
}

func TestLaterWriteToARowCounts(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		require.NoError(t, c.Submit(t.Context(), &groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(notes, 1, 1, "old"), note(notes, 1, 2, "old"), note(firsts, 1, 3, "old")}}))
		errs := together(t, c,
			&groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(notes, 1, 1, "new"), gone(1, 2), note(notes, 1, 4, "short-lived")}},
			&groupcommit.Member{Fence: fence(2, 1), Rows: []groupcommit.Row{note(notes, 1, 1, "newest"), note(notes, 1, 2, "back"), gone(1, 4), gone(1, 99)}},
			&groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(firsts, 1, 3, "new"), note(firsts, 1, 5, "first"), note(firsts, 1, 5, "second")}})
		require.Equal(t, []error{nil, nil, nil}, errs)
		require.Equal(t, map[string]string{"owner01/1": "newest", "owner01/2": "back", "owner01/3": "old", "owner01/5": "first"}, stored(t, db))
	})
}

func TestManyRowsFitInOneMember(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		const many = 5500 // more than one statement takes
		put, remove := &groupcommit.Member{Fence: fence(1, 1)}, &groupcommit.Member{Fence: fence(1, 1)}
		for n := range int64(many) {
			put.Rows = append(put.Rows, note(notes, 1, n, "x"))
			if n%10 == 0 {
				remove.Rows = append(remove.Rows, gone(1, n))
			}
		}
		require.NoError(t, c.Submit(t.Context(), put))
		require.NoError(t, c.Submit(t.Context(), remove))
		require.Len(t, stored(t, db), many-many/10)
	})
}

func TestLazyMembersGoAlong(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		var n int64
		lazy := func() chan error {
			n++
			outcome := make(chan error, 1)
			c.Enqueue(&groupcommit.Member{Rows: []groupcommit.Row{note(notes, 1, n, "lazy")}, IsLazy: true, Done: func(err error) { outcome <- err }})
			return outcome
		}
		isTold := func(outcome chan error) {
			select {
			case err := <-outcome:
				require.NoError(t, err)
			case <-time.After(20 * time.Second):
				require.FailNow(t, "not committed")
			}
		}
		isTold(lazy()) // by itself, in the end
		first, second := lazy(), lazy()
		require.NoError(t, c.Submit(t.Context(), &groupcommit.Member{Rows: []groupcommit.Row{note(notes, 2, 1, "urgent")}}))
		require.Len(t, first, 1, "it must not come after what was handed over later")
		require.Len(t, second, 1)
		third := lazy()
		c.Flush()
		isTold(third)
		fourth := lazy()
		c.Close()
		require.Len(t, fourth, 1)
		require.Len(t, stored(t, db), 6)
	})
}

func TestClosedCommitterTakesNothing(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		told := make(chan error, 1)
		c.Enqueue(&groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(notes, 1, 1, "a")}, Done: func(err error) { told <- err }})
		c.Close()
		require.NoError(t, <-told, "what was handed over is stored")
		require.ErrorIs(t, c.Submit(t.Context(), &groupcommit.Member{Fence: fence(1, 1)}), groupcommit.ErrClosed)
	})
}

func TestCallerThatLeavesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan error, 1)
		m := &groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(notes, 1, 1, "a")}, Done: func(err error) { told <- err }}
		m.Do = func(context.Context, sqlkit.Handle) error { cancel(); return nil }
		if err := c.Submit(ctx, m); err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		require.NoError(t, <-told)
		require.Equal(t, map[string]string{"owner01/1": "a"}, stored(t, db))
	})
}

// tally is a batch that numbers notes by what is stored: each item is the owner of a new note.
type tally struct{ runs int }

var errNoTally = errors.New("no note for this owner")

func (b *tally) Run(ctx context.Context, h sqlkit.Handle, items []any) ([]groupcommit.Row, []error, error) {
	b.runs++
	rows, err := h.Native().QueryContext(ctx, "SELECT COUNT(*) FROM notes")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var n int64
	for rows.Next() {
		if err = rows.Scan(&n); err != nil {
			return nil, nil, err
		}
	}
	var out []groupcommit.Row
	failed := make([]error, len(items))
	for i, item := range items {
		if item.(int) == 13 {
			failed[i] = errNoTally
			continue
		}
		out = append(out, note(fresh, item.(int), n, "counted"))
		n++
	}
	return out, failed, rows.Err()
}

var (
	fresh   = &groupcommit.Table{Name: "notes", Keys: notes.Keys, Values: notes.Values, OnlyNew: true}
	changed = &groupcommit.Table{Name: "notes", Keys: notes.Keys, Values: notes.Values, OnlyOld: true}
)

func TestBatchDoesTheWorkOfManyAtOnce(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		b := &tally{}
		errs := together(t, c,
			&groupcommit.Member{Fence: fence(1, 1), Batch: b, Item: 1},
			&groupcommit.Member{Fence: fence(2, 7), Batch: b, Item: 2},
			&groupcommit.Member{Batch: b, Item: 3},
			&groupcommit.Member{Fence: fence(13, 1), Batch: b, Item: 13},
			&groupcommit.Member{Fence: fence(4, 1), Batch: b, Item: 4})
		require.Equal(t, []error{nil, errStale, nil, errNoTally, nil}, errs)
		require.Equal(t, map[string]string{"owner01/0": "counted", "owner03/1": "counted", "owner04/2": "counted"}, stored(t, db))
		require.Equal(t, 1, b.runs)
	})
}

func TestRowsThatMustBeNewOrOld(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		c := setUp(t, db)
		require.NoError(t, c.Submit(t.Context(), &groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(fresh, 1, 1, "old"), note(fresh, 1, 2, "old"), note(fresh, 2, 1, "old")}}))
		errs := together(t, c,
			&groupcommit.Member{Fence: fence(1, 1), Rows: []groupcommit.Row{note(changed, 1, 1, "changed"), note(changed, 1, 3, "not there")}},
			&groupcommit.Member{Fence: fence(2, 1), Rows: []groupcommit.Row{note(fresh, 2, 1, "taken"), note(changed, 1, 2, "lost")}},
			&groupcommit.Member{Fence: fence(3, 1), Rows: []groupcommit.Row{note(fresh, 3, 1, "new"), note(changed, 3, 1, "new and changed")}})
		require.NoError(t, errs[0])
		require.True(t, sqlkit.IsUnique(errs[1]), "%v", errs[1])
		require.NoError(t, errs[2])
		require.Equal(t, map[string]string{"owner01/1": "changed", "owner01/2": "old", "owner02/1": "old", "owner03/1": "new and changed"}, stored(t, db))
	})
}
