package e2e_test

import (
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
)

// published lists the IDs of the keys that a process publishes.
func (c *caller) published() []string {
	c.p.t.Helper()
	var set struct {
		Keys []struct{ Kid string }
	}
	c.must(http.StatusOK, "GET", "/.well-known/jwks.json", nil, &set)
	out := make([]string, len(set.Keys))
	for i, k := range set.Keys {
		out[i] = k.Kid
	}
	return out
}

// signer names the key that signed the caller's token.
func (c *caller) signer() string {
	c.p.t.Helper()
	read, _, err := jwt.NewParser().ParseUnverified(c.token, jwt.MapClaims{})
	require.NoError(c.p.t, err)
	return read.Header["kid"].(string)
}

// rotateTheKey makes a new signing key by the command, while all processes run. admin has a token of the
// key before, and is the owner.
func rotateTheKey(t *testing.T, s *split, admin *caller, owner login) {
	t.Helper()
	services := s.anybody().at(s.services)
	require.Equal(t, []string{admin.signer()}, services.published())
	out, code := runBinary(t, "keys", "rotate", "--data", t.TempDir(), "--database-url", s.database, "--master-key", hex.EncodeToString(s.master[:]))
	require.Zero(t, code, out)
	require.Contains(t, out, admin.signer())
	// Nobody waits here until the key may sign: it is as if it had been made four minutes ago, so that some may meet it before they have read it.
	db, err := sqlkit.Open(t.Context(), s.database, 1)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.SQL().ExecContext(t.Context(), "UPDATE signing_keys SET created_at = created_at - 240000000 WHERE generation = 2")
	require.NoError(t, err)

	eventuallyWithin(t, 70*time.Second, "a running process takes up the new key", func() bool { return len(services.published()) == 2 })
	fresh := s.as(owner)
	require.NotEqual(t, admin.signer(), fresh.signer())
	require.Contains(t, services.published(), fresh.signer())
	for p, path := range map[*daemon]string{s.gateway: "/api/chats", s.whatsapp: "/api/chats", s.services: "/api/appointments"} {
		eventually(t, p.name+" believes a token of the new key", func() bool { status, _ := fresh.at(p).reason("GET", path); return status == http.StatusOK })
		admin.at(p).must(http.StatusOK, "GET", path, nil, nil)
	}
}
