package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/telemetry"
)

type serveCommand struct{}

// Run serves until the context ends.
func (serveCommand) Run(env *environment) (err error) {
	logger := telemetry.NewLogger(env.stderr, env.cfg.LogFormat, env.cfg.LogLevel)
	c, err := openCore(env, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	release, err := c.serveDatabase(env.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if c.network, err = openNetwork(env.ctx, c.cfg, c.data, logger); err != nil {
		return err
	}
	// The address is taken before anything runs: a port in use must not cost a session its place.
	listener, err := (&net.ListenConfig{}).Listen(env.ctx, "tcp", c.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	c.baseURL = baseURL(c.cfg.PublicURL, listener.Addr())
	if err = c.openLocks(listener.Addr()); err != nil {
		return err
	}
	if err = c.watchServers(env.ctx); err != nil {
		return err
	}
	if err = c.build(env.ctx); err != nil {
		return err
	}
	handler, err := c.handler()
	if err != nil {
		return err
	}
	if c.cfg.Demo {
		if err = c.seedDemo(env.ctx, env.stdout); err != nil {
			return fmt.Errorf("set up the demonstration: %w", err)
		}
	}
	if err = c.addDebugServer(env.ctx); err != nil {
		return err
	}
	c.addCluster()
	c.group.Add(lifecycle.Component{Name: "event log", Run: c.events.Run})
	c.group.Add(lifecycle.Component{Name: "jobs", Run: c.jobs.Run})
	c.group.Add(lifecycle.Component{Name: "housekeeping", Run: c.doChores})
	c.group.Add(c.httpServer(listener, handler))
	if c.whatsapp != nil {
		// Stopped first: another process takes the sessions over while requests here finish.
		c.group.Add(lifecycle.Component{Name: "whatsapp sessions", Run: c.whatsapp.Manager().Run})
	}
	err = c.group.Run(env.ctx, func() {
		logger.InfoContext(env.ctx, "ready", "address", c.baseURL, "version", Version, "network", c.network.name, "pid", os.Getpid())
	})
	logger.InfoContext(context.WithoutCancel(env.ctx), "stopped")
	return err
}

// httpServer serves the handler; stopping lets requests finish and tells streams to end.
func (c *core) httpServer(listener net.Listener, handler http.Handler) lifecycle.Component {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	return lifecycle.Component{Name: "http server",
		Run: func(ctx context.Context) error {
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			select {
			case err := <-served:
				return err
			case <-ctx.Done():
				_ = server.Close()
				<-served
				return ctx.Err()
			}
		},
		Stop: func(ctx context.Context) error {
			close(c.closing)
			return server.Shutdown(ctx)
		}}
}

// baseURL is the address under which people reach the process: the configured one, else where it listens.
func baseURL(public string, addr net.Addr) string {
	if public != "" {
		return public
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
