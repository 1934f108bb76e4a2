package whatsapp

import (
	"context"
	"errors"
	"time"

	"turnero/internal/id"
)

// Ref names a session with its tenant.
type Ref struct {
	Tenant  id.Tenant
	Session id.Session
}

// Engine carries WhatsApp sessions: whatsmeow's multi-device protocol, Meta's cloud API, …
type Engine interface {
	// Open starts a term of ownership of a session: it links the session when it has no link yet (QR codes go to the Sink) or connects the one
	// it has, and reconnects by itself with jitter. Everything the term does runs under ctx, which cancels it; store errors
	// and panics inside the engine end the connection first and are healed by a reconnect. Open itself does not wait for the connection.
	// Whatever it stores carries the term's fence.
	Open(ctx context.Context, t Term, sink Sink) (Line, error)
	// Forget deletes the keys of a session's link, if it has any, with the session's present fence. The session must not be open.
	Forget(ctx context.Context, t Term) error
}

// Line is one session during one term of ownership. Its methods may be called at once from many goroutines.
type Line interface {
	// Send sends one message and returns once WhatsApp has acknowledged it. The same WAID may be sent again after an unknown
	// outcome. Errors: ErrNotConnected (nothing left), ErrUnknownOutcome (it may have left), *Rejected (it will never be accepted).
	Send(ctx context.Context, m Outgoing) (Sent, error)
	// PairCode asks for the code that links the session by typing it on the phone of the number (digits only).
	PairCode(ctx context.Context, number string) (string, error)
	// MarkRead tells WhatsApp that messages of a chat were read. Typing shows or hides "typing…".
	MarkRead(ctx context.Context, chat, sender Address, waIDs []string) error
	Typing(ctx context.Context, chat Address, on bool) error
	// Lookup asks WhatsApp whether a number (digits only) is there; ok is false when it is not.
	Lookup(ctx context.Context, number string) (c ContactIDs, ok bool, err error)
	// Logout removes the link on WhatsApp's side and deletes its keys.
	Logout(ctx context.Context) error
	// Close ends the term: it disconnects and returns when nothing of the term runs any more. Safe to call twice.
	Close()
}

// Errors of Line.Send.
var (
	ErrNotConnected   = errors.New("whatsapp: not connected, nothing was sent")
	ErrUnknownOutcome = errors.New("whatsapp: outcome unknown, send again with the same ID")
)

// Rejected is the error of a message that WhatsApp or the protocol refuses for good.
type Rejected struct {
	Reason string // stable word: FailedRestricted, "not_on_whatsapp", "no_device", "refused_479", …
	Err    error
}

// Error implements error.
func (r *Rejected) Error() string { return "whatsapp: message rejected: " + r.Reason }

// Unwrap gives the cause.
func (r *Rejected) Unwrap() error { return r.Err }

// Outgoing is a message to send.
type Outgoing struct {
	WAID string  // chosen when the message was accepted, the same on every attempt
	To   Address // the chat
	Text string
}

// Sent is the outcome of a send that WhatsApp acknowledged.
type Sent struct {
	At      time.Time  // WhatsApp's time
	Contact ContactIDs // both addresses of the other side of a direct chat, as far as known now
}

// ContactIDs are the addresses of one person. Either may be zero, not both.
type ContactIDs struct {
	Number Address
	LID    Address
}

// Canonical is the address by which the person's chat is kept: the LID when it is known.
func (c ContactIDs) Canonical() Address {
	if !c.LID.IsZero() {
		return c.LID
	}
	return c.Number
}

// Incoming is a message that WhatsApp delivered: from somebody else, or from the business's own phone (FromMe).
type Incoming struct {
	WAID      string
	Chat      Address    // the group, status or channel; for a direct chat its canonical address
	Peer      ContactIDs // the other side of a direct chat
	Sender    ContactIDs // who wrote it
	FromMe    bool       // written on the business's own phone or another of its devices
	PushName  string     // the name that the sender gave themselves
	Type      string     // "text", or what it is instead: "image", "video", "audio", "document", "sticker", "location", "contact", "reaction", "poll", "call", "unknown"
	Text      string     // text or caption
	Timestamp time.Time
	Offline   bool // it waited at WhatsApp while the session was away
}

// ReceiptKind is what a receipt tells.
type ReceiptKind string

// The kinds of receipt.
const (
	ReceiptDelivered ReceiptKind = "delivered"
	ReceiptRead      ReceiptKind = "read"
	ReceiptPlayed    ReceiptKind = "played"
)

// Receipt tells what happened to messages that the session sent.
type Receipt struct {
	Chat  Address // as the receipt names it
	Peer  ContactIDs
	WAIDs []string
	Kind  ReceiptKind
	At    time.Time
}

// LinkState is the state of a session's connection as its engine sees it.
type LinkState string

// The states of a connection.
const (
	LinkConnecting LinkState = "connecting"
	LinkQR         LinkState = "qr"         // waits for the QR or the code to be used
	LinkPairing    LinkState = "pairing"    // scanned, not yet connected
	LinkConnected  LinkState = "connected"  // messages flow
	LinkDegraded   LinkState = "degraded"   // open, but it does not answer
	LinkLoggedOut  LinkState = "logged_out" // the phone removed the device; it must be linked anew
	LinkReplaced   LinkState = "replaced"   // another process connected as the same device
	LinkBanned     LinkState = "banned"
	LinkStopped    LinkState = "stopped" // nobody tries to connect
)

// LinkChange is a change of a session's connection.
type LinkChange struct {
	State  LinkState
	Reason string    // stable word: "timeout", "stream_error_503", "qr_expired", …
	Until  time.Time // for states that end by themselves, or in which trying again makes no sense before, when known
}

// Restriction tells whether WhatsApp keeps an account from writing first to new people, as it does with those whom many
// report or ignore. The account stays connected, and most of the time may go on in the chats that it has.
type Restriction struct {
	Until   time.Time // zero: there is none, or no longer
	IsGuess bool      // WhatsApp refused a message for it but did not say when it ends
}

// Identity is what a session is on WhatsApp once it is linked.
type Identity struct {
	Contact  ContactIDs
	PushName string
}

// Sink is the session's side of a term: what the engine tells, and what it asks. Each method that returns an error has
// committed what it was told when it returns nil; on an error the engine refuses the acknowledgement and ends the connection, so that WhatsApp delivers again, in order.
// Methods are called from one goroutine at a time for what must stay in order (Received, Receipt), and must return within 10 s.
type Sink interface {
	Received(ctx context.Context, m Incoming) error
	Receipt(ctx context.Context, r Receipt) error
	Linked(ctx context.Context, who Identity) error
	// Unlinked says that the link is gone: its keys are deleted.
	Unlinked(ctx context.Context, reason string) error
	// Learned says that a number and a LID are the same person.
	Learned(ctx context.Context, c ContactIDs) error
	// Restricted says that WhatsApp restricts the account, or does so no longer.
	Restricted(ctx context.Context, r Restriction) error
	Changed(ctx context.Context, c LinkChange)
	// QR gives the text of the code to show now; "" when there is none any more.
	QR(ctx context.Context, code string, expiresAt time.Time)
	// SentText gives the text of a message that the session sent, for a receiver that asks to have it again.
	SentText(ctx context.Context, chat Address, waID string) (text string, ok bool, err error)
}
