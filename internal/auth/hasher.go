package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"turnero/internal/fault"
)

// HashCost says how much work one password hash is: the parameters of argon2id (RFC 9106 section 3.1).
type HashCost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// DefaultHashCost is what OWASP's Password Storage Cheat Sheet asks of argon2id: 19 MiB, two passes, one lane.
func DefaultHashCost() HashCost { return HashCost{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1} }

const (
	saltBytes  = 16
	digestSize = 32
	// maxWaitingHashes bounds who waits for a free slot; whoever comes after them is asked to come back.
	maxWaitingHashes = 64
)

// hasher makes and checks password hashes, only so many at a time: each takes memory and a processor for its whole run.
type hasher struct {
	cost    HashCost
	decoy   string // checked in place of an unknown user's hash
	slots   chan struct{}
	waiting atomic.Int64
	runs    atomic.Int64
}

func newHasher(cost HashCost) *hasher {
	if cost == (HashCost{}) {
		cost = DefaultHashCost()
	}
	return &hasher{
		cost:  cost,
		decoy: encodeHash(cost, randomBytes(saltBytes), randomBytes(digestSize)),
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// hash makes the stored form of a password, in the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$digest.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := randomBytes(saltBytes)
	digest, err := h.run(ctx, password, salt, h.cost, digestSize)
	if err != nil {
		return "", err
	}
	return encodeHash(h.cost, salt, digest), nil
}

// verify reports whether the password is the one of the stored form, and whether that was made with another cost than
// today's and should be made anew. Every call is one run of the hash function, whatever the outcome.
func (h *hasher) verify(ctx context.Context, encoded, password string) (ok, stale bool, err error) {
	cost, salt, want, err := decodeHash(encoded)
	if err != nil {
		return false, false, err
	}
	got, err := h.run(ctx, password, salt, cost, uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, cost != h.cost, nil
}

func (h *hasher) run(ctx context.Context, password string, salt []byte, cost HashCost, size uint32) ([]byte, error) {
	if h.waiting.Add(1) > maxWaitingHashes+int64(cap(h.slots)) {
		h.waiting.Add(-1)
		return nil, fault.New(fault.Unavailable, "busy", "too many people are logging in at this moment; try again").WithRetryAfter(2 * time.Second)
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	h.runs.Add(1)
	return argon2.IDKey([]byte(password), salt, cost.Passes, cost.MemoryKiB, cost.Lanes, size), nil
}

func encodeHash(c HashCost, salt, digest []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Lanes, b64.EncodeToString(salt), b64.EncodeToString(digest))
}

func decodeHash(encoded string) (c HashCost, salt, digest []byte, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, fmt.Errorf("a stored password hash is not of the form that is known")
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, fmt.Errorf("read the cost of a stored password hash: %w", err)
	}
	if c.MemoryKiB > 1<<20 || c.Passes == 0 || c.Passes > 64 || c.Lanes == 0 {
		return c, nil, nil, fmt.Errorf("the cost of a stored password hash is out of bounds: %s", parts[3])
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("read the salt of a stored password hash: %w", err)
	}
	if digest, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(digest) < digestSize {
		return c, nil, nil, fmt.Errorf("a stored password hash is cut short")
	}
	return c, salt, digest, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never returns an error
	return b
}
