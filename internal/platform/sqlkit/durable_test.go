package sqlkit_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestSettingsThatLoseCommitsAreTold(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		frail, err := db.Frail(t.Context())
		require.NoError(t, err)
		switch db.Dialect() {
		case sqlkit.SQLite:
			require.Empty(t, frail)
		case sqlkit.MySQL:
			var is string
			require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT @@GLOBAL.innodb_flush_log_at_trx_commit").Scan(&is))
			require.Equal(t, is != "1", len(frail) == 1, "%s %v", is, frail)
		case sqlkit.Postgres:
			require.NotContains(t, frail, "synchronous_commit = off")
			name := db.URL()[strings.LastIndex(db.URL(), "/")+1:]
			name, _, _ = strings.Cut(name, "?")
			_, err = db.SQL().ExecContext(t.Context(), `ALTER DATABASE "`+name+`" SET synchronous_commit = off`)
			require.NoError(t, err)
			again, err := sqlkit.Open(t.Context(), db.URL(), 1)
			require.NoError(t, err)
			defer again.Close()
			frail, err = again.Frail(t.Context())
			require.NoError(t, err)
			require.Contains(t, frail, "synchronous_commit = off")
		}
	})
}
