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

// keyring holds the keys in force. The first one is made when it is first needed.
type keyring struct {
	store  Store
	sealer Sealer
	now    func() time.Time

	mu        sync.Mutex
	keys      []SigningKey // newest first
	signer    ed25519.PrivateKey
	signerKID string
	readAt    time.Time
}

// current gives the key that signs.
func (r *keyring) current(ctx context.Context) (string, ed25519.PrivateKey, error) {
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
func (r *keyring) FindKey(ctx context.Context, kid string) (ed25519.PublicKey, error) {
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
func (r *keyring) list(ctx context.Context) ([]SigningKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, keyringAge); err != nil {
		return nil, err
	}
	return slices.Clone(inForce(r.keys, r.now())), nil
}

// refresh reads the keys anew when what is held is older than age, making the first one when there is none.
func (r *keyring) refresh(ctx context.Context, age time.Duration) error {
	now := r.now()
	if len(r.keys) > 0 && now.Sub(r.readAt) < age {
		return nil
	}
	keys, err := r.store.ListSigningKeys(ctx, mostKeys)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	if len(keys) == 0 {
		if _, err = r.add(ctx, r.store, 1); err != nil {
			return err
		}
		if keys, err = r.store.ListSigningKeys(ctx, mostKeys); err != nil {
			return fmt.Errorf("read signing keys: %w", err)
		}
	}
	r.keys, r.readAt = keys, now
	return nil
}

// add makes and stores a key of the generation; when another process was faster, its key stays.
func (r *keyring) add(ctx context.Context, st Store, generation int64) (string, error) {
	seed := randomBytes(ed25519.SeedSize)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	kid := thumbprint(public)
	sealed, err := r.sealer.Seal(ctx, id.Tenant{}, sealPlace(kid), seed)
	if err != nil {
		return "", fmt.Errorf("seal signing key: %w", err)
	}
	_, err = st.InsertSigningKey(ctx, SigningKey{Generation: generation, KID: kid, PublicKey: public, SealedSeed: sealed, CreatedAt: r.now()})
	if err != nil {
		return "", fmt.Errorf("store signing key: %w", err)
	}
	return kid, nil
}

// forget has the keys read anew when they are next needed.
func (r *keyring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = nil
}

// RotateSigningKey makes a new key, which signs three minutes later, when everybody who verifies has it. Tokens signed with
// the key before go on to be valid until they expire; soon after the last has, that key is in force no more.
func (s *Service) RotateSigningKey(ctx context.Context) error {
	keys, err := s.tokens.ring.list(ctx)
	if err != nil {
		return err
	}
	kid, err := s.tokens.ring.add(ctx, s.store, keys[0].Generation+1)
	if err != nil {
		return err
	}
	s.tokens.ring.forget()
	return s.record(ctx, s.store, Caller{}, id.Tenant{}, ActSigningKeyRotated, kid, nil)
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
