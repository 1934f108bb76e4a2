package redisconn_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
	"turnero/test/port"
)

const password = "s3cr3t"

func TestAWrongURLIsRefusedWithoutShowingThePassword(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"scheme":         "http://u:" + password + "@127.0.0.1:6379",
		"no scheme":      "127.0.0.1:6379",
		"no host":        "redis://u:" + password + "@",
		"unescaped":      "redis://u:" + password + "/x" + password + "@127.0.0.1:6379",
		"wrong database": "redis://u:" + password + "@127.0.0.1:6379/" + password,
		"unknown option": "redis://127.0.0.1:6379/?" + password + "=" + password,
	} {
		_, err := redisconn.Open(t.Context(), url)
		require.ErrorContains(t, err, "redis: ", name)
		require.NotContains(t, err.Error(), password, name)
	}
}

func TestAServerThatDoesNotAnswerIsNamedByItsAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	start := time.Now()
	_, err = redisconn.Open(t.Context(), "redis://u:"+password+"@"+addr) // it accepts and says nothing
	require.ErrorContains(t, err, addr)
	require.NotContains(t, err.Error(), password)
	require.Less(t, time.Since(start), 3*time.Second)
	require.NoError(t, l.Close())
	_, err = redisconn.Open(t.Context(), "redis://u:"+password+"@"+addr)
	require.ErrorContains(t, err, "connection refused")
}

func TestAWrongPasswordIsSaidAndNotShown(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "right")
	_, err := redisconn.Open(t.Context(), "redis://:"+password+"@"+s.URL()[len("redis://"):])
	require.ErrorContains(t, err, "WRONGPASS")
	require.NotContains(t, err.Error(), password)
	conn, err := redisconn.Open(t.Context(), "redis://:right@"+s.URL()[len("redis://"):])
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func TestAReplicaIsRefused(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--replicaof", "127.0.0.1 1")
	_, err := redisconn.Open(t.Context(), s.URL())
	require.ErrorContains(t, err, "replica")
}

func TestACheckFollowsTheServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	conn := s.Dial()
	require.NoError(t, conn.Check(t.Context()))
	s.Pause()
	start := time.Now()
	require.ErrorContains(t, conn.Check(t.Context()), conn.Addr())
	require.Less(t, time.Since(start), 5*redisconn.Timeout)
	s.Resume()
	s.Kill()
	require.Error(t, conn.Check(t.Context()))
	s.Restart(false)
	require.Eventually(t, func() bool { return conn.Check(context.Background()) == nil }, 5*time.Second, 10*time.Millisecond)
}

func TestEncryptionIsAskedForBySchemeAndCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	web := httptest.NewUnstartedServer(nil) // lends its certificate, which nobody trusts
	web.StartTLS()
	web.Close()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(web.TLS.Certificates[0].PrivateKey)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	tlsPort, err := port.Free()
	require.NoError(t, err)
	addr := "127.0.0.1:" + strconv.Itoa(tlsPort)
	s := redistest.Start(t, "--tls-port", strconv.Itoa(tlsPort), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	_, err = redisconn.Open(t.Context(), "rediss://"+s.URL()[len("redis://"):])
	require.Error(t, err, "that port speaks in clear")
	_, err = redisconn.Open(t.Context(), "rediss://"+addr)
	require.ErrorContains(t, err, "certificate")
	conn, err := redisconn.Open(t.Context(), "rediss://"+addr+"?skip_verify=true")
	require.NoError(t, err)
	require.NoError(t, conn.Check(t.Context()))
	require.NoError(t, conn.Close())
}
