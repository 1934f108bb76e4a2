package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"turnero/internal/config"
	"turnero/internal/platform/cluster"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/pulse"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/sqlkit"
)

// serversLimit bounds what doctor asks of databases and Redis.
const serversLimit = 15 * time.Second

// checkServers looks at the database and at Redis, and at what processes settle over them.
func checkServers(ctx context.Context, cfg *config.Config) []finding {
	ctx, cancel := context.WithTimeout(ctx, serversLimit)
	defer cancel()
	var out []finding
	var conn *redisconn.Conn
	if cfg.Redis != "" {
		f := finding{subject: "redis"}
		if conn, f.err = redisconn.Open(ctx, cfg.Redis.Reveal()); f.err == nil {
			defer func() { _ = conn.Close() }()
			f.note = conn.Addr()
			out = append(out, f, checkClock(ctx, "Redis", conn.Now))
		} else {
			f.err = fmt.Errorf("redis-url: %w", f.err)
			out = append(out, f)
		}
	}
	return append(out, checkDatabase(ctx, cfg, conn)...)
}

func checkDatabase(ctx context.Context, cfg *config.Config, conn *redisconn.Conn) []finding {
	base := finding{subject: "database"}
	if cfg.Embedded() {
		if _, err := os.Stat(cfg.DatabaseFile()); errors.Is(err, os.ErrNotExist) {
			base.note = "embedded; it is made on the first start"
			return []finding{base}
		}
	}
	db, err := openDatabase(ctx, cfg, 2)
	if err != nil {
		base.err = err
		return []finding{base}
	}
	defer db.Close()
	base.note = string(db.Dialect())
	frail, err := db.Frail(ctx)
	if err != nil {
		base.err = err
		return []finding{base}
	}
	if len(frail) > 0 {
		base.note += "; a crash may lose what it has committed: " + strings.Join(frail, ", ")
	}
	schema := finding{subject: "schema", err: migrate.Check(ctx, db)}
	if errors.Is(schema.err, migrate.ErrOlder) && cfg.Embedded() {
		schema = finding{subject: "schema", note: "is brought up to date on the next start"}
	}
	out := []finding{base, schema}
	if !cfg.Embedded() {
		out = append(out, checkClock(ctx, "the database", db.Handle().Now))
	}
	if schema.err != nil || schema.note != "" {
		return out
	}
	out = append(out, checkKeys(ctx, cfg, db))
	if !cfg.Embedded() && (conn != nil) == (cfg.Redis != "") {
		out = append(out, checkCluster(ctx, db, conn))
	}
	return out
}

// checkClock compares this machine's clock with another's.
func checkClock(ctx context.Context, whose string, read func(ctx context.Context) (time.Time, error)) finding {
	f := finding{subject: "clocks"}
	before := time.Now()
	theirs, err := read(ctx)
	if err != nil {
		f.err = err
		return f
	}
	skew := pulse.Skew(before, theirs, time.Now())
	switch {
	case skew > pulse.MostSkew:
		f.err = fmt.Errorf("the clock of %s is %s ahead of this machine's: set both by NTP", whose, skew.Round(time.Second))
	case skew < -pulse.MostSkew:
		f.err = fmt.Errorf("the clock of %s is %s behind this machine's: set both by NTP", whose, -skew.Round(time.Second))
	default:
		f.note = fmt.Sprintf("that of %s agrees with this machine's", whose)
	}
	return f
}

// checkCluster looks who serves the database, and whether this process could be one of them.
func checkCluster(ctx context.Context, db *sqlkit.DB, conn *redisconn.Conn) finding {
	f := finding{subject: "cluster"}
	s, err := cluster.Look(ctx, db, conn)
	switch {
	case err != nil:
		f.err = err
	case !s.IsServed:
		f.note = "no process serves the database at this moment"
	case s.IsOwn && s.IsAlone:
		f.note = "one process without redis-url serves the database; a second one would not be let in"
	case s.IsOwn:
		f.note = "processes that share this Redis serve the database; this one may join them"
	case s.IsAlone:
		f.err = errors.New("a process without redis-url serves the database: stop it, or give both the same redis-url")
	case conn == nil:
		f.err = errors.New("processes that share a Redis serve the database: give this one the same redis-url, or a database of its own")
	default:
		f.err = errors.New("processes that share another Redis serve the database: give all the same redis-url, or this one a database of its own")
	}
	return f
}
