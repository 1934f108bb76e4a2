package sqlkit

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsNoRows reports whether a query for one row found none.
func IsNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// IsUnique reports whether a unique or primary key refused the row.
func IsUnique(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	switch {
	case errors.As(err, &lite):
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	case errors.As(err, &pg):
		return pg.Code == "23505" // unique_violation
	case errors.As(err, &my):
		return my.Number == 1062 // ER_DUP_ENTRY
	}
	return false
}

// IsRetryable reports whether the database gave up a transaction that may succeed when run again: deadlock, serialization
// failure, a lock that stayed busy, or a process that stood still for longer than a transaction may.
func IsRetryable(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	switch {
	case errors.As(err, &lite):
		primary := lite.Code() & 0xff
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	case errors.As(err, &pg):
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03" || pg.Code == "25P03"
	case errors.As(err, &my):
		return my.Number == 1213 || my.Number == 1205 || my.Number == 1020 || my.Number == 3572
	}
	return false
}

// IsRefused reports whether the database itself refused a statement, as against not being reached or not answering in time.
func IsRefused(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	return errors.As(err, &lite) || errors.As(err, &pg) || errors.As(err, &my)
}

// IsUnreachable reports whether the database could not be reached, or went away before it had answered. What a statement was
// to change may then be stored or not; nobody knows before the database is back.
func IsUnreachable(err error) bool {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var refused *pgconn.ConnectError
	var network *net.OpError
	switch {
	case errors.As(err, &pg):
		return strings.HasPrefix(pg.Code, "08") || slices.Contains([]string{
			"25P03",                   // it ended a transaction of a process that had stood still
			"53300",                   // it takes no more connections
			"57P01", "57P02", "57P03", // it stops, stopped, starts
		}, pg.Code)
	case errors.As(err, &my):
		return slices.Contains([]uint16{1040, 1053, 1152, 1158, 1159, 1160, 1161, 1203, 1927, 4031}, my.Number)
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &refused) || errors.As(err, &network)
}

// IsFull reports whether the database had no room to store what it was given. A transaction that ends so has changed nothing.
func IsFull(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	switch {
	case errors.As(err, &lite):
		return slices.Contains([]int{sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE}, lite.Code())
	case errors.As(err, &pg):
		return pg.Code == "53100" // disk_full
	case errors.As(err, &my):
		return my.Number == 1021 || my.Number == 1026 || my.Number == 1114 || my.Number == 1030 && strings.Contains(my.Message, "error 28 ")
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
