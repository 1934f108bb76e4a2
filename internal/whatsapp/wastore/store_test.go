package wastore_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"

	"turnero/internal/id"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wastore"
)

func linked(t *testing.T, db *sqlkit.DB, s *wastore.Store) (*store.Device, whatsapp.Term) {
	t.Helper()
	term := newTerm(t, db, id.NewTenant())
	d, err := s.Load(t.Context(), term)
	require.NoError(t, err)
	link(t, d)
	return d, term
}

func TestStoreOfAnotherNetworkIsRefused(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s := openStore(t, db)
		require.Equal(t, "sim", s.Network())
		openStore(t, db)
		_, err := wastore.Open(t.Context(), wastore.Options{DB: db, Keys: keyring(t, db), Network: "whatsapp", Logger: quiet()})
		require.ErrorContains(t, err, "wrong_network")
		_, err = wastore.Open(t.Context(), wastore.Options{DB: db, Network: "sim", Logger: quiet()})
		require.ErrorContains(t, err, "needs a database")
	})
}

func TestOwnerOfThePastWritesNothing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		require.NoError(t, d.Sessions.PutSession(ctx, "1:0", []byte("mine")))
		next := takeOver(t, db, term)
		require.ErrorIs(t, d.Sessions.PutSession(ctx, "1:0", []byte("stale")), whatsapp.ErrStaleFence)
		_, err := d.Sessions.GetSession(ctx, "2:0")
		require.ErrorIs(t, err, whatsapp.ErrStaleFence, "what it has in memory may be wrong")
		_, err = s.Load(ctx, term)
		require.ErrorIs(t, err, whatsapp.ErrStaleFence)
		require.ErrorIs(t, s.Delete(ctx, term), whatsapp.ErrStaleFence)

		d, err = s.Load(ctx, next)
		require.NoError(t, err)
		state, err := d.Sessions.GetSession(ctx, "1:0")
		require.NoError(t, err)
		require.Equal(t, "mine", string(state))

		foreign := next
		foreign.Tenant = id.NewTenant()
		_, err = s.Load(ctx, foreign)
		require.ErrorIs(t, err, whatsapp.ErrStaleFence, "a session of another tenant is none")
		require.NoError(t, s.Delete(ctx, next))
		require.NoError(t, s.Delete(ctx, next))
		d, err = s.Load(ctx, next)
		require.NoError(t, err)
		require.Nil(t, d.ID)
	})
}

func TestLateOutcomeEndsTheSession(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		takeOver(t, db, term)
		_, _, err := d.Contacts.PutPushName(ctx, jid("549@s.whatsapp.net"), "Ana") // nobody waits for it
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			_, err := d.Contacts.GetContact(ctx, jid("549@s.whatsapp.net"))
			return err != nil
		}, 10*time.Second, time.Millisecond)
		require.ErrorIs(t, d.PreKeys.RemovePreKey(ctx, 1), whatsapp.ErrStaleFence)
	})
}

func TestNewLinkTakesThePlaceOfTheOld(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		require.NoError(t, d.Sessions.PutSession(ctx, "1:0", []byte("old")))
		_, err := d.PreKeys.GetOrGenPreKeys(ctx, 5)
		require.NoError(t, err)
		_, _, err = d.Contacts.PutPushName(ctx, jid("549@s.whatsapp.net"), "Ana")
		require.NoError(t, err)
		require.NoError(t, d.Delete(ctx))
		fresh, err := s.Load(ctx, term)
		require.NoError(t, err)
		link(t, fresh)
		for _, d := range []*store.Device{fresh, mustLoad(t, s, term)} {
			has, err := d.Sessions.HasSession(ctx, "1:0")
			require.NoError(t, err)
			require.False(t, has)
			contacts, err := d.Contacts.GetAllContacts(ctx)
			require.NoError(t, err)
			require.Empty(t, contacts)
			k, err := d.PreKeys.GetPreKey(ctx, 1)
			require.NoError(t, err)
			require.Nil(t, k)
		}
	})
}

func mustLoad(t *testing.T, s *wastore.Store, term whatsapp.Term) *store.Device {
	t.Helper()
	d, err := s.Load(t.Context(), term)
	require.NoError(t, err)
	require.NotNil(t, d.ID)
	return d
}

func TestWhatNobodyWaitsForIsThereForTheNextDevice(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		for i := range 200 {
			_, _, err := d.Contacts.PutPushName(ctx, jid(fmt.Sprintf("%d@s.whatsapp.net", i)), "Ana")
			require.NoError(t, err)
		}
		contacts, err := mustLoad(t, s, term).Contacts.GetAllContacts(ctx)
		require.NoError(t, err)
		require.Len(t, contacts, 200)
	})
}

func TestLaterOfTwoInOneListCounts(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		ana, lidA, lidB := jid("549@s.whatsapp.net"), jid("1@lid"), jid("2@lid")
		require.NoError(t, d.Contacts.PutAllContactNames(ctx, []store.ContactEntry{{JID: ana, FirstName: "A"}, {JID: ana, FirstName: "B"}}))
		require.NoError(t, d.LIDs.PutManyLIDMappings(ctx, []store.LIDMapping{{LID: lidA, PN: ana}, {LID: lidB, PN: ana}}))
		d = mustLoad(t, s, term)
		info, err := d.Contacts.GetContact(ctx, ana)
		require.NoError(t, err)
		require.Equal(t, "B", info.FirstName)
		lid, err := d.LIDs.GetLIDForPN(ctx, ana)
		require.NoError(t, err)
		require.Equal(t, lidB, lid)
		pn, err := d.LIDs.GetPNForLID(ctx, lidA)
		require.NoError(t, err)
		require.True(t, pn.IsEmpty())
	})
}

func TestSessionsOfATenantSeeEachOthersPairs(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		other, err := s.Load(ctx, newTerm(t, db, term.Tenant))
		require.NoError(t, err)
		link(t, other)
		pn := jid("549@s.whatsapp.net")
		for _, lid := range []string{"1@lid", "2@lid", "3@lid"} {
			require.NoError(t, d.LIDs.PutLIDMapping(ctx, jid(lid), pn))
			require.Eventually(t, func() bool {
				got, err := other.LIDs.GetLIDForPN(ctx, pn)
				return err == nil && got == jid(lid)
			}, 10*time.Second, time.Millisecond)
		}
	})
}

// What is secret must not be found by whoever reads the tables, and must not open anywhere else.
func TestSecretsAreSealedInPlace(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		mark := []byte("a ratchet that nobody may read")
		require.NoError(t, d.Sessions.PutSession(ctx, "1:0", mark))
		require.NoError(t, d.SenderKeys.PutSenderKey(ctx, "1@g.us", "1:0", mark))
		require.NoError(t, d.EventBuffer.PutBufferedEvent(ctx, key32(1), mark, time.Unix(1, 0)))
		require.NoError(t, d.EventBuffer.AddOutgoingEvent(ctx, jid("1@g.us"), "A", "f", mark))
		require.NoError(t, d.NCTSalt.PutNCTSalt(ctx, mark))
		require.NoError(t, d.AppStateKeys.PutAppStateSyncKey(ctx, []byte{1}, store.AppStateSyncKey{Data: mark, Fingerprint: []byte{1}, Timestamp: 1}))
		require.NoError(t, d.MsgSecrets.PutMessageSecret(ctx, jid("1@g.us"), jid("2@lid"), "A", mark))
		require.NoError(t, d.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: jid("1@lid"), Token: mark, Timestamp: time.Unix(1, 0)}))
		keys, err := d.PreKeys.GetOrGenPreKeys(ctx, 1)
		require.NoError(t, err)
		mustLoad(t, s, term) // all of it is stored
		secrets := [][]byte{mark, d.NoiseKey.Priv[:], d.IdentityKey.Priv[:], d.SignedPreKey.Priv[:], d.AdvSecretKey, keys[0].Priv[:]}
		for _, table := range []string{"devices", "pre_keys", "signal_sessions", "sender_keys", "app_state_keys", "message_secrets", "privacy_tokens", "nct_salts", "event_buffer", "retry_buffer"} {
			rows, err := db.SQL().QueryContext(ctx, "SELECT data FROM whatsapp_"+table)
			require.NoError(t, err)
			n := 0
			for rows.Next() {
				var data []byte
				require.NoError(t, rows.Scan(&data))
				n++
				for _, secret := range secrets {
					require.False(t, bytes.Contains(data, secret), table)
				}
			}
			require.NoError(t, rows.Err())
			require.Equal(t, 1, n, table)
		}
		_, err = db.SQL().ExecContext(ctx, "UPDATE whatsapp_signal_sessions SET address = '2:0'")
		require.NoError(t, err)
		_, err = mustLoad(t, s, term).Sessions.GetSession(ctx, "2:0")
		require.ErrorIs(t, err, secret.ErrSealed, "moved to another row")
		_, err = db.SQL().ExecContext(ctx, "UPDATE whatsapp_nct_salts SET data = (SELECT data FROM whatsapp_signal_sessions)")
		require.NoError(t, err)
		_, err = mustLoad(t, s, term).NCTSalt.GetNCTSalt(ctx)
		require.ErrorIs(t, err, secret.ErrSealed, "moved to another table")
	})
}

// 500 sessions, two goroutines each: one decrypts, one sends, each moving the one ratchet of its own contact on and reading it back.
func TestManySessionsAtOnceLoseNothing(t *testing.T) {
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		const sessions, rounds = 500, 4
		ctx, s := t.Context(), openStore(t, db)
		tenants := []id.Tenant{id.NewTenant(), id.NewTenant(), id.NewTenant()}
		terms := make([]whatsapp.Term, sessions)
		for i := range terms {
			terms[i] = newTerm(t, db, tenants[i%len(tenants)])
		}
		began := time.Now()
		var work sync.WaitGroup
		errs := make(chan error, 2*sessions)
		for i, term := range terms {
			work.Go(func() {
				d, err := s.Load(ctx, term)
				if err != nil {
					errs <- err
					return
				}
				link(t, d)
				work.Go(func() { errs <- receive(ctx, d, i, rounds) })
				work.Go(func() { errs <- send(ctx, d, rounds) })
			})
		}
		work.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		t.Logf("%d links, %d decryptions and %d sends in %v", sessions, sessions*rounds, sessions*rounds, time.Since(began).Round(time.Millisecond))
		for i, term := range terms[:50] {
			d := mustLoad(t, s, term)
			want := fmt.Sprintf("round %d", rounds-1)
			got, err := d.Sessions.GetManySessions(ctx, []string{"in:0", "out:0"})
			require.NoError(t, err)
			require.Equal(t, map[string][]byte{"in:0": []byte(want), "out:0": []byte(want)}, got)
			lid, err := d.LIDs.GetLIDForPN(ctx, jid(fmt.Sprintf("77%d@s.whatsapp.net", i)))
			require.NoError(t, err)
			require.Equal(t, jid(fmt.Sprintf("88%d@lid", i)), lid)
		}
	})
}

// receive does what the decryption of messages does.
func receive(ctx context.Context, d *store.Device, n, rounds int) error {
	previous := ""
	for i := range rounds {
		hash, next := key32(byte(i)), fmt.Sprintf("round %d", i)
		hash[1], hash[2] = byte(i>>8), byte(i>>16)
		err := d.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
			state, err := d.Sessions.GetSession(ctx, "in:0")
			if err != nil || string(state) != previous {
				return fmt.Errorf("state %q instead of %q: %w", state, previous, err)
			}
			if err = d.Sessions.PutSession(ctx, "in:0", []byte(next)); err != nil {
				return err
			}
			if err = d.Identities.PutIdentity(ctx, "in:0", key32(7)); err != nil {
				return err
			}
			return d.EventBuffer.PutBufferedEvent(ctx, hash, []byte("hola"), time.Unix(1, 0))
		})
		if err != nil {
			return err
		}
		previous = next
		if err = d.LIDs.PutLIDMapping(ctx, jid(fmt.Sprintf("88%d@lid", n)), jid(fmt.Sprintf("77%d@s.whatsapp.net", n))); err != nil {
			return err
		}
		if err = d.EventBuffer.ClearBufferedEventPlaintext(ctx, hash); err != nil {
			return err
		}
	}
	return nil
}

// send does what sending messages does.
func send(ctx context.Context, d *store.Device, rounds int) error {
	previous := ""
	for i := range rounds {
		next := fmt.Sprintf("round %d", i)
		many, err := d.Sessions.GetManySessions(ctx, []string{"out:0", "nobody:0"})
		if err != nil || string(many["out:0"]) != previous {
			return fmt.Errorf("state %q instead of %q: %w", many["out:0"], previous, err)
		}
		if err = d.Sessions.PutManySessions(ctx, map[string][]byte{"out:0": []byte(next)}); err != nil {
			return err
		}
		previous = next
	}
	return nil
}
