package sqlkit

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Statement is one statement of a Send. Placeholders are the driver's own: $1 on PostgreSQL, ? elsewhere.
type Statement struct {
	Text string
	Args []any
	// Each is called with every row of the answer. Nil: the statement gives none.
	Each func(row Row) error
}

// Row is one row of an answer.
type Row interface{ Scan(into ...any) error }

// Send runs the statements in their order. On PostgreSQL they travel together, in one round trip, and each is prepared once per connection; query
// hooks do not see them. The error is that of the first that failed; those after it did not run, those before it stand unless the handle
// is a transaction.
func (h Handle) Send(ctx context.Context, statements ...Statement) error {
	switch {
	case len(statements) == 0:
		return nil
	case h.Dialect() != Postgres:
		return h.sendEach(ctx, statements)
	case h.tx != nil:
		return sendTogether(ctx, h.tx.conn, h.tx.ctx, statements)
	}
	conn, err := h.db.read.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	return sendTogether(ctx, conn, ctx, statements)
}

func (h Handle) sendEach(ctx context.Context, statements []Statement) error {
	native := h.Native()
	for _, s := range statements {
		if s.Each == nil {
			if _, err := native.ExecContext(ctx, s.Text, s.Args...); err != nil {
				return err
			}
			continue
		}
		rows, err := native.QueryContext(ctx, s.Text, s.Args...)
		if err != nil {
			return err
		}
		if err = eachFound(rows, s.Each); err != nil {
			return err
		}
	}
	return nil
}

// sendTogether sends one batch of the extended query protocol. Whatever becomes of it, database/sql hears of no error (or panic): it would close the
// connection at once, and for that wait until the transaction on it ends.
func sendTogether(ctx context.Context, conn *sql.Conn, life context.Context, statements []Statement) error {
	var sent error
	var panicked any
	err := conn.Raw(func(driverConn any) error {
		defer func() { panicked = recover() }()
		pg, ok := driverConn.(*unpreparedConn)
		if !ok {
			sent = fmt.Errorf("the postgres driver gave a %T", driverConn)
			return nil
		}
		if life.Err() != nil { // its transaction was rolled back: each statement would be committed by itself
			sent = sql.ErrTxDone
			return nil
		}
		batch := &pgx.Batch{}
		for _, s := range statements {
			queued := batch.Queue(s.Text, s.Args...)
			if s.Each != nil {
				queued.Query(func(rows pgx.Rows) error { return eachOf(rows, s.Each) })
			}
		}
		sent = pg.Conn.Conn().SendBatch(ctx, batch).Close()
		var refused *pgconn.PgError
		if sent != nil && pg.Conn.Conn().IsClosed() && !errors.As(sent, &refused) {
			sent = fmt.Errorf("%w: %w", driver.ErrBadConn, sent)
		}
		return nil
	})
	if panicked != nil {
		panic(panicked)
	}
	return cmp.Or(sent, err)
}

func eachOf(rows pgx.Rows, each func(Row) error) error {
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return nil // the batch tells what failed
}

func eachFound(rows *sql.Rows, each func(Row) error) error {
	defer rows.Close() //nolint:errcheck // what matters is rows.Err
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
