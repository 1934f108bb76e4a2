package whatsapp

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// errUnsettled says that two transactions kept making the same contact or chat in each other's way.
var errUnsettled = errors.New("whatsapp: contact or chat changed while it was looked up")

// identification is what is to be done so that one contact has the addresses.
type identification struct {
	person  Contact   // the contact as it will be; its ID is zero when there is none yet
	changed bool      // person differs from what is stored
	absorb  []Contact // contacts that are the same person and go into it
	release []Contact // contacts of other people that no longer have the number
}

// identify settles who has the addresses, given every contact that has one of them (and any other that is known to be the
// same person). A LID tells people apart for certain. A number may pass from one person to another: a contact with the number but
// another LID is somebody else, who no longer has it.
func identify(ids ContactIDs, known []Contact) identification {
	var out identification
	var same []Contact
	for _, c := range known {
		if ids.LID.IsZero() || c.IDs.LID.IsZero() || c.IDs.LID == ids.LID {
			same = append(same, c)
		} else if !ids.Number.IsZero() && c.IDs.Number == ids.Number {
			c.IDs.Number = Address{}
			out.release = append(out.release, c)
		}
	}
	slices.SortStableFunc(same, func(a, b Contact) int { return preference(ids, b) - preference(ids, a) })
	if len(same) == 0 {
		out.person.IDs, out.changed = ids, true
		return out
	}
	out.person, out.absorb = same[0], same[1:]
	merged := out.person
	for _, c := range same {
		merged.IDs = merged.IDs.orElse(c.IDs)
		if merged.Name == "" {
			merged.Name = c.Name
		}
	}
	merged.IDs = ids.orElse(merged.IDs)
	out.changed = merged != out.person
	out.person = merged
	return out
}

// preference ranks which of several contacts of one person stays: the one with the LID, then the one with the number.
func preference(ids ContactIDs, c Contact) int {
	switch {
	case !c.IDs.LID.IsZero():
		return 2
	case c.IDs.Number == ids.Number:
		return 1
	}
	return 0
}

// orElse fills what is not known from other.
func (c ContactIDs) orElse(other ContactIDs) ContactIDs {
	if c.Number.IsZero() {
		c.Number = other.Number
	}
	if c.LID.IsZero() {
		c.LID = other.LID
	}
	return c
}

// foldOf gives the digits by which an address's number is matched.
func (s *Service) foldOf(a Address) string {
	digits := strings.TrimPrefix(a.Phone(), "+")
	if digits == "" {
		return ""
	}
	return s.fold(digits)
}

// settlePerson makes sure that exactly one contact has the addresses, and returns it locked; chats that turn out to be one
// person's become one. also is a contact known to be the same person though it may have neither address; zero for none.
func (s *Service) settlePerson(ctx context.Context, tx Store, tenant id.Tenant, ids ContactIDs, also id.Contact, name string, now time.Time) (Contact, error) {
	for range 3 {
		known, err := s.knownAs(ctx, tx, tenant, ids, also)
		if err != nil {
			return Contact{}, err
		}
		found := identify(ids, known)
		if name != "" && found.person.Name != name {
			found.person.Name, found.changed = name, true
		}
		if !found.person.ID.IsZero() {
			return found.person, s.applyIdentification(ctx, tx, found, now)
		}
		if err = s.releaseNumbers(ctx, tx, found.release); err != nil {
			return Contact{}, err
		}
		c := found.person
		c.Tenant, c.ID, c.CreatedAt = tenant, id.NewContact(), now
		added, err := tx.AddContact(ctx, c, s.foldOf(c.IDs.Number))
		if err != nil || added {
			return c, err
		}
	}
	return Contact{}, errUnsettled
}

func (s *Service) knownAs(ctx context.Context, tx Store, tenant id.Tenant, ids ContactIDs, also id.Contact) ([]Contact, error) {
	known, err := tx.FindContacts(ctx, tenant, ids)
	if err != nil || also.IsZero() || slices.ContainsFunc(known, func(c Contact) bool { return c.ID == also }) {
		return known, err
	}
	c, err := tx.LockContact(ctx, tenant, also)
	if fault.Is(err, fault.NotFound) {
		return known, nil
	}
	return append(known, c), err
}

func (s *Service) applyIdentification(ctx context.Context, tx Store, found identification, now time.Time) error {
	if err := s.releaseNumbers(ctx, tx, found.release); err != nil {
		return err
	}
	for _, other := range found.absorb {
		if err := s.mergeContacts(ctx, tx, other, found.person, now); err != nil {
			return err
		}
	}
	if !found.changed {
		return nil
	}
	if err := tx.SaveContact(ctx, found.person, s.foldOf(found.person.IDs.Number)); err != nil {
		return err
	}
	return s.readdress(ctx, tx, found.person)
}

func (s *Service) releaseNumbers(ctx context.Context, tx Store, contacts []Contact) error {
	for _, c := range contacts {
		if err := tx.SaveContact(ctx, c, ""); err != nil {
			return err
		}
	}
	return nil
}

// readdress gives a contact's chats its canonical address.
func (s *Service) readdress(ctx context.Context, tx Store, c Contact) error {
	chats, err := tx.LockChatsOf(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	for _, chat := range chats {
		if chat.Address == c.IDs.Canonical() {
			continue
		}
		chat.Address = c.IDs.Canonical()
		if err = tx.SaveChat(ctx, chat); err != nil {
			return err
		}
	}
	return nil
}

// mergeContacts moves all that one contact has to another, which is the same person, and deletes it.
func (s *Service) mergeContacts(ctx context.Context, tx Store, from, into Contact, now time.Time) error {
	theirs, err := tx.LockChatsOf(ctx, from.Tenant, from.ID)
	if err != nil {
		return err
	}
	ours, err := tx.LockChatsOf(ctx, into.Tenant, into.ID)
	if err != nil {
		return err
	}
	for _, chat := range theirs {
		at := slices.IndexFunc(ours, func(c Chat) bool { return c.Session == chat.Session })
		if at >= 0 {
			err = s.mergeChats(ctx, tx, chat, &ours[at], now)
		} else {
			chat.Person, chat.Address = into, into.IDs.Canonical()
			err = tx.SaveChat(ctx, chat)
		}
		if err != nil {
			return err
		}
	}
	if err = tx.MoveSender(ctx, from.Tenant, from.ID, into.ID); err != nil {
		return err
	}
	return tx.DeleteContact(ctx, from.Tenant, from.ID)
}

// mergeChats moves all that one chat has to another of the same session and leaves a pointer to it.
func (s *Service) mergeChats(ctx context.Context, tx Store, from Chat, into *Chat, now time.Time) error {
	doubled, newest, err := tx.MoveMessages(ctx, from, *into)
	if err != nil {
		return err
	}
	was := into.ModeAt(now)
	into.absorb(&from, doubled)
	into.LastMessage = newest
	from.MergedInto, from.Person, from.Unread, from.LastMessage = into.ID, Contact{}, 0, id.Message{}
	if err = tx.SaveChat(ctx, from); err != nil {
		return err
	}
	if err = tx.SaveChat(ctx, *into); err != nil {
		return err
	}
	told := []events.Event{&events.ChatsMerged{Tenant: into.Tenant, Session: into.Session, Chat: into.ID, From: from.ID, At: now}}
	if is := into.ModeAt(now); is != was {
		told = append(told, &events.ChatModeChanged{Tenant: into.Tenant, Session: into.Session, Chat: into.ID, Mode: string(is), Reason: modeMerged, At: now})
	}
	return emit(ctx, tx, told...)
}

// settleChat finds or makes the session's chat with a person and returns it locked.
func (s *Service) settleChat(ctx context.Context, tx Store, ref Ref, person Contact, now time.Time) (Chat, error) {
	return s.chatAt(ctx, tx, Chat{Ref: ref, Address: person.IDs.Canonical(), Kind: DirectChat, Person: person}, now)
}

// chatAt finds the chat that has the address of draft, or makes it, and returns it locked.
func (s *Service) chatAt(ctx context.Context, tx Store, draft Chat, now time.Time) (Chat, error) {
	for range 3 {
		chats, err := tx.LockChatsAt(ctx, draft.Ref, draft.Address)
		if err != nil {
			return Chat{}, err
		}
		if len(chats) > 0 {
			return chats[0], nil
		}
		draft.ID, draft.Mode, draft.LastPos, draft.CreatedAt = id.NewChat(), BotMode, now.UnixMicro(), now
		added, err := tx.AddChat(ctx, draft)
		if err != nil || added {
			return draft, err
		}
	}
	return Chat{}, errUnsettled
}

// followMerges locks a chat, or the one that it was merged into.
func followMerges(ctx context.Context, tx Store, tenant id.Tenant, chat id.Chat) (Chat, error) {
	c, err := tx.LockChat(ctx, tenant, chat)
	for err == nil && !c.MergedInto.IsZero() {
		c, err = tx.LockChat(ctx, tenant, c.MergedInto)
	}
	return c, err
}
