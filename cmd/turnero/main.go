// Command turnero runs an installation, or one of the tools that go with it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"turnero/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
