package app

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
)

func TestTheSigningKeyIsRotatedWhileTheInstallationRuns(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	run := func(args ...string) (string, int) {
		var out bytes.Buffer
		code := Main(t.Context(), append(args, "--data", data), strings.NewReader(""), &out, &out)
		return out.String(), code
	}
	for _, command := range []string{"list", "rotate"} {
		out, code := run("keys", command)
		require.Equal(t, 1, code, "there is no installation yet: %s", out)
		require.NoFileExists(t, filepath.Join(data, "turnero.db"))
		require.NoFileExists(t, filepath.Join(data, "master.key"))
	}
	out, code := run("user", "create", "root@example.com")
	require.Zero(t, code, out)
	held, err := openDataDir(data) // as a running installation does
	require.NoError(t, err)
	defer held.Close()

	out, code = run("keys")
	require.Zero(t, code, out)
	require.Contains(t, out, "no key yet")
	rows := func(want int, args ...string) [][]string {
		t.Helper()
		out, code := run(args...)
		require.Zero(t, code, out)
		var rows [][]string
		for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
			rows = append(rows, strings.Fields(line))
		}
		require.Len(t, rows, want, out)
		return rows
	}
	first := rows(1, "keys", "rotate")[0]
	require.Equal(t, first[1], first[2], "the first signs at once")
	require.Equal(t, []string{"-", "-"}, first[3:])
	both := rows(2, "keys", "rotate")
	require.Equal(t, first[0], both[1][0])
	require.Equal(t, both[0][2], both[1][3], "one signs until the other does")
	require.Greater(t, both[0][2], both[0][1], "a new key is published before it signs")
	require.Greater(t, both[1][4], both[1][3], "the one before verifies for longer than it signs")

	out, code = run("keys", "rotate", "--master-key", strings.Repeat("ab", 32))
	require.Equal(t, 1, code)
	require.Contains(t, out, "master")
	require.Equal(t, both, rows(2, "keys"))

	db, err := sqlkit.Open(t.Context(), "sqlite:"+filepath.Join(data, "turnero.db"), 2)
	require.NoError(t, err)
	defer db.Close()
	var recorded int
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM audit_log WHERE action = 'signing_key.rotated' AND actor = 'system'").Scan(&recorded))
	require.Equal(t, 2, recorded)
}
