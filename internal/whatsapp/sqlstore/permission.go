package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

type permissionRow struct {
	bun.BaseModel `bun:"table:whatsapp_chat_permissions,alias:g"`
	TenantID      id.Tenant `bun:"tenant_id,pk"`
	ChatID        id.Chat   `bun:"chat_id,pk"`
	UserID        id.User   `bun:"user_id,pk"`
	GrantedBy     string    `bun:"granted_by"`
	GrantedAt     int64     `bun:"granted_at"`
}

// Grant implements whatsapp.Store. A permission that exists stays as it is.
func (s *Store) Grant(ctx context.Context, p whatsapp.Permission) error {
	_, err := s.insert(ctx, "permission", &permissionRow{TenantID: p.Tenant, ChatID: p.Chat, UserID: p.User, GrantedBy: p.GrantedBy, GrantedAt: sqlkit.Micros(p.GrantedAt)})
	return err
}

// Revoke implements whatsapp.Store.
func (s *Store) Revoke(ctx context.Context, tenant id.Tenant, chat id.Chat, user id.User) error {
	_, err := s.h.Write().NewDelete().Model((*permissionRow)(nil)).Where("tenant_id = ?", tenant).Where("chat_id = ?", chat).Where("user_id = ?", user).Exec(ctx)
	if err != nil {
		return fmt.Errorf("revoke permission: %w", err)
	}
	return nil
}

// IsGranted implements whatsapp.Store.
func (s *Store) IsGranted(ctx context.Context, tenant id.Tenant, chat id.Chat, user id.User) (bool, error) {
	ok, err := s.h.Read().NewSelect().Model((*permissionRow)(nil)).Where("g.tenant_id = ?", tenant).Where("g.chat_id = ?", chat).Where("g.user_id = ?", user).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("find permission: %w", err)
	}
	return ok, nil
}

// ListPermissions implements whatsapp.Store.
func (s *Store) ListPermissions(ctx context.Context, tenant id.Tenant, chat id.Chat) ([]whatsapp.Permission, error) {
	var rows []permissionRow
	err := s.h.Read().NewSelect().Model(&rows).Where("g.tenant_id = ?", tenant).Where("g.chat_id = ?", chat).Order("g.granted_at", "g.user_id").Limit(1000).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list permissions: %w", err)
	}
	out := make([]whatsapp.Permission, len(rows))
	for i, r := range rows {
		out[i] = whatsapp.Permission{Tenant: r.TenantID, Chat: r.ChatID, User: r.UserID, GrantedBy: r.GrantedBy, GrantedAt: sqlkit.Time(r.GrantedAt)}
	}
	return out, nil
}
