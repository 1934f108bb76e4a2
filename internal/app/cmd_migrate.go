package app

import (
	"fmt"

	"turnero/internal/platform/migrate"
)

type migrateCommand struct {
	Check bool `help:"Only say whether the schema is current."`
}

// Run brings the schema up to date.
func (c migrateCommand) Run(env *environment) error {
	if env.cfg.Embedded() {
		dir, err := holdFolders(env.cfg)
		if err != nil {
			return err
		}
		defer dir.Close()
	}
	db, err := openDatabase(env.ctx, env.cfg, 2)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Check {
		if err = migrate.Check(env.ctx, db); err == nil {
			fmt.Fprintln(env.stdout, "the schema is current")
		}
		return err
	}
	n, err := migrate.Up(env.ctx, db)
	if err == nil {
		fmt.Fprintf(env.stdout, "%d migrations applied, the schema is current\n", n)
	}
	return err
}
