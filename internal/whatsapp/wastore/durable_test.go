package wastore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp/wastore"
)

// hold keeps a committer busy until the returned function is called, or the test ends.
func hold(t *testing.T, c *groupcommit.Committer) (release func()) {
	t.Helper()
	began, goOn := make(chan struct{}), make(chan struct{})
	isFirst := true
	c.Enqueue(&groupcommit.Member{Do: func(context.Context, sqlkit.Handle) error {
		if isFirst {
			isFirst = false
			close(began)
		}
		<-goOn
		return nil
	}})
	<-began
	release = sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(release)
	return release
}

var hash = [32]byte{1, 2, 3}

// durableCalls must not return before what they write is stored; lazyCalls wait for nothing.
var (
	durableCalls = map[string]func(ctx context.Context, d *store.Device) error{
		"session": func(ctx context.Context, d *store.Device) error {
			return d.Sessions.PutSession(ctx, "1:0", []byte("state"))
		},
		"sender key": func(ctx context.Context, d *store.Device) error {
			return d.SenderKeys.PutSenderKey(ctx, "1@g.us", "1:0", []byte("state"))
		},
		"pre-key": func(ctx context.Context, d *store.Device) error {
			_, err := d.PreKeys.GetOrGenPreKeys(ctx, 3)
			return err
		},
		"identity": func(ctx context.Context, d *store.Device) error { return d.Identities.PutIdentity(ctx, "1:0", hash) },
		"plaintext": func(ctx context.Context, d *store.Device) error {
			return d.EventBuffer.PutBufferedEvent(ctx, hash, []byte("text"), time.Now())
		},
		"device": func(ctx context.Context, d *store.Device) error { return d.Save(ctx) },
		"decryption": func(ctx context.Context, d *store.Device) error {
			return d.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error { return d.Sessions.PutSession(ctx, "2:0", []byte("state")) })
		},
	}
	lazyCalls = map[string]func(ctx context.Context, d *store.Device) error{
		"name": func(ctx context.Context, d *store.Device) error {
			_, _, err := d.Contacts.PutPushName(ctx, jid("549@s.whatsapp.net"), "Ana")
			return err
		},
		"secret": func(ctx context.Context, d *store.Device) error {
			return d.MsgSecrets.PutMessageSecret(ctx, jid("549@s.whatsapp.net"), jid("549@s.whatsapp.net"), "A", []byte("secret"))
		},
		"token": func(ctx context.Context, d *store.Device) error {
			return d.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: jid("549@s.whatsapp.net"), Token: []byte("token"), Timestamp: time.Now()})
		},
		"handled": func(ctx context.Context, d *store.Device) error {
			return d.EventBuffer.ClearBufferedEventPlaintext(ctx, hash)
		},
		"pair": func(ctx context.Context, d *store.Device) error {
			return d.LIDs.PutLIDMapping(ctx, jid("77@lid"), jid("549@s.whatsapp.net"))
		},
	}
)

func TestWhatACallWaitsFor(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx := t.Context()
		committer := wastore.NewCommitter(db)
		t.Cleanup(committer.Close)
		s, err := wastore.Open(ctx, wastore.Options{DB: db, Keys: keyring(t, db), Network: "sim", Logger: quiet(), Committer: committer})
		require.NoError(t, err)
		d, term := linked(t, db, s)
		require.NoError(t, d.EventBuffer.PutBufferedEvent(ctx, hash, []byte("text"), time.Now()))

		release := hold(t, committer)
		for name, call := range lazyCalls {
			require.NoError(t, call(ctx, d), name) // returns although nothing can be committed
		}
		info, err := d.Contacts.GetContact(ctx, jid("549@s.whatsapp.net"))
		require.NoError(t, err)
		require.Equal(t, "Ana", info.PushName, "what is on its way is seen")
		release()
		require.NoError(t, d.Save(ctx)) // what was on its way is stored, too: some calls wait for that

		for name, call := range durableCalls {
			release = hold(t, committer)
			done := make(chan error, 1)
			go func() { done <- call(ctx, d) }()
			require.Eventually(t, func() bool { return committer.Waiting() == 1 }, 10*time.Second, time.Millisecond, name)
			select {
			case <-done:
				require.Fail(t, "it returned before it was stored", name)
			default:
			}
			release()
			require.NoError(t, <-done, name)
		}
		again := mustLoad(t, s, term)
		state, err := again.Sessions.GetSession(ctx, "2:0")
		require.NoError(t, err)
		require.Equal(t, []byte("state"), state)
	})
}

// What a call writes inside of a decryption is seen there, and nowhere when it fails.
func TestAFailedDecryptionLeavesNothing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, s := t.Context(), openStore(t, db)
		d, term := linked(t, db, s)
		require.NoError(t, d.Sessions.PutSession(ctx, "1:0", []byte("before")))
		before, err := d.Sessions.GetSession(ctx, "1:0") // it is in the cache now
		require.NoError(t, err)
		err = d.EventBuffer.DoDecryptionTxn(ctx, func(inside context.Context) error {
			require.NoError(t, d.Sessions.PutSession(inside, "1:0", []byte("after")))
			require.NoError(t, d.EventBuffer.PutBufferedEvent(inside, hash, []byte("text"), time.Now()))
			own, err := d.Sessions.GetSession(inside, "1:0")
			require.NoError(t, err)
			require.Equal(t, []byte("after"), own)
			others, err := d.Sessions.GetSession(ctx, "1:0")
			require.NoError(t, err)
			require.Equal(t, before, others, "others see what is stored")
			return context.DeadlineExceeded
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for _, d := range []*store.Device{d, mustLoad(t, s, term)} {
			state, err := d.Sessions.GetSession(ctx, "1:0")
			require.NoError(t, err)
			require.Equal(t, before, state)
			event, err := d.EventBuffer.GetBufferedEvent(ctx, hash)
			require.NoError(t, err)
			require.Nil(t, event)
		}
	})
}
