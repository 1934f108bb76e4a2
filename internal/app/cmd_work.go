package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

type workCommand struct {
	List  workListCommand  `cmd:"" default:"withargs" help:"List the jobs and events that were given up, with their last errors."`
	Again workAgainCommand `cmd:"" help:"Have a job or event that was given up run again."`
}

type workListCommand struct {
	Limit int `help:"Most lines of each kind." default:"100"`
}

type workAgainCommand struct {
	ID       string `arg:"" help:"ID of the job (job_…) or event (evt_…)."`
	Consumer string `help:"For an event: the consumer that gave it up, as the list names it."`
}

// givenUp opens the tables of work. The installation may go on working meanwhile.
func givenUp(env *environment, do func(queue *jobs.Queue, log *outbox.Log) error) error {
	db, err := openBesides(env)
	if err != nil {
		return err
	}
	defer db.Close()
	wakes, quiet := bus.NewMemory(), slog.New(slog.DiscardHandler)
	return do(jobs.New(db, wakes, time.Now, quiet), outbox.New(db, wakes, time.Now, quiet))
}

// openBesides opens a database that is there already and that the installation may go on working with.
func openBesides(env *environment) (*sqlkit.DB, error) {
	if env.cfg.Embedded() {
		if _, err := os.Stat(env.cfg.DatabaseFile()); err != nil {
			return nil, fmt.Errorf("there is no database: %w", err)
		}
	}
	db, err := openDatabase(env.ctx, env.cfg, 2)
	if err != nil {
		return nil, err
	}
	if err = migrate.Check(env.ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Run gives one job or event another life; a running installation takes it up within seconds.
func (c workAgainCommand) Run(env *environment) error {
	return givenUp(env, func(queue *jobs.Queue, log *outbox.Log) error {
		job, err := id.ParseJob(c.ID)
		if err == nil {
			return queue.Retry(env.ctx, job)
		}
		event, err := id.ParseEvent(c.ID)
		if err != nil {
			return fmt.Errorf("%q is neither the ID of a job nor of an event", c.ID)
		}
		return log.Unpark(env.ctx, c.Consumer, event)
	})
}

// Run lists what was given up.
func (c workListCommand) Run(env *environment) error {
	return givenUp(env, func(queue *jobs.Queue, log *outbox.Log) error { return c.list(env, queue, log) })
}

func (c workListCommand) list(env *environment, queue *jobs.Queue, log *outbox.Log) error {
	dead, err := queue.Dead(env.ctx, c.Limit)
	if err != nil {
		return err
	}
	parked, err := log.Parked(env.ctx, c.Limit)
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
