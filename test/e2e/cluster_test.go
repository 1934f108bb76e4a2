package e2e_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit/sqltest"
)

// newInstallation makes an installation that several processes are to share: its database, its first log-in, and what every process is told.
func newInstallation(t *testing.T, database string) (s *split, shared []string) {
	t.Helper()
	s = &split{database: sqltest.FreshURL(t, database)}
	_, _ = rand.Read(s.master[:])
	out, code := runBinary(t, "migrate", "--database-url", s.database)
	require.Zero(t, code, out)
	shared = []string{"--database-url", s.database, "--redis-url", os.Getenv(redistest.Env), "--master-key", hex.EncodeToString(s.master[:])}
	s.root = superAdmin(t, shared...)
	return s, shared
}

// startCluster starts three processes that each run everything, beside a network.
func startCluster(t *testing.T, database string) (*split, []*daemon) {
	t.Helper()
	s, shared := newInstallation(t, database)
	sim := newDaemon(t, "the network", "/sim/phones", "sim", "--memory")
	sim.start()
	var all []*daemon
	for i := range 3 {
		p := newDaemon(t, fmt.Sprintf("process %d", i), "/ready", append([]string{"serve", "--data", t.TempDir(), "--network", "sim", "--sim-url", sim.url()}, shared...)...)
		p.start()
		all = append(all, p)
	}
	s.process = &process{t: t}
	s.Demo.BaseURL, s.Demo.SimURL = all[0].url(), sim.url()+"/sim"
	return s, all
}

func TestThreeProcessesOnOneDatabaseAreOne(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres", "mariadb"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			s, all := startCluster(t, database)
			_, admin, _ := s.business(t, "Peluquería", splitPhone)
			s.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": splitCustomer, "name": "Carla"}, nil)
			s.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": splitVisitor, "name": "Berta"}, nil)
			linkPastTheOwner(t, s, admin, all)
			_, system := admin.key("events:read")
			var heard []*lockedBuffer
			for _, p := range all {
				heard = append(heard, listen(t, system.at(p)))
			}
			anyAnswers(t, s, admin, all)
			oneMessageForOneKey(t, s, admin, all)
			service, name := admin.firstService()
			at := nextAfternoon(t, admin, service)
			bookByChat(t, s.phone(splitVisitor), splitPhone, strings.ToLower(name), at)
			for _, p := range all {
				require.Len(t, admin.at(p).active(), 1)
			}
			hearTheSame(t, heard)
			outliveTheOwner(t, s, admin, all)
			decryptFree(t, s.process)
		})
	}
}

// linkPastTheOwner links the line although the process that showed the first QR is stopped: another shows the next.
func linkPastTheOwner(t *testing.T, s *split, admin *caller, all []*daemon) {
	t.Helper()
	first := admin.at(all[1])
	first.must(http.StatusOK, "POST", "/api/whatsapp/init", nil, nil)
	shownQR(t, first)
	all[1].end(syscall.SIGTERM)
	scan(t, admin.at(all[2]), s.phone(splitPhone))
	all[1].start()
}

// anyAnswers asks each process for what only the owner of the line can do.
func anyAnswers(t *testing.T, s *split, admin *caller, all []*daemon) {
	t.Helper()
	for _, p := range all {
		require.Equal(t, "connected", admin.at(p).get("/api/whatsapp/status")["status"])
		require.Equal(t, true, admin.at(p).get("/api/contacts/check?phone=%2B" + splitCustomer)["exists"], p.name)
		status, code := admin.at(p).reason("GET", "/api/whatsapp/qr")
		require.Equal(t, http.StatusConflict, status)
		require.Equal(t, "already_linked", code)
	}
}

// oneMessageForOneKey writes with one key through all processes at once.
func oneMessageForOneKey(t *testing.T, s *split, admin *caller, all []*daemon) {
	t.Helper()
	ids := make([]string, len(all))
	var asking sync.WaitGroup
	for i, p := range all {
		asking.Go(func() {
			eventually(t, "the message is accepted at "+p.name, func() bool {
				status, _, raw := admin.at(p).do("POST", "/api/chats/"+splitCustomer+"/messages", object{"type": "text", "text": "una vez"}, "Idempotency-Key", "uno")
				if status == http.StatusAccepted {
					ids[i] = regexp.MustCompile(`msg_[0-9a-z]+`).FindString(string(raw))
				}
				return status == http.StatusAccepted
			})
		})
	}
	asking.Wait()
	require.Equal(t, []string{ids[0], ids[0], ids[0]}, ids)
	eventually(t, "it arrives", func() bool { return len(s.phone(splitCustomer).inbox()) > 0 })
	require.Len(t, s.phone(splitCustomer).inbox(), 1)
}

var eventNumber = regexp.MustCompile(`(?m)^id: (\d+)$`)

// hearTheSame waits until all listeners have heard the same events, each once and in order.
func hearTheSame(t *testing.T, heard []*lockedBuffer) {
	t.Helper()
	numbers := func(b *lockedBuffer) []string {
		var out []string
		for _, m := range eventNumber.FindAllStringSubmatch(b.String(), -1) {
			out = append(out, m[1])
		}
		return out
	}
	eventually(t, "every listener hears of the booking", func() bool {
		for _, b := range heard {
			if !strings.Contains(b.String(), "event: appointment.booked") {
				return false
			}
		}
		return true
	})
	eventually(t, "every listener hears the same", func() bool {
		first := numbers(heard[0])
		return len(first) > 5 && fmt.Sprint(first) == fmt.Sprint(numbers(heard[1])) && fmt.Sprint(first) == fmt.Sprint(numbers(heard[2]))
	})
	seen := map[string]bool{}
	for _, n := range numbers(heard[0]) {
		require.False(t, seen[n], "event %s twice", n)
		seen[n] = true
	}
}

var carriesLine = regexp.MustCompile(`(?m)^turnero_whatsapp_sessions\{[^}]*\} 1$`)

// ownerOf finds the process that carries the line.
func ownerOf(t *testing.T, s *split, all []*daemon) int {
	t.Helper()
	owner := -1
	eventually(t, "somebody carries the line", func() bool {
		for i, p := range all {
			_, _, raw := s.anybody().at(p).do("GET", "/metrics", nil)
			if carriesLine.Match(raw) {
				owner = i
				return true
			}
		}
		return false
	})
	return owner
}

// outliveTheOwner stops the line's owner, and kills the next: what others accept meanwhile is sent, once.
func outliveTheOwner(t *testing.T, s *split, admin *caller, all []*daemon) {
	t.Helper()
	customer := s.phone(splitCustomer)
	for i, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		owner := ownerOf(t, s, all)
		ended := all[owner]
		ended.end(signal)
		began := time.Now()
		all = append(append([]*daemon{}, all[:owner]...), all[owner+1:]...)
		text := fmt.Sprintf("después de %d", i)
		admin.at(all[0]).must(http.StatusAccepted, "POST", "/api/chats/"+splitCustomer+"/messages", object{"type": "text", "text": text}, nil)
		eventually(t, "it arrives", func() bool {
			in := customer.inbox()
			return in[len(in)-1].Text == text
		})
		t.Logf("%v: sent by another process after %s", signal, time.Since(began).Round(time.Millisecond))
		require.Len(t, customer.inbox(), 2+i)
		before := len(customer.inbox())
		customer.write(splitPhone, text)
		eventually(t, "what the customer writes is stored once", func() bool {
			_, _, raw := admin.at(all[0]).do("GET", "/api/chats/"+splitCustomer+"/messages", nil)
			return strings.Count(string(raw), `"text":"`+text+`"`) == 2
		})
		require.GreaterOrEqual(t, len(customer.inbox()), before)
		ended.start()
		all = append(all, ended)
	}
}
