package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// Store keeps the module's data in an SQL database. It is the database, or one transaction of it.
type Store struct {
	h         sqlkit.Handle
	log       *outbox.Log
	batch     *batch
	turns     *turns
	queues    *groupcommit.Reader[whatsapp.Ref, queue]
	committer *groupcommit.Committer // nil: changes are not grouped
}

var _ whatsapp.Store = (*Store)(nil)

// New makes the Store of a database whose schema is in place.
func New(db *sqlkit.DB, log *outbox.Log) *Store {
	return &Store{h: db.Handle(), log: log, batch: &batch{log}, turns: &turns{log}, queues: groupcommit.NewReader(func(ctx context.Context, sessions []whatsapp.Ref) ([]queue, error) {
		return readQueues(ctx, db, sessions)
	})}
}

// on gives the store in a transaction.
func (s *Store) on(h sqlkit.Handle) *Store {
	in := *s
	in.h = h
	return &in
}

// errRaced says that another transaction took the address that this one wanted to write; run again, it finds the other's row.
var errRaced = errors.New("sqlstore: somebody else took the address")

// mostRaces bounds how often a transaction is run again after errRaced.
const mostRaces = 5

// InTx implements whatsapp.Store.
func (s *Store) InTx(ctx context.Context, fn func(whatsapp.Store) error) error {
	return s.again(func() error {
		return s.h.InTx(ctx, func(_ context.Context, h sqlkit.Handle) error { return fn(s.on(h)) })
	})
}

// InTerm implements whatsapp.Store. The session's row stays locked against a change of fence, not against other writes of the same term.
func (s *Store) InTerm(ctx context.Context, t whatsapp.Term, fn func(whatsapp.Store) error) error {
	return s.again(func() error {
		return s.h.InTx(ctx, func(_ context.Context, h sqlkit.Handle) error {
			if err := checkFence(ctx, h, t); err != nil {
				return err
			}
			return fn(s.on(h))
		})
	})
}

// again runs a transaction until it does not race, unless it is part of another.
func (s *Store) again(run func() error) error {
	err := run()
	for i := 1; i < mostRaces && !s.h.InsideTx() && errors.Is(err, errRaced); i++ {
		err = run()
	}
	return err
}

func checkFence(ctx context.Context, h sqlkit.Handle, t whatsapp.Term) error {
	var fence int64
	share := map[sqlkit.Dialect]string{sqlkit.Postgres: " FOR SHARE", sqlkit.MySQL: " LOCK IN SHARE MODE"}[h.Dialect()]
	err := h.Read().NewRaw("SELECT fence FROM whatsapp_sessions WHERE tenant_id = ? AND id = ?"+share, t.Tenant, t.Session).Scan(ctx, &fence)
	if sqlkit.IsNoRows(err) || err == nil && fence != t.Fence {
		return whatsapp.ErrStaleFence
	}
	if err != nil {
		return fmt.Errorf("read fence: %w", err)
	}
	return nil
}

// Emit implements whatsapp.Store.
func (s *Store) Emit(ctx context.Context, ev events.Event) error { return s.log.Append(ctx, s.h, ev) }

// ClaimKey implements whatsapp.Store.
func (s *Store) ClaimKey(ctx context.Context, tenant id.Tenant, operation, key, bodyHash, entity string, now time.Time) (string, error) {
	return idempotency.Claim(ctx, s.h, tenant, operation, key, bodyHash, entity, now)
}

// lock keeps the selected rows of the table called alias from others until the end of the transaction. PostgreSQL must be told the
// table, since it locks no row that an outer join may lack.
func (s *Store) lock(q *bun.SelectQuery, alias string) *bun.SelectQuery {
	if s.h.Dialect() == sqlkit.Postgres {
		return q.For("UPDATE OF ?", bun.Ident(alias))
	}
	return s.h.ForUpdate(q)
}

// insert adds a row unless a unique key has it.
func (s *Store) insert(ctx context.Context, what string, row any) (bool, error) {
	added, err := s.h.InsertIfAbsent(ctx, row)
	if err != nil {
		return false, fmt.Errorf("add %s: %w", what, err)
	}
	return added, nil
}

// mustMatch turns the outcome of an update of one row into an error when there was none.
func mustMatch(what string) func(interface{ RowsAffected() (int64, error) }, error) error {
	return func(res interface{ RowsAffected() (int64, error) }, err error) error {
		n, err := sqlkit.Affected(res, err)
		if sqlkit.IsUnique(err) {
			return fmt.Errorf("save %s: %w: %w", what, errRaced, err)
		}
		if err != nil {
			return fmt.Errorf("save %s: %w", what, err)
		}
		if n == 0 {
			return fault.NotFoundf(what)
		}
		return nil
	}
}

// found turns the outcome of a query for one row into NotFound when there was none.
func found(what string, err error) error {
	if sqlkit.IsNoRows(err) {
		return fault.NotFoundf(what)
	}
	if err != nil {
		return fmt.Errorf("find %s: %w", what, err)
	}
	return nil
}

// prefixed lists columns of the table called alias under names with a prefix, for a row struct that embeds several tables.
func prefixed(alias, prefix string, columns ...string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = fmt.Sprintf("%s.%s AS %s%s", alias, c, prefix, c)
	}
	return strings.Join(out, ", ")
}

func toInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// address reads a stored WhatsApp ID; what is not one (a merged chat's key) is the zero value.
func address(text string) whatsapp.Address {
	a, err := whatsapp.ParseAddress(text)
	if err != nil {
		return whatsapp.Address{}
	}
	return a
}
