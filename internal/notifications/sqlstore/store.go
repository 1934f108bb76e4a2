// Package sqlstore keeps reminders in the installation's database.
package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/notifications"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

// Store is notifications.Store on SQLite, PostgreSQL and MySQL/MariaDB.
type Store struct {
	h     sqlkit.Handle
	log   *outbox.Log
	queue *jobs.Queue
}

var _ notifications.Store = (*Store)(nil)

// New makes the Store.
func New(db *sqlkit.DB, log *outbox.Log, queue *jobs.Queue) *Store {
	return &Store{db.Handle(), log, queue}
}

type reminderRow struct {
	bun.BaseModel `bun:"table:reminders"`
	TenantID      id.Tenant       `bun:"tenant_id,pk"`
	ID            id.Notification `bun:"id,pk"`
	AppointmentID id.Appointment  `bun:"appointment_id"`
	Channel       string          `bun:"channel"`
	OffsetMinutes int64           `bun:"offset_minutes"`
	StartAt       int64           `bun:"start_at"`
	DueAt         int64           `bun:"due_at"`
	State         string          `bun:"state"`
	Reason        string          `bun:"reason"`
	MessageID     id.Message      `bun:"message_id"`
	WAID          string          `bun:"wa_id"`
	ChatID        id.Chat         `bun:"chat_id"`
	Recipient     string          `bun:"recipient"`
	Name          string          `bun:"name"`
	Service       string          `bun:"service"`
	Staff         string          `bun:"staff"`
	Zone          string          `bun:"zone"`
	AsOf          int64           `bun:"as_of"`
	CreatedAt     int64           `bun:"created_at"`
	UpdatedAt     int64           `bun:"updated_at"`
}

// changing are the columns that a reminder's life may change.
var changing = []string{"state", "reason", "chat_id", "recipient", "name", "service", "staff", "zone", "as_of", "updated_at"}

// InTx implements notifications.Store.
func (s *Store) InTx(ctx context.Context, fn func(notifications.Store) error) error {
	return s.h.InTx(ctx, func(_ context.Context, h sqlkit.Handle) error { return fn(&Store{h, s.log, s.queue}) })
}

// Emit implements notifications.Store.
func (s *Store) Emit(ctx context.Context, ev events.Event) error { return s.log.Append(ctx, s.h, ev) }

// Enqueue implements notifications.Store.
func (s *Store) Enqueue(ctx context.Context, job events.Job, at time.Time) error {
	return s.queue.Enqueue(ctx, s.h, job, at)
}

// ListOfAppointment implements notifications.Store.
func (s *Store) ListOfAppointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) ([]*notifications.Reminder, error) {
	var rows []*reminderRow
	err := s.h.ForUpdate(s.h.Write().NewSelect().Model(&rows).Where("tenant_id = ?", tenant).Where("appointment_id = ?", appointment).Order("id")).Scan(ctx)
	return reminders(rows, err)
}

// List implements notifications.Store.
func (s *Store) List(ctx context.Context, tenant id.Tenant, after notifications.Position, limit int) ([]*notifications.Reminder, error) {
	var rows []*reminderRow
	q := s.h.Read().NewSelect().Model(&rows).Where("tenant_id = ?", tenant)
	if after.ID != "" {
		q = q.Where("(due_at < ? OR due_at = ? AND id < ?)", sqlkit.Micros(after.Due), sqlkit.Micros(after.Due), after.ID)
	}
	return reminders(rows, q.Order("due_at DESC", "id DESC").Limit(int64(limit)).Scan(ctx))
}

func reminders(rows []*reminderRow, err error) ([]*notifications.Reminder, error) {
	if err != nil {
		return nil, fmt.Errorf("list reminders: %w", err)
	}
	out := make([]*notifications.Reminder, len(rows))
	for i, r := range rows {
		out[i] = r.reminder()
	}
	return out, nil
}

// Save implements notifications.Store.
func (s *Store) Save(ctx context.Context, r *notifications.Reminder) error {
	row := &reminderRow{TenantID: r.Tenant, ID: r.ID, AppointmentID: r.Appointment, Channel: r.Channel, OffsetMinutes: int64(r.Offset / time.Minute),
		StartAt: sqlkit.Micros(r.Start), DueAt: sqlkit.Micros(r.Due), State: string(r.State), Reason: r.Reason, MessageID: r.Message, WAID: r.WAID,
		ChatID: r.Chat, Recipient: r.Recipient, Name: r.Name, Service: r.Service, Staff: r.Staff, Zone: r.Zone, AsOf: sqlkit.Micros(r.AsOf),
		CreatedAt: sqlkit.Micros(r.Created), UpdatedAt: sqlkit.Micros(r.Updated)}
	if err := s.h.Upsert(ctx, row, []string{"tenant_id", "id"}, changing); err != nil {
		return fmt.Errorf("save reminder: %w", err)
	}
	return nil
}

func (r *reminderRow) reminder() *notifications.Reminder {
	return &notifications.Reminder{ID: r.ID, Tenant: r.TenantID, Appointment: r.AppointmentID, Channel: r.Channel, Offset: time.Duration(r.OffsetMinutes) * time.Minute,
		Start: sqlkit.Time(r.StartAt), Due: sqlkit.Time(r.DueAt), State: notifications.State(r.State), Reason: r.Reason, Message: r.MessageID, WAID: r.WAID,
		Chat: r.ChatID, Recipient: r.Recipient, Name: r.Name, Service: r.Service, Staff: r.Staff, Zone: r.Zone, AsOf: sqlkit.Time(r.AsOf),
		Created: sqlkit.Time(r.CreatedAt), Updated: sqlkit.Time(r.UpdatedAt)}
}
