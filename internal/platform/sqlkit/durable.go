package sqlkit

import (
	"context"
	"fmt"
)

// durable are, by dialect, the settings of a server on which it hangs that a crash loses nothing committed, and what they must be. What this program
// sets for its own connections is not among them.
var durable = map[Dialect][]struct{ name, query, want string }{
	Postgres: {
		{"fsync", "SHOW fsync", "on"},
		{"full_page_writes", "SHOW full_page_writes", "on"},
		{"synchronous_commit", "SELECT CASE WHEN setting = 'off' THEN 'off' ELSE 'on' END FROM pg_settings WHERE name = 'synchronous_commit'", "on"},
	},
	MySQL: {{"innodb_flush_log_at_trx_commit", "SELECT CAST(@@GLOBAL.innodb_flush_log_at_trx_commit AS CHAR)", "1"}},
}

// Frail names the settings, as name = value, under which the server may lose in a crash what it has committed: none when it cannot.
func (db *DB) Frail(ctx context.Context) ([]string, error) {
	var frail []string
	for _, s := range durable[db.dialect] {
		var is string
		if err := db.read.QueryRowContext(ctx, s.query).Scan(&is); err != nil {
			return nil, fmt.Errorf("look at %s: %w", s.name, err)
		}
		if is != s.want {
			frail = append(frail, s.name+" = "+is)
		}
	}
	return frail, nil
}
