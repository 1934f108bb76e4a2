// Package sqlstore keeps what auth knows in SQL, alike on SQLite, PostgreSQL and MySQL.
//
// Rows of a tenant carry its ID in tenant_id; those of the platform (super-admins and what belongs to them) carry the empty
// text there. Every statement names the tenant but those that look up an e-mail address or the hash of a credential, which
// are unique in the installation and are what a tenant is told by.
package sqlstore

import (
	"context"
	"fmt"
	"time"

	"turnero/internal/auth"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

// Store implements auth.Store.
type Store struct {
	h   sqlkit.Handle
	log *outbox.Log
}

var _ auth.Store = (*Store)(nil)

// New makes the store of a database whose events go to log.
func New(db *sqlkit.DB, log *outbox.Log) *Store { return &Store{h: db.Handle(), log: log} }

// InTx implements auth.Store.
func (s *Store) InTx(ctx context.Context, fn func(auth.Store) error) error {
	return s.h.InTx(ctx, func(_ context.Context, h sqlkit.Handle) error { return fn(&Store{h: h, log: s.log}) })
}

// Emit implements auth.Store.
func (s *Store) Emit(ctx context.Context, ev events.Event) error { return s.log.Append(ctx, s.h, ev) }

// ClaimKey implements auth.Store.
func (s *Store) ClaimKey(ctx context.Context, tenant id.Tenant, operation, key, bodyHash, entity string, now time.Time) (string, error) {
	return idempotency.Claim(ctx, s.h, tenant, operation, key, bodyHash, entity, now)
}

// found turns the outcome of a query for one row into a value, or the fault that there is none.
func found[R interface{ value() (V, error) }, V any](row R, err error, thing string) (V, error) {
	var none V
	if sqlkit.IsNoRows(err) {
		return none, fault.NotFoundf(thing)
	}
	if err != nil {
		return none, fmt.Errorf("find %s: %w", thing, err)
	}
	return row.value()
}

// listed turns rows into values.
func listed[R interface{ value() (V, error) }, V any](rows []R, err error, thing string) ([]V, error) {
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", thing, err)
	}
	out := make([]V, len(rows))
	for i, r := range rows {
		if out[i], err = r.value(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// one checks that a change met the row that it was meant for.
func one(n int64, err error, thing string) error {
	if err != nil {
		return fmt.Errorf("change %s: %w", thing, err)
	}
	if n == 0 {
		return fault.NotFoundf(thing)
	}
	return nil
}

// tenantOf reads a stored tenant: the empty text is the platform itself.
func tenantOf(stored string) (id.Tenant, error) {
	if stored == "" {
		return id.Tenant{}, nil
	}
	return id.ParseTenant(stored)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
