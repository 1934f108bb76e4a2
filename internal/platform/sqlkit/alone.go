package sqlkit

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// ErrHeld says that another process holds the database for itself.
var ErrHeld = errors.New("another process holds this database")

// holdKey is the number of PostgreSQL's advisory lock: "turnero" in ASCII.
const holdKey = 0x7475726e65726f

// HoldAlone holds the database of a server for this process, as long as one connection of the pool lives, which it takes for
// itself: until release is called, the process ends, or the server goes away. It returns ErrHeld when another process holds
// it. A SQLite file is kept by its folder's lock instead, and nothing is done here.
func (db *DB) HoldAlone(ctx context.Context) (release func() error, err error) {
	ask := map[Dialect]string{
		Postgres: fmt.Sprintf("SELECT CASE WHEN pg_try_advisory_lock(%d) THEN 1 ELSE 0 END", holdKey),
		MySQL:    "SELECT GET_LOCK(CONCAT('turnero.', LEFT(SHA2(DATABASE(), 256), 40)), 0)",
	}[db.dialect]
	if ask == "" {
		return func() error { return nil }, nil
	}
	conn, err := db.write.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var got int
	if err = conn.QueryRowContext(ctx, ask).Scan(&got); err == nil && got != 1 {
		err = ErrHeld
	}
	if err == nil && db.dialect == MySQL { // it says nothing more until it ends
		_, err = conn.ExecContext(ctx, "SET SESSION wait_timeout = 31536000")
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// Giving the connection back would leave the lock on it: it is thrown away, and the lock goes with it.
	return func() error {
		if err := conn.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
			return err
		}
		return nil
	}, nil
}
