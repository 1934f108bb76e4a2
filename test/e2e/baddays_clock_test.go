package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// settableClock gives a PostgreSQL database a clock that set puts ahead of the true one. It hides PostgreSQL's own function behind one of the
// same name, for connections that are made from now on.
func settableClock(t *testing.T, database string) (set func(ahead time.Duration)) {
	t.Helper()
	db, err := sqlkit.Open(t.Context(), database, 1)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	var name string
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	for _, statement := range []string{
		"CREATE SCHEMA clock",
		"CREATE TABLE clock.ahead (by INTERVAL NOT NULL)",
		"INSERT INTO clock.ahead VALUES ('0')",
		"CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT pg_catalog.clock_timestamp() + by FROM clock.ahead'",
		"ALTER DATABASE " + name + " SET search_path = public, clock, pg_catalog",
	} {
		_, err = db.SQL().ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	return func(ahead time.Duration) {
		_, err := db.SQL().ExecContext(t.Context(), fmt.Sprintf("UPDATE clock.ahead SET by = '%d seconds'", int(ahead.Seconds())))
		require.NoError(t, err)
	}
}

func TestAClockThatJumpsAnHourStopsNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	database := sqltest.FreshURL(t, "postgres")
	s := openShop(t, database, "--redis-url", os.Getenv(redistest.Env))
	set := settableClock(t, database)
	both := []*daemon{s.serve("one"), s.serve("two")}
	for _, d := range both {
		d.start()
	}
	carla := s.found(both[0])
	s.admin.must(http.StatusOK, "PATCH", "/api/settings", object{"botEnabled": true}, nil)
	expected := 0
	works := func(when string, through ...*daemon) {
		t.Helper()
		carla.ask(s.number, "hola") // through the event log, the bot and the jobs
		expected++
		for i, d := range through {
			text := fmt.Sprintf("%s %d", when, i)
			require.Equal(t, http.StatusAccepted, s.send(d, carla, text).status, when)
			eventually(t, text+" arrives", func() bool { return len(carla.texts(text)) == 1 })
			expected++
			status, _, raw := s.admin.do("POST", "/api/chats/"+s.admin.chatWith(carla.number).ID+"/release", nil)
			require.Less(t, status, 300, "the bot is to answer again: %s", raw)
		}
	}
	works("at first", both...)
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 0} {
		set(jump)
		eventually(t, "the processes notice", func() bool {
			for _, d := range both {
				ahead, ok := d.metric("turnero_database_clock_ahead_seconds")
				if !ok || time.Duration(ahead*float64(time.Second))-jump > 10*time.Second || jump-time.Duration(ahead*float64(time.Second)) > 10*time.Second {
					return false
				}
			}
			return true
		})
		works(fmt.Sprint("ahead by ", jump), both...)
	}
	for _, d := range both {
		require.Contains(t, d.logs.String(), "the clocks of this process and of the database differ")
		require.NotContains(t, d.logs.String(), "whatsapp term ended", "the line's owner was never in doubt")
	}
	out, code := runBinary(t, append([]string{"doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, s.flags...)...)
	require.Zero(t, code, out)
	set(-time.Hour)
	out, code = runBinary(t, append([]string{"doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, s.flags...)...)
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "the clock of the database is 1h0m0s behind this machine's")

	// An owner that dies while the clocks differ is taken over from as ever.
	owner, heir := both[0], both[1]
	if n, _ := heir.metric(`turnero_whatsapp_sessions{status="connected"}`); n == 1 {
		owner, heir = heir, owner
	}
	owner.end(syscall.SIGKILL)
	s.Demo.BaseURL = heir.url()
	s.admin = s.admin.at(heir)
	works("after the owner died", heir)
	require.Len(t, carla.inbox(), expected, "nothing came twice: %v", strings.Join(carla.texts(""), " | "))
}
