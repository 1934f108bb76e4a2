package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// rotate makes a new signing key by another process's hand.
func (b *bundle) rotate() error {
	return auth.NewKeyring(b.store, sealer{}, b.clock.now).Rotate(context.Background())
}

// kidOf names the key that signed the session's access token.
func kidOf(t *testing.T, s auth.Session) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(s.AccessToken, jwt.MapClaims{})
	require.NoError(t, err)
	return parsed.Header["kid"].(string)
}

func TestSigningKeysRotateWithoutLoggingAnybodyOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	other := b.another()
	verifies := func(s auth.Session, why string) {
		t.Helper()
		for _, svc := range []*auth.Service{b.Service, other} {
			_, err := svc.Verifier().Verify(t.Context(), "Bearer "+s.AccessToken)
			require.NoError(t, err, why)
		}
	}
	first := b.login(t, "ana@example.com")
	verifies(first, "the key that one process made serves all")
	keys, err := b.PublicKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, keys, 1)

	require.NoError(t, b.rotate())
	b.clock.advance(time.Minute)
	rotated, err := b.PublicKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, rotated, 2, "published within a minute")
	require.Equal(t, keys[0], rotated[1])
	require.Equal(t, keys[0].KID, kidOf(t, b.login(t, "ana@example.com")), "and not used before everybody has it")

	b.clock.advance(2 * time.Minute)
	last, err := b.Refresh(t.Context(), from, first.RefreshToken)
	require.NoError(t, err)
	require.Equal(t, rotated[0].KID, kidOf(t, last))
	verifies(last, "the other process has read the keys since")
	verifies(first, "made with the key before")

	for range 2 {
		require.NoError(t, b.rotate())
	}
	verifies(first, "rotating often ends nobody's token")
	verifies(last, "rotating often ends nobody's token")
	b.clock.advance(time.Minute)
	published, err := other.PublicKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, published, 4)
	b.clock.advance(15 * time.Minute)
	published, err = other.PublicKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, published, 1, "keys whose last token has expired are not in force")
	require.NotContains(t, published, keys[0])
	require.Contains(t, b.acts(t, id.Tenant{}), "signing_key.rotated")
}

func TestTheTermsOfSigningKeysAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	ring := auth.NewKeyring(b.store, sealer{}, b.clock.now)
	terms := func() []auth.KeyTerm {
		t.Helper()
		out, err := ring.Terms(t.Context())
		require.NoError(t, err)
		return out
	}
	require.Empty(t, terms(), "none has been needed")
	b.login(t, "ana@example.com")
	began := b.clock.now()
	require.Equal(t, []auth.KeyTerm{{KID: terms()[0].KID, MadeAt: began, SignsFrom: began}}, terms())

	b.clock.advance(time.Hour)
	require.NoError(t, b.rotate())
	made := b.clock.now()
	both := terms()
	require.Len(t, both, 2)
	require.Equal(t, auth.KeyTerm{KID: both[0].KID, MadeAt: made, SignsFrom: both[1].SignsUntil}, both[0])
	require.Equal(t, began, both[1].SignsFrom)

	b.clock.advance(both[0].SignsFrom.Sub(made) - time.Microsecond)
	last := b.login(t, "ana@example.com")
	require.Equal(t, both[1].KID, kidOf(t, last))
	b.clock.advance(time.Microsecond)
	require.Equal(t, both[0].KID, kidOf(t, b.login(t, "ana@example.com")))
	b.clock.advance(auth.AccessLifetime - 2*time.Second) // a token counts in whole seconds
	_, err := b.Verifier().Verify(t.Context(), "Bearer "+last.AccessToken)
	require.NoError(t, err, "the last token of the key before is valid for as long as any other")
	b.clock.advance(both[1].VerifiesUntil.Sub(b.clock.now()))
	require.Equal(t, both[0].KID, terms()[0].KID)
	require.Len(t, terms(), 1)
}

func TestNoKeyWhoseTokensLiveIsForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	s := b.login(t, "ana@example.com")
	var err error
	rotations := 0
	for ; err == nil; rotations++ {
		require.Less(t, rotations, 100)
		err = b.rotate()
	}
	require.True(t, fault.HasReason(err, "too_many_signing_keys"), err)
	require.Greater(t, rotations, 10)
	_, err = b.another().Verifier().Verify(t.Context(), "Bearer "+s.AccessToken)
	require.NoError(t, err)
	b.clock.advance(15 * time.Minute)
	require.NoError(t, b.rotate(), "the keys before have had their time")
}

func TestOfTwoWhoRotateAtOnceOneDoes(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		const many = 4
		errs := make(chan error, many)
		start := make(chan struct{})
		for range many {
			go func() { <-start; errs <- b.rotate() }()
		}
		close(start)
		done := 0
		for range many {
			if err := <-errs; err == nil {
				done++
			} else {
				require.True(t, fault.HasReason(err, "signing_key_rotated"), err)
			}
		}
		require.Positive(t, done)
		keys, err := b.store.ListSigningKeys(t.Context(), 16)
		require.NoError(t, err)
		require.Len(t, keys, done)
		require.Len(t, b.acts(t, id.Tenant{}), done, "only what was done is in the audit log")
	})
}
