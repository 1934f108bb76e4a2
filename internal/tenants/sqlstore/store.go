// Package sqlstore keeps the businesses in SQL, alike on SQLite, PostgreSQL and MySQL. The table is the one list of all
// tenants, so its key is the tenant's ID alone.
package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/tenants"
)

// Store implements tenants.Store.
type Store struct {
	h     sqlkit.Handle
	log   *outbox.Log
	queue *jobs.Queue
}

var _ tenants.Store = (*Store)(nil)

// New makes the store of a database whose events go to log and whose jobs go to queue.
func New(db *sqlkit.DB, log *outbox.Log, queue *jobs.Queue) *Store {
	return &Store{h: db.Handle(), log: log, queue: queue}
}

// InTx implements tenants.Store.
func (s *Store) InTx(ctx context.Context, fn func(tenants.Store) error) error {
	return s.h.InTx(ctx, func(_ context.Context, h sqlkit.Handle) error { return fn(&Store{h: h, log: s.log, queue: s.queue}) })
}

// Emit implements tenants.Store.
func (s *Store) Emit(ctx context.Context, ev events.Event) error { return s.log.Append(ctx, s.h, ev) }

// Enqueue implements tenants.Store.
func (s *Store) Enqueue(ctx context.Context, job events.Job) error {
	return s.queue.Enqueue(ctx, s.h, job, time.Time{})
}

// EnqueueAt implements tenants.Store.
func (s *Store) EnqueueAt(ctx context.Context, job events.Job, at time.Time) error {
	return s.queue.Enqueue(ctx, s.h, job, at)
}

// ClaimKey implements tenants.Store. The keys are the platform's: super-admins belong to no tenant.
func (s *Store) ClaimKey(ctx context.Context, operation, key, bodyHash, entity string, now time.Time) (string, error) {
	return idempotency.Claim(ctx, s.h, id.Tenant{}, operation, key, bodyHash, entity, now)
}

type tenantRow struct {
	bun.BaseModel   `bun:"table:tenants"`
	ID              id.Tenant `bun:"id,pk"`
	Slug            string    `bun:"slug"`
	Name            string    `bun:"name"`
	Status          string    `bun:"status"`
	Zone            string    `bun:"zone"`
	Language        string    `bun:"language"`
	Country         string    `bun:"country"`
	Address         string    `bun:"address"`
	ReminderOffsets string    `bun:"reminder_offsets"` // JSON list of minutes
	BotEnabled      int64     `bun:"bot_enabled"`
	Greeting        string    `bun:"greeting"`
	FirstAdmin      string    `bun:"first_admin"` // "" until there is one
	CreatedAt       int64     `bun:"created_at"`
	UpdatedAt       int64     `bun:"updated_at"`
}

func rowOf(t tenants.Tenant) (*tenantRow, error) {
	minutes := make([]int64, len(t.Settings.ReminderOffsets))
	for i, d := range t.Settings.ReminderOffsets {
		minutes[i] = int64(d / time.Minute)
	}
	offsets, err := json.Marshal(minutes)
	if err != nil {
		return nil, err
	}
	r := &tenantRow{ID: t.ID, Slug: t.Slug, Name: t.Settings.Name, Status: string(t.Status), Zone: t.Settings.Zone, Language: t.Settings.Language,
		Country: t.Settings.Country, Address: t.Settings.Address, ReminderOffsets: string(offsets), Greeting: t.Settings.Greeting,
		FirstAdmin: t.FirstAdmin.String(), CreatedAt: sqlkit.Micros(t.CreatedAt), UpdatedAt: sqlkit.Micros(t.UpdatedAt)}
	if t.Settings.BotEnabled {
		r.BotEnabled = 1
	}
	return r, nil
}

func (r tenantRow) value() (tenants.Tenant, error) {
	t := tenants.Tenant{ID: r.ID, Slug: r.Slug, Status: tenants.Status(r.Status), CreatedAt: sqlkit.Time(r.CreatedAt), UpdatedAt: sqlkit.Time(r.UpdatedAt),
		Settings: tenants.Settings{Name: r.Name, Zone: r.Zone, Language: r.Language, Country: r.Country, Address: r.Address, BotEnabled: r.BotEnabled != 0,
			Greeting: r.Greeting}}
	if err := t.FirstAdmin.Scan(r.FirstAdmin); err != nil {
		return tenants.Tenant{}, err
	}
	var minutes []int64
	if err := json.Unmarshal([]byte(r.ReminderOffsets), &minutes); err != nil {
		return tenants.Tenant{}, fmt.Errorf("read reminder offsets: %w", err)
	}
	for _, m := range minutes {
		t.Settings.ReminderOffsets = append(t.Settings.ReminderOffsets, time.Duration(m)*time.Minute)
	}
	return t, nil
}

// InsertTenant implements tenants.Store.
func (s *Store) InsertTenant(ctx context.Context, t tenants.Tenant) error {
	r, err := rowOf(t)
	if err != nil {
		return err
	}
	fresh, err := s.h.InsertIfAbsent(ctx, r)
	if err != nil {
		return fmt.Errorf("insert tenant: %w", err)
	}
	if !fresh {
		return tenants.ErrSlugTaken()
	}
	return nil
}

// FindTenant implements tenants.Store.
func (s *Store) FindTenant(ctx context.Context, tenant id.Tenant) (tenants.Tenant, error) {
	var r tenantRow
	err := s.h.Read().NewSelect().Model(&r).Where("id = ?", tenant).Scan(ctx)
	return found(r, err)
}

// LockTenant implements tenants.Store.
func (s *Store) LockTenant(ctx context.Context, tenant id.Tenant) (tenants.Tenant, error) {
	var r tenantRow
	err := s.h.ForUpdate(s.h.Write().NewSelect().Model(&r).Where("id = ?", tenant)).Scan(ctx)
	return found(r, err)
}

// FindTenantBySlug implements tenants.Store.
func (s *Store) FindTenantBySlug(ctx context.Context, slug string) (tenants.Tenant, error) {
	var r tenantRow
	err := s.h.Read().NewSelect().Model(&r).Where("slug = ?", slug).Scan(ctx)
	return found(r, err)
}

func found(r tenantRow, err error) (tenants.Tenant, error) {
	if sqlkit.IsNoRows(err) {
		return tenants.Tenant{}, fault.NotFoundf("tenant")
	}
	if err != nil {
		return tenants.Tenant{}, fmt.Errorf("find tenant: %w", err)
	}
	return r.value()
}

// ListTenants implements tenants.Store.
func (s *Store) ListTenants(ctx context.Context, statuses []tenants.Status, after id.Tenant, limit int) ([]tenants.Tenant, error) {
	var rows []tenantRow
	err := s.h.Read().NewSelect().Model(&rows).Where("status IN (?)", bun.List(statuses)).Where("id > ?", after.String()).Order("id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	out := make([]tenants.Tenant, len(rows))
	for i, r := range rows {
		if out[i], err = r.value(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// UpdateTenant implements tenants.Store.
func (s *Store) UpdateTenant(ctx context.Context, t tenants.Tenant) error {
	r, err := rowOf(t)
	if err != nil {
		return err
	}
	n, err := sqlkit.Affected(s.h.Write().NewUpdate().Model(r).ExcludeColumn("id", "created_at").Where("id = ?", t.ID).Exec(ctx))
	if sqlkit.IsUnique(err) {
		return tenants.ErrSlugTaken()
	}
	if err != nil {
		return fmt.Errorf("update tenant: %w", err)
	}
	if n == 0 {
		return fault.NotFoundf("tenant")
	}
	return nil
}

// DeleteTenant implements tenants.Store.
func (s *Store) DeleteTenant(ctx context.Context, tenant id.Tenant) error {
	if _, err := s.h.Write().NewDelete().Model((*tenantRow)(nil)).Where("id = ?", tenant).Exec(ctx); err != nil {
		return fmt.Errorf("delete tenant: %w", err)
	}
	return nil
}
