package migrate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/migrate"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestSchemaIsCheckedAndBroughtUpOnEveryDatabase(t *testing.T) {
	t.Parallel()
	for _, name := range sqltest.Databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := sqlkit.Open(t.Context(), sqltest.FreshURL(t, name), 4)
			require.NoError(t, err)
			defer db.Close()
			require.ErrorContains(t, migrate.Check(t.Context(), db), "run `turnero migrate`")
			applied, err := migrate.Up(t.Context(), db)
			require.NoError(t, err)
			require.Positive(t, applied)
			require.NoError(t, migrate.Check(t.Context(), db))
			applied, err = migrate.Up(t.Context(), db)
			require.NoError(t, err)
			require.Zero(t, applied)

			// A migration of one module may be missing while later numbers of another are there.
			for _, statement := range []string{"DROP TABLE bot_reminders", "DELETE FROM goose_db_version WHERE version_id = 352"} {
				_, err = db.SQL().ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			require.ErrorIs(t, migrate.Check(t.Context(), db), migrate.ErrOlder)
			applied, err = migrate.Up(t.Context(), db)
			require.NoError(t, err)
			require.Equal(t, 1, applied)
			require.NoError(t, migrate.Check(t.Context(), db))

			_, err = db.SQL().ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
			require.NoError(t, err)
			_, err = migrate.Up(t.Context(), db)
			require.ErrorContains(t, err, "newer than", "another build has been here")
			require.ErrorContains(t, migrate.Check(t.Context(), db), "newer than")
		})
	}
}
