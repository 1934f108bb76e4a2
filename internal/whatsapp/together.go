package whatsapp

import (
	"context"

	"turnero/internal/events"
	"turnero/internal/id"
)

// TogetherStore makes the small changes of many sessions durable in few transactions: those that come while one transaction commits are
// decided and written by the next. What a caller gives as Decide runs in there, perhaps more than once (the last run counts), while others wait: it may only compute.
//
// All return ok false, with nothing changed, for what cannot be done this way: what is looked for is not there, or somebody else is changing it at
// this moment. A transaction of the caller's own can tell, and wait.
type TogetherStore interface {
	// Post changes one chat, most often by a new message in it.
	Post(ctx context.Context, p Post) (ok bool, err error)
	// Move changes messages that the business sent.
	Move(ctx context.Context, m Move) (ok bool, err error)
	// Turn changes what a session is doing.
	Turn(ctx context.Context, t Turn) (ok bool, err error)
}

// Post says which chat is to be changed, and how.
type Post struct {
	// Term under which its session's owner writes; ErrStaleFence when it is over. A fence of 0 is for everybody else's writes.
	Term
	// Chat names the chat. Zero: Address does.
	Chat id.Chat
	// Address of the chat in the session; a person's number finds their chat also where it stands under their LID.
	Address Address
	// WAID of the messages to be told of in Place.Same. "" for none.
	WAID string
	// Key is an Idempotency-Key of the operation; "" for none. Post stores nothing, and returns false, when it was used before.
	Operation, Key string
	// AsksQueue asks for Place.IsFirst.
	AsksQueue bool
	// Decide gives what is to be stored. Its error is returned by Post.
	Decide func(p Place) (Change, error)
	// Stored, if there is one, is called when it is stored, before anything that this process stores later. It must not block. It is not called where the
	// change has a transaction of its own.
	Stored func()
}

// Place is the chat of a Post, kept from everybody else.
type Place struct {
	Chat     Chat
	IsLinked bool      // the session has a link
	IsFirst  bool      // no message of the session waits to be sent
	Same     []Message // those of the chat that have the WhatsApp ID
}

// has reports whether the place holds the message that the contact wrote (zero: the business).
func (p *Place) has(sender id.Contact) bool {
	for i := range p.Same {
		if p.Same[i].SenderID == sender {
			return true
		}
	}
	return false
}

// Change is what a Post stores. Its zero value is nothing.
type Change struct {
	Chat    *Chat    // its mode, unread count and newest message as they become; nil: unchanged
	Message *Message // to add to the chat; nil: none
	Events  []events.Event
	// Made is what a Post's Key stands for from then on.
	Made Made
}

// Made is what a request with an Idempotency-Key made.
type Made struct {
	Fingerprint string // of the request
	Entity      string // its ID
}

// Move says which messages are to be changed, and how.
type Move struct {
	Term
	// WAIDs are the WhatsApp IDs of the messages, in the session.
	WAIDs []string
	// Decide changes status, reason and times of the messages, those that are there, and gives what is to be told of it.
	Decide func(own []*Message) []events.Event
}

// Turn says which session is to be changed, and how.
type Turn struct {
	Term
	// Decide changes the session's status, identity, link, downtime, fence or owner, nothing else of it, and gives what is to be told of it.
	Decide func(s *Session) []events.Event
}
