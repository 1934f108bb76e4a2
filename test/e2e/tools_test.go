package e2e_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// runBinary runs the program to its end and gives its output and exit code.
func runBinary(t *testing.T, args ...string) (string, int) {
	t.Helper()
	out, err := exec.Command(binary, args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	require.NoError(t, err)
	return string(out), 0
}

func TestBackupTakenWhileRunningRestoresIntoAnEmptyFolder(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin := p.as(p.Demo.Tenant.Admin)
	link(t, admin, p.phone(p.Demo.Tenant.Phone))
	archive := filepath.Join(t.TempDir(), "backup.tar.gz")
	out, code := runBinary(t, "backup", archive, "--data", p.data)
	require.Zero(t, code, out)
	require.Contains(t, out, "master key is NOT in it")
	out, code = runBinary(t, "backup", archive, "--data", p.data)
	require.NotZero(t, code, "an archive is never overwritten: %s", out)
	out, code = runBinary(t, "restore", archive, "--data", p.data)
	require.NotZero(t, code, "a folder in use is never overwritten: %s", out)

	withKey := filepath.Join(t.TempDir(), "with-key.tar.gz")
	out, code = runBinary(t, "backup", withKey, "--include-master-key", "--data", p.data)
	require.Zero(t, code, out)
	p.kill()
	fresh := filepath.Join(t.TempDir(), "fresh")
	out, code = runBinary(t, "restore", archive, "--data", fresh)
	require.Zero(t, code, out)
	require.Contains(t, out, "master key is not there")
	out, code = runBinary(t, "serve", "--data", fresh, "--network", "sim", "--listen", "127.0.0.1:0")
	require.NotZero(t, code)
	require.Contains(t, out, "master key")

	whole := filepath.Join(t.TempDir(), "whole")
	out, code = runBinary(t, "restore", withKey, "--data", whole)
	require.Zero(t, code, out)
	out, code = runBinary(t, "doctor", "--data", whole, "--network", "sim", "--listen", "127.0.0.1:0")
	require.Zero(t, code, out)
}

func TestRestoreIsAllOrNothing(t *testing.T) {
	t.Parallel()
	elsewhere := "--database-url=sqlite:" + filepath.Join(t.TempDir(), "shop.db")
	data := filepath.Join(t.TempDir(), "data")
	out, code := runBinary(t, "user", "create", "ana@example.com", "--data", data, elsewhere)
	require.Zero(t, code, out)
	archive := filepath.Join(t.TempDir(), "backup.tar.gz")
	out, code = runBinary(t, "backup", archive, "--include-master-key", "--data", data, elsewhere)
	require.Zero(t, code, out)

	raw, err := os.ReadFile(archive)
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "cut.tar.gz")
	require.NoError(t, os.WriteFile(cut, raw[:len(raw)-12], 0o600))
	fresh := filepath.Join(t.TempDir(), "fresh")
	out, code = runBinary(t, "restore", cut, "--data", fresh)
	require.NotZero(t, code, out)
	files, err := os.ReadDir(fresh)
	require.NoError(t, err)
	require.Len(t, files, 1, "nothing but the lock")

	out, code = runBinary(t, "restore", archive, "--data", fresh)
	require.Zero(t, code, out)
	out, code = runBinary(t, "user", "password", "ana@example.com", "--data", fresh)
	require.Zero(t, code, "the person and the key are there: %s", out)
	for _, name := range []string{"turnero.db", "master.key"} {
		info, err := os.Stat(filepath.Join(fresh, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	require.NoError(t, os.Remove(filepath.Join(fresh, "turnero.db")))
	out, code = runBinary(t, "restore", archive, "--data", fresh)
	require.NotZero(t, code, "a master key is never replaced")
	require.Contains(t, out, "master.key is there already")
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	out, code := runBinary(t, "doctor", "--data", p.data, "--network", "sim", "--listen", p.Demo.BaseURL[len("http://"):])
	require.NotZero(t, code)
	require.Contains(t, out, "port")
	_, code = runBinary(t, "config", "--lissten", "x")
	require.Equal(t, 2, code)
	out, code = runBinary(t, "config", "--master-key", "hunter2hunter2")
	require.Zero(t, code, out)
	require.NotContains(t, out, "hunter2")
}

func TestTheDocumentationIsServed(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	for _, path := range []string{"/", "/docs/", "/openapi.json", "/health", "/ready", "/metrics", "/.well-known/jwks.json"} {
		status, headers, body := p.anybody().do("GET", path, nil)
		require.Equal(t, http.StatusOK, status, path)
		require.NotEmpty(t, body, path)
		require.Equal(t, "nosniff", headers.Get("X-Content-Type-Options"), path)
		require.NotEmpty(t, headers.Get("X-Request-ID"), path)
	}
}

func TestStoppingFinishesRequestsAndEndsStreams(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin := p.as(p.Demo.Tenant.Admin)
	link(t, admin, p.phone(p.Demo.Tenant.Phone))
	customer := p.Demo.Customers[0].Number
	admin.must(http.StatusAccepted, "POST", "/api/chats/"+customer+"/messages", object{"type": "text", "text": "hola"}, nil)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Demo.BaseURL+"/api/events", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+admin.token)
	stream, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer stream.Body.Close()
	require.Equal(t, http.StatusOK, stream.StatusCode)

	// Log-ins are slow on purpose: some are under way when the order to stop comes. Each is answered whole or not taken at all.
	answers := make(chan int, 8)
	for range cap(answers) {
		go func() {
			status, _, _ := p.anybody().do("POST", "/api/auth/login", object{"email": p.Demo.Tenant.Admin.Email, "password": p.Demo.Tenant.Admin.Password})
			answers <- status
		}()
	}
	first := <-answers
	require.Equal(t, http.StatusOK, first)
	require.Zero(t, p.stop(), "it leaves in order:\n%s", p.daemon.logs.String())
	for range cap(answers) - 1 {
		require.Contains(t, []int{0, http.StatusOK}, <-answers)
	}
	_, err = io.Copy(io.Discard, stream.Body)
	require.NoError(t, err, "the stream ends, it is not cut")

	p.start()
	admin = p.as(p.Demo.Tenant.Admin)
	eventually(t, "the line is back", func() bool { return admin.get("/api/whatsapp/status")["status"] == "connected" })
	require.Len(t, p.phone(customer).inbox(), 1, "sent once")
}
