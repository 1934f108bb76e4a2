package sqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

func TestMovingAChatKeepsEachMessageOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		stray := w.addPerson("5491100000001", "")
		from := w.addChat(stray)
		ours, theirs := w.draft(w.chat, "both", whatsapp.In), w.draft(from, "both", whatsapp.In)
		alone, own := w.draft(from, "alone", whatsapp.In), w.draft(from, "own", whatsapp.Out)
		for _, m := range []whatsapp.Message{ours, theirs, alone, own} {
			require.True(t, w.addMessage(m))
		}
		both, only := id.NewUser(), id.NewUser()
		w.tx(func(tx whatsapp.Store) error {
			for chat, user := range map[id.Chat]id.User{w.chat.ID: both, from.ID: both} {
				require.NoError(t, tx.Grant(ctx, whatsapp.Permission{Tenant: tenant, Chat: chat, User: user, GrantedAt: now}))
			}
			require.NoError(t, tx.Grant(ctx, whatsapp.Permission{Tenant: tenant, Chat: from.ID, User: only, GrantedAt: now}))
			doubled, newest, err := tx.MoveMessages(ctx, from, w.chat)
			require.Equal(t, 1, doubled)
			require.Equal(t, own.ID, newest)
			return err
		})
		list, err := w.store.ListMessages(ctx, tenant, w.chat.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		require.Equal(t, []id.Message{own.ID, alone.ID, ours.ID}, []id.Message{list[0].ID, list[1].ID, list[2].ID})
		require.Equal(t, w.person.ID, list[1].SenderID)
		require.True(t, list[0].SenderID.IsZero())
		for _, user := range []id.User{both, only} {
			ok, err := w.store.IsGranted(ctx, tenant, w.chat.ID, user)
			require.NoError(t, err)
			require.True(t, ok)
			ok, err = w.store.IsGranted(ctx, tenant, from.ID, user)
			require.NoError(t, err)
			require.False(t, ok)
		}
		empty := w.addChat(w.addPerson("5491100000002", ""))
		w.tx(func(tx whatsapp.Store) error {
			_, newest, err := tx.MoveMessages(ctx, from, empty)
			require.True(t, newest.IsZero())
			return err
		})
	})
}

func TestMovingASenderKeepsEachGroupMessageOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		stray := w.addPerson("5491100000001", "")
		group := whatsapp.Chat{Ref: w.ref, ID: id.NewChat(), Address: address(t, "120363@g.us"), Kind: whatsapp.GroupChat, Mode: whatsapp.BotMode, Unread: 3, CreatedAt: now}
		w.add(group)
		by := func(who whatsapp.Contact, waID string) whatsapp.Message {
			m := w.draft(group, waID, whatsapp.In)
			m.SenderID = who.ID
			require.True(t, w.addMessage(m))
			return m
		}
		kept, moved, gone := by(w.person, "A"), by(stray, "B"), by(stray, "A")
		group.LastMessage, group.LastPos = gone.ID, gone.Pos
		w.tx(func(tx whatsapp.Store) error {
			require.NoError(t, tx.SaveChat(ctx, group))
			return tx.MoveSender(ctx, tenant, stray.ID, w.person.ID)
		})
		list, err := w.store.ListMessages(ctx, tenant, group.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, []id.Message{moved.ID, kept.ID}, []id.Message{list[0].ID, list[1].ID})
		require.Equal(t, w.person.ID, list[0].SenderID)
		got, err := w.store.FindChat(ctx, tenant, group.ID)
		require.NoError(t, err)
		require.Equal(t, moved.ID, got.LastMessage)
		require.Equal(t, 2, got.Unread)
	})
}
