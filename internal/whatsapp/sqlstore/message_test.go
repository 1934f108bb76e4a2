package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

func TestMessagesAreKeptWholeAndOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		in, out := w.draft(w.chat, "A", whatsapp.In), w.draft(w.chat, "A", whatsapp.Out)
		require.True(t, w.addMessage(in))
		require.True(t, w.addMessage(out), "the same ID from the other side is another message")
		twin := in
		twin.ID = id.NewMessage()
		require.False(t, w.addMessage(twin))
		other := in
		other.WAID = "B"
		require.False(t, w.addMessage(other), "our ID is taken")
		lower := w.draft(w.chat, "a", whatsapp.In)
		require.True(t, w.addMessage(lower), "WhatsApp's IDs differ by case")

		got, err := w.store.FindMessage(ctx, tenant, out.ID)
		require.NoError(t, err)
		require.Equal(t, out, got)
		got, err = w.store.FindMessage(ctx, tenant, in.ID)
		require.NoError(t, err)
		require.Equal(t, w.person, got.Sender)
		got.Sender = whatsapp.Contact{}
		require.Equal(t, in, got)

		list, err := w.store.ListMessages(ctx, tenant, w.chat.ID, whatsapp.MessageCursor{}, 2)
		require.NoError(t, err)
		require.Equal(t, []id.Message{lower.ID, out.ID}, []id.Message{list[0].ID, list[1].ID})
		require.Equal(t, w.person, list[0].Sender)
		list, err = w.store.ListMessages(ctx, tenant, w.chat.ID, whatsapp.MessageCursor{Pos: list[1].Pos, ID: list[1].ID}, 2)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, in.ID, list[0].ID)
		incoming, err := w.store.ListIncoming(ctx, tenant, w.chat.ID, 10)
		require.NoError(t, err)
		require.Len(t, incoming, 2)
		own, err := w.store.FindOwn(ctx, w.ref, []string{"A", "a", "nobody's"})
		require.NoError(t, err)
		require.Equal(t, []whatsapp.Message{out}, own)
		own, err = w.store.FindOwn(ctx, w.ref, nil)
		require.NoError(t, err)
		require.Empty(t, own)
	})
}

func TestTheQueueIsReadInOrderAndLeftOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		other := w.addChat(w.addPerson("5491100000001", ""))
		var all []whatsapp.Message
		for i := range 6 {
			chat := w.chat
			if i%2 == 1 {
				chat = other
			}
			m := w.draft(chat, fmt.Sprint("Q", i), whatsapp.Out)
			require.True(t, w.addMessage(m))
			all = append(all, m)
		}
		require.True(t, w.addMessage(w.draft(w.chat, "in", whatsapp.In)))
		ids := func(q []whatsapp.Queued) (out []id.Message) {
			for _, m := range q {
				out = append(out, m.ID)
			}
			return out
		}
		queued, err := w.store.ListQueued(ctx, w.ref, nil, 4)
		require.NoError(t, err)
		require.Equal(t, []id.Message{all[0].ID, all[1].ID, all[2].ID, all[3].ID}, ids(queued))
		require.Equal(t, all[0], queued[0].Message)
		require.Equal(t, w.chat, queued[0].Chat)
		queued, err = w.store.ListQueued(ctx, w.ref, []id.Chat{other.ID}, 10)
		require.NoError(t, err)
		require.Equal(t, []id.Message{all[0].ID, all[2].ID, all[4].ID}, ids(queued))

		sent := all[0]
		sent.Status, sent.StatusAt, sent.Timestamp = whatsapp.MessageSent, now.Add(time.Second), now.Add(time.Second)
		w.tx(func(tx whatsapp.Store) error {
			require.NoError(t, tx.SaveMessage(ctx, sent))
			failed := all[2]
			failed.Status, failed.Reason = whatsapp.MessageFailed, "expired"
			return tx.SaveMessage(ctx, failed)
		})
		_, ok, err := w.store.FindQueued(ctx, w.ref, all[0].ID)
		require.NoError(t, err)
		require.False(t, ok)
		one, ok, err := w.store.FindQueued(ctx, w.ref, all[4].ID)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, w.chat, one.Chat)
		queued, err = w.store.ListQueued(ctx, w.ref, nil, 10)
		require.NoError(t, err)
		require.Equal(t, []id.Message{all[1].ID, all[3].ID, all[4].ID, all[5].ID}, ids(queued))
		w.tx(func(tx whatsapp.Store) error {
			got, err := tx.LockMessage(ctx, w.ref.Tenant, all[0].ID)
			require.Equal(t, sent, got)
			return err
		})
	})
}
