package sqlstore

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/auth"
	"turnero/internal/platform/sqlkit"
)

// signingKeyRow belongs to the installation: it has no tenant.
type signingKeyRow struct {
	bun.BaseModel `bun:"table:signing_keys"`
	Generation    int64  `bun:"generation,pk"`
	KID           string `bun:"kid"`
	PublicKey     string `bun:"public_key"` // base64url without padding
	SealedSeed    string `bun:"sealed_seed"`
	CreatedAt     int64  `bun:"created_at"`
}

func (r signingKeyRow) value() (auth.SigningKey, error) {
	public, err := base64.RawURLEncoding.DecodeString(r.PublicKey)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return auth.SigningKey{}, fmt.Errorf("the public key of generation %d cannot be read", r.Generation)
	}
	return auth.SigningKey{Generation: r.Generation, KID: r.KID, PublicKey: public, SealedSeed: r.SealedSeed, CreatedAt: sqlkit.Time(r.CreatedAt)}, nil
}

// ListSigningKeys implements auth.SigningKeyStore.
func (s *Store) ListSigningKeys(ctx context.Context, limit int) ([]auth.SigningKey, error) {
	var rows []signingKeyRow
	err := s.h.Read().NewSelect().Model(&rows).Order("generation DESC").Limit(int64(limit)).Scan(ctx)
	return listed(rows, err, "signing keys")
}

// InsertSigningKey implements auth.SigningKeyStore.
func (s *Store) InsertSigningKey(ctx context.Context, k auth.SigningKey) (bool, error) {
	fresh, err := s.h.InsertIfAbsent(ctx, &signingKeyRow{Generation: k.Generation, KID: k.KID, PublicKey: base64.RawURLEncoding.EncodeToString(k.PublicKey),
		SealedSeed: k.SealedSeed, CreatedAt: sqlkit.Micros(k.CreatedAt)})
	if err != nil {
		return false, fmt.Errorf("insert signing key: %w", err)
	}
	return fresh, nil
}
