// Package sqlstore keeps the set-up, customers, appointments and holds of every business in the installation's database,
// on SQLite, PostgreSQL and MySQL/MariaDB alike.
//
// What a booking must not find changed is locked in one table of its own: a row for each staff member. What occupies time is
// read from an index that holds all of it, so that neither notes nor names of bookings are ever touched by a search.
package sqlstore

import (
	"context"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"turnero/internal/appointments"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

// Store is appointments.Store on SQLite, PostgreSQL and MySQL/MariaDB.
type Store struct {
	h     sqlkit.Handle
	log   *outbox.Log
	queue *jobs.Queue
}

var _ appointments.Store = (*Store)(nil)

// New makes the Store.
func New(db *sqlkit.DB, log *outbox.Log, queue *jobs.Queue) *Store {
	return &Store{h: db.Handle(), log: log, queue: queue}
}

// InTx implements appointments.Store.
func (s *Store) InTx(ctx context.Context, fn func(appointments.Store) error) error {
	return s.inTx(ctx, func(_ context.Context, tx *Store) error { return fn(tx) })
}

func (s *Store) inTx(ctx context.Context, fn func(context.Context, *Store) error) error {
	return s.h.InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		return fn(ctx, &Store{h: h, log: s.log, queue: s.queue})
	})
}

// Emit implements appointments.Store.
func (s *Store) Emit(ctx context.Context, ev events.Event) error { return s.log.Append(ctx, s.h, ev) }

// Enqueue implements appointments.Store.
func (s *Store) Enqueue(ctx context.Context, job events.Job) error {
	return s.queue.Enqueue(ctx, s.h, job, time.Time{})
}

// EnqueueAt implements appointments.Store.
func (s *Store) EnqueueAt(ctx context.Context, job events.Job, at time.Time) error {
	return s.queue.Enqueue(ctx, s.h, job, at)
}

// ClaimKey implements appointments.Store.
func (s *Store) ClaimKey(ctx context.Context, tenant id.Tenant, operation string, key appointments.Idempotency, entity string, now time.Time) (string, error) {
	return idempotency.Claim(ctx, s.h, tenant, operation, key.Key, key.BodyHash, entity, now)
}

// found turns the outcome of a change of one row by key into a fault when there is no such row.
func found(thing string, n int64, err error) error {
	if err == nil && n == 0 {
		return fault.NotFoundf(thing)
	}
	return err
}

// foldText gives the form in which texts are searched: lower case without accents.
func foldText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// clip bounds a text to what a short column takes, in characters.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
