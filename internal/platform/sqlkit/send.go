package sqlkit

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

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
// hooks do not see them. Outside of a transaction they go to the reading pool. The error is that of the first that failed; those after it did not run, those before it stand unless the handle
// is a transaction.
func (h Handle) Send(ctx context.Context, statements ...Statement) error {
	return h.send(ctx, statements, false)
}

// SendLast is Send for the last statements of a transaction, with which its COMMIT may travel: nothing can follow on them. In a transaction that this handle has
// joined, and outside of any, it is Send.
func (h Handle) SendLast(ctx context.Context, statements ...Statement) error {
	return h.send(ctx, statements, h.tx != nil && !h.hasJoined)
}

func (h Handle) send(ctx context.Context, statements []Statement, isLast bool) error {
	switch {
	case len(statements) == 0:
		return nil
	case h.Dialect() != Postgres:
		return h.sendEach(ctx, statements)
	case h.tx != nil:
		return sendTogether(ctx, h.tx.conn, h.tx.ctx, statements, isLast)
	}
	conn, err := h.db.read.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	return sendTogether(ctx, conn, ctx, statements, false)
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

// errTxOver is the error of a statement behind the COMMIT of its transaction.
var errTxOver = errors.New("sqlkit: the transaction is committed already")

// sendTogether sends one batch of the extended query protocol. Whatever becomes of it, database/sql hears of no error (or panic): it would close the
// connection at once, and for that wait until the transaction on it ends.
func sendTogether(ctx context.Context, conn *sql.Conn, life context.Context, statements []Statement, isLast bool) error {
	var sent error
	var panicked any
	err := conn.Raw(func(driverConn any) error {
		defer func() { panicked = recover() }()
		pg, ok := driverConn.(*unpreparedConn)
		switch {
		case !ok:
			sent = fmt.Errorf("the postgres driver gave a %T", driverConn)
		case life.Err() != nil: // its transaction was rolled back: each statement would be committed by itself
			sent = sql.ErrTxDone
		default:
			sent = pg.send(ctx, statements, isLast)
		}
		return nil
	})
	if panicked != nil {
		panic(panicked)
	}
	return cmp.Or(sent, err)
}

func (c *unpreparedConn) send(ctx context.Context, statements []Statement, isLast bool) error {
	batch := &pgx.Batch{}
	if c.tx != nil && c.tx.isCommitted {
		return errTxOver
	}
	if c.sent++; c.replanAfter > 0 && c.sent%c.replanAfter == 0 {
		batch.Queue("discard plans")
	}
	if c.tx != nil && !c.tx.isBegun {
		batch.Queue("begin")
		c.tx.isBegun = true // or nobody knows
	}
	for _, s := range statements {
		queued := batch.Queue(s.Text, s.Args...)
		if s.Each != nil {
			queued.Query(func(rows pgx.Rows) error { return eachOf(rows, s.Each) })
		}
	}
	if isLast = isLast && c.tx != nil; isLast {
		batch.Queue("commit").Exec(committed)
	}
	pg := c.Conn.Conn()
	err := sendBatch(ctx, pg, batch)
	if err == nil && isLast {
		c.tx.isCommitted = true
	}
	var refused *pgconn.PgError
	if err != nil && pg.IsClosed() && !errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", driver.ErrBadConn, err)
	}
	return err
}

// sendBatch sends a batch and reads its answers, until ctx ends. pgx itself has a goroutine watch the context of each batch, and leaves it behind when the
// connection breaks under it.
func sendBatch(ctx context.Context, pg *pgx.Conn, batch *pgx.Batch) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = pg.PgConn().Conn().SetDeadline(time.Unix(1, 0)) // what reads or writes fails at once
		close(interrupted)
	})
	defer stop() // after a panic
	err := pg.SendBatch(context.WithoutCancel(ctx), batch).Close()
	if stop() {
		return err
	}
	<-interrupted
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return fmt.Errorf("%w: %v", ctx.Err(), err) //nolint:errorlint // it did not time out by itself
	}
	return errors.Join(err, pg.PgConn().Conn().SetDeadline(time.Time{}))
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
