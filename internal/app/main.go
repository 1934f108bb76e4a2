package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"turnero/internal/config"
)

// Version is set by the linker; a plain `go build` has the module's own.
var Version = "dev"

// command line: the configuration's flags are understood by every command.
type commandLine struct {
	File kong.ConfigFlag `name:"config" help:"YAML file of configuration; its keys are the names of these flags." placeholder:"FILE"`
	config.Config

	Serve   serveCommand   `cmd:"" help:"Run services (the default is all of them in this process)."`
	Sim     simCommand     `cmd:"" help:"Run the local WhatsApp network with simulated phones, by itself."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's schema to the one that this build needs."`
	User    userCommand    `cmd:"" help:"Create people who log in, and set their passwords."`
	Keys    keysCommand    `cmd:"" help:"List the keys that sign access tokens, and make a new one."`
	Backup  backupCommand  `cmd:"" help:"Write the embedded database and the files of the data folder to an archive."`
	Restore restoreCommand `cmd:"" help:"Put an archive of 'turnero backup' back into an empty data folder."`
	Openapi openapiCommand `cmd:"" help:"Print the OpenAPI document, or the table of roles."`
	Doctor  doctorCommand  `cmd:"" help:"Check what usually goes wrong."`
	Work    workCommand    `cmd:"" help:"List the work that was given up (dead jobs and parked events), and have it run again."`
	Show    configCommand  `cmd:"" name:"config" help:"Print the configuration in force, secrets hidden."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// Where the two commands that serve listen unless told otherwise.
const (
	serveListen = ":8080"
	simListen   = "127.0.0.1:8090"
)

// environment is what a command may touch of the world around it.
type environment struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	cfg            *config.Config
}

// exited carries the code with which kong wants to leave, out of its callback.
type exited int

// Main runs the command that args name and returns the exit code: 0 done, 1 failed, 2 called wrongly. It returns when the
// command is finished or ctx has ended and everything is stopped.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case exited:
			code = int(v)
		default:
			panic(v)
		}
	}()
	var cli commandLine
	parser, err := kong.New(&cli, kong.Name("turnero"),
		kong.Description("A WhatsApp line for every business: a bot that books, an inbox for the staff, a gateway for their systems."),
		kong.DefaultEnvars("TURNERO"), kong.Configuration(config.ReadFile), kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { panic(exited(c)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "turnero:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "turnero:", err)
		fmt.Fprintln(stderr, "Run 'turnero --help' for what there is.")
		return 2
	}
	if cli.Listen == "" {
		cli.Listen = listenByDefault(cli.Target)
		if parsed.Command() == "sim" {
			cli.Listen = simListen
		}
	}
	env := &environment{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, cfg: &cli.Config}
	if err = parsed.Run(env); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "turnero:", err)
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run prints the version and what it was built from.
func (versionCommand) Run(env *environment) error {
	version, revision := Version, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintln(env.stdout, "turnero "+version+revision)
	return err
}
