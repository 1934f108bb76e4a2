package sqlkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"
)

// maxAttempts bounds how often a transaction is tried when the database reports a deadlock, a serialization failure or a
// lock that was busy for too long.
const maxAttempts = 5

// Handle is the database, or one transaction of it. Stores hold a Handle, so that the same method works in both.
// The zero value is not useful.
type Handle struct {
	db        *DB
	tx        *txState
	hasJoined bool // the transaction is somebody else's
}

type txState struct {
	bun.Tx
	conn  *sql.Conn       // that it is on; PostgreSQL only
	ctx   context.Context // that ends it early
	after []func()
}

// DB gives the database that the handle belongs to.
func (h Handle) DB() *DB { return h.db }

// Dialect tells the family of the database.
func (h Handle) Dialect() Dialect { return h.db.dialect }

// InsideTx reports whether the handle is a transaction.
func (h Handle) InsideTx() bool { return h.tx != nil }

// Read gives what to query with: the transaction when there is one, else the reading pool.
func (h Handle) Read() bun.IDB {
	if h.tx != nil {
		return h.tx
	}
	return h.db.read
}

// Write gives what to change with: the transaction when there is one, else single statements on the writing pool.
func (h Handle) Write() bun.IDB {
	if h.tx != nil {
		return h.tx
	}
	return h.db.write
}

// AfterCommit has fn run once the transaction is committed, and never if it is not; outside of a transaction it runs at
// once. fn must not block: it is for wake-ups.
func (h Handle) AfterCommit(fn func()) {
	if h.tx == nil {
		fn()
		return
	}
	h.tx.after = append(h.tx.after, fn)
}

// InTx runs fn in one transaction: committed when fn returns nil, rolled back otherwise. Inside of a transaction it joins
// that one. fn runs again, up to 5 times in all, when the database reports a deadlock, a serialization failure or a busy
// lock, so it must have no effect outside of the handle it is given. A commit's own error is returned: nothing is then known to be stored.
func (h Handle) InTx(ctx context.Context, fn func(context.Context, Handle) error) error {
	if h.tx != nil {
		return fn(ctx, Handle{h.db, h.tx, true})
	}
	var err error
	for attempt := range maxAttempts {
		if attempt > 0 {
			wait := time.Duration(1<<attempt)*5*time.Millisecond + rand.N(10*time.Millisecond)
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), err)
			case <-time.After(wait):
			}
		}
		if err = h.once(ctx, fn); !IsRetryable(err) {
			return err
		}
	}
	return fmt.Errorf("transaction gave up after %d attempts: %w", maxAttempts, err)
}

func (h Handle) once(ctx context.Context, fn func(context.Context, Handle) error) error {
	state, err := h.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer state.end()
	if err = fn(ctx, Handle{db: h.db, tx: state}); err != nil {
		return err
	}
	if err = state.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, after := range state.after {
		after()
	}
	return nil
}

func (h Handle) begin(ctx context.Context) (*txState, error) {
	if h.Dialect() != Postgres {
		tx, err := h.db.write.BeginTx(ctx, nil)
		return &txState{Tx: tx, ctx: ctx}, err
	}
	conn, err := h.db.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &txState{Tx: tx, conn: conn.Conn, ctx: ctx}, nil
}

// end rolls back what is not committed and gives the connection back.
func (tx *txState) end() {
	_ = tx.Rollback() // after a commit this does nothing
	if tx.conn != nil {
		_ = tx.conn.Close()
	}
}

// Native is database/sql itself, for statements on a hot path: placeholders are the driver's own ($1 on PostgreSQL, ? elsewhere), values travel
// apart from the text, and on PostgreSQL the text is prepared once per connection. Query hooks do not see it.
type Native interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Native gives the transaction when there is one, else the reading pool.
func (h Handle) Native() Native {
	if h.tx != nil {
		return h.tx.Tx.Tx
	}
	return h.db.read.DB
}
