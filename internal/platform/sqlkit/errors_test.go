package sqlkit_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
)

func TestWhatADatabaseRefusesIsToldFromItsAbsence(t *testing.T) {
	t.Parallel()
	pg := func(code string) error { return fmt.Errorf("insert: %w", &pgconn.PgError{Code: code}) }
	my := func(n uint16, text string) error {
		return fmt.Errorf("insert: %w", &mysql.MySQLError{Number: n, Message: text})
	}
	for name, c := range map[string]struct {
		err                 error
		isUnreachable, full bool
	}{
		"refused connection":     {err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, isUnreachable: true},
		"no connection":          {err: fmt.Errorf("begin: %w", driver.ErrBadConn), isUnreachable: true},
		"cut":                    {err: mysql.ErrInvalidConn, isUnreachable: true},
		"postgres stops":         {err: pg("57P01"), isUnreachable: true},
		"postgres starts":        {err: pg("57P03"), isUnreachable: true},
		"postgres is full of us": {err: pg("53300"), isUnreachable: true},
		"postgres was left":      {err: pg("25P03"), isUnreachable: true},
		"mariadb killed it":      {err: my(1927, "Connection was killed"), isUnreachable: true},
		"mariadb is full of us":  {err: my(1040, "Too many connections"), isUnreachable: true},
		"postgres disk":          {err: pg("53100"), full: true},
		"mariadb disk":           {err: my(1021, "Disk full"), full: true},
		"mariadb engine":         {err: my(1030, "Got error 28 \"No space left on device\" from storage engine InnoDB"), full: true},
		"a file":                 {err: fmt.Errorf("write: %w", syscall.ENOSPC), full: true},
		"unique":                 {err: pg("23505")},
		"syntax":                 {err: my(1064, "You have an error")},
		"time":                   {err: context.DeadlineExceeded},
		"other":                  {err: errors.New("no")},
	} {
		require.Equal(t, c.isUnreachable, sqlkit.IsUnreachable(c.err), name)
		require.Equal(t, c.full, sqlkit.IsFull(c.err), name)
	}
}
