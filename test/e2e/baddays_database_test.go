package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit"
	"turnero/test/servers"
)

// ownServer starts a database server of the test's own and makes a database on it.
func ownServer(t *testing.T, kind string) (*servers.Own, string) {
	t.Helper()
	env := map[string]string{"postgres": servers.PostgresEnv, "mariadb": servers.MySQLEnv}[kind]
	server, err := servers.StartOwn(t.Context(), env, t.Output())
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	var db *sqlkit.DB
	eventually(t, "the server answers", func() bool {
		db, err = sqlkit.Open(t.Context(), server.URL, 1)
		return err == nil
	})
	defer db.Close()
	_, err = db.SQL().ExecContext(t.Context(), "CREATE DATABASE shop")
	require.NoError(t, err)
	base := strings.NewReplacer("/postgres?", "/shop?", "/mysql", "/shop").Replace(server.URL)
	return server, base
}

// outage is how long the databases stop.
func outage(t *testing.T) time.Duration {
	if v := os.Getenv("TURNERO_TEST_OUTAGE"); v != "" {
		d, err := time.ParseDuration(v)
		require.NoError(t, err)
		return d
	}
	return 8 * time.Second
}

// attempt is one POST of a message and how it was answered.
type attempt struct {
	text   string
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (s *shop) send(d *daemon, to *phone, text string) attempt {
	start := time.Now()
	status, header, raw := s.admin.at(d).do("POST", "/api/chats/"+to.number+"/messages", object{"type": "text", "text": text}, "Idempotency-Key", text)
	return attempt{text, status, header, string(raw), time.Since(start)}
}

func TestADatabaseThatStops(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"postgres", "mariadb"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server, database := ownServer(t, kind)
			s := openShop(t, database, "--redis-url", os.Getenv(redistest.Env), "--rate-tenant", "100000", "--rate-address", "100000")
			both := []*daemon{s.serve("one"), s.serve("two")}
			for _, d := range both {
				d.start()
			}
			out, code := runBinary(t, append([]string{"doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, s.flags...)...)
			require.Zero(t, code, out)
			require.Contains(t, out, "a crash may lose what it has committed: "+map[string]string{"postgres": "fsync = off", "mariadb": "innodb_flush_log_at_trx_commit = 2"}[kind])
			carla := s.found(both[0])
			for _, d := range both {
				require.Equal(t, http.StatusAccepted, s.send(d, carla, "before "+d.name).status)
			}
			eventually(t, "messages flow", func() bool { return len(carla.texts("before")) == 2 })

			require.NoError(t, server.Freeze())
			refused := s.insist(both, carla, outage(t))
			require.NoError(t, server.Thaw())
			s.recovered(both, carla, refused, "while the database stood")

			server.Kill()
			carla.write(s.number, "while the database was down")
			eventually(t, "a message is refused", func() bool { return s.refuses(both[0], s.send(both[0], carla, "to nobody")) })
			require.NoError(t, server.Restart(t.Context()))
			s.recovered(both, carla, []string{"to nobody"}, "while the database was down")
		})
	}
}

// insist sends and receives while the database stands still, and gives the texts that were refused: all.
func (s *shop) insist(both []*daemon, carla *phone, most time.Duration) []string {
	t := s.t
	began := time.Now()
	carla.write(s.number, "while the database stood")
	incoming := carla.wrote("while the database stood")
	before, _ := both[0].metric("go_goroutines")
	var mu sync.Mutex
	var refused []string
	var wg sync.WaitGroup
	for c := range 12 {
		wg.Go(func() {
			for i := 0; time.Since(began) < most; i++ {
				d := both[c%2]
				a := s.send(d, carla, fmt.Sprintf("during %d-%d", c, i))
				mu.Lock()
				refused = append(refused, a.text)
				mu.Unlock()
				if !s.refuses(d, a) {
					t.Errorf("not refused: %+v", a)
				}
				select {
				case <-t.Context().Done():
				case <-time.After(most / 4): // somebody who tries again less often than told, so that the test is cheap
				}
			}
		})
	}
	wg.Wait()
	for _, d := range both {
		status, checks := d.state()
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, "failed", checks["database"])
		require.Equal(t, "ok", checks["redis"])
		require.Contains(t, d.logs.String(), "the database does not answer: requests are refused until it does")
		up, ok := d.metric("turnero_database_up")
		require.True(t, ok && up == 0)
	}
	after, ok := both[0].metric("go_goroutines")
	require.True(t, ok && after < before+60, "goroutines pile up: %v before, %v after", before, after)
	// The phone's message is not acknowledged: WhatsApp has it still.
	require.False(t, s.isAcknowledged(incoming))
	return refused
}

// refuses reports whether an attempt was refused as it should be while there is no database.
func (s *shop) refuses(d *daemon, a attempt) bool {
	return a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "" && a.header.Get("Content-Type") == "application/problem+json" && a.took < 10*time.Second
}

// recovered makes sure that everything goes on: what was refused is accepted when it is sent again, and arrives once; what came in
// meanwhile is stored once; the line has one owner.
func (s *shop) recovered(both []*daemon, carla *phone, refused []string, incoming string) {
	t := s.t
	for i, text := range refused {
		eventually(t, "a refused message is accepted", func() bool {
			status := s.send(both[i%2], carla, text).status
			return status == http.StatusAccepted || status == http.StatusOK
		})
	}
	eventuallyWithin(t, 40*time.Second, "all arrive", func() bool {
		seen := map[string]int{}
		for _, m := range carla.inbox() {
			seen[m.Text]++
		}
		missing := 0
		for _, text := range refused {
			require.LessOrEqual(t, seen[text], 1, "%q arrives once", text)
			missing += 1 - seen[text]
		}
		return missing == 0
	})
	eventuallyWithin(t, 40*time.Second, "the incoming message is stored", func() bool {
		n := 0
		for _, m := range s.admin.history(s.admin.chatWith(carla.number).ID) {
			if m.Text == incoming {
				n++
			}
		}
		require.LessOrEqual(t, n, 1)
		return n == 1
	})
	eventually(t, "the incoming message is acknowledged", func() bool { return s.isAcknowledged(carla.wrote(incoming)) })
	eventuallyWithin(t, 40*time.Second, "one process carries the line, which is connected", func() bool {
		carried := 0.0
		for _, d := range both {
			n, _ := d.metric(`turnero_whatsapp_sessions{status="connected"}`)
			carried += n
			if status, _ := d.state(); status != http.StatusOK {
				return false
			}
		}
		return carried == 1
	})
}

// wrote gives the WhatsApp ID of a text that the phone sent.
func (ph *phone) wrote(text string) string {
	ph.p.t.Helper()
	var out struct {
		Items []phoneMessage `json:"items"`
	}
	ph.p.anybody().must(http.StatusOK, "GET", ph.path("/messages"), nil, &out)
	for _, m := range out.Items {
		if m.Direction == "out" && m.Text == text {
			return m.ID
		}
	}
	ph.p.t.Fatalf("the phone did not write %q", text)
	return ""
}

// isAcknowledged reports whether the network heard from our side that it has the message.
func (s *shop) isAcknowledged(waID string) bool {
	s.t.Helper()
	for after := 0; ; {
		var log struct {
			Items []struct {
				Seq       int    `json:"seq"`
				Direction string `json:"direction"`
				Tag       string `json:"tag"`
				ID        string `json:"id"`
			} `json:"items"`
		}
		s.anybody().must(http.StatusOK, "GET", fmt.Sprint("/sim/log?after=", after), nil, &log)
		if len(log.Items) == 0 {
			require.NotZero(s.t, after, "there is a log")
			return false
		}
		for _, f := range log.Items {
			after = f.Seq
			if f.Direction == "in" && (f.Tag == "ack" || f.Tag == "receipt") && f.ID == waID {
				return true
			}
		}
	}
}
