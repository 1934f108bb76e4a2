package whatsapp

import (
	"context"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// chatRef is a chat as a caller named it: by our ID, or by who it is with.
type chatRef struct {
	id      id.Chat
	address Address
}

// parseChat reads how a caller names a chat: our ID, a WhatsApp ID or a phone number. field is the name for faults.
func (s *Service) parseChat(ctx context.Context, tenant id.Tenant, field, text string) (chatRef, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "chat_") {
		chat, err := id.ParseChat(text)
		if err != nil {
			return chatRef{}, fault.NotFoundf("chat") // an ID that cannot exist looks like one that does not
		}
		return chatRef{id: chat}, nil
	}
	if strings.Contains(text, "@") {
		a, err := ParseAddress(text)
		if err != nil || len(text) > mostWAID {
			return chatRef{}, fault.BadField(field, "must be a chat ID, a WhatsApp ID or a phone number")
		}
		return chatRef{address: a}, nil
	}
	digits, err := s.parsePhone(ctx, tenant, field, text)
	if err != nil {
		return chatRef{}, err
	}
	return chatRef{address: NumberAddress(digits)}, nil
}

// parsePhone reads a phone number and gives its digits in international form.
func (s *Service) parsePhone(ctx context.Context, tenant id.Tenant, field, text string) (string, error) {
	if len(text) > mostPhone {
		return "", fault.BadField(field, phoneRule)
	}
	digits, ok, err := s.parse(ctx, tenant, text)
	if err != nil {
		return "", err
	}
	if digits = strings.TrimPrefix(digits, "+"); !ok || digits == "" {
		return "", fault.BadField(field, phoneRule)
	}
	return digits, nil
}

const (
	mostPhone = 40 // bytes, as written
	phoneRule = "must be a phone number, best in international form like +5491122334455"
)

// contactAt finds the contact whom an address belongs to; ok is false when nobody is known by it. A number that nobody has
// is matched by its folded form when that leaves exactly one contact, so that 54 11… finds 54 9 11…, and nothing is guessed otherwise.
func (s *Service) contactAt(ctx context.Context, st Store, tenant id.Tenant, a Address) (c Contact, ok bool, err error) {
	known, err := st.FindContacts(ctx, tenant, asContact(a))
	if err != nil || len(known) > 0 {
		return first(known), len(known) > 0, err
	}
	if !a.IsNumber() {
		return Contact{}, false, nil
	}
	alike, err := st.FindContactsByFold(ctx, tenant, s.foldOf(a), 2)
	return first(alike), len(alike) == 1, err
}

func first(contacts []Contact) Contact {
	if len(contacts) == 0 {
		return Contact{}
	}
	return contacts[0]
}

// findChat finds a chat that the caller may see. A chat that exists but is not theirs to see is not found.
func (s *Service) findChat(ctx context.Context, p id.Principal, session id.Session, named string) (Chat, error) {
	ref, err := s.parseChat(ctx, p.Tenant, "chatId", named)
	if err != nil {
		return Chat{}, err
	}
	var chat Chat
	if ref.id.IsZero() {
		chat, err = s.findChatAt(ctx, sessionOf(p.Tenant, session), ref.address)
	} else {
		chat, err = s.findChatByID(ctx, p.Tenant, ref.id)
	}
	if err != nil {
		return Chat{}, err
	}
	if !session.IsZero() && chat.Session != session {
		return Chat{}, fault.NotFoundf("chat")
	}
	return chat, s.mustSee(ctx, s.store, p, chat.ID)
}

func (s *Service) findChatByID(ctx context.Context, tenant id.Tenant, chat id.Chat) (Chat, error) {
	c, err := s.store.FindChat(ctx, tenant, chat)
	for err == nil && !c.MergedInto.IsZero() {
		c, err = s.store.FindChat(ctx, tenant, c.MergedInto)
	}
	return c, err
}

func (s *Service) findChatAt(ctx context.Context, ref Ref, a Address) (Chat, error) {
	if a.Kind() == DirectChat {
		c, ok, err := s.contactAt(ctx, s.store, ref.Tenant, a)
		if err != nil {
			return Chat{}, err
		}
		if !ok {
			return Chat{}, fault.NotFoundf("chat")
		}
		a = c.IDs.Canonical()
	}
	return s.store.FindChatAt(ctx, ref, a)
}

// openChat locks the chat that a message is to be written in, and makes it when the address names one that is not there yet.
func (s *Service) openChat(ctx context.Context, tx Store, tenant id.Tenant, session id.Session, ref chatRef, now time.Time) (Chat, error) {
	if !ref.id.IsZero() {
		chat, err := followMerges(ctx, tx, tenant, ref.id)
		if err == nil && !session.IsZero() && chat.Session != session {
			err = fault.NotFoundf("chat")
		}
		return chat, err
	}
	at := sessionOf(tenant, session)
	switch kind := ref.address.Kind(); kind {
	case DirectChat:
		c, err := s.lockContactAt(ctx, tx, tenant, ref.address, now)
		if err != nil {
			return Chat{}, err
		}
		return s.settleChat(ctx, tx, at, c, now)
	case GroupChat:
		return s.chatAt(ctx, tx, Chat{Ref: at, Address: ref.address, Kind: kind}, now)
	}
	return Chat{}, errNotWritable()
}

// lockContactAt is contactAt that makes the contact when there is none. A contact must be locked before its chat is looked
// for: whoever learns its LID gives the chat another address.
func (s *Service) lockContactAt(ctx context.Context, tx Store, tenant id.Tenant, a Address, now time.Time) (Contact, error) {
	for range 3 {
		c, ok, err := s.contactAt(ctx, tx, tenant, a)
		if err != nil {
			return Contact{}, err
		}
		if !ok {
			return s.settlePerson(ctx, tx, tenant, asContact(a), id.Contact{}, "", now)
		}
		if c.IDs.Number == a || c.IDs.LID == a {
			return c, nil // found by the address itself, and locked
		}
		c, err = tx.LockContact(ctx, tenant, c.ID)
		if !fault.Is(err, fault.NotFound) {
			return c, err
		}
	}
	return Contact{}, errUnsettled
}

// mustSee returns NotFound when an employee was not granted the chat; everybody else of the tenant sees all.
func (s *Service) mustSee(ctx context.Context, st Store, p id.Principal, chat id.Chat) error {
	if p.Role != id.Employee {
		return nil
	}
	ok, err := st.IsGranted(ctx, p.Tenant, chat, p.User)
	if err == nil && !ok {
		err = fault.NotFoundf("chat")
	}
	return err
}

// sessionOf names the session that a request is about: the tenant's default when it names none.
func sessionOf(tenant id.Tenant, session id.Session) Ref {
	if session.IsZero() {
		return DefaultSession(tenant)
	}
	return Ref{Tenant: tenant, Session: session}
}
