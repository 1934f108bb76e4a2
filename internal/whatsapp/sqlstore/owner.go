package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// ownerRow is a process that keeps its sessions without the locks.
type ownerRow struct {
	bun.BaseModel `bun:"table:whatsapp_owners,alias:o"`
	ID            string `bun:"id,pk"`
	HeldUntil     int64  `bun:"held_until"` // by the database's clock
}

// keepLapsed is how long the row of a process that is gone may lie around.
const keepLapsed = 24 * time.Hour

// HoldOn implements whatsapp.Store. A row that has lapsed stays so until LetGo: somebody may have seen it, and taken a session.
func (s *Store) HoldOn(ctx context.Context, process string, d time.Duration) (held bool, err error) {
	end := s.h.Clock() + bun.Safe(fmt.Sprintf(" + %d", d.Microseconds()))
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model((*ownerRow)(nil)).Set("held_until = ?", end).
		Where("id = ?", process).Where("held_until > ?", s.h.Clock()).Exec(ctx))
	if err == nil && n == 0 {
		q := s.h.Write().NewInsert().Model(&ownerRow{ID: process}).Value("held_until", "?", end)
		if s.h.Dialect() == sqlkit.MySQL {
			q = q.Ignore()
		} else {
			q = q.On("CONFLICT DO NOTHING")
		}
		n, err = sqlkit.Affected(q.Exec(ctx))
	}
	if err != nil {
		return false, fmt.Errorf("hold on to sessions: %w", err)
	}
	return n > 0, nil
}

// LetGo implements whatsapp.Store.
func (s *Store) LetGo(ctx context.Context, process string) error {
	_, err := s.h.Write().NewDelete().Model((*ownerRow)(nil)).
		Where("id = ? OR held_until < ? - ?", process, s.h.Clock(), keepLapsed.Microseconds()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("let go of sessions: %w", err)
	}
	return nil
}

// IsHolding implements whatsapp.Store.
func (s *Store) IsHolding(ctx context.Context, process string) (bool, error) {
	ok, err := s.h.Read().NewSelect().Model((*ownerRow)(nil)).Where("id = ?", process).Where("held_until > ?", s.h.Clock()).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look who holds on to sessions: %w", err)
	}
	return ok, nil
}

// ListWithQueue implements whatsapp.Store.
func (s *Store) ListWithQueue(ctx context.Context) ([]whatsapp.Ref, error) {
	var rows []struct {
		TenantID  id.Tenant  `bun:"tenant_id"`
		SessionID id.Session `bun:"session_id"`
	}
	err := s.h.Read().NewSelect().Table("whatsapp_messages").Distinct().Column("tenant_id", "session_id").Where("is_queued = 1").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list sessions with queued messages: %w", err)
	}
	out := make([]whatsapp.Ref, len(rows))
	for i, r := range rows {
		out[i] = whatsapp.Ref{Tenant: r.TenantID, Session: r.SessionID}
	}
	return out, nil
}
