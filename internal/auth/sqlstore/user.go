package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type userRow struct {
	bun.BaseModel     `bun:"table:users"`
	TenantID          string  `bun:"tenant_id,pk"`
	ID                id.User `bun:"id,pk"`
	Email             string  `bun:"email"`
	Name              string  `bun:"name"`
	Role              string  `bun:"role"`
	PasswordHash      string  `bun:"password_hash"`
	PasswordTemporary int64   `bun:"password_temporary"`
	Active            int64   `bun:"active"`
	CreatedAt         int64   `bun:"created_at"`
	UpdatedAt         int64   `bun:"updated_at"`
}

func userRowOf(u auth.User) *userRow {
	return &userRow{TenantID: u.Tenant.String(), ID: u.ID, Email: string(u.Email), Name: u.Name, Role: string(u.Role), PasswordHash: u.PasswordHash,
		PasswordTemporary: flag(u.Temporary), Active: flag(u.Active), CreatedAt: sqlkit.Micros(u.CreatedAt), UpdatedAt: sqlkit.Micros(u.UpdatedAt)}
}

func (r userRow) value() (auth.User, error) {
	tenant, err := tenantOf(r.TenantID)
	return auth.User{Tenant: tenant, ID: r.ID, Email: auth.Email(r.Email), Name: r.Name, Role: id.Role(r.Role), PasswordHash: r.PasswordHash,
		Temporary: r.PasswordTemporary != 0, Active: r.Active != 0, CreatedAt: sqlkit.Time(r.CreatedAt), UpdatedAt: sqlkit.Time(r.UpdatedAt)}, err
}

// InsertUser implements auth.UserStore.
func (s *Store) InsertUser(ctx context.Context, u auth.User) error {
	fresh, err := s.h.InsertIfAbsent(ctx, userRowOf(u))
	if err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	if !fresh {
		return auth.ErrEmailTaken()
	}
	return nil
}

// FindUser implements auth.UserStore.
func (s *Store) FindUser(ctx context.Context, tenant id.Tenant, user id.User) (auth.User, error) {
	var r userRow
	err := s.h.Read().NewSelect().Model(&r).Where("tenant_id = ?", tenant.String()).Where("id = ?", user).Scan(ctx)
	return found(r, err, "user")
}

// FindUserByEmail implements auth.UserStore.
func (s *Store) FindUserByEmail(ctx context.Context, email auth.Email) (auth.User, error) {
	var r userRow
	err := s.h.Read().NewSelect().Model(&r).Where("email = ?", string(email)).Scan(ctx)
	return found(r, err, "user")
}

// LockUser implements auth.UserStore.
func (s *Store) LockUser(ctx context.Context, tenant id.Tenant, user id.User) (auth.User, error) {
	var r userRow
	err := s.h.ForUpdate(s.h.Write().NewSelect().Model(&r).Where("tenant_id = ?", tenant.String()).Where("id = ?", user)).Scan(ctx)
	return found(r, err, "user")
}

// LockActiveAdmins implements auth.UserStore.
func (s *Store) LockActiveAdmins(ctx context.Context, tenant id.Tenant) ([]auth.User, error) {
	var rows []userRow
	q := s.h.Write().NewSelect().Model(&rows).Where("tenant_id = ?", tenant.String()).Where("role = ?", string(id.Admin)).Where("active = 1").Order("id")
	err := s.h.ForUpdate(q).Scan(ctx)
	return listed(rows, err, "admins")
}

// ListUsers implements auth.UserStore.
func (s *Store) ListUsers(ctx context.Context, tenant id.Tenant, after id.User, limit int) ([]auth.User, error) {
	var rows []userRow
	err := s.h.Read().NewSelect().Model(&rows).Where("tenant_id = ?", tenant.String()).Where("id > ?", after.String()).Order("id").Limit(int64(limit)).Scan(ctx)
	return listed(rows, err, "users")
}

// UpdateUser implements auth.UserStore.
func (s *Store) UpdateUser(ctx context.Context, u auth.User) error {
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model(userRowOf(u)).
		Column("name", "role", "password_hash", "password_temporary", "active", "updated_at").
		Where("tenant_id = ?", u.Tenant.String()).Where("id = ?", u.ID).Exec(ctx))
	return one(n, err, "user")
}

// DeleteUsers implements auth.UserStore.
func (s *Store) DeleteUsers(ctx context.Context, tenant id.Tenant) error {
	_, err := s.h.Write().NewDelete().Model((*userRow)(nil)).Where("tenant_id = ?", tenant.String()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete users: %w", err)
	}
	return nil
}
