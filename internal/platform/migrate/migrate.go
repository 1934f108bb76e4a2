// Package migrate brings the database's schema to the one that this build needs, with the SQL files embedded in the binary
// (a folder per kind of database, the same numbers in each), and tells when a schema is older or newer than that.
//
// A MySQL migration holds one statement, because MySQL commits each by itself and could stop halfway.
package migrate

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"turnero/internal/platform/sqlkit"
	"turnero/migrations"
)

func provider(db *sqlkit.DB) (*goose.Provider, error) {
	dialects := map[sqlkit.Dialect]goose.Dialect{
		sqlkit.SQLite:   goose.DialectSQLite3,
		sqlkit.Postgres: goose.DialectPostgres,
		sqlkit.MySQL:    goose.DialectMySQL,
	}
	files, err := fs.Sub(migrations.Files, string(db.Dialect()))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialects[db.Dialect()], db.SQL(), files, goose.WithDisableGlobalRegistry(true))
}

// Up applies what is missing, in order, and returns how many migrations it applied. A schema that is newer than this build
// needs is an error.
func Up(ctx context.Context, db *sqlkit.DB) (int, error) {
	p, err := provider(db)
	if err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", err)
	}
	return len(done), Check(ctx, db)
}

// Versions gives the version of the database's schema and the version that this build needs.
func Versions(ctx context.Context, db *sqlkit.DB) (have, need int64, err error) {
	p, err := provider(db)
	if err != nil {
		return 0, 0, err
	}
	return p.GetVersions(ctx)
}

// Check returns an error that says what to do when the schema is not the one that this build needs.
func Check(ctx context.Context, db *sqlkit.DB) error {
	have, need, err := Versions(ctx, db)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	switch {
	case have < need:
		return fmt.Errorf("the schema is at version %d and this build needs %d: run `turnero migrate`", have, need)
	case have > need:
		return fmt.Errorf("the schema is at version %d, newer than the %d of this build: run a newer build", have, need)
	}
	return nil
}
