package wameow

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/store"
)

// deviceName is what the phone calls the linked device.
const deviceName = "Turnero"

// versionTimeout bounds the question for the newest version of WhatsApp's web client.
const versionTimeout = 5 * time.Second

// Network says which servers a process talks to. It is chosen once per process: the library trusts one root key.
type Network string

// The networks.
const (
	NetworkWhatsApp Network = "whatsapp" // the real one
	NetworkSim      Network = "sim"      // a local one with a root key of its own
)

// whatsAppRoot is the key that the library trusts by itself.
var whatsAppRoot = whatsmeow.WACertPubKey

// process is what the library keeps once per process, whatever the number of clients.
var process struct {
	mu      sync.Mutex
	isSet   bool
	rootKey [32]byte
}

// errOtherRoot refuses a second network in one process.
var errOtherRoot = errors.New("wameow: this process already talks to another network; the root key is chosen once per process")

// claimProcess sets what is global in the library: the trusted root key (nil: WhatsApp's own), the name of the device, how Signal sessions are
// written and where the Signal library logs.
func claimProcess(rootKey *[32]byte, log *slog.Logger) error {
	process.mu.Lock()
	defer process.mu.Unlock()
	wanted := whatsAppRoot
	if rootKey != nil {
		wanted = *rootKey
	}
	if process.isSet {
		if process.rootKey != wanted {
			return errOtherRoot
		}
		return nil
	}
	process.isSet, process.rootKey = true, wanted
	whatsmeow.WACertPubKey = wanted
	// With no known browser as its platform, the phone shows the operating system's name alone.
	store.SetOSInfo(deviceName, [3]uint32{1, 0, 0})
	store.DeviceProps.PlatformType = waCompanionReg.DeviceProps_UNKNOWN.Enum()
	store.SignalProtobufSerializer.Session = sessionRecords{}
	var signal logger.Loggable = signalLog{log}
	logger.Setup(&signal)
	return nil
}

// versionPause is the shortest time between two questions for the newest version.
const versionPause = 10 * time.Minute

// version asks which version of the web client WhatsApp expects: before the first connection, and again after WhatsApp called
// the version outdated.
type version struct {
	fetch func(ctx context.Context) (*store.WAVersionContainer, error) // nil: keep the library's

	mu    sync.Mutex
	asked time.Time
	isOld bool // WhatsApp has said so since
}

// outdate says that WhatsApp wants a newer version.
func (v *version) outdate() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.isOld = true
}

// update is called before every connection and does its work when there is need. Without an answer the version stays as it is.
func (v *version) update(ctx context.Context, now time.Time, log *slog.Logger) {
	v.mu.Lock()
	defer v.mu.Unlock()
	isAsked := !v.asked.IsZero() && (!v.isOld || now.Sub(v.asked) < versionPause)
	if isAsked || v.fetch == nil {
		return
	}
	asking, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	latest, err := v.fetch(asking)
	if ctx.Err() != nil {
		return // the next session asks
	}
	v.asked, v.isOld = now, false
	if err != nil || latest == nil {
		log.Warn("whatsapp client version not updated", "error", redactedError(err))
		return
	}
	store.SetWAVersion(*latest)
	log.Info("whatsapp client version", "version", latest.String())
}
