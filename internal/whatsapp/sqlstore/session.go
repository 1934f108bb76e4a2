package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:whatsapp_sessions,alias:s"`
	TenantID      id.Tenant  `bun:"tenant_id,pk"`
	ID            id.Session `bun:"id,pk"`
	Name          string     `bun:"name"`
	Status        string     `bun:"status"`
	Reason        string     `bun:"reason"`
	Since         int64      `bun:"since"`
	Until         int64      `bun:"until"`
	Locked        int64      `bun:"locked"`
	Number        string     `bun:"number"`
	LID           string     `bun:"lid"`
	PushName      string     `bun:"push_name"`
	IsLinked      int64      `bun:"is_linked"`
	IsPaused      int64      `bun:"is_paused"`
	DownSince     int64      `bun:"down_since"`
	IsAlerted     int64      `bun:"is_alerted"`
	Fence         int64      `bun:"fence"`
	Owner         string     `bun:"owner"`
	CreatedAt     int64      `bun:"created_at"`
}

func toSessionRow(s whatsapp.Session) *sessionRow {
	return &sessionRow{TenantID: s.Tenant, ID: s.Session, Name: s.Name, Status: string(s.Status), Reason: s.Reason,
		Since: sqlkit.Micros(s.Since), Until: sqlkit.Micros(s.Until), Locked: sqlkit.Micros(s.Locked),
		Number: s.Identity.Contact.Number.String(), LID: s.Identity.Contact.LID.String(), PushName: s.Identity.PushName,
		IsLinked: toInt(s.IsLinked), IsPaused: toInt(s.IsPaused), DownSince: sqlkit.Micros(s.DownSince), IsAlerted: toInt(s.IsAlerted),
		Fence: s.Fence, Owner: s.Owner, CreatedAt: sqlkit.Micros(s.CreatedAt)}
}

func (r *sessionRow) session() whatsapp.Session {
	return whatsapp.Session{Ref: whatsapp.Ref{Tenant: r.TenantID, Session: r.ID}, Name: r.Name, Status: whatsapp.Status(r.Status), Reason: r.Reason,
		Since: sqlkit.Time(r.Since), Until: sqlkit.Time(r.Until), Locked: sqlkit.Time(r.Locked),
		Identity: whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: address(r.Number), LID: address(r.LID)}, PushName: r.PushName},
		IsLinked: r.IsLinked == 1, IsPaused: r.IsPaused == 1, DownSince: sqlkit.Time(r.DownSince), IsAlerted: r.IsAlerted == 1,
		Fence: r.Fence, Owner: r.Owner, CreatedAt: sqlkit.Time(r.CreatedAt)}
}

// AddSession implements whatsapp.Store.
func (s *Store) AddSession(ctx context.Context, v whatsapp.Session) (bool, error) {
	return s.insert(ctx, "session", toSessionRow(v))
}

// FindSession implements whatsapp.Store.
func (s *Store) FindSession(ctx context.Context, ref whatsapp.Ref) (whatsapp.Session, error) {
	return s.session(ctx, ref, false)
}

// LockSession implements whatsapp.Store.
func (s *Store) LockSession(ctx context.Context, ref whatsapp.Ref) (whatsapp.Session, error) {
	return s.session(ctx, ref, true)
}

func (s *Store) session(ctx context.Context, ref whatsapp.Ref, isLocked bool) (whatsapp.Session, error) {
	var r sessionRow
	q := s.h.Read().NewSelect().Model(&r).Where("s.tenant_id = ?", ref.Tenant).Where("s.id = ?", ref.Session)
	if isLocked {
		q = s.lock(q, "s")
	}
	if err := found("session", q.Scan(ctx)); err != nil {
		return whatsapp.Session{}, err
	}
	return r.session(), nil
}

// SaveSession implements whatsapp.Store.
func (s *Store) SaveSession(ctx context.Context, v whatsapp.Session) error {
	return mustMatch("session")(s.h.Write().NewUpdate().Model(toSessionRow(v)).ExcludeColumn("tenant_id", "id", "created_at").
		Where("tenant_id = ?", v.Tenant).Where("id = ?", v.Session).Exec(ctx))
}

// ListSessions implements whatsapp.Store.
func (s *Store) ListSessions(ctx context.Context, tenant id.Tenant) ([]whatsapp.Session, error) {
	var rows []sessionRow
	err := s.h.Read().NewSelect().Model(&rows).Where("s.tenant_id = ?", tenant).Order("s.created_at", "s.id").Limit(1000).Scan(ctx)
	return sessions(rows, err)
}

// ListSessionsToCarry implements whatsapp.Store.
func (s *Store) ListSessionsToCarry(ctx context.Context) ([]whatsapp.Session, error) {
	var rows []sessionRow
	err := s.h.Read().NewSelect().Model(&rows).
		Where("s.is_linked = 1 OR s.down_since > 0 OR s.status IN (?)", bun.List([]whatsapp.Status{whatsapp.StatusConnecting, whatsapp.StatusQR, whatsapp.StatusPairing})).
		Order("s.tenant_id", "s.id").Scan(ctx)
	return sessions(rows, err)
}

func sessions(rows []sessionRow, err error) ([]whatsapp.Session, error) {
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out := make([]whatsapp.Session, len(rows))
	for i := range rows {
		out[i] = rows[i].session()
	}
	return out, nil
}
