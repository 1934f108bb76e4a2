package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"turnero/test/servers"
)

// database is a fresh database on a real server, with what the run does to it from the side.
type database struct {
	*sql.DB
	isMySQL bool
	name    string
	address string // of the server
	server  *url.URL
	admin   *sql.DB
	users   []string
}

// password is that of the users that a run makes.
const password = "chaos-only"

// openDatabase makes an empty database on the server of the kind ("postgres" or "mysql") that the environment names.
func openDatabase(ctx context.Context, kind string) (*database, error) {
	env := map[string]string{"postgres": servers.PostgresEnv, "mysql": servers.MySQLEnv}[kind]
	raw := os.Getenv(env)
	if raw == "" {
		return nil, fmt.Errorf("no %s server: run it with `make chaos`, or set %s", kind, env)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	d := &database{isMySQL: kind == "mysql", name: fmt.Sprintf("chaos%d", time.Now().UnixNano()/1000), address: u.Host, server: u}
	if d.admin, err = d.open(u); err != nil {
		return nil, err
	}
	if _, err = d.admin.ExecContext(ctx, "CREATE DATABASE "+d.name); err != nil {
		return nil, errors.Join(err, d.admin.Close())
	}
	own := *u
	own.Path = "/" + d.name
	if d.DB, err = d.open(&own); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *database) open(u *url.URL) (*sql.DB, error) {
	if !d.isMySQL {
		return sql.Open("pgx", u.String())
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.DBName = u.User.Username(), "tcp", u.Host, strings.Trim(u.Path, "/")
	cfg.Passwd, _ = u.User.Password()
	cfg.InterpolateParams, cfg.Collation = true, "utf8mb4_bin"
	return sql.Open("mysql", cfg.FormatDSN())
}

// url is what a process is given: the database, as the user, behind the address.
func (d *database) url(user, address string) string {
	u := *d.server
	u.User, u.Host, u.Path = url.UserPassword(user, password), address, "/"+d.name
	return u.String()
}

// adminURL is what commands are given that run before anything breaks.
func (d *database) adminURL() string {
	u := *d.server
	u.Path = "/" + d.name
	return u.String()
}

// addUser makes a user of the database, so that its connections can be told from others.
func (d *database) addUser(ctx context.Context, name string) error {
	statements := []string{fmt.Sprintf("CREATE ROLE %s LOGIN SUPERUSER PASSWORD '%s'", name, password)}
	if d.isMySQL {
		statements = []string{fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", name, password), fmt.Sprintf("GRANT ALL ON *.* TO '%s'@'%%'", name)}
	}
	for _, s := range statements {
		if _, err := d.admin.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	d.users = append(d.users, name)
	return nil
}

// terminate ends the user's connections at the server and tells how many.
func (d *database) terminate(ctx context.Context, user string) (int, error) {
	if !d.isMySQL {
		var n int
		return n, d.admin.QueryRowContext(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1", user).Scan(&n)
	}
	ids, err := d.threads(ctx, user)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		_, _ = d.admin.ExecContext(ctx, fmt.Sprintf("KILL CONNECTION %d", id)) // it may be gone
	}
	return len(ids), nil
}

// threads gives the IDs of the user's connections. MySQL cannot tell them from its list of processes while one of those sends bytes that are no text, and
// MariaDB does not fill performance_schema unless it is told to.
func (d *database) threads(ctx context.Context, user string) ([]int64, error) {
	ids, err := d.numbers(ctx, "SELECT PROCESSLIST_ID FROM performance_schema.threads WHERE PROCESSLIST_USER = ?", user)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	return d.numbers(ctx, "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ?", user)
}

func (d *database) numbers(ctx context.Context, query, user string) (ids []int64, err error) {
	rows, err := d.admin.QueryContext(ctx, query, user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err = rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// isWaiting reports whether a transaction of the user waits for a lock.
func (d *database) isWaiting(ctx context.Context, user string) (bool, error) {
	query := "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'"
	if d.isMySQL {
		query = "SELECT count(*) FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE p.USER = ? AND t.trx_state = 'LOCK WAIT'"
	}
	var n int
	err := d.admin.QueryRowContext(ctx, query, user).Scan(&n)
	return n > 0, err
}

// holdSessions locks the rows of sessions until release is called.
func (d *database) holdSessions(ctx context.Context, sessions []string) (release func(), err error) {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, s := range sessions {
		if _, err = tx.ExecContext(ctx, "SELECT 1 FROM whatsapp_sessions WHERE id = "+d.placeholder(1)+" FOR UPDATE", s); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	return func() { _ = tx.Rollback() }, nil
}

func (d *database) placeholder(n int) string {
	if d.isMySQL {
		return "?"
	}
	return fmt.Sprintf("$%d", n)
}

// close removes everything that the run made on the server.
func (d *database) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	errs := []error{d.DB.Close()}
	drop, dropUser := "DROP DATABASE "+d.name+" WITH (FORCE)", "DROP ROLE %s"
	if d.isMySQL {
		drop, dropUser = "DROP DATABASE "+d.name, "DROP USER '%s'@'%%'"
	}
	_, err := d.admin.ExecContext(ctx, drop)
	errs = append(errs, err)
	for _, u := range d.users {
		_, err = d.admin.ExecContext(ctx, fmt.Sprintf(dropUser, u))
		errs = append(errs, err)
	}
	return errors.Join(append(errs, d.admin.Close())...)
}
