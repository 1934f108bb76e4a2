package wastore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// subject is a store under test.
type subject interface {
	// Link makes a linked device of a tenant; tenants are told apart by their number.
	Link(t *testing.T, tenant int) *store.Device
	// Again gives the device as it is stored.
	Again(t *testing.T, d *store.Device) *store.Device
	// SharesPairs reports whether pairs of addresses are one table for all tenants.
	SharesPairs() bool
}

// now and after what is stored: each check runs on the device that wrote and on one that only reads what is stored.
func seen(t *testing.T, s subject, d *store.Device, check func(t *testing.T, d *store.Device)) {
	t.Helper()
	check(t, d)
	check(t, s.Again(t, d))
}

func jid(text string) types.JID {
	out, err := types.ParseJID(text)
	if err != nil {
		panic(err)
	}
	return out
}

func key32(b byte) (out [32]byte) {
	out[0], out[31] = b, b
	return out
}

var errRefused = errors.New("the message cannot be read")

// conform is what every store for whatsmeow must do.
func conform(t *testing.T, s subject) {
	for name, check := range map[string]func(t *testing.T, s subject){
		"device":                      deviceIsKept,
		"sessions":                    sessionsAreKept,
		"many sessions":               manySessionsNameAbsentOnes,
		"all sessions of a user":      allSessionsOfAUserGo,
		"identities":                  identitiesAreTrustedOnce,
		"migration":                   numbersMigrateToLIDs,
		"sender keys":                 senderKeysAreKept,
		"pre-keys":                    preKeysAreMadeOnce,
		"app state keys":              appStateKeysGrowNewer,
		"app state":                   appStateIsKept,
		"contacts":                    contactsAreKept,
		"chat settings":               chatSettingsAreKept,
		"message secrets":             messageSecretsAreFound,
		"privacy tokens":              privacyTokensGrowNewer,
		"salt":                        saltIsKept,
		"event buffer":                bufferedEventsAreKept,
		"outgoing events":             outgoingEventsAreKept,
		"lid map":                     pairsAreFoundBothWays,
		"lid map changes":             pairsReplaceEachOther,
		"a decryption":                decryptionIsAllOrNothing,
		"two devices":                 devicesAreKeptApart,
		"letter case and odd letters": keysAreExact,
	} {
		t.Run(name, func(t *testing.T) { check(t, s) })
	}
}

func deviceIsKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	d.PushName, d.BusinessName, d.Platform, d.LIDMigrationTimestamp, d.CompanionMetaNonce = "Peluquería 💇", "Corte", "android", 17, "nonce"
	require.NoError(t, d.Save(ctx))
	again := s.Again(t, d)
	require.True(t, again.Initialized)
	require.Equal(t, d.ID, again.ID)
	require.Equal(t, d.LID, again.LID)
	require.Equal(t, d.NoiseKey, again.NoiseKey)
	require.Equal(t, d.IdentityKey, again.IdentityKey)
	require.Equal(t, d.SignedPreKey, again.SignedPreKey)
	require.Equal(t, d.RegistrationID, again.RegistrationID)
	require.Equal(t, d.AdvSecretKey, again.AdvSecretKey)
	require.Equal(t, d.Account.GetDetails(), again.Account.GetDetails())
	require.Equal(t, d.Account.GetAccountSignature(), again.Account.GetAccountSignature())
	require.Equal(t, d.Account.GetAccountSignatureKey(), again.Account.GetAccountSignatureKey())
	require.Equal(t, d.Account.GetDeviceSignature(), again.Account.GetDeviceSignature())
	require.Equal(t, []any{d.PushName, d.BusinessName, d.Platform, d.LIDMigrationTimestamp, d.CompanionMetaNonce, d.FacebookUUID},
		[]any{again.PushName, again.BusinessName, again.Platform, again.LIDMigrationTimestamp, again.CompanionMetaNonce, again.FacebookUUID})
	require.NoError(t, d.Sessions.PutSession(ctx, "1:0", []byte("ratchet")))
	require.NoError(t, again.Delete(ctx))
	require.True(t, again.Deleted)
}

func sessionsAreKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	state, err := d.Sessions.GetSession(ctx, "549:0")
	require.NoError(t, err)
	require.Nil(t, state)
	has, err := d.Sessions.HasSession(ctx, "549:0")
	require.NoError(t, err)
	require.False(t, has)
	for _, text := range []string{"first", "second"} {
		require.NoError(t, d.Sessions.PutSession(ctx, "549:0", []byte(text)))
		seen(t, s, d, func(t *testing.T, d *store.Device) {
			state, err := d.Sessions.GetSession(ctx, "549:0")
			require.NoError(t, err)
			require.Equal(t, text, string(state))
			has, err := d.Sessions.HasSession(ctx, "549:0")
			require.NoError(t, err)
			require.True(t, has)
		})
	}
	require.NoError(t, d.Sessions.DeleteSession(ctx, "549:0"))
	require.NoError(t, d.Sessions.DeleteSession(ctx, "never:0"))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		has, err := d.Sessions.HasSession(ctx, "549:0")
		require.NoError(t, err)
		require.False(t, has)
	})
}

func manySessionsNameAbsentOnes(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	want, names := map[string][]byte{}, []string{}
	put := map[string][]byte{}
	for i := range 120 { // more than a cache keeps
		name := fmt.Sprintf("%d_1:0", i)
		names = append(names, name)
		want[name] = nil
		if i%3 != 0 {
			put[name] = fmt.Appendf(nil, "ratchet %d", i)
			want[name] = put[name]
		}
	}
	require.NoError(t, d.Sessions.PutManySessions(ctx, put))
	require.NoError(t, d.Sessions.PutManySessions(ctx, nil))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		got, err := d.Sessions.GetManySessions(ctx, append(slices.Clone(names), names[1]))
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = d.Sessions.GetManySessions(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

func allSessionsOfAUserGo(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	names := []string{"549:0", "549:3", "5491:0", "49:0", "549_1:0"}
	for _, name := range names {
		require.NoError(t, d.Sessions.PutSession(ctx, name, []byte(name)))
		require.NoError(t, d.Identities.PutIdentity(ctx, name, key32(1)))
	}
	require.NoError(t, d.Sessions.DeleteAllSessions(ctx, "549"))
	require.NoError(t, d.Identities.DeleteAllIdentities(ctx, "549"))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		for _, name := range names {
			isGone := strings.HasPrefix(name, "549:")
			has, err := d.Sessions.HasSession(ctx, name)
			require.NoError(t, err)
			require.Equal(t, !isGone, has, name)
			trusted, err := d.Identities.IsTrustedIdentity(ctx, name, key32(2))
			require.NoError(t, err)
			require.Equal(t, isGone, trusted, name)
		}
	})
}

func identitiesAreTrustedOnce(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	trusts := func(t *testing.T, d *store.Device, key byte, want bool) {
		t.Helper()
		got, err := d.Identities.IsTrustedIdentity(ctx, "549:0", key32(key))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	trusts(t, d, 1, true)
	for _, key := range []byte{1, 1, 2} {
		require.NoError(t, d.Identities.PutIdentity(ctx, "549:0", key32(key)))
		seen(t, s, d, func(t *testing.T, d *store.Device) {
			trusts(t, d, key, true)
			trusts(t, d, key+1, false)
		})
	}
	require.NoError(t, d.Identities.DeleteIdentity(ctx, "549:0"))
	seen(t, s, d, func(t *testing.T, d *store.Device) { trusts(t, d, 9, true) })
}

func numbersMigrateToLIDs(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	pn, lid := jid("549111@s.whatsapp.net"), jid("777@lid")
	for _, device := range []string{":0", ":5"} {
		require.NoError(t, d.Sessions.PutSession(ctx, "549111"+device, []byte("pn"+device)))
		require.NoError(t, d.Identities.PutIdentity(ctx, "549111"+device, key32(5)))
		require.NoError(t, d.SenderKeys.PutSenderKey(ctx, "1@g.us", "549111"+device, []byte("sk"+device)))
	}
	require.NoError(t, d.Sessions.PutSession(ctx, "5491112:0", []byte("somebody else")))
	require.NoError(t, d.Sessions.PutSession(ctx, "777_1:0", []byte("replaced")))
	require.NoError(t, d.Sessions.MigratePNToLID(ctx, pn, lid))
	require.NoError(t, d.Sessions.MigratePNToLID(ctx, pn, lid))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		got, err := d.Sessions.GetManySessions(ctx, []string{"549111:0", "549111:5", "777_1:0", "777_1:5", "5491112:0"})
		require.NoError(t, err)
		require.Equal(t, map[string][]byte{"549111:0": nil, "549111:5": nil, "777_1:0": []byte("pn:0"), "777_1:5": []byte("pn:5"), "5491112:0": []byte("somebody else")}, got)
		trusted, err := d.Identities.IsTrustedIdentity(ctx, "777_1:5", key32(6))
		require.NoError(t, err)
		require.False(t, trusted)
		trusted, err = d.Identities.IsTrustedIdentity(ctx, "549111:5", key32(6))
		require.NoError(t, err)
		require.True(t, trusted)
		sender, err := d.SenderKeys.GetSenderKey(ctx, "1@g.us", "777_1:5")
		require.NoError(t, err)
		require.Equal(t, "sk:5", string(sender))
		sender, err = d.SenderKeys.GetSenderKey(ctx, "1@g.us", "549111:5")
		require.NoError(t, err)
		require.Nil(t, sender)
	})
}

func senderKeysAreKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	none, err := d.SenderKeys.GetSenderKey(ctx, "1@g.us", "549:0")
	require.NoError(t, err)
	require.Nil(t, none)
	for _, text := range []string{"one", "two"} {
		require.NoError(t, d.SenderKeys.PutSenderKey(ctx, "1@g.us", "549:0", []byte(text)))
		require.NoError(t, d.SenderKeys.PutSenderKey(ctx, "2@g.us", "549:0", []byte("other group")))
		seen(t, s, d, func(t *testing.T, d *store.Device) {
			got, err := d.SenderKeys.GetSenderKey(ctx, "1@g.us", "549:0")
			require.NoError(t, err)
			require.Equal(t, text, string(got))
		})
	}
}

func preKeysAreMadeOnce(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	batch, err := d.PreKeys.GetOrGenPreKeys(ctx, 812)
	require.NoError(t, err)
	require.Len(t, batch, 812)
	for i, k := range batch {
		require.EqualValues(t, i+1, k.KeyID)
	}
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		again, err := d.PreKeys.GetOrGenPreKeys(ctx, 10)
		require.NoError(t, err)
		require.Len(t, again, 10)
		require.Equal(t, *batch[0].Priv, *again[0].Priv)
		require.Equal(t, *batch[9].Pub, *again[9].Pub)
		n, err := d.PreKeys.UploadedPreKeyCount(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
	require.NoError(t, d.PreKeys.MarkPreKeysAsUploaded(ctx, 800))
	one, err := d.PreKeys.GenOnePreKey(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 813, one.KeyID)
	require.NoError(t, d.PreKeys.RemovePreKey(ctx, 3))
	require.NoError(t, d.PreKeys.RemovePreKey(ctx, 9999))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		n, err := d.PreKeys.UploadedPreKeyCount(ctx)
		require.NoError(t, err)
		require.Equal(t, 800, n, "one of them removed, one made as uploaded")
		k, err := d.PreKeys.GetPreKey(ctx, 4)
		require.NoError(t, err)
		require.Equal(t, *batch[3].Priv, *k.Priv)
	})
	more, err := d.PreKeys.GetOrGenPreKeys(ctx, 20)
	require.NoError(t, err)
	var numbers []uint32
	for _, k := range more {
		numbers = append(numbers, k.KeyID)
	}
	require.Equal(t, []uint32{801, 802, 803, 804, 805, 806, 807, 808, 809, 810, 811, 812, 814, 815, 816, 817, 818, 819, 820, 821}, numbers)
	gone, err := d.PreKeys.GetPreKey(ctx, 3)
	require.NoError(t, err)
	require.Nil(t, gone)
}

func appStateKeysGrowNewer(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	none, err := d.AppStateKeys.GetAppStateSyncKey(ctx, []byte{0, 1})
	require.NoError(t, err)
	require.Nil(t, none)
	latest, err := d.AppStateKeys.GetLatestAppStateSyncKeyID(ctx)
	require.NoError(t, err)
	require.Nil(t, latest)
	put := func(id byte, text string, at int64) {
		t.Helper()
		require.NoError(t, d.AppStateKeys.PutAppStateSyncKey(ctx, []byte{0, id}, store.AppStateSyncKey{Data: []byte(text), Fingerprint: []byte("f" + text), Timestamp: at}))
	}
	put(1, "one", 100)
	put(2, "two", 200)
	put(1, "older", 50)
	put(1, "same", 100)
	put(2, "newer", 300)
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		k, err := d.AppStateKeys.GetAppStateSyncKey(ctx, []byte{0, 1})
		require.NoError(t, err)
		require.Equal(t, &store.AppStateSyncKey{Data: []byte("one"), Fingerprint: []byte("fone"), Timestamp: 100}, k)
		latest, err := d.AppStateKeys.GetLatestAppStateSyncKeyID(ctx)
		require.NoError(t, err)
		require.Equal(t, []byte{0, 2}, latest)
		all, err := d.AppStateKeys.GetAllAppStateSyncKeys(ctx)
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.Equal(t, "newer", string(all[0].Data))
	})
}

func appStateIsKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	version, hash, err := d.AppState.GetAppStateVersion(ctx, "regular")
	require.NoError(t, err)
	require.Zero(t, version)
	require.Zero(t, hash)
	hash[0], hash[127] = 1, 2
	require.NoError(t, d.AppState.PutAppStateVersion(ctx, "regular", 1, [128]byte{}))
	require.NoError(t, d.AppState.PutAppStateVersion(ctx, "regular", 7, hash))
	require.NoError(t, d.AppState.PutAppStateVersion(ctx, "critical", 3, hash))
	var macs []store.AppStateMutationMAC
	for i := range 1000 {
		index, value := key32(byte(i)), key32(byte(i+1))
		index[1] = byte(i >> 8)
		macs = append(macs, store.AppStateMutationMAC{IndexMAC: index[:], ValueMAC: value[:]})
	}
	require.NoError(t, d.AppState.PutAppStateMutationMACs(ctx, "regular", 6, macs))
	newer := key32(200)
	require.NoError(t, d.AppState.PutAppStateMutationMACs(ctx, "regular", 7, []store.AppStateMutationMAC{{IndexMAC: macs[5].IndexMAC, ValueMAC: newer[:]}}))
	require.NoError(t, d.AppState.PutAppStateMutationMACs(ctx, "critical", 3, macs[:2]))
	require.NoError(t, d.AppState.PutAppStateMutationMACs(ctx, "regular", 7, nil))
	require.NoError(t, d.AppState.DeleteAppStateMutationMACs(ctx, "regular", [][]byte{macs[0].IndexMAC, macs[900].IndexMAC}))
	require.NoError(t, d.AppState.DeleteAppStateMutationMACs(ctx, "regular", nil))
	mac := func(t *testing.T, d *store.Device, name string, i int) []byte {
		t.Helper()
		value, err := d.AppState.GetAppStateMutationMAC(ctx, name, macs[i].IndexMAC)
		require.NoError(t, err)
		return value
	}
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		version, got, err := d.AppState.GetAppStateVersion(ctx, "regular")
		require.NoError(t, err)
		require.EqualValues(t, 7, version)
		require.Equal(t, hash, got)
		require.Nil(t, mac(t, d, "regular", 0))
		require.Nil(t, mac(t, d, "regular", 900))
		require.Equal(t, newer[:], mac(t, d, "regular", 5), "the latest version's")
		require.Equal(t, macs[999].ValueMAC, mac(t, d, "regular", 999))
		require.Equal(t, macs[0].ValueMAC, mac(t, d, "critical", 0))
	})
	require.NoError(t, d.AppState.DeleteAppStateVersion(ctx, "regular"))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		version, _, err := d.AppState.GetAppStateVersion(ctx, "regular")
		require.NoError(t, err)
		require.Zero(t, version)
		require.Nil(t, mac(t, d, "regular", 999), "its MACs went with it")
		require.Equal(t, macs[1].ValueMAC, mac(t, d, "critical", 1))
	})
}

func contactsAreKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	ana, beto := jid("549111@s.whatsapp.net"), jid("777@lid")
	info, err := d.Contacts.GetContact(ctx, ana)
	require.NoError(t, err)
	require.False(t, info.Found)
	isChanged, previous, err := d.Contacts.PutPushName(ctx, ana, "Ana")
	require.NoError(t, err)
	require.True(t, isChanged)
	require.Empty(t, previous)
	isChanged, previous, err = d.Contacts.PutPushName(ctx, ana, "Ana 💇")
	require.NoError(t, err)
	require.True(t, isChanged)
	require.Equal(t, "Ana", previous)
	isChanged, _, err = d.Contacts.PutPushName(ctx, ana, "Ana 💇")
	require.NoError(t, err)
	require.False(t, isChanged)
	isChanged, previous, err = d.Contacts.PutBusinessName(ctx, ana, "Corte SA")
	require.NoError(t, err)
	require.True(t, isChanged)
	require.Empty(t, previous)
	require.NoError(t, d.Contacts.PutContactName(ctx, ana, "Ana", "Ana Pérez"))
	require.NoError(t, d.Contacts.PutAllContactNames(ctx, []store.ContactEntry{{JID: beto, FirstName: "Beto", FullName: "Beto Gómez"}}))
	require.NoError(t, d.Contacts.PutManyRedactedPhones(ctx, []store.RedactedPhoneEntry{{JID: beto, RedactedPhone: "+54∙∙11"}}))
	require.NoError(t, d.Contacts.PutAllContactNames(ctx, nil))
	require.NoError(t, d.Contacts.PutManyRedactedPhones(ctx, nil))
	want := map[types.JID]types.ContactInfo{
		ana:  {Found: true, FirstName: "Ana", FullName: "Ana Pérez", PushName: "Ana 💇", BusinessName: "Corte SA"},
		beto: {Found: true, FirstName: "Beto", FullName: "Beto Gómez", RedactedPhone: "+54∙∙11"},
	}
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		info, err := d.Contacts.GetContact(ctx, ana)
		require.NoError(t, err)
		require.Equal(t, want[ana], info)
		all, err := d.Contacts.GetAllContacts(ctx)
		require.NoError(t, err)
		require.Equal(t, want, all)
	})
}

func chatSettingsAreKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	chat, other := jid("1@g.us"), jid("549@s.whatsapp.net")
	settings, err := d.ChatSettings.GetChatSettings(ctx, chat)
	require.NoError(t, err)
	require.Equal(t, types.LocalChatSettings{}, settings)
	until := time.Unix(1_900_000_000, 0)
	require.NoError(t, d.ChatSettings.PutMutedUntil(ctx, chat, until))
	require.NoError(t, d.ChatSettings.PutPinned(ctx, chat, true))
	require.NoError(t, d.ChatSettings.PutArchived(ctx, chat, true))
	require.NoError(t, d.ChatSettings.PutPinned(ctx, chat, false))
	require.NoError(t, d.ChatSettings.PutMutedUntil(ctx, other, store.MutedForever))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		settings, err := d.ChatSettings.GetChatSettings(ctx, chat)
		require.NoError(t, err)
		require.True(t, settings.Found && settings.Archived && !settings.Pinned)
		require.True(t, until.Equal(settings.MutedUntil))
		settings, err = d.ChatSettings.GetChatSettings(ctx, other)
		require.NoError(t, err)
		require.Equal(t, store.MutedForever, settings.MutedUntil)
	})
	require.NoError(t, d.ChatSettings.PutMutedUntil(ctx, other, time.Time{}))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		settings, err := d.ChatSettings.GetChatSettings(ctx, other)
		require.NoError(t, err)
		require.True(t, settings.MutedUntil.IsZero())
	})
}

func messageSecretsAreFound(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	pn, lid, group := jid("5498000@s.whatsapp.net"), jid("8000@lid"), jid("1@g.us")
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lid, pn))
	require.NoError(t, d.MsgSecrets.PutMessageSecret(ctx, pn, pn, "A", []byte("first")))
	require.NoError(t, d.MsgSecrets.PutMessageSecret(ctx, pn, pn, "A", []byte("second")))
	require.NoError(t, d.MsgSecrets.PutMessageSecrets(ctx, []store.MessageSecretInsert{
		{Chat: group, Sender: jid("8000:4@lid"), ID: "B", Secret: []byte("group")}, {Chat: group, Sender: lid, ID: "B", Secret: []byte("again")}, {Chat: group, Sender: lid, ID: "C", Secret: []byte("c")}}))
	require.NoError(t, d.MsgSecrets.PutMessageSecrets(ctx, nil))
	get := func(t *testing.T, d *store.Device, chat, sender types.JID, id string, want string, from types.JID) {
		t.Helper()
		secret, real, err := d.MsgSecrets.GetMessageSecret(ctx, chat, sender, id)
		require.NoError(t, err)
		require.Equal(t, want, string(secret))
		require.Equal(t, from, real)
	}
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		get(t, d, pn, pn, "A", "first", pn)
		get(t, d, lid, lid, "A", "first", pn)
		get(t, d, lid, jid("5498000:3@s.whatsapp.net"), "A", "first", pn)
		get(t, d, group, pn, "B", "group", lid)
		get(t, d, group, lid, "C", "c", lid)
		get(t, d, group, lid, "b", "", types.EmptyJID)
		get(t, d, pn, group, "A", "", types.EmptyJID)
	})
}

func privacyTokensGrowNewer(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	pn, lid, other := jid("5499000@s.whatsapp.net"), jid("9000@lid"), jid("5499001@s.whatsapp.net")
	none, err := d.PrivacyTokens.GetPrivacyToken(ctx, pn)
	require.NoError(t, err)
	require.Nil(t, none)
	at := func(s int64) time.Time { return time.Unix(1_700_000_000+s, 0) }
	put := func(user types.JID, text string, made, sent int64) {
		t.Helper()
		token := store.PrivacyToken{User: user, Token: []byte(text), Timestamp: at(made)}
		if sent != 0 {
			token.SenderTimestamp = at(sent)
		}
		require.NoError(t, d.PrivacyTokens.PutPrivacyTokens(ctx, token))
	}
	get := func(t *testing.T, d *store.Device, user types.JID, text string, made, sent int64) {
		t.Helper()
		token, err := d.PrivacyTokens.GetPrivacyToken(ctx, user)
		require.NoError(t, err)
		require.NotNil(t, token)
		require.Equal(t, text, string(token.Token))
		require.Equal(t, user.ToNonAD(), token.User)
		require.True(t, at(made).Equal(token.Timestamp))
		if sent == 0 {
			require.True(t, token.SenderTimestamp.IsZero())
		} else {
			require.True(t, at(sent).Equal(token.SenderTimestamp))
		}
	}
	put(pn, "first", 10, 5)
	put(pn, "older", 9, 9)
	put(other, "other", 1, 0)
	seen(t, s, d, func(t *testing.T, d *store.Device) { get(t, d, jid("5499000:2@s.whatsapp.net"), "first", 10, 5) })
	put(pn, "same", 10, 0)
	seen(t, s, d, func(t *testing.T, d *store.Device) { get(t, d, pn, "same", 10, 5) })
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lid, pn))
	put(lid, "by lid", 20, 0)
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		get(t, d, lid, "by lid", 20, 0)
		get(t, d, pn, "by lid", 20, 0)
	})
	n, err := d.PrivacyTokens.DeleteExpiredPrivacyTokens(ctx, at(10))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		none, err := d.PrivacyTokens.GetPrivacyToken(ctx, other)
		require.NoError(t, err)
		require.Nil(t, none)
		get(t, d, pn, "by lid", 20, 0)
	})
	n, err = d.PrivacyTokens.DeleteExpiredPrivacyTokens(ctx, at(10))
	require.NoError(t, err)
	require.Zero(t, n)
}

func saltIsKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	salt, err := d.NCTSalt.GetNCTSalt(ctx)
	require.NoError(t, err)
	require.Nil(t, salt)
	for _, text := range []string{"salt", "pepper"} {
		require.NoError(t, d.NCTSalt.PutNCTSalt(ctx, []byte(text)))
		seen(t, s, d, func(t *testing.T, d *store.Device) {
			salt, err := d.NCTSalt.GetNCTSalt(ctx)
			require.NoError(t, err)
			require.Equal(t, text, string(salt))
		})
	}
	require.NoError(t, d.NCTSalt.DeleteNCTSalt(ctx))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		salt, err := d.NCTSalt.GetNCTSalt(ctx)
		require.NoError(t, err)
		require.Nil(t, salt)
	})
}

func bufferedEventsAreKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	none, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
	require.NoError(t, err)
	require.Nil(t, none)
	sent := time.Unix(1_700_000_000, 0)
	before := time.Now().Add(-time.Second)
	require.NoError(t, d.EventBuffer.PutBufferedEvent(ctx, key32(1), []byte("hola"), sent))
	require.NoError(t, d.EventBuffer.DeleteOldBufferedHashes(ctx))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		ev, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
		require.NoError(t, err)
		require.NotNil(t, ev, "it is not old")
		require.Equal(t, "hola", string(ev.Plaintext))
		require.True(t, sent.Equal(ev.ServerTime))
		require.True(t, ev.InsertTime.After(before))
	})
	require.NoError(t, d.EventBuffer.ClearBufferedEventPlaintext(ctx, key32(1)))
	require.NoError(t, d.EventBuffer.ClearBufferedEventPlaintext(ctx, key32(1)))
	require.NoError(t, d.EventBuffer.ClearBufferedEventPlaintext(ctx, key32(9)))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		ev, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
		require.NoError(t, err)
		require.NotNil(t, ev, "it is still known")
		require.Nil(t, ev.Plaintext)
		require.True(t, sent.Equal(ev.ServerTime))
		none, err := d.EventBuffer.GetBufferedEvent(ctx, key32(9))
		require.NoError(t, err)
		require.Nil(t, none)
	})
}

func outgoingEventsAreKept(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	pn, lid := jid("549@s.whatsapp.net"), jid("7@lid")
	_, _, err := d.EventBuffer.GetOutgoingEvent(ctx, pn, lid, "A")
	require.ErrorIs(t, err, sql.ErrNoRows)
	for _, text := range []string{"one", "two"} {
		require.NoError(t, d.EventBuffer.AddOutgoingEvent(ctx, lid, "A", "format-"+text, []byte(text)))
		require.NoError(t, d.EventBuffer.DeleteOldOutgoingEvents(ctx))
		seen(t, s, d, func(t *testing.T, d *store.Device) {
			for _, pair := range [][2]types.JID{{pn, lid}, {lid, types.EmptyJID}} {
				format, plaintext, err := d.EventBuffer.GetOutgoingEvent(ctx, pair[0], pair[1], "A")
				require.NoError(t, err)
				require.Equal(t, "format-"+text, format)
				require.Equal(t, text, string(plaintext))
			}
			_, _, err := d.EventBuffer.GetOutgoingEvent(ctx, pn, types.EmptyJID, "A")
			require.ErrorIs(t, err, sql.ErrNoRows)
		})
	}
}

func pairsAreFoundBothWays(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	pn, lid := jid("5490001@s.whatsapp.net"), jid("10001@lid")
	for range 2 { // that it was asked for before must not matter
		none, err := d.LIDs.GetLIDForPN(ctx, pn)
		require.NoError(t, err)
		require.True(t, none.IsEmpty())
		none, err = d.LIDs.GetPNForLID(ctx, lid)
		require.NoError(t, err)
		require.True(t, none.IsEmpty())
	}
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lid, pn))
	require.NoError(t, d.LIDs.PutManyLIDMappings(ctx, []store.LIDMapping{
		{LID: jid("10002@lid"), PN: jid("5490002@s.whatsapp.net")}, {LID: jid("10002@lid"), PN: jid("5490002@s.whatsapp.net")},
		{LID: jid("1@g.us"), PN: jid("5490003@s.whatsapp.net")}, {LID: jid("10004@lid"), PN: jid("10004@lid")}}))
	require.NoError(t, d.LIDs.PutManyLIDMappings(ctx, nil))
	require.Error(t, d.LIDs.PutLIDMapping(ctx, pn, lid))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		got, err := d.LIDs.GetLIDForPN(ctx, jid("5490001:7@s.whatsapp.net"))
		require.NoError(t, err)
		require.Equal(t, jid("10001:7@lid"), got, "of the same device")
		got, err = d.LIDs.GetPNForLID(ctx, jid("10002:3@lid"))
		require.NoError(t, err)
		require.Equal(t, jid("5490002:3@s.whatsapp.net"), got)
		many, err := d.LIDs.GetManyLIDsForPNs(ctx, []types.JID{pn, jid("5490002:1@s.whatsapp.net"), jid("5490002:2@s.whatsapp.net"), jid("5490003@s.whatsapp.net"), jid("1@g.us")})
		require.NoError(t, err)
		require.Equal(t, map[types.JID]types.JID{pn: lid, jid("5490002:1@s.whatsapp.net"): jid("10002:1@lid"), jid("5490002:2@s.whatsapp.net"): jid("10002:2@lid")}, many)
		alt, err := d.GetAltJID(ctx, lid)
		require.NoError(t, err)
		require.Equal(t, pn, alt)
		_, err = d.LIDs.GetLIDForPN(ctx, lid)
		require.Error(t, err)
		_, err = d.LIDs.GetPNForLID(ctx, pn)
		require.Error(t, err)
	})
	other := s.Link(t, 1)
	got, err := other.LIDs.GetLIDForPN(ctx, pn)
	require.NoError(t, err)
	require.Equal(t, lid, got, "a tenant's sessions share them")
	if !s.SharesPairs() {
		got, err = s.Link(t, 2).LIDs.GetLIDForPN(ctx, pn)
		require.NoError(t, err)
		require.True(t, got.IsEmpty(), "tenants do not")
	}
}

func pairsReplaceEachOther(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	pnA, pnB, lidA, lidB := jid("5491001@s.whatsapp.net"), jid("5491002@s.whatsapp.net"), jid("11001@lid"), jid("11002@lid")
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lidA, pnA))
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lidB, pnB))
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lidB, pnA)) // the number has a new LID
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		got, err := d.LIDs.GetLIDForPN(ctx, pnA)
		require.NoError(t, err)
		require.Equal(t, lidB, got)
		got, err = d.LIDs.GetPNForLID(ctx, lidB)
		require.NoError(t, err)
		require.Equal(t, pnA, got)
		got, err = d.LIDs.GetPNForLID(ctx, lidA)
		require.NoError(t, err)
		require.True(t, got.IsEmpty())
		got, err = d.LIDs.GetLIDForPN(ctx, pnB)
		require.NoError(t, err)
		require.True(t, got.IsEmpty())
	})
}

func decryptionIsAllOrNothing(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	require.NoError(t, d.Sessions.PutSession(ctx, "549:0", []byte("before")))
	batch, err := d.PreKeys.GetOrGenPreKeys(ctx, 2)
	require.NoError(t, err)
	decrypt := func(outcome error) error {
		return d.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
			require.NoError(t, d.Sessions.PutSession(ctx, "549:0", []byte("after")))
			require.NoError(t, d.Identities.PutIdentity(ctx, "549:0", key32(1)))
			require.NoError(t, d.PreKeys.RemovePreKey(ctx, batch[0].KeyID))
			require.NoError(t, d.SenderKeys.PutSenderKey(ctx, "1@g.us", "549:0", []byte("sender")))
			require.NoError(t, d.EventBuffer.PutBufferedEvent(ctx, key32(1), []byte("hola"), time.Unix(1, 0)))
			state, err := d.Sessions.GetSession(ctx, "549:0")
			require.NoError(t, err)
			require.Equal(t, "after", string(state), "its own writes are seen")
			many, err := d.Sessions.GetManySessions(ctx, []string{"549:0", "550:0"})
			require.NoError(t, err)
			require.Equal(t, map[string][]byte{"549:0": []byte("after"), "550:0": nil}, many)
			trusted, err := d.Identities.IsTrustedIdentity(ctx, "549:0", key32(2))
			require.NoError(t, err)
			require.False(t, trusted)
			return d.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error { // one within another is part of it
				require.NoError(t, d.Sessions.PutSession(ctx, "551:0", []byte("inner")))
				return outcome
			})
		})
	}
	require.ErrorIs(t, decrypt(errRefused), errRefused)
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		many, err := d.Sessions.GetManySessions(ctx, []string{"549:0", "551:0"})
		require.NoError(t, err)
		require.Equal(t, map[string][]byte{"549:0": []byte("before"), "551:0": nil}, many)
		ev, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
		require.NoError(t, err)
		require.Nil(t, ev)
		k, err := d.PreKeys.GetPreKey(ctx, batch[0].KeyID)
		require.NoError(t, err)
		require.NotNil(t, k)
		trusted, err := d.Identities.IsTrustedIdentity(ctx, "549:0", key32(2))
		require.NoError(t, err)
		require.True(t, trusted)
	})
	require.NoError(t, decrypt(nil))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		many, err := d.Sessions.GetManySessions(ctx, []string{"549:0", "551:0"})
		require.NoError(t, err)
		require.Equal(t, map[string][]byte{"549:0": []byte("after"), "551:0": []byte("inner")}, many)
		ev, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
		require.NoError(t, err)
		require.Equal(t, "hola", string(ev.Plaintext))
		sender, err := d.SenderKeys.GetSenderKey(ctx, "1@g.us", "549:0")
		require.NoError(t, err)
		require.Equal(t, "sender", string(sender))
	})
}

func devicesAreKeptApart(t *testing.T, s subject) {
	ctx := t.Context()
	mine, sameTenant, otherTenant := s.Link(t, 1), s.Link(t, 1), s.Link(t, 2)
	require.NoError(t, mine.Sessions.PutSession(ctx, "549:0", []byte("mine")))
	require.NoError(t, mine.Identities.PutIdentity(ctx, "549:0", key32(1)))
	require.NoError(t, mine.SenderKeys.PutSenderKey(ctx, "1@g.us", "549:0", []byte("mine")))
	require.NoError(t, mine.EventBuffer.PutBufferedEvent(ctx, key32(1), []byte("mine"), time.Unix(1, 0)))
	require.NoError(t, mine.NCTSalt.PutNCTSalt(ctx, []byte("mine")))
	require.NoError(t, mine.AppStateKeys.PutAppStateSyncKey(ctx, []byte{1}, store.AppStateSyncKey{Data: []byte{1}, Fingerprint: []byte{1}, Timestamp: 1}))
	require.NoError(t, mine.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: jid("549@s.whatsapp.net"), Token: []byte{1}, Timestamp: time.Unix(9, 0)}))
	_, err := mine.PreKeys.GetOrGenPreKeys(ctx, 3)
	require.NoError(t, err)
	_, _, err = mine.Contacts.PutPushName(ctx, jid("549@s.whatsapp.net"), "Ana")
	require.NoError(t, err)
	require.NoError(t, mine.MsgSecrets.PutMessageSecret(ctx, jid("1@g.us"), jid("549@s.whatsapp.net"), "A", []byte("mine")))
	for _, other := range []*store.Device{sameTenant, otherTenant} {
		seen(t, s, other, func(t *testing.T, d *store.Device) {
			state, err := d.Sessions.GetSession(ctx, "549:0")
			require.NoError(t, err)
			require.Nil(t, state)
			trusted, err := d.Identities.IsTrustedIdentity(ctx, "549:0", key32(2))
			require.NoError(t, err)
			require.True(t, trusted)
			sender, err := d.SenderKeys.GetSenderKey(ctx, "1@g.us", "549:0")
			require.NoError(t, err)
			require.Nil(t, sender)
			ev, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
			require.NoError(t, err)
			require.Nil(t, ev)
			salt, err := d.NCTSalt.GetNCTSalt(ctx)
			require.NoError(t, err)
			require.Nil(t, salt)
			keys, err := d.AppStateKeys.GetAllAppStateSyncKeys(ctx)
			require.NoError(t, err)
			require.Empty(t, keys)
			token, err := d.PrivacyTokens.GetPrivacyToken(ctx, jid("549@s.whatsapp.net"))
			require.NoError(t, err)
			require.Nil(t, token)
			contacts, err := d.Contacts.GetAllContacts(ctx)
			require.NoError(t, err)
			require.Empty(t, contacts)
			secret, _, err := d.MsgSecrets.GetMessageSecret(ctx, jid("1@g.us"), jid("549@s.whatsapp.net"), "A")
			require.NoError(t, err)
			require.Nil(t, secret)
		})
		require.NoError(t, other.Sessions.PutSession(ctx, "549:0", []byte("other")))
		require.NoError(t, other.Sessions.DeleteAllSessions(ctx, "549"))
		require.NoError(t, other.Delete(ctx))
	}
	seen(t, s, mine, func(t *testing.T, d *store.Device) {
		state, err := d.Sessions.GetSession(ctx, "549:0")
		require.NoError(t, err)
		require.Equal(t, "mine", string(state))
	})
}

func keysAreExact(t *testing.T, s subject) {
	ctx, d := t.Context(), s.Link(t, 1)
	names := []string{"abc:0", "ABC:0", "áBc:0", "abc:0 ", "a_c:0", "a%c:0", strings.Repeat("x", 300) + ":0", strings.Repeat("x", 300) + ":1"}
	for _, name := range names {
		require.NoError(t, d.Sessions.PutSession(ctx, name, []byte(name)))
	}
	require.NoError(t, d.MsgSecrets.PutMessageSecret(ctx, jid("1@g.us"), jid("549@s.whatsapp.net"), "AbC", []byte("upper")))
	require.NoError(t, d.MsgSecrets.PutMessageSecret(ctx, jid("1@g.us"), jid("549@s.whatsapp.net"), "abc", []byte("lower")))
	seen(t, s, d, func(t *testing.T, d *store.Device) {
		got, err := d.Sessions.GetManySessions(ctx, names)
		require.NoError(t, err)
		require.Len(t, got, len(names))
		for _, name := range names {
			require.Equal(t, name, string(got[name]))
		}
		has, err := d.Sessions.HasSession(ctx, "Abc:0")
		require.NoError(t, err)
		require.False(t, has)
		secret, _, err := d.MsgSecrets.GetMessageSecret(ctx, jid("1@g.us"), jid("549@s.whatsapp.net"), "AbC")
		require.NoError(t, err)
		require.Equal(t, "upper", string(secret))
	})
}
