package whatsapp

import (
	"context"
	"errors"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// ErrStaleFence says that a write came from a term of ownership that is over: somebody else has the session now.
var ErrStaleFence = errors.New("whatsapp: another owner holds the session")

// Term is the right to write for a session: the fence that its owner took.
type Term struct {
	Ref
	Fence int64
}

// Store keeps sessions, contacts, chats, messages and permissions. Every call names its tenant; what belongs to another
// tenant is not found. Find… and Lock… return a fault NotFound unless they say otherwise. Lock… and all that changes must run in a transaction,
// where Lock… keeps the rows from others until its end.
type Store interface {
	// InTx runs fn in one transaction, which is retried on deadlock; inside of one it joins that.
	InTx(ctx context.Context, fn func(Store) error) error
	// InTerm is InTx for what the owner of a session writes: it holds the session's fence until the commit, and returns
	// ErrStaleFence, with nothing changed, when it is no longer the term's.
	InTerm(ctx context.Context, t Term, fn func(Store) error) error
	// Emit appends an event to the outbox in the transaction.
	Emit(ctx context.Context, ev events.Event) error
	// ClaimKey records an idempotency key for entity; it returns the entity that has the key already, "" when it was new.
	ClaimKey(ctx context.Context, tenant id.Tenant, operation, key, bodyHash, entity string, now time.Time) (string, error)

	SessionStore
	ContactStore
	ChatStore
	MessageStore
	PermissionStore
	TogetherStore
}

// SessionStore keeps sessions.
type SessionStore interface {
	// AddSession stores a new session; added is false when it was there already.
	AddSession(ctx context.Context, s Session) (added bool, err error)
	FindSession(ctx context.Context, ref Ref) (Session, error)
	LockSession(ctx context.Context, ref Ref) (Session, error)
	SaveSession(ctx context.Context, s Session) error
	// ListSessions lists a tenant's sessions, oldest first.
	ListSessions(ctx context.Context, tenant id.Tenant) ([]Session, error)
	// ListSessionsToCarry lists, of all tenants, what somebody must look after: sessions that are linked or down or in the middle of linking.
	ListSessionsToCarry(ctx context.Context) ([]Session, error)

	// HoldOn keeps the sessions of a process its own for d from now, by the database's clock, whatever becomes of their locks. held is false when an
	// earlier hold has run out: only LetGo ends that.
	HoldOn(ctx context.Context, process string, d time.Duration) (held bool, err error)
	// LetGo ends a hold.
	LetGo(ctx context.Context, process string) error
	// IsHolding reports whether a process has a hold now.
	IsHolding(ctx context.Context, process string) (bool, error)
}

// ContactStore keeps contacts. No two contacts of a tenant have the same number or the same LID.
type ContactStore interface {
	// AddContact stores a new contact; added is false when its number or LID has one already.
	AddContact(ctx context.Context, c Contact, fold string) (added bool, err error)
	SaveContact(ctx context.Context, c Contact, fold string) error
	DeleteContact(ctx context.Context, tenant id.Tenant, contact id.Contact) error
	LockContact(ctx context.Context, tenant id.Tenant, contact id.Contact) (Contact, error)
	// FindContacts finds the contacts that have the number or the LID: at most two, perhaps none. Inside of a transaction they are locked.
	FindContacts(ctx context.Context, tenant id.Tenant, ids ContactIDs) ([]Contact, error)
	// FindContactsByFold lists up to limit contacts whose number folds to the same digits.
	FindContactsByFold(ctx context.Context, tenant id.Tenant, fold string, limit int) ([]Contact, error)
}

// ChatStore keeps chats. Every chat comes with its Person.
type ChatStore interface {
	// AddChat stores a new chat; added is false when its address has one already.
	AddChat(ctx context.Context, c Chat) (added bool, err error)
	SaveChat(ctx context.Context, c Chat) error
	FindChat(ctx context.Context, tenant id.Tenant, chat id.Chat) (Chat, error)
	LockChat(ctx context.Context, tenant id.Tenant, chat id.Chat) (Chat, error)
	FindChatAt(ctx context.Context, ref Ref, address Address) (Chat, error)
	// LockChatsAt locks the session's chats that have one of the addresses, perhaps none.
	LockChatsAt(ctx context.Context, ref Ref, addresses ...Address) ([]Chat, error)
	// LockChatsOf locks the chats with a contact, of all the tenant's sessions.
	LockChatsOf(ctx context.Context, tenant id.Tenant, contact id.Contact) ([]Chat, error)
	// MoveMessages gives the messages and permissions of one chat to another of the same session, with from's contact as sender becoming into's.
	// Messages that are in both stay once; doubled is how many incoming ones were. newest is then the newest message of into.
	MoveMessages(ctx context.Context, from, into Chat) (doubled int, newest id.Message, err error)
	// MoveSender makes one contact the sender of what another wrote, in the tenant's groups and in the chats with the one. What a
	// group then holds twice stays once.
	MoveSender(ctx context.Context, tenant id.Tenant, from, into id.Contact) error
	// ListChats lists the newest first.
	ListChats(ctx context.Context, tenant id.Tenant, q ChatQuery) ([]ChatEntry, error)
}

// ChatQuery says which chats to list.
type ChatQuery struct {
	Session id.Session // zero = all of the tenant
	Viewer  id.User    // not zero: only chats that this user was granted
	Kinds   []ChatKind // empty = all
	Before  ChatCursor
	Limit   int
}

// ChatCursor is a place in the list of chats. The zero value is its beginning.
type ChatCursor struct {
	Pos int64   `json:"p"`
	ID  id.Chat `json:"i"`
}

// ChatEntry is one line of the list of chats.
type ChatEntry struct {
	Chat
	Last *Message // the newest message, nil when there is none
}

// MessageStore keeps messages. The outgoing ones that are queued are the queue.
type MessageStore interface {
	// AddMessage stores a new message; added is false when it was there already (its ID, or its chat, sender and WAID).
	AddMessage(ctx context.Context, m Message) (added bool, err error)
	// SaveMessage stores status, reason, times and type of a message.
	SaveMessage(ctx context.Context, m Message) error
	FindMessage(ctx context.Context, tenant id.Tenant, message id.Message) (Message, error)
	LockMessage(ctx context.Context, tenant id.Tenant, message id.Message) (Message, error)
	// FindOwn finds what the business sent in a session under the WhatsApp IDs. Inside of a transaction they are locked.
	FindOwn(ctx context.Context, ref Ref, waIDs []string) ([]Message, error)
	// ListMessages lists a chat's messages, newest first.
	ListMessages(ctx context.Context, tenant id.Tenant, chat id.Chat, before MessageCursor, limit int) ([]Message, error)
	// ListIncoming lists the newest incoming messages of a chat, newest first.
	ListIncoming(ctx context.Context, tenant id.Tenant, chat id.Chat, limit int) ([]Message, error)
	// ListQueued lists a session's queued messages in order of position, without those of the chats in except.
	ListQueued(ctx context.Context, ref Ref, except []id.Chat, limit int) ([]Queued, error)
	// ListWithQueue lists the sessions of all tenants that have queued messages.
	ListWithQueue(ctx context.Context) ([]Ref, error)
	// FindQueued reads one queued message as it is now; ok is false when it is no longer queued.
	FindQueued(ctx context.Context, ref Ref, message id.Message) (q Queued, ok bool, err error)
}

// MessageCursor is a place in the list of a chat's messages. The zero value is its beginning.
type MessageCursor struct {
	Pos int64      `json:"p"`
	ID  id.Message `json:"i"`
}

// Queued is a message to send, with the chat that it goes to.
type Queued struct {
	Message
	Chat Chat
}

// PermissionStore keeps which user may see and answer which chat.
type PermissionStore interface {
	Grant(ctx context.Context, p Permission) error
	Revoke(ctx context.Context, tenant id.Tenant, chat id.Chat, user id.User) error
	IsGranted(ctx context.Context, tenant id.Tenant, chat id.Chat, user id.User) (bool, error)
	ListPermissions(ctx context.Context, tenant id.Tenant, chat id.Chat) ([]Permission, error)
}

// Permission is an admin's grant: the user may see and answer the chat.
type Permission struct {
	Tenant    id.Tenant
	Chat      id.Chat
	User      id.User
	GrantedBy string // user or API key ID
	GrantedAt time.Time
}
