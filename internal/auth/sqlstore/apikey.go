package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type apiKeyRow struct {
	bun.BaseModel `bun:"table:api_keys"`
	TenantID      string    `bun:"tenant_id,pk"`
	ID            id.APIKey `bun:"id,pk"`
	Name          string    `bun:"name"`
	Hint          string    `bun:"hint"`
	KeyHash       string    `bun:"key_hash"`
	Scopes        string    `bun:"scopes"` // JSON list
	CreatedBy     string    `bun:"created_by"`
	CreatedAt     int64     `bun:"created_at"`
	ExpiresAt     int64     `bun:"expires_at"`
	LastUsedAt    int64     `bun:"last_used_at"`
	RevokedAt     int64     `bun:"revoked_at"`
}

func (r apiKeyRow) value() (auth.APIKey, error) {
	tenant, err := tenantOf(r.TenantID)
	if err != nil {
		return auth.APIKey{}, err
	}
	k := auth.APIKey{Tenant: tenant, ID: r.ID, Name: r.Name, Hint: r.Hint, Hash: r.KeyHash, CreatedBy: r.CreatedBy, CreatedAt: sqlkit.Time(r.CreatedAt),
		ExpiresAt: sqlkit.Time(r.ExpiresAt), LastUsedAt: sqlkit.Time(r.LastUsedAt), RevokedAt: sqlkit.Time(r.RevokedAt)}
	if err = json.Unmarshal([]byte(r.Scopes), &k.Scopes); err != nil {
		return auth.APIKey{}, fmt.Errorf("read scopes of api key: %w", err)
	}
	return k, nil
}

// InsertAPIKey implements auth.APIKeyStore.
func (s *Store) InsertAPIKey(ctx context.Context, k auth.APIKey) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return err
	}
	r := &apiKeyRow{TenantID: k.Tenant.String(), ID: k.ID, Name: k.Name, Hint: k.Hint, KeyHash: k.Hash, Scopes: string(scopes), CreatedBy: k.CreatedBy,
		CreatedAt: sqlkit.Micros(k.CreatedAt), ExpiresAt: sqlkit.Micros(k.ExpiresAt), LastUsedAt: sqlkit.Micros(k.LastUsedAt), RevokedAt: sqlkit.Micros(k.RevokedAt)}
	if _, err = s.h.Write().NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("insert api key: %w", err)
	}
	return nil
}

// FindAPIKey implements auth.APIKeyStore.
func (s *Store) FindAPIKey(ctx context.Context, tenant id.Tenant, key id.APIKey) (auth.APIKey, error) {
	var r apiKeyRow
	err := s.h.Read().NewSelect().Model(&r).Where("tenant_id = ?", tenant.String()).Where("id = ?", key).Scan(ctx)
	return found(r, err, "API key")
}

// FindAPIKeyByHash implements auth.APIKeyStore.
func (s *Store) FindAPIKeyByHash(ctx context.Context, hash string) (auth.APIKey, error) {
	var r apiKeyRow
	err := s.h.Read().NewSelect().Model(&r).Where("key_hash = ?", hash).Scan(ctx)
	return found(r, err, "API key")
}

// ListAPIKeys implements auth.APIKeyStore.
func (s *Store) ListAPIKeys(ctx context.Context, tenant id.Tenant, after id.APIKey, limit int) ([]auth.APIKey, error) {
	var rows []apiKeyRow
	err := s.h.Read().NewSelect().Model(&rows).Where("tenant_id = ?", tenant.String()).Where("id > ?", after.String()).Order("id").Limit(int64(limit)).Scan(ctx)
	return listed(rows, err, "API keys")
}

// RevokeAPIKey implements auth.APIKeyStore.
func (s *Store) RevokeAPIKey(ctx context.Context, tenant id.Tenant, key id.APIKey, now time.Time) (bool, error) {
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model((*apiKeyRow)(nil)).Set("revoked_at = ?", sqlkit.Micros(now)).
		Where("tenant_id = ?", tenant.String()).Where("id = ?", key).Where("revoked_at = 0").Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("revoke api key: %w", err)
	}
	return n > 0, nil
}

// TouchAPIKey implements auth.APIKeyStore.
func (s *Store) TouchAPIKey(ctx context.Context, tenant id.Tenant, key id.APIKey, now, notSince time.Time) error {
	_, err := s.h.Write().NewUpdate().Model((*apiKeyRow)(nil)).Set("last_used_at = ?", sqlkit.Micros(now)).
		Where("tenant_id = ?", tenant.String()).Where("id = ?", key).Where("last_used_at <= ?", sqlkit.Micros(notSince)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("record use of api key: %w", err)
	}
	return nil
}
