package wameow

import (
	"context"

	"go.mau.fi/whatsmeow/store"

	"turnero/internal/fault"
	"turnero/internal/whatsapp"
)

// DeviceStore keeps the keys with which sessions are linked, each under its session. All methods may be called at the same
// time.
type DeviceStore interface {
	// Network tells for which network the store was made.
	Network() Network
	// Load gives the device of a session: the linked one, or a new one that becomes the session's when it is saved for the first time.
	// Each call gives a device of its own with everything as it is stored now. Its stores' DoDecryptionTxn
	// runs any calls of theirs in one transaction. Whatever is written with an old fence changes nothing and is an error.
	Load(ctx context.Context, t whatsapp.Term) (*store.Device, error)
	// Delete deletes the device of a session and all its keys. Deleting none is no error.
	Delete(ctx context.Context, t whatsapp.Term) error
}

// wrongNetwork is the error for a store that was made on another network: its links would be refused there, and be lost.
func wrongNetwork(made, wanted Network) error {
	return fault.New(fault.Conflict, "wrong_network",
		"the WhatsApp keys in this store were made on the network "+string(made)+" and cannot be used on "+string(wanted)+
			"; use another data folder or database, or start with the network they belong to")
}
