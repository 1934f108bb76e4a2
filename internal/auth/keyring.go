package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"turnero/internal/id"
)

const (
	// keyringAge is how long a process uses the keys it has read before it looks whether another has made a new one.
	keyringAge = time.Minute
	// keyringRetry is how soon it looks again for a key that it does not know.
	keyringRetry = 5 * time.Second
	// publishAhead is how long a new key is published before it signs. By then every process that verifies has it: within
	// keyringAge of the store where keys are published, and within another minute of where they are read (RFC 7517 sets).
	publishAhead = 3 * time.Minute
	// retireAfter is how long a key verifies after the next one was made: until that one signs, and then as long as the last
	// token lives, with a minute for clocks that differ.
	retireAfter = publishAhead + AccessLifetime + time.Minute
	// mostKeys bounds how many generations are looked at.
	mostKeys = 16
)

// SigningKey is one generation of the key that signs access tokens (Ed25519, RFC 8032), its seed sealed.
type SigningKey struct {
	Generation int64  // 1, 2, …
	KID        string // RFC 7638 thumbprint of the public key
	PublicKey  ed25519.PublicKey
	SealedSeed string
	CreatedAt  time.Time
}

// Keyring holds the installation's signing keys as its database has them. The first one is made when it is first needed;
// Rotate makes the others, in whatever process. It is safe for concurrent use.
type Keyring struct {
	store  Store
	sealer Sealer
	now    func() time.Time

	mu        sync.Mutex
	keys      []SigningKey // newest first
	signer    ed25519.PrivateKey
	signerKID string
	readAt    time.Time
}

var _ KeySource = (*Keyring)(nil)

// NewKeyring makes the keyring of a database.
func NewKeyring(store Store, sealer Sealer, now func() time.Time) *Keyring {
	return &Keyring{store: store, sealer: sealer, now: exact(now)}
}

// exact gives the time as exact as it is stored.
func exact(now func() time.Time) func() time.Time {
	return func() time.Time { return now().UTC().Truncate(time.Microsecond) }
}

// current gives the key that signs.
func (r *Keyring) current(ctx context.Context) (string, ed25519.PrivateKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, keyringAge); err != nil {
		return "", nil, err
	}
	key := signing(r.keys, r.now())
	if r.signer == nil || r.signerKID != key.KID {
		seed, err := r.sealer.Open(ctx, id.Tenant{}, sealPlace(key.KID), key.SealedSeed)
		if err != nil {
			return "", nil, fmt.Errorf("open signing key: %w", err)
		}
		if len(seed) != ed25519.SeedSize {
			return "", nil, fmt.Errorf("the signing key %s has %d bytes instead of %d", key.KID, len(seed), ed25519.SeedSize)
		}
		r.signer, r.signerKID = ed25519.NewKeyFromSeed(seed), key.KID
	}
	return r.signerKID, r.signer, nil
}

// signing picks the key that signs: the newest that has been published for long enough, or else the oldest.
func signing(keys []SigningKey, now time.Time) SigningKey {
	for _, k := range keys {
		if now.Sub(k.CreatedAt) >= publishAhead {
			return k
		}
	}
	return keys[len(keys)-1]
}

// inForce gives the keys that verify, newest first.
func inForce(keys []SigningKey, now time.Time) []SigningKey {
	for i := range keys {
		if i > 0 && now.Sub(keys[i-1].CreatedAt) >= retireAfter {
			return keys[:i]
		}
	}
	return keys
}

// FindKey gives the public key with the ID, or nil when none in force has it.
func (r *Keyring) FindKey(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, age := range []time.Duration{keyringAge, keyringRetry} {
		if err := r.refresh(ctx, age); err != nil {
			return nil, err
		}
		for _, k := range inForce(r.keys, r.now()) {
			if k.KID == kid {
				return k.PublicKey, nil
			}
		}
	}
	return nil, nil
}

// list gives the keys in force, newest first.
func (r *Keyring) list(ctx context.Context) ([]SigningKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, keyringAge); err != nil {
		return nil, err
	}
	return slices.Clone(inForce(r.keys, r.now())), nil
}

// refresh reads the keys anew when what is held is older than age, making the first one when there is none.
func (r *Keyring) refresh(ctx context.Context, age time.Duration) error {
	now := r.now()
	if len(r.keys) > 0 && now.Sub(r.readAt) < age {
		return nil
	}
	keys, err := r.store.ListSigningKeys(ctx, mostKeys)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	if len(keys) == 0 {
		if keys, err = r.first(ctx); err != nil {
			return err
		}
	}
	r.keys, r.readAt = keys, now
	return nil
}

// first makes the first key, unless another process was faster.
func (r *Keyring) first(ctx context.Context) ([]SigningKey, error) {
	key, err := r.generate(ctx, 1)
	if err != nil {
		return nil, err
	}
	if _, err = r.store.InsertSigningKey(ctx, key); err != nil {
		return nil, fmt.Errorf("store signing key: %w", err)
	}
	keys, err := r.store.ListSigningKeys(ctx, mostKeys)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	return keys, nil
}

// generate makes a key that is not stored yet.
func (r *Keyring) generate(ctx context.Context, generation int64) (SigningKey, error) {
	seed := randomBytes(ed25519.SeedSize)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	kid := thumbprint(public)
	sealed, err := r.sealer.Seal(ctx, id.Tenant{}, sealPlace(kid), seed)
	if err != nil {
		return SigningKey{}, fmt.Errorf("seal signing key: %w", err)
	}
	return SigningKey{Generation: generation, KID: kid, PublicKey: public, SealedSeed: sealed, CreatedAt: r.now()}, nil
}

// JWK is a public key as RFC 8037 section 2 writes it.
type JWK struct{ KID, X string }

// PublicKeys lists the public keys that verify access tokens, newest first.
func (s *Service) PublicKeys(ctx context.Context) ([]JWK, error) {
	keys, err := s.tokens.ring.list(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]JWK, len(keys))
	for i, k := range keys {
		out[i] = JWK{KID: k.KID, X: base64.RawURLEncoding.EncodeToString(k.PublicKey)}
	}
	return out, nil
}

func sealPlace(kid string) string { return "signing_keys:" + kid }

// thumbprint names a public key after its content (RFC 7638 section 3; members of an OKP key by RFC 8037 section 2).
func thumbprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
