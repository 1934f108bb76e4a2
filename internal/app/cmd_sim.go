package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"turnero/internal/platform/telemetry"
	"turnero/wasim"
)

type simCommand struct {
	FastPair bool `name:"fast-pair" help:"Have new devices make 50 keys instead of 812, for load tests."`
	Memory   bool `help:"Keep nothing: phones and links are gone when it stops."`
}

// Run serves a local WhatsApp network until it is told to stop.
func (c simCommand) Run(env *environment) error {
	cfg := env.cfg
	logger := telemetry.NewLogger(env.stderr, cfg.LogFormat, cfg.LogLevel)
	options := wasim.Options{Seed: cfg.SimSeed, Logger: logger, FastPair: c.FastPair}
	if !c.Memory {
		dir, err := openDataDir(cfg.Data)
		if err != nil {
			return err
		}
		defer dir.Close()
		options.Dir = dir.file("wasim")
	}
	network, err := wasim.New(env.ctx, options)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(env.ctx, "tcp", cfg.Listen)
	if err != nil {
		return errors.Join(err, network.Close())
	}
	server := &http.Server{Handler: network.Handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(env.stdout, "wasim: WhatsApp at ws://%[1]s/ws/chat, control at http://%[1]s/sim/phones\n", listener.Addr())
	select {
	case err = <-served:
	case <-env.ctx.Done():
		err = errors.Join(network.Close(), server.Close())
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
