package redisconn_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
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

func TestEncryptionIsAskedForByScheme(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	_, err := redisconn.Open(t.Context(), "rediss://"+s.URL()[len("redis://"):])
	require.Error(t, err, "the server speaks in clear")
}
