package client

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"turnero/internal/auth"
	"turnero/internal/fault"
)

const (
	// keysAge is how often the keys are read anew. A new key is published for longer than that before it signs.
	keysAge = time.Minute
	// keysRetry is how soon they are read again for a key that is not among them: whoever makes up IDs of keys costs no more.
	keysRetry = 5 * time.Second
	// keysPause is the same while nobody answers.
	keysPause    = 200 * time.Millisecond
	keysLimit    = 2 * time.Second // for one reading
	maxKeysBytes = 64 << 10
	keysPath     = "/.well-known/jwks.json"
)

// KeySet holds the keys that auth publishes (RFC 7517, RFC 8037). Those it has read it goes on to use while nobody answers.
type KeySet struct {
	addresses []string
	http      *http.Client
	now       func() time.Time
	logger    *slog.Logger

	turn chan struct{} // held by whoever reads the keys

	mu     sync.RWMutex
	keys   map[string]ed25519.PublicKey
	readAt time.Time
	failed time.Time
}

var _ auth.KeySource = (*KeySet)(nil)

// NewKeySet makes the set of the keys that the processes at the addresses ("http://host:port") publish.
func NewKeySet(addresses []string, now func() time.Time, logger *slog.Logger) *KeySet {
	return &KeySet{addresses: addresses, http: &http.Client{Timeout: keysLimit, Transport: &http.Transport{DisableCompression: true, IdleConnTimeout: 2 * keysAge}},
		now: now, logger: logger, turn: make(chan struct{}, 1)}
}

// FindKey implements auth.KeySource.
func (k *KeySet) FindKey(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	if key, _ := k.known(kid); key != nil {
		return key, nil
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-k.turn }()
	key, state := k.known(kid)
	switch {
	case key != nil || state == justRead:
		return key, nil
	case state == justFailed:
		return nil, unavailable(nil)
	}
	if err := k.read(ctx); err != nil {
		return nil, err
	}
	key, _ = k.known(kid)
	return key, nil
}

// The states of a set that lacks a key: it may be read again, or that was just tried.
const (
	mayRead = iota
	justRead
	justFailed
)

func (k *KeySet) known(kid string) (ed25519.PublicKey, int) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	now := k.now()
	switch {
	case now.Sub(k.failed) < keysPause:
		return k.keys[kid], justFailed
	case now.Sub(k.readAt) < keysRetry:
		return k.keys[kid], justRead
	}
	return k.keys[kid], mayRead
}

// Run keeps the keys fresh until ctx ends.
func (k *KeySet) Run(ctx context.Context) error {
	defer k.http.CloseIdleConnections()
	for wait, failed := time.Duration(0), false; ; {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		err := k.refresh(ctx)
		switch {
		case err == nil:
			wait, failed = keysAge, false
			continue
		case !failed && ctx.Err() == nil:
			k.logger.WarnContext(ctx, "the published keys cannot be read; those known stay in use", "error", err.Error())
			wait, failed = keysPause/2, true
		}
		wait = min(2*wait, keysAge)
	}
}

func (k *KeySet) refresh(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
		return k.read(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read takes the keys from the first address that gives them. The caller has the turn.
func (k *KeySet) read(ctx context.Context) error {
	var errs []error
	for _, address := range k.addresses {
		keys, err := k.fetch(ctx, address)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.keys, k.readAt = keys, k.now()
		return nil
	}
	if ctx.Err() == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.failed = k.now()
	}
	return unavailable(errors.Join(errs...))
}

func (k *KeySet) fetch(ctx context.Context, address string) (map[string]ed25519.PublicKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+keysPath, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxKeysBytes))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s%s answers with status %d", address, keysPath, resp.StatusCode)
	}
	return parseKeys(raw)
}

// parseKeys takes the Ed25519 signing keys out of a set; keys of other sorts are for others (RFC 7517 section 5).
func parseKeys(raw []byte) (map[string]ed25519.PublicKey, error) {
	var set struct {
		Keys []struct{ Kty, Crv, X, Kid, Use string }
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("read key set: %w", err)
	}
	out := map[string]ed25519.PublicKey{}
	for _, key := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(key.X)
		if err == nil && len(x) == ed25519.PublicKeySize && key.Kty == "OKP" && key.Crv == "Ed25519" && key.Use == "sig" && key.Kid != "" {
			out[key.Kid] = x
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the key set holds no key that verifies tokens")
	}
	return out, nil
}

func unavailable(cause error) error {
	return fault.New(fault.Unavailable, "target_unavailable", "the service behind this operation does not answer; try again").WithRetryAfter(2 * time.Second).WithCause(cause)
}
