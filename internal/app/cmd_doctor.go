package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"turnero/internal/config"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
)

type doctorCommand struct{}

// finding is the outcome of one check: fine, worth knowing, or wrong.
type finding struct {
	subject string
	note    string // what is worth knowing
	err     error  // what is wrong
}

// Run checks everything and fails when something is wrong. It changes nothing.
func (doctorCommand) Run(env *environment) error {
	findings := []finding{checkFolder(env.cfg), checkPort(env.ctx, env.cfg), checkZones(), checkNetwork(env.cfg)}
	findings = append(findings, checkServers(env.ctx, env.cfg)...)
	wrong := 0
	for _, f := range findings {
		switch {
		case f.err != nil:
			wrong++
			fmt.Fprintf(env.stdout, "WRONG  %-10s %v\n", f.subject, f.err)
		case f.note != "":
			fmt.Fprintf(env.stdout, "ok     %-10s %s\n", f.subject, f.note)
		default:
			fmt.Fprintf(env.stdout, "ok     %s\n", f.subject)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d checks found something wrong", wrong)
	}
	return nil
}

func checkFolder(cfg *config.Config) finding {
	f := finding{subject: "folder", note: cfg.Data}
	info, err := os.Stat(cfg.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		f.note = cfg.Data + " does not exist yet; it is made on the first start"
		return f
	case err != nil:
		f.err = err
		return f
	case !info.IsDir():
		f.err = fmt.Errorf("%s is not a folder", cfg.Data)
		return f
	}
	probe, err := os.CreateTemp(cfg.Data, ".doctor-")
	if err != nil {
		f.err = fmt.Errorf("%s cannot be written: %w", cfg.Data, err)
		return f
	}
	_, err = probe.WriteString("x")
	f.err = errors.Join(err, probe.Close(), os.Remove(probe.Name()))
	if info.Mode().Perm()&0o077 != 0 {
		f.note += " may be read by others (chmod 700 it)"
	}
	return f
}

func checkPort(ctx context.Context, cfg *config.Config) finding {
	f := finding{subject: "port", note: cfg.Listen + " is free"}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		f.err = fmt.Errorf("%s cannot be taken: %w (a port in use may be this installation, already running)", cfg.Listen, err)
		return f
	}
	f.err = l.Close()
	return f
}

// checkZones looks whether the rules of zones are there and the clock is not absurd.
func checkZones() finding {
	f := finding{subject: "clock", note: time.Now().Format(time.RFC3339)}
	loc, err := time.LoadLocation("America/Santiago")
	if err != nil {
		f.err = fmt.Errorf("the time-zone data cannot be read: %w", err)
		return f
	}
	// Chile keeps its clocks forward in January and back in July.
	_, summer := time.Date(2026, 1, 15, 12, 0, 0, 0, loc).Zone()
	_, winter := time.Date(2026, 7, 15, 12, 0, 0, 0, loc).Zone()
	if summer != -3*3600 || winter != -4*3600 {
		f.err = errors.New("the time-zone data is out of date: update tzdata")
	}
	if time.Now().Year() < 2026 {
		f.err = errors.New("the clock is wrong: " + f.note)
	}
	return f
}

func checkNetwork(cfg *config.Config) finding {
	f := finding{subject: "network", note: cfg.Network}
	if cfg.Network == config.NetworkSim {
		f.note = "sim: messages reach simulated phones only"
	}
	return f
}

// checkKeys looks whether the master key opens what is stored, without making anything.
func checkKeys(ctx context.Context, cfg *config.Config, db *sqlkit.DB) finding {
	f := finding{subject: "keys"}
	sealed, err := db.Handle().Read().NewSelect().Table("tenant_keys").Count(ctx)
	if err != nil {
		f.err = err
		return f
	}
	master, _, err := secret.LoadOrCreate(cfg.Data, cfg.MasterKey.Reveal(), false)
	switch {
	case errors.Is(err, secret.ErrNoMasterKey) && sealed == 0 && cfg.Embedded():
		f.note = "the master key is made on the first start"
	case err != nil:
		f.err = err
	case sealed > 0:
		ring, err := secret.NewKeyring(db, master, time.Now)
		if err != nil {
			f.err = err
			return f
		}
		f.err = ring.Check(ctx)
	}
	return f
}
