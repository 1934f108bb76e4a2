package sqlkit

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// lazyTx is a transaction on PostgreSQL whose BEGIN travels with its first statements and whose COMMIT may travel with its last ones, so that a short
// one takes two round trips less. Only one goroutine at a time may use it, as database/sql sees to.
type lazyTx struct {
	conn *unpreparedConn
	ctx  context.Context

	isBegun     bool
	isCommitted bool
}

// begin begins the transaction unless that has happened. Nothing may follow on a COMMIT: it would be stored by itself. Without a transaction it does nothing.
func (tx *lazyTx) begin(ctx context.Context) error {
	switch {
	case tx == nil:
		return nil
	case tx.isCommitted:
		return errTxOver
	case tx.isBegun:
		return nil
	}
	_, err := tx.pg().Exec(ctx, "begin")
	if err != nil && pgconn.SafeToRetry(err) {
		return driver.ErrBadConn
	}
	tx.isBegun = err == nil
	return err
}

// Commit implements driver.Tx.
func (tx *lazyTx) Commit() error {
	tx.conn.tx = nil
	if !tx.isBegun || tx.isCommitted {
		return nil
	}
	tag, err := tx.pg().Exec(tx.ctx, "commit")
	if err != nil {
		if tx.pg().PgConn().TxStatus() != idle {
			_ = tx.pg().Close(tx.ctx)
		}
		return err
	}
	return committed(tag)
}

// Rollback implements driver.Tx. A connection on which it fails is in an unknown state, and not used any more.
func (tx *lazyTx) Rollback() error {
	tx.conn.tx = nil
	if !tx.isBegun || tx.isCommitted {
		return nil
	}
	_, err := tx.pg().Exec(tx.ctx, "rollback")
	if err != nil {
		_ = tx.pg().Close(tx.ctx)
	}
	return err
}

func (tx *lazyTx) pg() *pgx.Conn { return tx.conn.Conn.Conn() }

// idle is the server's word for a connection outside of any transaction (PostgreSQL protocol, ReadyForQuery).
const idle = 'I'

// committed tells by the server's answer whether a COMMIT did that: it rolls back a transaction in which a statement failed.
func committed(tag pgconn.CommandTag) error {
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}
