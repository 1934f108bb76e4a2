// Package migrate brings the database's schema to the one that this build needs, with the SQL files embedded in the binary
// (a folder per kind of database, the same numbers in each), and tells when a schema is older or newer than that.
//
// A MySQL migration holds one statement, because MySQL commits each by itself and could stop halfway.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"turnero/internal/platform/sqlkit"
	"turnero/migrations"
)

var dialects = map[sqlkit.Dialect]goose.Dialect{
	sqlkit.SQLite:   goose.DialectSQLite3,
	sqlkit.Postgres: goose.DialectPostgres,
	sqlkit.MySQL:    goose.DialectMySQL,
}

func provider(db *sqlkit.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations.Files, string(db.Dialect()))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialects[db.Dialect()], db.SQL(), files, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
}

// ErrOlder says that the schema lacks migrations which this build needs.
var ErrOlder = errors.New("the schema is older than this build needs: run `turnero migrate`")

// Up applies what is missing and returns how many migrations it applied. Modules number theirs apart, so a new one may stand
// before others that were applied long ago. A schema that is newer than this build is an error, and stays as it is.
func Up(ctx context.Context, db *sqlkit.DB) (int, error) {
	p, err := provider(db)
	if err != nil {
		return 0, err
	}
	if err = checkKnown(ctx, p, db); err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", err)
	}
	return len(done), nil
}

// Check returns an error that says what to do when the schema is not the one that this build needs: ErrOlder, or that it is newer.
func Check(ctx context.Context, db *sqlkit.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	if err = checkKnown(ctx, p, db); err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if pending {
		return ErrOlder
	}
	return nil
}

// checkKnown refuses a schema with a migration that this build does not have.
func checkKnown(ctx context.Context, p *goose.Provider, db *sqlkit.DB) error {
	if _, err := p.GetDBVersion(ctx); err != nil { // makes the table of versions in a new database
		return fmt.Errorf("read the schema's version: %w", err)
	}
	store, err := database.NewStore(dialects[db.Dialect()], goose.DefaultTablename)
	if err != nil {
		return err
	}
	applied, err := store.ListMigrations(ctx, db.SQL())
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	known := map[int64]bool{0: true} // with which the table begins
	for _, source := range p.ListSources() {
		known[source.Version] = true
	}
	for _, m := range applied {
		if !known[m.Version] {
			return fmt.Errorf("the schema has migration %d, which this build does not know: it is newer than this build, run that newer one", m.Version)
		}
	}
	return nil
}
