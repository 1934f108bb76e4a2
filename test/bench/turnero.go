package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"turnero/test/drive"
)

// tenantsOf tells how many businesses share the sessions; one may have at most 50.
func tenantsOf(p plan) int { return max(10, p.Sessions/40) }

// shop is one business of the measured installation.
type shop struct {
	token string
}

// measured is the installation under measurement.
type measured struct {
	*program
	sim      string
	debug    string
	database string // its name on a server
	shops    []shop
	sessions []string // IDs
	logins   int      // so far
}

// measureTurnero measures the product on one kind of database, in a process of its own.
func measureTurnero(ctx context.Context, binary, database string, p plan) (r result, err error) {
	sim, err := startSim(ctx, binary)
	if err != nil {
		return r, err
	}
	defer sim.stop()
	dir, err := os.MkdirTemp("", "turnero-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	m, err := startTurnero(ctx, binary, dir, database, sim.address)
	if err != nil {
		return r, err
	}
	defer m.stop()
	if err = m.prepare(p); err != nil {
		return r, err
	}
	if r.BaseKiB, err = m.resident(); err != nil {
		return r, err
	}
	perSession := func() (float64, error) {
		now, err := m.resident()
		return float64(now-r.BaseKiB) / float64(p.Sessions), err
	}
	if err = drive.InParallel(p.Sessions, 16, m.link); err != nil {
		return r, err
	}
	if r.IdleKiB, err = perSession(); err != nil {
		return r, err
	}
	if err = errors.Join(m.send(p.Sessions), m.receive(p.Sessions, p.Sessions)); err != nil {
		return r, err
	}
	if err = m.rest(); err != nil {
		return r, err
	}
	at := meter{m.PID(), m.database}
	if r.OutPerSec, r.OutCPU, err = at.rate(p.Messages, m.profiled(p, database+"-out", func() error { return m.send(p.Messages) })); err != nil {
		return r, err
	}
	if err = m.rest(); err != nil {
		return r, err
	}
	if r.InPerSec, r.InCPU, err = at.rate(p.Messages, m.profiled(p, database+"-in", func() error { return m.receive(p.Sessions, p.Messages) })); err != nil {
		return r, err
	}
	if err = m.rest(); err != nil {
		return r, err
	}
	if r.InP50, r.InP99, err = latency(m.sim, p); err != nil {
		return r, err
	}
	if r.UsedKiB, err = perSession(); err == nil && p.Profiles != "" {
		err = m.profile("heap", filepath.Join(p.Profiles, database+".heap"))
	}
	return r, err
}

func startTurnero(ctx context.Context, binary, dir, database, sim string) (*measured, error) {
	address, err := drive.FreeAddress()
	if err != nil {
		return nil, err
	}
	debug, err := drive.FreeAddress()
	if err != nil {
		return nil, err
	}
	flags := []string{"--data", dir, "--network", "sim", "--sim-url", "http://" + sim, "--sim-seed", seed, "--listen", address, "--debug-listen", debug,
		"--rate-tenant", "1000000", "--rate-address", "1000000", "--trust-proxy", "--log-level", "error"}
	var key [32]byte
	_, _ = rand.Read(key[:])
	env := append(os.Environ(), "TURNERO_MASTER_KEY="+hex.EncodeToString(key[:]))
	name := ""
	if database == "postgres" {
		rawURL, err := freshDatabase(ctx)
		if err != nil {
			return nil, err
		}
		flags, name = append(flags, "--database-url", rawURL), databaseOf(rawURL)
	}
	run := func(stdin io.Reader, args ...string) error {
		cmd := exec.CommandContext(ctx, binary, append(args, flags...)...)
		cmd.Env, cmd.Stdin = env, stdin
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", args[0], err, out)
		}
		return nil
	}
	if err = run(nil, "migrate"); err != nil {
		return nil, err
	}
	if err = run(strings.NewReader("a long bench password\n"), "user", "create", "super@bench.example", "--password-stdin"); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, append([]string{"serve"}, flags...)...)
	cmd.Env = env
	prog, err := start(ctx, cmd, address, "/ready")
	if err != nil {
		return nil, err
	}
	return &measured{program: prog, sim: sim, debug: debug, database: name}, nil
}

func (m *measured) api(method, path, token string, body, out any) error {
	return call(method, "http://"+m.address+path, body, out, "Authorization", "Bearer "+token)
}

// login logs in from an address of its own: one address may not log in that often.
func (m *measured) login(email, password string) (string, error) {
	var out struct {
		AccessToken string `json:"accessToken"`
	}
	m.logins++
	from := net.IPv4(127, 1, byte(m.logins>>8), byte(m.logins)).String()
	err := call("POST", "http://"+m.address+"/api/auth/login", map[string]string{"email": email, "password": password}, &out, "X-Forwarded-For", from)
	return out.AccessToken, err
}

// prepare makes the businesses and their sessions, not linked yet. The bot stays off: it would answer every message, and the
// bare library answers none.
func (m *measured) prepare(p plan) error {
	super, err := m.login("super@bench.example", "a long bench password")
	if err != nil {
		return err
	}
	const password = "another long password"
	for i := range tenantsOf(p) {
		email := fmt.Sprintf("admin%d@bench.example", i)
		if err = m.api("POST", "/api/tenants", super, map[string]any{"name": fmt.Sprintf("Bench %d", i), "zone": "America/Argentina/Buenos_Aires", "language": "es",
			"admin": map[string]string{"email": email, "name": "Admin", "password": password}}, nil); err != nil {
			return err
		}
		token, err := m.login(email, password)
		if err != nil {
			return err
		}
		if err = m.api("PATCH", "/api/settings", token, map[string]any{"botEnabled": false}, nil); err != nil {
			return err
		}
		m.shops = append(m.shops, shop{token})
	}
	m.sessions = make([]string, p.Sessions)
	return drive.InParallel(p.Sessions, callers, func(i int) error {
		var made struct {
			ID string `json:"session"`
		}
		err := m.api("POST", "/api/whatsapp/sessions", m.token(i), map[string]string{"name": fmt.Sprintf("line %d", i)}, &made)
		m.sessions[i] = made.ID
		return err
	})
}

// token gives the log-in of the business that has the session.
func (m *measured) token(i int) string { return m.shops[i%len(m.shops)].token }

func (m *measured) link(i int) error {
	q := "?session=" + url.QueryEscape(m.sessions[i])
	if err := m.api("POST", "/api/whatsapp/init"+q, m.token(i), nil, nil); err != nil {
		return err
	}
	scanned := false
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var status struct {
			Status string `json:"status"`
		}
		if err := m.api("GET", "/api/whatsapp/status"+q, m.token(i), nil, &status); err != nil {
			return err
		}
		switch {
		case status.Status == "connected":
			return nil
		case status.Status == "qr" && !scanned:
			var code struct {
				QR string `json:"qr"`
			}
			if err := call("GET", "http://"+m.address+"/api/whatsapp/qr"+q, nil, &code, "Authorization", "Bearer "+m.token(i), "Accept", "application/json"); err != nil {
				continue // it changed in between
			}
			if err := call("POST", "http://"+m.sim+"/sim/phones/"+business(i)+"/scan", map[string]string{"qr": code.QR}, nil); err != nil {
				return err
			}
			scanned = true
		}
	}
	return fmt.Errorf("session %d does not connect", i)
}

// send posts the messages and waits until the network has shown all of them.
func (m *measured) send(messages int) error {
	before, err := shown(m.sim)
	if err != nil {
		return err
	}
	if err = drive.InParallel(messages, callers, func(i int) error {
		s := i % len(m.sessions)
		return m.api("POST", "/api/chats/"+contact(s)+"/messages?session="+url.QueryEscape(m.sessions[s]), m.token(s), map[string]string{"type": "text", "text": fmt.Sprintf("message %d", i)}, nil)
	}); err != nil {
		return err
	}
	return waitFor("outbound", before+int64(messages), func() (int64, error) { return shown(m.sim) })
}

// receive has the contacts write and waits until all of it is stored.
func (m *measured) receive(sessions, messages int) error {
	before, err := m.received()
	if err != nil {
		return err
	}
	if err = writeFromPhones(m.sim, sessions, messages); err != nil {
		return err
	}
	return waitFor("inbound", before+int64(messages), m.received)
}

// lagAge is how old Turnero's figure of the events that consumers have not passed may be, and a little more.
const lagAge = 5100 * time.Millisecond

// rest waits until what the traffic set off is done, and tells how long that took at most.
func (m *measured) rest() error {
	start := time.Now()
	for time.Sleep(lagAge); time.Since(start) < 2*time.Minute; time.Sleep(lagAge) {
		behind, err := m.metric("turnero_consumer_lag_events")
		if err != nil {
			return err
		}
		if behind == 0 {
			fmt.Fprintf(os.Stderr, "bench: all events handled within %s\n", time.Since(start).Round(time.Second))
			return nil
		}
	}
	return errors.New("consumers of events do not catch up within two minutes")
}

// profiled has do also write a CPU profile of its first seconds, and what had been allocated before and after it, into the plan's folder,
// if there is one.
func (m *measured) profiled(p plan, name string, do func() error) func() error {
	if p.Profiles == "" {
		return do
	}
	return func() error {
		written := make(chan error, 1)
		before := m.profile("allocs?gc=1", filepath.Join(p.Profiles, name+"-before.allocs"))
		go func() { written <- m.profile("profile?seconds=3", filepath.Join(p.Profiles, name+".pprof")) }()
		return errors.Join(before, do(), <-written, m.profile("allocs?gc=1", filepath.Join(p.Profiles, name+".allocs")))
	}
}

func (m *measured) profile(kind, path string) error {
	resp, err := web.Get("http://" + m.debug + "/debug/pprof/" + kind)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

// received tells how many messages were stored.
func (m *measured) received() (int64, error) { return m.metric("turnero_whatsapp_received_total") }

// metric gives the sum of a metric over its labels.
func (m *measured) metric(name string) (int64, error) {
	resp, err := web.Get("http://" + m.address + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var sum float64
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		if strings.HasPrefix(s.Text(), name) {
			n, err := strconv.ParseFloat(s.Text()[strings.LastIndexByte(s.Text(), ' ')+1:], 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return int64(sum), nil
}

func (m *measured) resident() (int64, error) {
	for range 3 {
		if err := call("POST", "http://"+m.debug+"/debug/free", nil, nil); err != nil {
			return 0, err
		}
	}
	return drive.ResidentKiB(m.PID())
}

// withDatabase gives the URL of another database of the same server.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}
