package auth

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
)

var quick = HashCost{MemoryKiB: 64, Passes: 1, Lanes: 1}

func TestAHashTellsItsCostAndMatchesItsPasswordOnly(t *testing.T) {
	t.Parallel()
	h := newHasher(quick)
	encoded, err := h.hash(t.Context(), "correcto")
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, encoded)
	again, err := h.hash(t.Context(), "correcto")
	require.NoError(t, err)
	require.NotEqual(t, encoded, again)
	for password, want := range map[string]bool{"correcto": true, "incorrecto": false, "": false, "correcto ": false} {
		ok, stale, err := h.verify(t.Context(), encoded, password)
		require.NoError(t, err)
		require.Equal(t, want, ok, password)
		require.False(t, stale)
	}
	_, stale, err := newHasher(HashCost{MemoryKiB: 128, Passes: 1, Lanes: 1}).verify(t.Context(), encoded, "correcto")
	require.NoError(t, err)
	require.True(t, stale)
}

// The expected text was made with the reference implementation's command line: the same parameters give the same digest.
func TestHashesOfOtherProgramsAreRead(t *testing.T) {
	t.Parallel()
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, stale, err := newHasher(quick).verify(t.Context(), reference, "password")
	require.NoError(t, err)
	require.True(t, ok)
	require.True(t, stale)
}

func TestStoredTextThatIsNoHashIsAnError(t *testing.T) {
	t.Parallel()
	h := newHasher(quick)
	good, err := h.hash(t.Context(), "x")
	require.NoError(t, err)
	for _, bad := range []string{"", "plain", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "m=64", "m=x", 1),
		strings.Replace(good, "m=64", "m=4000000000", 1), strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-20], good + "$x", good + "!"} {
		_, _, err := h.verify(t.Context(), bad, "x")
		require.Error(t, err, bad)
	}
	require.Equal(t, int64(1), h.runs.Load())
}

func TestHashesWaitForAFreeSlotButNotWithoutEnd(t *testing.T) {
	t.Parallel()
	h := newHasher(quick)
	for range cap(h.slots) {
		h.slots <- struct{}{} // all slots are taken
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	for range maxWaitingHashes + cap(h.slots) {
		go func() {
			_, err := h.hash(ctx, "x")
			waiting <- err
		}()
	}
	require.Eventually(t, func() bool { return h.waiting.Load() == int64(maxWaitingHashes+cap(h.slots)) }, 5*time.Second, time.Millisecond)
	_, err := h.hash(t.Context(), "x")
	require.True(t, fault.HasReason(err, "busy"), err)
	cancel()
	for range maxWaitingHashes + cap(h.slots) {
		require.ErrorIs(t, <-waiting, context.Canceled)
	}
	require.Zero(t, h.runs.Load())
	<-h.slots
	_, err = h.hash(t.Context(), "x")
	require.NoError(t, err)
	require.Zero(t, h.waiting.Load())
}

func TestTheDecoyMatchesNothing(t *testing.T) {
	t.Parallel()
	h := newHasher(quick)
	ok, stale, err := h.verify(t.Context(), h.decoy, "")
	require.NoError(t, err)
	require.False(t, ok)
	require.False(t, stale)
}
