package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"turnero/internal/platform/telemetry"
	"turnero/wasim"
)

type simCommand struct {
	FastPair bool `name:"fast-pair" help:"Have new devices make 50 keys instead of 812, for load tests."`
	Memory   bool `help:"Keep nothing: phones and links are gone when it stops."`

	Frames   int    `default:"65536" help:"How many entries of its frame log /sim/log still has."`
	FrameLog string `name:"frame-log" type:"path" placeholder:"FILE" help:"Write every entry of the frame log to this file, as JSON lines."`
	Messages int    `default:"500000" help:"How many messages all phones keep together; a message between two phones counts twice."`
}

// Run serves a local WhatsApp network until it is told to stop.
func (c simCommand) Run(env *environment) error {
	cfg := env.cfg
	logger := telemetry.NewLogger(env.stderr, cfg.LogFormat, cfg.LogLevel)
	options := wasim.Options{Seed: cfg.SimSeed, Logger: logger, FastPair: c.FastPair, Frames: c.Frames, Messages: c.Messages}
	if c.FrameLog != "" {
		file, err := os.OpenFile(c.FrameLog, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open the frame log: %w", err)
		}
		defer file.Close() // the network has said if it could not write
		options.FrameLog = file
	}
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
