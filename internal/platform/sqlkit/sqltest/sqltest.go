// Package sqltest gives tests the real databases: SQLite in a folder of the test's own, PostgreSQL and MariaDB on the
// servers that the environment names (TURNERO_TEST_POSTGRES_URL, TURNERO_TEST_MYSQL_URL; `make test` starts them).
// A test that names a behaviour of a Store runs it on all three.
package sqltest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/migrate"
	"turnero/internal/platform/sqlkit"
)

// Databases are the names of the databases that Each runs on, as the subtests are called.
var Databases = []string{"sqlite", "postgres", "mariadb"}

var (
	counter atomic.Int64
	shared  = map[string]func() (*sqlkit.DB, error){}
)

func init() {
	for _, name := range Databases {
		shared[name] = sync.OnceValues(func() (*sqlkit.DB, error) {
			dir, err := os.MkdirTemp("", "turnero-sqltest-")
			if err != nil {
				return nil, err
			}
			return create(context.Background(), name, dir)
		})
	}
}

// Each runs fn as a subtest on each kind of database, with the schema in place. The database is shared by the tests of the
// process: a test keeps to tenants of its own.
func Each(t *testing.T, fn func(t *testing.T, db *sqlkit.DB)) {
	t.Helper()
	for _, name := range Databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := shared[name]()
			require.NoError(t, err)
			fn(t, db)
		})
	}
}

// EachFresh is Each with an empty database (schema in place) that no other test sees.
func EachFresh(t *testing.T, fn func(t *testing.T, db *sqlkit.DB)) {
	t.Helper()
	for _, name := range Databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, Fresh(t, name))
		})
	}
}

// Fresh makes an empty database of the named kind (schema in place) and drops it when the test ends.
func Fresh(t testing.TB, name string) *sqlkit.DB {
	t.Helper()
	db, err := create(t.Context(), name, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = db.Close()
		drop(db.URL())
	})
	return db
}

// FreshURL makes an empty database of the named kind without schema, for programs that open it by URL.
func FreshURL(t testing.TB, name string) string {
	t.Helper()
	rawURL, err := newURL(t.Context(), name, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { drop(rawURL) })
	return rawURL
}

func create(ctx context.Context, name, dir string) (*sqlkit.DB, error) {
	rawURL, err := newURL(ctx, name, dir)
	if err != nil {
		return nil, err
	}
	db, err := sqlkit.Open(ctx, rawURL, 8)
	if err != nil {
		return nil, err
	}
	_, err = migrate.Up(ctx, db)
	return db, err
}

func newURL(ctx context.Context, name, dir string) (string, error) {
	n := counter.Add(1)
	if name == "sqlite" {
		return "sqlite:" + filepath.Join(dir, fmt.Sprintf("test%d.db", n)), nil
	}
	server, err := serverURL(name)
	if err != nil {
		return "", err
	}
	base := fmt.Sprintf("t%d_%d_%d", os.Getpid(), n, time.Now().UnixNano()%1e9)
	admin, err := sqlkit.Open(ctx, server, 1)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	defer admin.Close()
	if _, err = admin.SQL().ExecContext(ctx, "CREATE DATABASE "+base); err != nil {
		return "", err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + base
	return u.String(), nil
}

func serverURL(name string) (string, error) {
	env := map[string]string{"postgres": "TURNERO_TEST_POSTGRES_URL", "mariadb": "TURNERO_TEST_MYSQL_URL"}[name]
	if v := os.Getenv(env); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("no %s server: run the tests with `make test`, or set %s", name, env)
}

// drop removes a database of a server; a SQLite file goes with its folder.
func drop(rawURL string) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme == "sqlite" {
		return
	}
	name := map[string]string{"postgres": "postgres", "mysql": "mariadb"}[u.Scheme]
	server, err := serverURL(name)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	admin, err := sqlkit.Open(ctx, server, 1)
	if err != nil {
		return
	}
	defer admin.Close()
	stmt := "DROP DATABASE IF EXISTS " + strings.TrimPrefix(u.Path, "/")
	if name == "postgres" {
		stmt += " WITH (FORCE)"
	}
	_, _ = admin.SQL().ExecContext(ctx, stmt)
}
