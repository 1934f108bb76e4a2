package app

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/migrate"
	"turnero/internal/platform/sqlkit"
)

func TestWorkListsWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	run := func(more ...string) (string, int) {
		var out bytes.Buffer
		code := Main(t.Context(), append([]string{"work", "--data", data}, more...), strings.NewReader(""), &out, &out)
		return out.String(), code
	}
	out, code := run()
	require.Equal(t, 1, code, "there is no installation yet: %s", out)
	require.NoFileExists(t, filepath.Join(data, "turnero.db"))

	db, err := sqlkit.Open(t.Context(), "sqlite:"+filepath.Join(data, "turnero.db"), 2)
	require.NoError(t, err)
	defer db.Close()
	_, err = migrate.Up(t.Context(), db)
	require.NoError(t, err)
	out, code = run()
	require.Zero(t, code, out)
	require.Contains(t, out, "nothing was given up")

	_, err = db.SQL().ExecContext(t.Context(), "INSERT INTO outbox_parked (consumer, event_id, seq, tenant_id, attempts, last_error, parked_at, run_again) VALUES ('bot', 'evt_01j9z3k5w8e0r9v6c2m4x7b1qd', 7, 'ten_1', 5, 'no such thing', 1795294042299686, 0)")
	require.NoError(t, err)
	out, code = run()
	require.Zero(t, code, out)
	require.Contains(t, out, "event for bot")
	require.Contains(t, out, `"no such thing"`)

	out, code = run("again", "evt_01j9z3k5w8e0r9v6c2m4x7b1qd", "--consumer", "bot")
	require.Zero(t, code, out)
	var again int
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT run_again FROM outbox_parked").Scan(&again))
	require.Equal(t, 1, again)
	for _, wrong := range [][]string{{"again", "evt_01j9z3k5w8e0r9v6c2m4x7b1qd", "--consumer", "nobody"}, {"again", "job_01j9z3k5w8e0r9v6c2m4x7b1qd"}, {"again", "x"}} {
		out, code = run(wrong...)
		require.Equal(t, 1, code, "%v: %s", wrong, out)
	}
}
