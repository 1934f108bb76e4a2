package sqlkit

import (
	"context"
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"
)

// mostPrepared bounds the statements that one connection to a SQLite file keeps compiled.
const mostPrepared = 48

// liteConnector opens connections to a SQLite file that compile a statement with arguments once: the driver would compile it at each call, which
// takes longer than most of them run.
type liteConnector struct {
	dsn    string
	driver *sqlite.Driver
}

// Connect implements driver.Connector.
func (c *liteConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(liteDriverConn)
	if !ok {
		return nil, fmt.Errorf("the sqlite driver gave a %T", conn)
	}
	return &liteConn{liteDriverConn: whole, prepared: map[string]*liteStmt{}}, nil
}

// Driver implements driver.Connector.
func (c *liteConnector) Driver() driver.Driver { return c.driver }

// liteDriverConn is what the driver's connections can do.
type liteDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type liteConn struct {
	liteDriverConn
	prepared map[string]*liteStmt
	tick     uint64
}

// liteStmt is one compiled statement. It runs once at a time.
type liteStmt struct {
	driver.Stmt
	isBusy bool
	used   uint64
}

// statement gives the compiled statement of a text; nil when it runs at this moment, or when it is not one to keep.
func (c *liteConn) statement(ctx context.Context, query string, args []driver.NamedValue) (*liteStmt, error) {
	if len(args) == 0 {
		return nil, nil
	}
	c.tick++
	s := c.prepared[query]
	if s == nil {
		made, err := c.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		if len(c.prepared) >= mostPrepared {
			c.evict()
		}
		s = &liteStmt{Stmt: made}
		c.prepared[query] = s
	}
	if s.isBusy {
		return nil, nil
	}
	s.used = c.tick
	return s, nil
}

// evict drops the statement that was not used for the longest time.
func (c *liteConn) evict() {
	var oldest string
	age := uint64(0)
	for query, s := range c.prepared {
		if a := c.tick - s.used; !s.isBusy && a >= age {
			oldest, age = query, a
		}
	}
	if s := c.prepared[oldest]; s != nil {
		_ = s.Close()
		delete(c.prepared, oldest)
	}
}

// Close implements driver.Conn.
func (c *liteConn) Close() error {
	for _, s := range c.prepared {
		_ = s.Close()
	}
	clear(c.prepared)
	return c.liteDriverConn.Close()
}

// ExecContext implements driver.ExecerContext.
func (c *liteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteDriverConn.ExecContext(ctx, query, args)
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *liteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteDriverConn.QueryContext(ctx, query, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.isBusy = true
	return &liteRows{rows, s}, nil
}

type liteRows struct {
	driver.Rows
	stmt *liteStmt
}

// Close implements driver.Rows.
func (r *liteRows) Close() error {
	defer func() { r.stmt.isBusy = false }()
	return r.Rows.Close()
}
