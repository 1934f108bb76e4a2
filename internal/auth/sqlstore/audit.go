package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type auditRow struct {
	bun.BaseModel `bun:"table:audit_log"`
	TenantID      string        `bun:"tenant_id,pk"`
	ID            id.AuditEntry `bun:"id,pk"`
	At            int64         `bun:"at"`
	Actor         string        `bun:"actor"`
	Action        string        `bun:"action"`
	Target        string        `bun:"target"`
	Address       string        `bun:"address"`
	RequestID     string        `bun:"request_id"`
	Detail        string        `bun:"detail"` // JSON object of texts
}

func (r auditRow) value() (auth.AuditEntry, error) {
	tenant, err := tenantOf(r.TenantID)
	if err != nil {
		return auth.AuditEntry{}, err
	}
	e := auth.AuditEntry{Tenant: tenant, ID: r.ID, At: sqlkit.Time(r.At), Actor: r.Actor, Action: r.Action, Target: r.Target, Address: r.Address, RequestID: r.RequestID}
	if err = json.Unmarshal([]byte(r.Detail), &e.Detail); err != nil {
		return auth.AuditEntry{}, fmt.Errorf("read detail of audit entry: %w", err)
	}
	return e, nil
}

// InsertAudit implements auth.AuditStore.
func (s *Store) InsertAudit(ctx context.Context, e auth.AuditEntry) error {
	detail := []byte("{}")
	if len(e.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(e.Detail); err != nil {
			return err
		}
	}
	_, err := s.h.InsertIfAbsent(ctx, &auditRow{TenantID: e.Tenant.String(), ID: e.ID, At: sqlkit.Micros(e.At), Actor: e.Actor, Action: e.Action,
		Target: e.Target, Address: e.Address, RequestID: e.RequestID, Detail: string(detail)})
	if err != nil {
		return fmt.Errorf("insert audit entry: %w", err)
	}
	return nil
}

// ListAudit implements auth.AuditStore.
func (s *Store) ListAudit(ctx context.Context, q auth.AuditQuery) ([]auth.AuditEntry, error) {
	var rows []auditRow
	sel := s.h.Read().NewSelect().Model(&rows).Order("at DESC", "id DESC").Limit(int64(q.Limit))
	if !q.Everyone {
		sel = sel.Where("tenant_id = ?", q.Tenant.String())
	}
	if q.Action != "" {
		sel = sel.Where("action = ?", q.Action)
	}
	if after := q.After; after.At != 0 {
		sel = sel.Where("at <= ?", after.At).Where("(at < ? OR id < ?)", after.At, after.ID.String())
	}
	err := sel.Scan(ctx)
	return listed(rows, err, "audit log")
}
