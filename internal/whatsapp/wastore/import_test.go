package wastore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

// fill gives a device one row of everything.
func fill(t *testing.T, d *store.Device) {
	t.Helper()
	ctx, hash := t.Context(), [128]byte{1}
	mac := key32(3)
	ana, lid := jid("549111@s.whatsapp.net"), jid("777@lid")
	_, err := d.PreKeys.GetOrGenPreKeys(ctx, 5)
	require.NoError(t, err)
	require.NoError(t, d.PreKeys.MarkPreKeysAsUploaded(ctx, 3))
	require.NoError(t, d.Sessions.PutSession(ctx, "777_1:0", []byte("ratchet")))
	require.NoError(t, d.Identities.PutIdentity(ctx, "777_1:0", key32(1)))
	require.NoError(t, d.SenderKeys.PutSenderKey(ctx, "1@g.us", "777_1:0", []byte("sender")))
	require.NoError(t, d.AppStateKeys.PutAppStateSyncKey(ctx, []byte{1}, store.AppStateSyncKey{Data: []byte("app"), Fingerprint: []byte("print"), Timestamp: 5}))
	require.NoError(t, d.AppState.PutAppStateVersion(ctx, "regular", 4, hash))
	require.NoError(t, d.AppState.PutAppStateMutationMACs(ctx, "regular", 4, []store.AppStateMutationMAC{{IndexMAC: mac[:], ValueMAC: mac[:]}}))
	_, _, err = d.Contacts.PutPushName(ctx, ana, "Ana")
	require.NoError(t, err)
	require.NoError(t, d.ChatSettings.PutPinned(ctx, ana, true))
	require.NoError(t, d.MsgSecrets.PutMessageSecret(ctx, ana, ana, "A", []byte("secret")))
	require.NoError(t, d.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: ana, Token: []byte("token"), Timestamp: time.Unix(9, 0)}))
	require.NoError(t, d.NCTSalt.PutNCTSalt(ctx, []byte("salt")))
	require.NoError(t, d.EventBuffer.PutBufferedEvent(ctx, key32(1), []byte("hola"), time.Unix(7, 0)))
	require.NoError(t, d.EventBuffer.PutBufferedEvent(ctx, key32(2), []byte("gone"), time.Unix(7, 0)))
	require.NoError(t, d.EventBuffer.ClearBufferedEventPlaintext(ctx, key32(2)))
	require.NoError(t, d.EventBuffer.AddOutgoingEvent(ctx, ana, "B", "f", []byte("sent")))
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, lid, ana))
	require.NoError(t, d.LIDs.PutLIDMapping(ctx, jid("888@lid"), jid("549222@s.whatsapp.net")))
}

// isFilled checks what fill wrote.
func isFilled(t *testing.T, d *store.Device) {
	t.Helper()
	ctx := t.Context()
	mac := key32(3)
	ana, lid := jid("549111@s.whatsapp.net"), jid("777@lid")
	n, err := d.PreKeys.UploadedPreKeyCount(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	more, err := d.PreKeys.GetOrGenPreKeys(ctx, 3)
	require.NoError(t, err)
	require.EqualValues(t, []uint32{4, 5, 6}, []uint32{more[0].KeyID, more[1].KeyID, more[2].KeyID})
	state, err := d.Sessions.GetSession(ctx, "777_1:0")
	require.NoError(t, err)
	require.Equal(t, "ratchet", string(state))
	trusted, err := d.Identities.IsTrustedIdentity(ctx, "777_1:0", key32(2))
	require.NoError(t, err)
	require.False(t, trusted)
	sender, err := d.SenderKeys.GetSenderKey(ctx, "1@g.us", "777_1:0")
	require.NoError(t, err)
	require.Equal(t, "sender", string(sender))
	k, err := d.AppStateKeys.GetAppStateSyncKey(ctx, []byte{1})
	require.NoError(t, err)
	require.Equal(t, &store.AppStateSyncKey{Data: []byte("app"), Fingerprint: []byte("print"), Timestamp: 5}, k)
	version, hash, err := d.AppState.GetAppStateVersion(ctx, "regular")
	require.NoError(t, err)
	require.EqualValues(t, 4, version)
	require.EqualValues(t, 1, hash[0])
	value, err := d.AppState.GetAppStateMutationMAC(ctx, "regular", mac[:])
	require.NoError(t, err)
	require.Equal(t, mac[:], value)
	info, err := d.Contacts.GetContact(ctx, ana)
	require.NoError(t, err)
	require.Equal(t, "Ana", info.PushName)
	settings, err := d.ChatSettings.GetChatSettings(ctx, ana)
	require.NoError(t, err)
	require.True(t, settings.Pinned)
	secret, _, err := d.MsgSecrets.GetMessageSecret(ctx, lid, lid, "A")
	require.NoError(t, err)
	require.Equal(t, "secret", string(secret))
	token, err := d.PrivacyTokens.GetPrivacyToken(ctx, ana)
	require.NoError(t, err)
	require.Equal(t, "token", string(token.Token))
	salt, err := d.NCTSalt.GetNCTSalt(ctx)
	require.NoError(t, err)
	require.Equal(t, "salt", string(salt))
	ev, err := d.EventBuffer.GetBufferedEvent(ctx, key32(1))
	require.NoError(t, err)
	require.Equal(t, "hola", string(ev.Plaintext))
	ev, err = d.EventBuffer.GetBufferedEvent(ctx, key32(2))
	require.NoError(t, err)
	require.NotNil(t, ev)
	require.Nil(t, ev.Plaintext)
	_, sent, err := d.EventBuffer.GetOutgoingEvent(ctx, ana, lid, "B")
	require.NoError(t, err)
	require.Equal(t, "sent", string(sent))
	got, err := d.LIDs.GetLIDForPN(ctx, ana)
	require.NoError(t, err)
	require.Equal(t, lid, got)
}

func TestLinksOfTheLibrarysStoreAreTakenOver(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run("from "+kind, func(t *testing.T) {
			t.Parallel()
			sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
				ctx, s := t.Context(), openStore(t, db)
				pool, dialect := libraryPool(t, kind)
				old := newLibraryOn(t, pool, dialect)
				mine, linkedAnew := newTerm(t, db, id.NewTenant()), newTerm(t, db, id.NewTenant())
				forgotten := whatsapp.Ref{Tenant: id.NewTenant(), Session: id.NewSession()}
				for _, statement := range []string{
					`CREATE TABLE wameow_store (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`,
					`CREATE TABLE wameow_link (tenant_id TEXT NOT NULL, session_id TEXT NOT NULL, jid TEXT NOT NULL UNIQUE, PRIMARY KEY (tenant_id, session_id))`,
					`INSERT INTO wameow_store (name, value) VALUES ('network', 'whatsapp')`,
				} {
					_, err := pool.ExecContext(ctx, statement)
					require.NoError(t, err)
				}
				d := old.Link(t, 1)
				fill(t, d)
				other := old.Link(t, 1)
				for jid, ref := range map[string]whatsapp.Ref{d.ID.String(): mine.Ref, other.ID.String(): linkedAnew.Ref, old.Link(t, 1).ID.String(): forgotten} {
					_, err := pool.ExecContext(ctx, `INSERT INTO wameow_link (tenant_id, session_id, jid) VALUES ($1, $2, $3)`, ref.Tenant.String(), ref.Session.String(), jid)
					require.NoError(t, err)
				}
				fresh, err := s.Load(ctx, linkedAnew)
				require.NoError(t, err)
				link(t, fresh)

				_, err = s.Import(ctx, pool, sqlkit.Dialect(dialect))
				require.ErrorContains(t, err, "wrong_network")
				_, err = pool.ExecContext(ctx, `UPDATE wameow_store SET value = 'sim'`)
				require.NoError(t, err)
				n, err := s.Import(ctx, pool, sqlkit.Dialect(dialect))
				require.NoError(t, err)
				require.Equal(t, 1, n)
				taken := mustLoad(t, s, mine)
				require.Equal(t, d.ID, taken.ID)
				require.Equal(t, d.NoiseKey, taken.NoiseKey)
				isFilled(t, taken)
				stranger, err := taken.LIDs.GetPNForLID(ctx, jid("888@lid"))
				require.NoError(t, err)
				require.True(t, stranger.IsEmpty(), "only pairs of those whom the session knows")
				require.Equal(t, fresh.ID, mustLoad(t, s, linkedAnew).ID)

				require.NoError(t, s.Delete(ctx, mine))
				n, err = s.Import(ctx, pool, sqlkit.Dialect(dialect))
				require.NoError(t, err)
				require.Zero(t, n, "once, or a link that was removed would come back")
			})
		})
	}
}
