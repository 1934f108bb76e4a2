package sqlkit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// keyedConns bounds the connections behind Keyed; after replanAfter sends on one of them its statements are planned anew.
const (
	keyedConns  = 4
	replanAfter = 200
)

// Keys gives rows of the parameters, which are arrays, as a table for statements of Keyed that look them up one after the other: the LIMIT is the parameter
// of the given number and must be that of the rows. For as long as it is not known, PostgreSQL plans for a tenth of them, that is for one, and so begins with them.
func Keys(arrays string, limit int) string {
	return fmt.Sprintf("(SELECT * FROM unnest(%s) LIMIT $%d)", arrays, limit)
}

func (db *DB) openPostgres(rawURL string, maxConns int) error {
	cfg, err := pgx.ParseConfig(rawURL)
	if err != nil {
		return errors.New("the postgres URL cannot be read; it looks like postgres://user:password@host:5432/name")
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	cfg.RuntimeParams["application_name"] = "turnero"
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = abandonedAfter.String()
	pool := sql.OpenDB(unprepared{stdlib.GetConnector(*cfg), 0})
	limitPool(pool, maxConns)
	db.write = bun.NewDB(pool, pgdialect.New())
	db.read = db.write
	byKey := cfg.Copy()
	for _, way := range []string{"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"} {
		byKey.RuntimeParams[way] = "off"
	}
	byKey.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	byKey.RuntimeParams["jit"] = "off"
	pool = sql.OpenDB(unprepared{stdlib.GetConnector(*byKey), replanAfter})
	limitPool(pool, keyedConns)
	db.keyed = bun.NewDB(pool, pgdialect.New())
	return nil
}

// unprepared sends queries without arguments as they are. bun writes the values into the text, so that hardly any two texts
// are equal: preparing each one, as pgx does by default, would cost a second round trip and fill the server with statements
// that are never used again. Queries with arguments (of other libraries) are still prepared.
type unprepared struct {
	driver.Connector
	replanAfter int // sends; 0: the server decides
}

// Connect implements driver.Connector.
func (c unprepared) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	pg, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("the postgres driver gave a %T", conn)
	}
	return &unpreparedConn{Conn: pg, replanAfter: c.replanAfter}, nil
}

type unpreparedConn struct {
	*stdlib.Conn
	tx *lazyTx // that is open; nil: none

	replanAfter, sent int
}

// QueryContext implements driver.QueryerContext. pgx takes the mode as an argument before those of the query.
func (c *unpreparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.tx.begin(ctx); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		args = []driver.NamedValue{{Ordinal: 1, Value: pgx.QueryExecModeExec}}
	}
	return c.Conn.QueryContext(ctx, query, args)
}

// ExecContext implements driver.ExecerContext.
func (c *unpreparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.tx.begin(ctx); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *unpreparedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.tx.begin(ctx); err != nil {
		return nil, err
	}
	return c.Conn.PrepareContext(ctx, query)
}

// BeginTx implements driver.ConnBeginTx. The server hears of the transaction with its first statement.
func (c *unpreparedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts != (driver.TxOptions{}) {
		return c.Conn.BeginTx(ctx, opts)
	}
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	c.tx = &lazyTx{conn: c, ctx: ctx}
	return c.tx, nil
}
