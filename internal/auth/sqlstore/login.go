package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type loginRow struct {
	bun.BaseModel `bun:"table:logins"`
	TenantID      string   `bun:"tenant_id,pk"`
	ID            id.Login `bun:"id,pk"`
	UserID        id.User  `bun:"user_id"`
	Address       string   `bun:"address"`
	CreatedAt     int64    `bun:"created_at"`
	ExpiresAt     int64    `bun:"expires_at"`
	RevokedAt     int64    `bun:"revoked_at"`
	RevokedFor    string   `bun:"revoked_for"`
}

func (r loginRow) value() (auth.Login, error) {
	tenant, err := tenantOf(r.TenantID)
	return auth.Login{Tenant: tenant, ID: r.ID, User: r.UserID, Address: r.Address, CreatedAt: sqlkit.Time(r.CreatedAt), ExpiresAt: sqlkit.Time(r.ExpiresAt),
		RevokedAt: sqlkit.Time(r.RevokedAt), RevokedFor: r.RevokedFor}, err
}

type refreshRow struct {
	bun.BaseModel `bun:"table:refresh_tokens"`
	TenantID      string          `bun:"tenant_id,pk"`
	ID            id.RefreshToken `bun:"id,pk"`
	LoginID       id.Login        `bun:"login_id"`
	TokenHash     string          `bun:"token_hash"`
	SuccessorSalt string          `bun:"successor_salt"`
	CreatedAt     int64           `bun:"created_at"`
	ExpiresAt     int64           `bun:"expires_at"`
	RotatedAt     int64           `bun:"rotated_at"`
}

func (r refreshRow) value() (auth.RefreshToken, error) {
	tenant, err := tenantOf(r.TenantID)
	return auth.RefreshToken{Tenant: tenant, ID: r.ID, Login: r.LoginID, Hash: r.TokenHash, Salt: r.SuccessorSalt, CreatedAt: sqlkit.Time(r.CreatedAt),
		ExpiresAt: sqlkit.Time(r.ExpiresAt), RotatedAt: sqlkit.Time(r.RotatedAt)}, err
}

// InsertLogin implements auth.LoginStore.
func (s *Store) InsertLogin(ctx context.Context, l auth.Login) error {
	r := &loginRow{TenantID: l.Tenant.String(), ID: l.ID, UserID: l.User, Address: l.Address, CreatedAt: sqlkit.Micros(l.CreatedAt),
		ExpiresAt: sqlkit.Micros(l.ExpiresAt), RevokedAt: sqlkit.Micros(l.RevokedAt), RevokedFor: l.RevokedFor}
	if _, err := s.h.Write().NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("insert login: %w", err)
	}
	return nil
}

// LockLogin implements auth.LoginStore.
func (s *Store) LockLogin(ctx context.Context, tenant id.Tenant, login id.Login) (auth.Login, error) {
	var r loginRow
	err := s.h.ForUpdate(s.h.Write().NewSelect().Model(&r).Where("tenant_id = ?", tenant.String()).Where("id = ?", login)).Scan(ctx)
	return found(r, err, "login")
}

// ExtendLogin implements auth.LoginStore.
func (s *Store) ExtendLogin(ctx context.Context, tenant id.Tenant, login id.Login, until time.Time) error {
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model((*loginRow)(nil)).Set("expires_at = ?", sqlkit.Micros(until)).
		Where("tenant_id = ?", tenant.String()).Where("id = ?", login).Exec(ctx))
	return one(n, err, "login")
}

// RevokeLogin implements auth.LoginStore.
func (s *Store) RevokeLogin(ctx context.Context, tenant id.Tenant, login id.Login, reason string, now time.Time) error {
	_, err := s.revoke(tenant, reason, now).Where("id = ?", login).Exec(ctx)
	if err != nil {
		return fmt.Errorf("revoke login: %w", err)
	}
	return nil
}

// RevokeLogins implements auth.LoginStore.
func (s *Store) RevokeLogins(ctx context.Context, tenant id.Tenant, user id.User, except id.Login, reason string, now time.Time) error {
	_, err := s.revoke(tenant, reason, now).Where("user_id = ?", user).Where("id <> ?", except.String()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("revoke logins: %w", err)
	}
	return nil
}

func (s *Store) revoke(tenant id.Tenant, reason string, now time.Time) *bun.UpdateQuery {
	return s.h.Write().NewUpdate().Model((*loginRow)(nil)).Set("revoked_at = ?", sqlkit.Micros(now)).Set("revoked_for = ?", reason).
		Where("tenant_id = ?", tenant.String()).Where("revoked_at = 0")
}

// HasLogins implements auth.LoginStore.
func (s *Store) HasLogins(ctx context.Context, tenant id.Tenant) (bool, error) {
	ok, err := s.h.Read().NewSelect().Model((*loginRow)(nil)).Where("tenant_id = ?", tenant.String()).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for logins: %w", err)
	}
	return ok, nil
}

// FindStanding implements auth.LoginStore.
func (s *Store) FindStanding(ctx context.Context, tenant id.Tenant, login id.Login, user id.User) (auth.Standing, error) {
	var role string
	var active, revoked int64
	err := s.h.Read().NewSelect().TableExpr("logins AS l").ColumnExpr("u.role, u.active, l.revoked_at").
		Join("JOIN users AS u ON u.tenant_id = l.tenant_id AND u.id = l.user_id").
		Where("l.tenant_id = ?", tenant.String()).Where("l.id = ?", login).Where("l.user_id = ?", user).
		Scan(ctx, &role, &active, &revoked)
	if sqlkit.IsNoRows(err) {
		return auth.Standing{}, fault.NotFoundf("login")
	}
	if err != nil {
		return auth.Standing{}, fmt.Errorf("find standing of login: %w", err)
	}
	return auth.Standing{Role: id.Role(role), Active: active != 0, RevokedAt: sqlkit.Time(revoked)}, nil
}

// InsertRefreshToken implements auth.LoginStore.
func (s *Store) InsertRefreshToken(ctx context.Context, t auth.RefreshToken) error {
	r := &refreshRow{TenantID: t.Tenant.String(), ID: t.ID, LoginID: t.Login, TokenHash: t.Hash, SuccessorSalt: t.Salt, CreatedAt: sqlkit.Micros(t.CreatedAt),
		ExpiresAt: sqlkit.Micros(t.ExpiresAt), RotatedAt: sqlkit.Micros(t.RotatedAt)}
	if _, err := s.h.Write().NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("insert refresh token: %w", err)
	}
	return nil
}

// FindRefreshTokenByHash implements auth.LoginStore.
func (s *Store) FindRefreshTokenByHash(ctx context.Context, hash string) (auth.RefreshToken, error) {
	var r refreshRow
	err := s.h.Read().NewSelect().Model(&r).Where("token_hash = ?", hash).Scan(ctx)
	return found(r, err, "refresh token")
}

// RotateRefreshToken implements auth.LoginStore.
func (s *Store) RotateRefreshToken(ctx context.Context, tenant id.Tenant, token id.RefreshToken, salt string, now time.Time) error {
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model((*refreshRow)(nil)).Set("rotated_at = ?", sqlkit.Micros(now)).Set("successor_salt = ?", salt).
		Where("tenant_id = ?", tenant.String()).Where("id = ?", token).Where("rotated_at = 0").Exec(ctx))
	return one(n, err, "refresh token")
}

// DeleteExpiredLogins implements auth.LoginStore. It is for all tenants at once.
func (s *Store) DeleteExpiredLogins(ctx context.Context, before time.Time) error {
	if _, err := s.h.Write().NewDelete().Model((*refreshRow)(nil)).Where("expires_at < ?", sqlkit.Micros(before)).Exec(ctx); err != nil {
		return fmt.Errorf("delete expired refresh tokens: %w", err)
	}
	if _, err := s.h.Write().NewDelete().Model((*loginRow)(nil)).Where("expires_at < ?", sqlkit.Micros(before)).Exec(ctx); err != nil {
		return fmt.Errorf("delete expired logins: %w", err)
	}
	return nil
}
