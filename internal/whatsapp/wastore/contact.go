package wastore

import (
	"context"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// The texts of a contact, in the order of the table's columns.
const (
	nameFirst = iota
	nameFull
	namePush
	nameBusiness
	nameRedacted
	nameCount
)

func contactRow(user types.JID) key { return textRow(tContact, user.String()) }

func contactOf(r *row) types.ContactInfo {
	if r == nil {
		return types.ContactInfo{}
	}
	return types.ContactInfo{Found: true, FirstName: r.texts[nameFirst], FullName: r.texts[nameFull], PushName: r.texts[namePush],
		BusinessName: r.texts[nameBusiness], RedactedPhone: r.texts[nameRedacted]}
}

// renamed gives a contact's row with some texts replaced; isChanged is false when it has them already.
func renamed(r *row, texts map[int]string) (next *row, isChanged bool) {
	next = &row{texts: make([]string, nameCount)}
	if r != nil {
		copy(next.texts, r.texts)
	}
	for i, s := range texts {
		s = clean(s)
		isChanged = isChanged || next.texts[i] != s
		next.texts[i] = s
	}
	return next, isChanged
}

// rename changes texts of a contact, if they differ.
func (s *session) rename(ctx context.Context, user types.JID, texts map[int]string) (previous *row, isChanged bool, err error) {
	k := contactRow(user)
	previous, err = s.find(ctx, k)
	if err != nil {
		return nil, false, err
	}
	next, isChanged := renamed(previous, texts)
	if !isChanged {
		return previous, false, nil
	}
	return previous, true, s.put(ctx, lazy, k, next)
}

// PutPushName implements store.ContactStore.
func (s *session) PutPushName(ctx context.Context, user types.JID, name string) (bool, string, error) {
	previous, isChanged, err := s.rename(ctx, user, map[int]string{namePush: name})
	if err != nil || !isChanged {
		return false, "", err
	}
	return true, contactOf(previous).PushName, nil
}

// PutBusinessName implements store.ContactStore.
func (s *session) PutBusinessName(ctx context.Context, user types.JID, name string) (bool, string, error) {
	previous, isChanged, err := s.rename(ctx, user, map[int]string{nameBusiness: name})
	if err != nil || !isChanged {
		return false, "", err
	}
	return true, contactOf(previous).BusinessName, nil
}

// PutContactName implements store.ContactStore. The interface names its arguments the other way round than its callers give them.
func (s *session) PutContactName(ctx context.Context, user types.JID, firstName, fullName string) error {
	_, _, err := s.rename(ctx, user, map[int]string{nameFirst: firstName, nameFull: fullName})
	return err
}

// renameMany is rename for many contacts.
func (s *session) renameMany(ctx context.Context, users []types.JID, texts []map[int]string) error {
	keys := make([]key, len(users))
	for i, user := range users {
		keys[i] = contactRow(user)
	}
	have, err := s.findMany(ctx, tContact, keys)
	if err != nil {
		return err
	}
	return s.change(ctx, lazy, func(w *writes) {
		for i, k := range keys {
			if next, isChanged := renamed(have[k], texts[i]); isChanged || have[k] == nil {
				have[k] = next
				w.put(k, next)
			}
		}
	})
}

// contactsAtOnce bounds the contacts of one set of rows: a phone's address book has thousands.
const contactsAtOnce = 1000

// PutAllContactNames implements store.ContactStore. Of two entries for one contact the later counts.
func (s *session) PutAllContactNames(ctx context.Context, contacts []store.ContactEntry) error {
	for part := range slices.Chunk(contacts, contactsAtOnce) {
		users, texts := make([]types.JID, len(part)), make([]map[int]string, len(part))
		for i, c := range part {
			users[i], texts[i] = c.JID, map[int]string{nameFirst: c.FirstName, nameFull: c.FullName}
		}
		if err := s.renameMany(ctx, users, texts); err != nil {
			return err
		}
	}
	return nil
}

// PutManyRedactedPhones implements store.ContactStore. Of two entries for one contact the later counts.
func (s *session) PutManyRedactedPhones(ctx context.Context, entries []store.RedactedPhoneEntry) error {
	for part := range slices.Chunk(entries, contactsAtOnce) {
		users, texts := make([]types.JID, len(part)), make([]map[int]string, len(part))
		for i, e := range part {
			users[i], texts[i] = e.JID, map[int]string{nameRedacted: e.RedactedPhone}
		}
		if err := s.renameMany(ctx, users, texts); err != nil {
			return err
		}
	}
	return nil
}

// GetContact implements store.ContactStore.
func (s *session) GetContact(ctx context.Context, user types.JID) (types.ContactInfo, error) {
	r, err := s.find(ctx, contactRow(user))
	return contactOf(r), err
}

// GetAllContacts implements store.ContactStore.
func (s *session) GetAllContacts(ctx context.Context) (map[types.JID]types.ContactInfo, error) {
	list, err := s.search(ctx, tContact, func(key, *row) bool { return true }, "")
	if err != nil {
		return nil, err
	}
	out := make(map[types.JID]types.ContactInfo, len(list))
	for _, f := range list {
		if jid, err := types.ParseJID(f.key.a); err == nil { // else it is kept by its hash
			out[jid] = contactOf(f.row)
		}
	}
	return out, nil
}

// The numbers of a chat's settings, in the order of the table's columns.
const (
	chatMuted = iota
	chatPinned
	chatArchived
	chatCount
)

// mutedForever is how store.MutedForever is stored.
const mutedForever = -1

func (s *session) set(ctx context.Context, chat types.JID, which int, value int64) error {
	k := textRow(tChat, chat.String())
	have, err := s.find(ctx, k)
	if err != nil {
		return err
	}
	next := &row{ints: make([]int64, chatCount)}
	if have != nil {
		copy(next.ints, have.ints)
	}
	next.ints[which] = value
	return s.put(ctx, durable, k, next)
}

// PutMutedUntil implements store.ChatSettingsStore. Times are kept to the second.
func (s *session) PutMutedUntil(ctx context.Context, chat types.JID, until time.Time) error {
	value := int64(0)
	switch {
	case until.Equal(store.MutedForever):
		value = mutedForever
	case !until.IsZero():
		value = until.Unix()
	}
	return s.set(ctx, chat, chatMuted, value)
}

// PutPinned implements store.ChatSettingsStore.
func (s *session) PutPinned(ctx context.Context, chat types.JID, isPinned bool) error {
	return s.set(ctx, chat, chatPinned, toInt(isPinned))
}

// PutArchived implements store.ChatSettingsStore.
func (s *session) PutArchived(ctx context.Context, chat types.JID, isArchived bool) error {
	return s.set(ctx, chat, chatArchived, toInt(isArchived))
}

func toInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// GetChatSettings implements store.ChatSettingsStore.
func (s *session) GetChatSettings(ctx context.Context, chat types.JID) (types.LocalChatSettings, error) {
	r, err := s.find(ctx, textRow(tChat, chat.String()))
	if err != nil || r == nil {
		return types.LocalChatSettings{}, err
	}
	out := types.LocalChatSettings{Found: true, Pinned: r.ints[chatPinned] == 1, Archived: r.ints[chatArchived] == 1}
	switch muted := r.ints[chatMuted]; {
	case muted < 0:
		out.MutedUntil = store.MutedForever
	case muted > 0:
		out.MutedUntil = time.Unix(muted, 0)
	}
	return out, nil
}
