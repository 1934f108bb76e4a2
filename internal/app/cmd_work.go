package app

import (
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

type workCommand struct {
	Limit int `help:"Most lines of each kind." default:"100"`
}

// Run lists the jobs and the events that were given up, with their last errors. The installation may go on working meanwhile.
func (c workCommand) Run(env *environment) error {
	if env.cfg.Embedded() {
		if _, err := os.Stat(env.cfg.DatabaseFile()); err != nil {
			return fmt.Errorf("there is no database: %w", err)
		}
	}
	db, err := sqlkit.Open(env.ctx, env.cfg.DatabaseURL(), 2)
	if err != nil {
		return err
	}
	defer db.Close()
	if err = migrate.Check(env.ctx, db); err != nil {
		return err
	}
	dead, err := jobs.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler)).Dead(env.ctx, c.Limit)
	if err != nil {
		return err
	}
	parked, err := outbox.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler)).Parked(env.ctx, c.Limit)
	if err != nil {
		return err
	}
	if len(dead)+len(parked) == 0 {
		fmt.Fprintln(env.stdout, "nothing was given up")
		return nil
	}
	out := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "WHAT\tID\tTENANT\tATTEMPTS\tGIVEN UP\tLAST ERROR")
	for _, j := range dead {
		fmt.Fprintf(out, "job %s\t%s\t%s\t%d\t%s\t%q\n", j.Kind, j.ID, j.Tenant, j.Attempts, j.DiedAt.Format(time.RFC3339), j.LastError)
	}
	for _, e := range parked {
		fmt.Fprintf(out, "event for %s\t%s\t%s\t%d\t%s\t%q\n", e.Consumer, e.Event, e.Tenant, e.Attempts, e.At.Format(time.RFC3339), e.LastError)
	}
	return out.Flush()
}
