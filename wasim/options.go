package wasim

import (
	"io"
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
	// Frames is how many of its last entries the frame log holds for Network.Frames. Zero: 4,096. An entry takes about 300 bytes.
	Frames int
	// FrameLog receives every entry of the frame log, as JSON lines, for those who must see all of them afterwards. Writes are
	// buffered until a quarter of a second has passed or the network is closed. An error of the writer is logged, counted
	// (Stats.LogErrors) and ends the writing. Nil: nothing is written.
	FrameLog io.Writer
	// Messages is how many messages all phones keep together, a message between two phones counted twice. Beyond it a phone
	// forgets its oldest for each new one, which is counted (Stats.Forgotten) and logged as an error. Zero: 500,000, at about 1 KB each.
	Messages int
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Frames <= 0 {
		o.Frames = defaultFrames
	}
	if o.Messages <= 0 {
		o.Messages = defaultMessages
	}
	return o
}
