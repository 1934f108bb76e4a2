package sqlkit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestOneProcessHoldsADatabaseOfAServer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := sqltest.FreshURL(t, name)
			open := func() *sqlkit.DB {
				db, err := sqlkit.Open(t.Context(), url, 2)
				require.NoError(t, err)
				t.Cleanup(func() { _ = db.Close() })
				return db
			}
			first, second := open(), open()
			release, err := first.HoldAlone(t.Context())
			require.NoError(t, err)
			_, err = second.HoldAlone(t.Context())
			require.ErrorIs(t, err, sqlkit.ErrHeld)
			require.NoError(t, release())
			held := func(db *sqlkit.DB) (release func() error) { // the server takes a moment to see a connection end
				require.Eventually(t, func() bool {
					var err error
					release, err = db.HoldAlone(t.Context())
					return err == nil
				}, 20*time.Second, 10*time.Millisecond)
				return release
			}
			again := held(second)
			require.NoError(t, again())

			other, err := sqlkit.Open(t.Context(), sqltest.FreshURL(t, name), 2)
			require.NoError(t, err)
			t.Cleanup(func() { _ = other.Close() })
			held(second)
			_, err = other.HoldAlone(t.Context())
			require.NoError(t, err, "another database of the same server is its own")
			require.NoError(t, other.Close(), "closing gives up too")
		})
	}
}
