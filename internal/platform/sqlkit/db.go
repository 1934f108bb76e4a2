package sqlkit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
)

// Dialect is the family of a database.
type Dialect string

// The families.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
	MySQL    Dialect = "mysql" // MySQL 8.0.16 or later, MariaDB 10.6 or later
)

// Placeholders turns each ? of a query into what the database's driver takes: $1, $2 and so on for PostgreSQL. The query holds no other ?.
func (d Dialect) Placeholders(query string) string {
	if d != Postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// DB is one open database.
type DB struct {
	dialect Dialect
	url     string
	write   *bun.DB
	read    *bun.DB // the same as write but on SQLite
	keyed   *bun.DB // the same as write but on PostgreSQL
}

// abandonedAfter is how long a server keeps a transaction, and its locks, of a process that says nothing more: one that is
// frozen, or whose machine or network is gone without a word. PostgreSQL and MariaDB count it for a transaction that waits for its client only. MySQL
// has a limit for connections alone (wait_timeout), so that there the pool ends its idle ones before the server does.
const abandonedAfter = 2 * time.Second

// DialectOf tells the family from a database URL without opening it.
func DialectOf(rawURL string) (Dialect, error) {
	scheme, _, ok := strings.Cut(rawURL, ":")
	if !ok {
		return "", errors.New("a database URL begins with sqlite:, postgres: or mysql:")
	}
	switch scheme {
	case "sqlite":
		return SQLite, nil
	case "postgres", "postgresql":
		return Postgres, nil
	case "mysql", "mariadb":
		return MySQL, nil
	}
	return "", fmt.Errorf("%q is not a kind of database that is known: sqlite, postgres, mysql", scheme)
}

// Open opens the database at rawURL and checks that it answers:
//
//	sqlite:/var/lib/turnero/turnero.db
//	postgres://user:password@host:5432/name?sslmode=disable
//	mysql://user:password@host:3306/name
//
// maxConns bounds the connections; 0 means 16. Errors never hold the password.
func Open(ctx context.Context, rawURL string, maxConns int) (*DB, error) {
	dialect, err := DialectOf(rawURL)
	if err != nil {
		return nil, err
	}
	if maxConns == 0 {
		maxConns = 16
	}
	db := &DB{dialect: dialect, url: rawURL}
	switch dialect {
	case SQLite:
		err = db.openSQLite(SQLiteFile(rawURL), maxConns)
	case Postgres:
		err = db.openPostgres(rawURL, maxConns)
	case MySQL:
		err = db.openMySQL(ctx, rawURL, maxConns)
	}
	if err != nil {
		return nil, err
	}
	if err = db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	return db, nil
}

// SQLiteFile gives the path of the file that a sqlite URL names.
func SQLiteFile(rawURL string) string {
	return strings.TrimPrefix(strings.TrimPrefix(rawURL, "sqlite:"), "//")
}

func (db *DB) openSQLite(path string, maxConns int) error {
	if path == "" {
		return errors.New("a sqlite URL names a file: sqlite:/path/to/file.db")
	}
	// SQLite would make the file readable by everybody; the files beside it take its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	w := sql.OpenDB(&liteConnector{dsn + "&_txlock=immediate", &sqlite.Driver{}})
	w.SetMaxOpenConns(1)
	// Each reading connection would keep 2 MB of pages for itself, which the operating system has too.
	r := sql.OpenDB(&liteConnector{dsn + "&_pragma=query_only(1)&_pragma=cache_size(-512)", &sqlite.Driver{}})
	r.SetMaxOpenConns(max(2, min(maxConns, 8)))
	r.SetMaxIdleConns(max(2, min(maxConns, 8)))
	db.write, db.read = bun.NewDB(w, sqlitedialect.New()), bun.NewDB(r, sqlitedialect.New())
	return nil
}

func (db *DB) openMySQL(ctx context.Context, rawURL string, maxConns int) error {
	cfg, err := mysqlConfig(rawURL)
	if err != nil {
		return err
	}
	conn, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(session{conn})
	limitPool(pool, maxConns)
	if err = pool.PingContext(ctx); err != nil { // bun asks for the version at once and panics without an answer
		_ = pool.Close()
		return fmt.Errorf("the database does not answer: %w", err)
	}
	var version string
	if err = pool.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		_ = pool.Close()
		return fmt.Errorf("read the database's version: %w", err)
	}
	if !strings.Contains(version, "MariaDB") {
		pool.SetConnMaxIdleTime(abandonedAfter / 2) // the server ends them a little later
	}
	db.write = bun.NewDB(pool, mysqldialect.New())
	db.read = db.write
	return nil
}

func mysqlConfig(rawURL string) (*mysql.Config, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" && u.Query().Get("socket") == "" {
		return nil, errors.New("the mysql URL cannot be read; it looks like mysql://user:password@host:3306/name")
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr = "tcp", u.Host
	if socket := u.Query().Get("socket"); socket != "" {
		cfg.Net, cfg.Addr = "unix", socket
	}
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	cfg.Collation = "utf8mb4_bin"
	cfg.InterpolateParams = true
	cfg.ClientFoundRows = true // an UPDATE counts the rows it matched, as the other two databases do
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	if u.Query().Get("tls") == "true" {
		cfg.TLSConfig = "true"
	}
	return cfg, nil
}

// session sets up each new connection by statements: MySQL and MariaDB call the variable of the isolation differently, and
// end abandoned transactions by different ones. MariaDB alone reads comments of the form M!, and it leaves out those of MySQL from 5.7 on.
type session struct{ driver.Connector }

// Connect implements driver.Connector.
func (c session) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, stmt := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		fmt.Sprintf("SET @turnero = 1 /*M!100302 , SESSION idle_transaction_timeout = %[1]d */ /*!50700 , SESSION wait_timeout = %[1]d */", int(abandonedAfter.Seconds())),
	} {
		if _, err = conn.(driver.ExecerContext).ExecContext(ctx, stmt, nil); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

func limitPool(pool *sql.DB, maxConns int) {
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
}

// Dialect tells the family.
func (db *DB) Dialect() Dialect { return db.dialect }

// URL gives the URL that the database was opened with, password included.
func (db *DB) URL() string { return db.url }

// SQL gives the writing pool, for libraries that want database/sql.
func (db *DB) SQL() *sql.DB { return db.write.DB }

// Pools gives the connection pools by what they are for: "write" and, on SQLite, "read".
func (db *DB) Pools() map[string]*sql.DB {
	pools := map[string]*sql.DB{"write": db.write.DB}
	if db.read != db.write {
		pools["read"] = db.read.DB
	}
	if db.keyed != nil {
		pools["keyed"] = db.keyed.DB
	}
	return pools
}

// Observed gives the same database, on the same connections, with every statement told to the hook.
func (db *DB) Observed(hook bun.QueryHook) *DB {
	seen := *db
	seen.write = db.write.WithQueryHook(hook)
	seen.read = seen.write
	if db.read != db.write {
		seen.read = db.read.WithQueryHook(hook)
	}
	if db.keyed != nil {
		seen.keyed = db.keyed.WithQueryHook(hook)
	}
	return &seen
}

// Handle gives the handle outside of any transaction.
func (db *DB) Handle() Handle { return Handle{db: db} }

// Keyed is Handle for statements that name many rows by their keys. On PostgreSQL they run on a few connections of their own, which always look
// rows up in an index, as planned once for any number of keys: to plan takes as long as to run. A plan made while a table was small may go on reading all of
// a tenant's part, so plans are made anew now and then.
func (db *DB) Keyed() Handle {
	if db.keyed == nil {
		return db.Handle()
	}
	own := *db
	own.write, own.read = db.keyed, db.keyed
	return Handle{db: &own}
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.write.PingContext(ctx); err != nil {
		return err
	}
	return db.read.PingContext(ctx)
}

// Close closes all connections.
func (db *DB) Close() error {
	err := db.write.Close()
	if db.read != db.write {
		err = errors.Join(db.read.Close(), err)
	}
	if db.keyed != nil {
		err = errors.Join(db.keyed.Close(), err)
	}
	return err
}
