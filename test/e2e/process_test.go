package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit/sqltest"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "turnero-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "turnero")
	build := exec.Command("go", "build", "-o", binary, "turnero/cmd/turnero")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err = build.Run(); err != nil {
		fmt.Println("build:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// demo is what demo.json holds.
type demo struct {
	BaseURL    string `json:"baseUrl"`
	SimURL     string `json:"simUrl"`
	SuperAdmin login  `json:"superAdmin"`
	Tenant     struct {
		ID       string `json:"id"`
		Slug     string `json:"slug"`
		Admin    login  `json:"admin"`
		Employee login  `json:"employee"`
		Phone    string `json:"phone"`
	} `json:"tenant"`
	Customers []struct {
		Number string `json:"number"`
		Name   string `json:"name"`
	} `json:"customers"`
}

type login struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// process is one installation under test, by what its callers know of it.
type process struct {
	t      *testing.T
	data   string
	flags  []string
	daemon *daemon // of the demonstration
	Demo   demo
}

// startDemoOn is startDemo on a kind of database: the embedded one, or an empty one of a server.
func startDemoOn(t *testing.T, database string) *process {
	t.Helper()
	if database == "sqlite" {
		return startDemo(t)
	}
	rawURL := sqltest.FreshURL(t, database)
	out, code := runBinary(t, "migrate", "--database-url", rawURL)
	require.Zero(t, code, out)
	return startDemo(t, "--database-url", rawURL, "--master-key", masterKey())
}

// startDemo starts the demonstration on an empty folder; extra flags may name another database.
func startDemo(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{t: t, data: t.TempDir(), flags: flags}
	p.daemon = newDaemon(t, "the process", "/ready", append([]string{"serve", "--demo", "--data", p.data}, flags...)...)
	p.start()
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.daemon.start()
	raw, err := os.ReadFile(filepath.Join(p.data, "demo.json"))
	require.NoError(p.t, err)
	require.NoError(p.t, json.Unmarshal(raw, &p.Demo))
	require.Equal(p.t, p.daemon.url(), p.Demo.BaseURL)
}

// kill ends the process at once (SIGKILL), as a power cut would.
func (p *process) kill() {
	p.t.Helper()
	p.daemon.end(syscall.SIGKILL)
}

// restart kills the process and starts it again on the same folder.
func (p *process) restart() {
	p.t.Helper()
	p.kill()
	p.start()
}

// stop asks the process to end (SIGTERM) and gives its exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.daemon.end(syscall.SIGTERM)
	return p.daemon.process.ExitCode()
}

// object is a JSON object.
type object = map[string]any

// caller is somebody who calls the API.
type caller struct {
	p      *process
	token  string
	apiKey string
}

func (p *process) anybody() *caller { return &caller{p: p} }

func (p *process) as(l login) *caller {
	p.t.Helper()
	var out struct {
		AccessToken string `json:"accessToken"`
	}
	p.anybody().must(http.StatusOK, "POST", "/api/auth/login", object{"email": l.Email, "password": l.Password}, &out)
	return &caller{p: p, token: out.AccessToken}
}

// at gives the caller at a certain process of the installation.
func (c *caller) at(p *daemon) *caller {
	direct := &process{t: c.p.t}
	direct.Demo.BaseURL, direct.Demo.SimURL = p.url(), c.p.Demo.SimURL
	return &caller{p: direct, token: c.token, apiKey: c.apiKey}
}

// do makes a request and returns the status, the headers and the body.
func (c *caller) do(method, path string, body any, headers ...string) (int, http.Header, []byte) {
	c.p.t.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(c.p.t, err)
		in = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	base := c.p.Demo.BaseURL
	if strings.HasPrefix(path, "/sim/") {
		base = strings.TrimSuffix(c.p.Demo.SimURL, "/sim")
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, in)
	require.NoError(c.p.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.apiKey != "" {
		req.Header.Set("X-API-Key", c.apiKey)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	return resp.StatusCode, resp.Header, raw
}

// must makes a request that has to be answered with the status, and reads the JSON answer into out (nil: not wanted).
func (c *caller) must(status int, method, path string, body, out any, headers ...string) {
	c.p.t.Helper()
	got, _, raw := c.do(method, path, body, headers...)
	require.Equal(c.p.t, status, got, "%s %s: %s", method, path, raw)
	if out != nil {
		require.NoError(c.p.t, json.Unmarshal(raw, out), "%s", raw)
	}
}

// get reads a JSON object.
func (c *caller) get(path string) object {
	c.p.t.Helper()
	var out object
	c.must(http.StatusOK, "GET", path, nil, &out)
	return out
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	eventuallyWithin(t, 20*time.Second, what, condition)
}

func eventuallyWithin(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting after %s: %s", limit, what)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// phone is a simulated phone.
type phone struct {
	p      *process
	number string
}

func (p *process) phone(number string) *phone { return &phone{p, number} }

func (ph *phone) path(rest string) string {
	return "/sim/phones/" + url.PathEscape(ph.number) + rest
}

type phoneMessage struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"`
	From      string    `json:"from"`
	Text      string    `json:"text"`
	Timestamp time.Time `json:"timestamp"`
}

// inbox lists the texts that the phone got.
func (ph *phone) inbox() []phoneMessage {
	ph.p.t.Helper()
	var out struct {
		Items []phoneMessage `json:"items"`
	}
	ph.p.anybody().must(http.StatusOK, "GET", ph.path("/messages"), nil, &out)
	var in []phoneMessage
	for _, m := range out.Items {
		if m.Direction == "in" {
			in = append(in, m)
		}
	}
	return in
}

func (ph *phone) write(to, text string) {
	ph.p.t.Helper()
	status, _, raw := ph.p.anybody().do("POST", ph.path("/messages"), object{"to": to, "text": text})
	require.Less(ph.p.t, status, 300, "%s", raw)
}

// ask writes and waits for the answer, which it returns.
func (ph *phone) ask(to, text string) string {
	ph.p.t.Helper()
	before := len(ph.inbox())
	ph.write(to, text)
	return ph.answerAfter(before, text)
}

// answerAfter waits for the answer that comes after the first n messages of the inbox.
func (ph *phone) answerAfter(n int, what string) string {
	ph.p.t.Helper()
	var answer string
	eventually(ph.p.t, "an answer to "+what, func() bool {
		in := ph.inbox()
		if len(in) <= n {
			return false
		}
		answer = in[n].Text
		return true
	})
	return answer
}

// link has the admin start the line and the business's phone scan its QR, and waits until messages can flow.
func link(t *testing.T, admin *caller, business *phone) {
	t.Helper()
	admin.must(http.StatusOK, "POST", "/api/whatsapp/init", nil, nil)
	scan(t, admin, business)
}

// scan has the business's phone scan the QR of a line that was started, and waits until messages can flow.
func scan(t *testing.T, admin *caller, business *phone) {
	t.Helper()
	status, _, raw := admin.p.anybody().do("POST", business.path("/scan"), object{"qr": shownQR(t, admin)})
	require.Less(t, status, 300, "%s", raw)
	eventually(t, "the line connects", func() bool { return admin.get("/api/whatsapp/status")["status"] == "connected" })
}

// shownQR waits for a QR to scan.
func shownQR(t *testing.T, admin *caller) string {
	t.Helper()
	var code struct {
		QR string `json:"qr"`
	}
	eventually(t, "a QR", func() bool {
		status, _, raw := admin.do("GET", "/api/whatsapp/qr", nil, "Accept", "application/json")
		return status == http.StatusOK && json.Unmarshal(raw, &code) == nil && code.QR != ""
	})
	return code.QR
}
