package app

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"turnero/internal/platform/telemetry"
)

type userCommand struct {
	Create   userCreateCommand   `cmd:"" help:"Create a super-admin, who operates the platform."`
	Password userPasswordCommand `cmd:"" help:"Give somebody another password; all their log-ins end."`
}

type userCreateCommand struct {
	Email         string `arg:"" help:"E-mail address, by which the person logs in."`
	Name          string `help:"The person's name." default:"Super-admin"`
	PasswordStdin bool   `name:"password-stdin" help:"Read the password from standard input; otherwise one is made up and said once."`
}

// Run creates a super-admin.
func (u userCreateCommand) Run(env *environment) error {
	given, err := readPassword(env, u.PasswordStdin)
	if err != nil {
		return err
	}
	return withUsers(env, func(c *core) error {
		made, err := c.auth.CreateSuperAdmin(env.ctx, u.Email, u.Name, given)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "created super-admin %s (%s)\n", made.Email, made.ID)
		sayPassword(env, given, made.Password)
		return nil
	})
}

type userPasswordCommand struct {
	Email         string `arg:"" help:"E-mail address of the person."`
	PasswordStdin bool   `name:"password-stdin" help:"Read the password from standard input; otherwise one is made up and said once."`
}

// Run sets a password.
func (u userPasswordCommand) Run(env *environment) error {
	given, err := readPassword(env, u.PasswordStdin)
	if err != nil {
		return err
	}
	return withUsers(env, func(c *core) error {
		made, err := c.auth.SetPassword(env.ctx, u.Email, given)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "the password of %s is changed\n", u.Email)
		sayPassword(env, given, made)
		return nil
	})
}

func sayPassword(env *environment, given, inForce string) {
	if given == "" {
		fmt.Fprintf(env.stdout, "password, said this once: %s\n", inForce)
	}
}

func readPassword(env *environment, fromStdin bool) (string, error) {
	if !fromStdin {
		return "", nil
	}
	line, err := bufio.NewReader(env.stdin).ReadString('\n')
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", errors.Join(errors.New("standard input held no password"), err)
	}
	return password, nil
}

// withUsers opens the installation's data as far as people are concerned. An embedded installation must not be running.
func withUsers(env *environment, do func(c *core) error) (err error) {
	c, err := openCore(env, telemetry.NewLogger(env.stderr, env.cfg.LogFormat, "warn"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if err = c.openShared(env.ctx); err != nil {
		return err
	}
	for _, build := range []func(*core) error{buildAuth, buildTenants} {
		if err = build(c); err != nil {
			return err
		}
	}
	return do(c)
}
