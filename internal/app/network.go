package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"turnero/internal/config"
	"turnero/wasim"
)

// network is the WhatsApp network that a process is on, chosen once at its start.
type network struct {
	name    string
	client  *http.Client   // nil: the real network
	rootKey *[32]byte      // nil: the real network's
	sim     *wasim.Network // not nil: it runs inside this process
}

// openNetwork joins the configured network; without an address of another, the local one runs inside this process.
func openNetwork(ctx context.Context, cfg *config.Config, data *dataDir, logger *slog.Logger) (*network, error) {
	if cfg.Network != config.NetworkSim || !cfg.Runs("whatsapp") {
		return &network{name: cfg.Network}, nil
	}
	key := wasim.RootKeyFor(cfg.SimSeed)
	n := &network{name: cfg.Network, rootKey: &key}
	if cfg.SimURL != "" {
		u, err := url.Parse(cfg.SimURL)
		if err != nil {
			return nil, err
		}
		n.client = wasim.DialClient(u.Host)
		return n, nil
	}
	sim, err := wasim.New(ctx, wasim.Options{Dir: data.file("wasim"), Seed: cfg.SimSeed, Logger: logger.With("module", "wasim")})
	if err != nil {
		return nil, err
	}
	n.sim, n.client = sim, sim.HTTPClient()
	return n, nil
}

func (n *network) close() error {
	if n.sim == nil {
		return nil
	}
	return n.sim.Close()
}
