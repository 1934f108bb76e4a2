package wasim

import (
	"log/slog"
	"time"
)

// Options say how a network is made. The zero value is a network in memory with the default seed.
type Options struct {
	// Dir is the folder that keeps accounts, keys, ratchets, messages, media and undelivered stanzas across restarts.
	// Empty: memory only. One process at a time may use a folder.
	Dir string
	// Seed fixes every long-lived key of the network, the Noise root first of all (see RootKeyFor). Two networks with the same
	// seed have the same root, the same LIDs and the same phone identities.
	Seed string
	// Logger receives changes of state and everything that was refused. Nil: discarded.
	Logger *slog.Logger
	// Now is the network's clock for message times and the expiry of codes. Nil: time.Now.
	Now func() time.Time
	// FastPair reports one one-time key to a device that has uploaded none yet, so that it makes the refill batch (50 keys)
	// rather than the initial one (812). For load tests.
	FastPair bool
	// Log keeps the whole frame log instead of its last few thousand entries.
	Log bool
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
