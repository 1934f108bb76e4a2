package app

import (
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"turnero/internal/auth"
	authstore "turnero/internal/auth/sqlstore"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/secret"
)

type keysCommand struct {
	List   keysListCommand   `cmd:"" default:"1" help:"List the keys in force, and from when until when they are."`
	Rotate keysRotateCommand `cmd:"" help:"Make a new key. It signs three minutes later; nobody is logged out, and nothing need be restarted."`
}

type keysListCommand struct{}

type keysRotateCommand struct{}

// signingKeys opens the keys that sign access tokens. The installation may go on working meanwhile.
func signingKeys(env *environment, do func(keys *auth.Keyring) error) error {
	db, err := openBesides(env)
	if err != nil {
		return err
	}
	defer db.Close()
	master, _, err := secret.LoadOrCreate(env.cfg.Data, env.cfg.MasterKey.Reveal(), false)
	if err != nil {
		return err
	}
	sealer, err := secret.NewKeyring(db, master, time.Now)
	if err != nil {
		return err
	}
	if err = sealer.Check(env.ctx); err != nil {
		return err
	}
	log := outbox.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
	return do(auth.NewKeyring(authstore.New(db, log), sealer, time.Now))
}

// Run lists the keys in force, newest first.
func (keysListCommand) Run(env *environment) error {
	return signingKeys(env, func(keys *auth.Keyring) error { return listKeys(env, keys) })
}

// Run makes a new key and shows what follows from it.
func (keysRotateCommand) Run(env *environment) error {
	return signingKeys(env, func(keys *auth.Keyring) error {
		if err := keys.Rotate(env.ctx); err != nil {
			return err
		}
		return listKeys(env, keys)
	})
}

func listKeys(env *environment, keys *auth.Keyring) error {
	terms, err := keys.Terms(env.ctx)
	if err != nil {
		return err
	}
	if len(terms) == 0 {
		fmt.Fprintln(env.stdout, "there is no key yet; the first is made when somebody logs in")
		return nil
	}
	out := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tMADE\tSIGNS FROM\tSIGNS UNTIL\tVERIFIES UNTIL")
	for _, k := range terms {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", k.KID, moment(k.MadeAt), moment(k.SignsFrom), moment(k.SignsUntil), moment(k.VerifiesUntil))
	}
	return out.Flush()
}

// moment writes a time, "-" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}
