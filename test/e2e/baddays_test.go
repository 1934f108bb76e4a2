package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/test/drive"
)

// secretWord stands in addresses as a password, and must never be shown.
const secretWord = "hunter2"

func TestAWrongRedisIsRefusedInOneLineThatNamesTheSetting(t *testing.T) {
	t.Parallel()
	database := sqltest.FreshURL(t, "postgres")
	out, code := runBinary(t, "migrate", "--database-url", database)
	require.Zero(t, code, out)
	closed, err := drive.FreeAddress()
	require.NoError(t, err)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	locked := redistest.Start(t, "--requirepass", "right")
	databaseHost := strings.SplitN(strings.SplitN(database, "@", 2)[1], "/", 2)[0]
	redisHost := func(rawURL string) string { return strings.TrimPrefix(rawURL, "redis://") }

	common := []string{"serve", "--database-url", database, "--master-key", masterKey(), "--network", "sim", "--sim-url", "http://127.0.0.1:1", "--data", t.TempDir()}
	for name, c := range map[string]struct{ url, says string }{
		"nobody listens": {"redis://:" + secretWord + "@" + closed, "no Redis answers at " + closed},
		"a web server":   {"redis://:" + secretWord + "@" + redisHost(web.Listener.Addr().String()), "is no Redis"},
		"a database":     {"redis://:" + secretWord + "@" + databaseHost, "is no Redis"},
		"wrong password": {"redis://:" + secretWord + "@" + redisHost(locked.URL()), "refuses the user name or the password"},
		"no password":    {locked.URL(), "wants a password"},
		"no such host":   {"redis://:" + secretWord + "@redis.invalid:6379", "no Redis answers at redis.invalid:6379"},
		"not a URL":      {"redis://:" + secretWord + "/x@127.0.0.1:6379", "cannot be read"},
		"other scheme":   {"https://:" + secretWord + "@127.0.0.1:6379", "must begin with redis://"},
	} {
		out, code := runBinary(t, append(common, "--listen", "127.0.0.1:0", "--redis-url", c.url)...)
		require.Equal(t, 1, code, "%s: %s", name, out)
		require.Equal(t, 1, strings.Count(out, "\n"), "%s: one line: %s", name, out)
		require.Contains(t, out, "turnero: redis-url: ", name)
		require.Contains(t, out, c.says, name)
		require.NotContains(t, out, secretWord, name)
	}
}

func TestAWrongDatabaseAddressIsRefusedInOneLine(t *testing.T) {
	t.Parallel()
	closed, err := drive.FreeAddress()
	require.NoError(t, err)
	for _, kind := range []string{"postgres", "mariadb"} {
		good := sqltest.FreshURL(t, kind)
		scheme, _, _ := strings.Cut(good, ":")
		for _, bad := range []string{
			scheme + "://shop:" + secretWord + "@" + closed + "/shop",
			scheme + "://shop:" + secretWord + "@" + strings.SplitN(good, "@", 2)[1], // no such person
			strings.Replace(good, "/t", "/no_such_database", 1),
		} {
			out, code := runBinary(t, "serve", "--database-url", bad, "--master-key", masterKey(), "--network", "sim", "--listen", "127.0.0.1:0", "--data", t.TempDir())
			require.Equal(t, 1, code, out)
			require.Equal(t, 1, strings.Count(out, "\n"), "one line: %s", out)
			require.Contains(t, out, "turnero: database-url: ")
			require.NotContains(t, out, secretWord)
		}
	}
}

func TestASchemaOfAnotherVersionIsRefusedUntilItFits(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"postgres", "mariadb"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			database := sqltest.FreshURL(t, kind)
			d := newDaemon(t, "the process", "/ready", "serve", "--database-url", database, "--master-key", masterKey(), "--network", "sim", "--data", t.TempDir())
			require.Contains(t, d.refused(20*time.Second), "run `turnero migrate`", "an empty database")
			out, code := runBinary(t, "migrate", "--check", "--database-url", database)
			require.Equal(t, 1, code, out)
			out, code = runBinary(t, "migrate", "--database-url", database)
			require.Zero(t, code, out)
			d.start()

			// A newer build changes the schema under the running one: it says so, and the next start refuses.
			db, err := sqlkit.Open(t.Context(), database, 1)
			require.NoError(t, err)
			defer db.Close()
			const note, forget = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)", "DELETE FROM goose_db_version WHERE version_id = 9999"
			_, err = db.SQL().ExecContext(t.Context(), note)
			require.NoError(t, err)
			eventually(t, "readiness follows the schema", func() bool {
				status, checks := d.state()
				return status == http.StatusServiceUnavailable && checks["schema"] == "failed" && checks["database"] == "ok"
			})
			d.end(syscall.SIGTERM)
			require.Contains(t, d.refused(20*time.Second), "newer than this build")
			out, code = runBinary(t, "migrate", "--database-url", database)
			require.Equal(t, 1, code, "it is left as it is: %s", out)
			require.Contains(t, out, "newer than this build")
			_, err = db.SQL().ExecContext(t.Context(), forget)
			require.NoError(t, err)

			// One migration less: older.
			var last int64
			require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT MAX(version_id) FROM goose_db_version").Scan(&last))
			_, err = db.Handle().Write().NewRaw("DELETE FROM goose_db_version WHERE version_id = ?", last).Exec(t.Context())
			require.NoError(t, err)
			require.Contains(t, d.refused(20*time.Second), "run `turnero migrate`")
			_, err = db.Handle().Write().NewRaw("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, TRUE)", last).Exec(t.Context())
			require.NoError(t, err)
			d.start()
		})
	}
}

func TestTwoClustersDoNotShareADatabase(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"postgres", "mariadb"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			other := redistest.Start(t)
			s := openShop(t, sqltest.FreshURL(t, kind))
			with := func(name string, flags ...string) *daemon { return s.serve(name, flags...) }
			first := with("first", "--redis-url", os.Getenv(redistest.Env))
			first.start()

			elsewhere := with("elsewhere", "--redis-url", other.URL())
			alone := with("alone")
			elsewhere.launch()
			require.Contains(t, alone.refused(40*time.Second), "redis-url")
			eventuallyWithin(t, 40*time.Second, "the one with another Redis is refused", elsewhere.hasEnded)
			require.Contains(t, elsewhere.logs.String(), "processes of another cluster serve this database: all must name the same redis-url")
			require.False(t, first.hasEnded(), "whoever was there first stays")
			doctor := func(flags ...string) (string, int) {
				return runBinary(t, append(append([]string{"doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, s.flags...), flags...)...)
			}
			out, code := doctor("--redis-url", os.Getenv(redistest.Env))
			require.Zero(t, code, out)
			require.Contains(t, out, "this one may join them")
			require.Contains(t, out, "that of the database agrees with this machine's")
			require.Contains(t, out, "that of Redis agrees with this machine's")
			out, code = doctor("--redis-url", other.URL())
			require.Equal(t, 1, code, out)
			require.Contains(t, out, "processes that share another Redis serve the database")
			out, code = doctor()
			require.Equal(t, 1, code, out)
			require.Contains(t, out, "give this one the same redis-url")
			out, code = doctor("--redis-url", "redis://:"+secretWord+"@127.0.0.1:1")
			require.Equal(t, 1, code, out)
			require.Contains(t, out, "WRONG  redis      redis-url: no Redis answers at 127.0.0.1:1")
			require.NotContains(t, out, secretWord)
			fellow := with("fellow", "--redis-url", os.Getenv(redistest.Env))
			fellow.start()

			first.end(syscall.SIGTERM)
			fellow.end(syscall.SIGKILL)
			alone.start() // as soon as the others are certainly gone
			again := with("again", "--redis-url", os.Getenv(redistest.Env))
			again.launch()
			require.Contains(t, with("second alone").refused(40*time.Second), "another turnero process serves this database")
			eventuallyWithin(t, 40*time.Second, "one with a Redis is refused", again.hasEnded)
			require.Contains(t, again.logs.String(), "processes of another cluster serve this database")
			alone.end(syscall.SIGTERM)
			elsewhere.start()
		})
	}
}

func TestAStoreOfTheOtherNetworkIsRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range sqltest.Databases {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			data, key := t.TempDir(), masterKey()
			database := sqltest.FreshURL(t, kind)
			if kind != "sqlite" {
				out, code := runBinary(t, "migrate", "--database-url", database)
				require.Zero(t, code, out)
			}
			d := newDaemon(t, "the process", "/ready", "serve", "--database-url", database, "--master-key", key, "--data", data)
			common := d.args
			d.args = append(common, "--network", "sim")
			d.start()
			d.end(syscall.SIGTERM)
			d.args = append(common, "--network", "whatsapp")
			line := d.refused(20 * time.Second)
			require.Contains(t, line, "made on the network sim and cannot be used on whatsapp")
			require.NotContains(t, d.logs.String(), "msg=ready address=http://127.0.0.1:0")
			d.args = append(common, "--network", "sim")
			d.start()
		})
	}
}

func TestAWrongMasterKeyIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range sqltest.Databases {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var flags []string
			if kind != "sqlite" {
				flags = []string{"--redis-url", os.Getenv(redistest.Env)}
			}
			s := openShop(t, sqltest.FreshURL(t, kind), flags...)
			right := s.serve("the right one")
			right.start()
			carla := s.found(right)
			if kind == "sqlite" {
				right.end(syscall.SIGTERM)
			}
			keys := s.storedKeys()
			wrong := s.serve("the wrong one", "--master-key", masterKey())
			require.Contains(t, wrong.refused(20*time.Second), "master key")
			require.Equal(t, keys, s.storedKeys(), "nothing is changed")
			if kind == "sqlite" {
				right.start()
				connected(t, s.admin.at(right))
			} else {
				out, code := runBinary(t, append(append([]string{"doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, s.flags...), "--master-key", masterKey())...)
				require.Equal(t, 1, code, out)
				require.Contains(t, out, "WRONG  keys")
			}
			require.Equal(t, http.StatusAccepted, s.send(right, carla, "still here").status)
			eventually(t, "the one with the right key goes on", func() bool { return len(carla.texts("still here")) == 1 })
		})
	}
}

// storedKeys reads the wrapped keys as they are stored.
func (s *shop) storedKeys() (keys []string) {
	s.t.Helper()
	db, err := sqlkit.Open(s.t.Context(), s.flags[1], 1)
	require.NoError(s.t, err)
	defer db.Close()
	require.NoError(s.t, db.Handle().Read().NewRaw("SELECT wrapped FROM tenant_keys ORDER BY tenant_id").Scan(s.t.Context(), &keys))
	require.NotEmpty(s.t, keys)
	return keys
}
