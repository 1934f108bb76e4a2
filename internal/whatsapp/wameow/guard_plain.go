package wameow

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// The calls of this file pass through the guard as they are.

// PutAppStateSyncKey implements store.AppStateSyncKeyStore.
func (g *guard) PutAppStateSyncKey(ctx context.Context, id []byte, key store.AppStateSyncKey) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutAppStateSyncKey(ctx, id, key) })
}

// GetAppStateSyncKey implements store.AppStateSyncKeyStore.
func (g *guard) GetAppStateSyncKey(ctx context.Context, id []byte) (*store.AppStateSyncKey, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (*store.AppStateSyncKey, error) {
		return in.GetAppStateSyncKey(ctx, id)
	})
}

// GetLatestAppStateSyncKeyID implements store.AppStateSyncKeyStore.
func (g *guard) GetLatestAppStateSyncKeyID(ctx context.Context) ([]byte, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) ([]byte, error) { return in.GetLatestAppStateSyncKeyID(ctx) })
}

// GetAllAppStateSyncKeys implements store.AppStateSyncKeyStore.
func (g *guard) GetAllAppStateSyncKeys(ctx context.Context) ([]*store.AppStateSyncKey, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) ([]*store.AppStateSyncKey, error) {
		return in.GetAllAppStateSyncKeys(ctx)
	})
}

// PutAppStateVersion implements store.AppStateStore.
func (g *guard) PutAppStateVersion(ctx context.Context, name string, version uint64, hash [128]byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.PutAppStateVersion(ctx, name, version, hash)
	})
}

// DeleteAppStateVersion implements store.AppStateStore.
func (g *guard) DeleteAppStateVersion(ctx context.Context, name string) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteAppStateVersion(ctx, name) })
}

// PutAppStateMutationMACs implements store.AppStateStore.
func (g *guard) PutAppStateMutationMACs(ctx context.Context, name string, version uint64, mutations []store.AppStateMutationMAC) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.PutAppStateMutationMACs(ctx, name, version, mutations)
	})
}

// DeleteAppStateMutationMACs implements store.AppStateStore.
func (g *guard) DeleteAppStateMutationMACs(ctx context.Context, name string, indexMACs [][]byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.DeleteAppStateMutationMACs(ctx, name, indexMACs)
	})
}

// GetAppStateMutationMAC implements store.AppStateStore.
func (g *guard) GetAppStateMutationMAC(ctx context.Context, name string, indexMAC []byte) ([]byte, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) ([]byte, error) {
		return in.GetAppStateMutationMAC(ctx, name, indexMAC)
	})
}

// PutContactName implements store.ContactStore.
func (g *guard) PutContactName(ctx context.Context, user types.JID, fullName, firstName string) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.PutContactName(ctx, user, fullName, firstName)
	})
}

// PutAllContactNames implements store.ContactStore.
func (g *guard) PutAllContactNames(ctx context.Context, contacts []store.ContactEntry) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutAllContactNames(ctx, contacts) })
}

// PutManyRedactedPhones implements store.ContactStore.
func (g *guard) PutManyRedactedPhones(ctx context.Context, entries []store.RedactedPhoneEntry) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutManyRedactedPhones(ctx, entries) })
}

// GetContact implements store.ContactStore.
func (g *guard) GetContact(ctx context.Context, user types.JID) (types.ContactInfo, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (types.ContactInfo, error) { return in.GetContact(ctx, user) })
}

// GetAllContacts implements store.ContactStore.
func (g *guard) GetAllContacts(ctx context.Context) (map[types.JID]types.ContactInfo, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (map[types.JID]types.ContactInfo, error) {
		return in.GetAllContacts(ctx)
	})
}

// PutMutedUntil implements store.ChatSettingsStore.
func (g *guard) PutMutedUntil(ctx context.Context, chat types.JID, until time.Time) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutMutedUntil(ctx, chat, until) })
}

// PutPinned implements store.ChatSettingsStore.
func (g *guard) PutPinned(ctx context.Context, chat types.JID, isPinned bool) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutPinned(ctx, chat, isPinned) })
}

// PutArchived implements store.ChatSettingsStore.
func (g *guard) PutArchived(ctx context.Context, chat types.JID, isArchived bool) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutArchived(ctx, chat, isArchived) })
}

// GetChatSettings implements store.ChatSettingsStore.
func (g *guard) GetChatSettings(ctx context.Context, chat types.JID) (types.LocalChatSettings, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (types.LocalChatSettings, error) {
		return in.GetChatSettings(ctx, chat)
	})
}

// PutMessageSecrets implements store.MsgSecretStore.
func (g *guard) PutMessageSecrets(ctx context.Context, inserts []store.MessageSecretInsert) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutMessageSecrets(ctx, inserts) })
}

// PutMessageSecret implements store.MsgSecretStore.
func (g *guard) PutMessageSecret(ctx context.Context, chat, sender types.JID, id types.MessageID, secret []byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.PutMessageSecret(ctx, chat, sender, id, secret)
	})
}

// PutPrivacyTokens implements store.PrivacyTokenStore.
func (g *guard) PutPrivacyTokens(ctx context.Context, tokens ...store.PrivacyToken) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutPrivacyTokens(ctx, tokens...) })
}

// DeleteExpiredPrivacyTokens implements store.PrivacyTokenStore.
func (g *guard) DeleteExpiredPrivacyTokens(ctx context.Context, cutoff time.Time) (int64, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (int64, error) {
		return in.DeleteExpiredPrivacyTokens(ctx, cutoff)
	})
}

// PutNCTSalt implements store.NCTSaltStore.
func (g *guard) PutNCTSalt(ctx context.Context, salt []byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutNCTSalt(ctx, salt) })
}

// GetNCTSalt implements store.NCTSaltStore.
func (g *guard) GetNCTSalt(ctx context.Context) ([]byte, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) ([]byte, error) { return in.GetNCTSalt(ctx) })
}

// DeleteNCTSalt implements store.NCTSaltStore.
func (g *guard) DeleteNCTSalt(ctx context.Context) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteNCTSalt(ctx) })
}

// AddOutgoingEvent implements store.EventBuffer.
func (g *guard) AddOutgoingEvent(ctx context.Context, chat types.JID, id types.MessageID, format string, plaintext []byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.AddOutgoingEvent(ctx, chat, id, format, plaintext)
	})
}

// DeleteOldOutgoingEvents implements store.EventBuffer.
func (g *guard) DeleteOldOutgoingEvents(ctx context.Context) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteOldOutgoingEvents(ctx) })
}

// GetAppStateVersion implements store.AppStateStore.
func (g *guard) GetAppStateVersion(ctx context.Context, name string) (version uint64, hash [128]byte, err error) {
	err = g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		version, hash, err = in.GetAppStateVersion(ctx, name)
		return err
	})
	return version, hash, err
}

// PutPushName implements store.ContactStore.
func (g *guard) PutPushName(ctx context.Context, user types.JID, name string) (isChanged bool, previous string, err error) {
	err = g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		isChanged, previous, err = in.PutPushName(ctx, user, name)
		return err
	})
	return isChanged, previous, err
}

// PutBusinessName implements store.ContactStore.
func (g *guard) PutBusinessName(ctx context.Context, user types.JID, name string) (isChanged bool, previous string, err error) {
	err = g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		isChanged, previous, err = in.PutBusinessName(ctx, user, name)
		return err
	})
	return isChanged, previous, err
}

// GetMessageSecret implements store.MsgSecretStore.
func (g *guard) GetMessageSecret(ctx context.Context, chat, sender types.JID, id types.MessageID) (secret []byte, from types.JID, err error) {
	err = g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		secret, from, err = in.GetMessageSecret(ctx, chat, sender, id)
		return err
	})
	return secret, from, err
}

// GetOutgoingEvent implements store.EventBuffer.
func (g *guard) GetOutgoingEvent(ctx context.Context, chat, alt types.JID, id types.MessageID) (format string, plaintext []byte, err error) {
	err = g.do(ctx, func(ctx context.Context, in innerStores) (err error) {
		format, plaintext, err = in.GetOutgoingEvent(ctx, chat, alt, id)
		return err
	})
	return format, plaintext, err
}
