package sqlstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

func TestChatsComeWithTheirPersonAndKeepTheirState(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		c := w.chat
		c.Mode, c.PersonUntil, c.Unread, c.LastPos, c.LastMessage = whatsapp.PersonMode, now.Add(time.Hour), 3, 77, id.NewMessage()
		w.tx(func(tx whatsapp.Store) error { return tx.SaveChat(ctx, c) })
		got, err := w.store.FindChat(ctx, tenant, c.ID)
		require.NoError(t, err)
		require.Equal(t, c, got)
		got, err = w.store.FindChatAt(ctx, w.ref, c.Address)
		require.NoError(t, err)
		require.Equal(t, c, got)
		w.tx(func(tx whatsapp.Store) error {
			one, err := tx.LockChat(ctx, tenant, c.ID)
			require.Equal(t, c, one)
			at, err2 := tx.LockChatsAt(ctx, w.ref, whatsapp.Address{}, c.Address, whatsapp.NumberAddress("1"))
			require.Equal(t, []whatsapp.Chat{c}, at)
			none, err3 := tx.LockChatsAt(ctx, w.ref, whatsapp.Address{})
			require.Empty(t, none)
			of, err4 := tx.LockChatsOf(ctx, tenant, w.person.ID)
			require.Equal(t, []whatsapp.Chat{c}, of)
			again := c
			again.ID = id.NewChat()
			added, err5 := tx.AddChat(ctx, again)
			require.False(t, added, "its address is taken")
			return errors.Join(err, err2, err3, err4, err5)
		})
		group := whatsapp.Chat{Ref: w.ref, ID: id.NewChat(), Address: address(t, "120363-1@g.us"), Kind: whatsapp.GroupChat, Mode: whatsapp.BotMode, CreatedAt: now}
		w.add(group)
		got, err = w.store.FindChat(ctx, tenant, group.ID)
		require.NoError(t, err)
		require.Equal(t, group, got)
		w.tx(func(tx whatsapp.Store) error {
			locked, err := tx.LockChat(ctx, tenant, group.ID)
			require.Equal(t, group, locked)
			return err
		})
	})
}

func TestChatsAreListedNewestFirstAPageAtATime(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		viewer := id.NewUser()
		var all []id.Chat
		for i := range 7 {
			c := w.addChat(w.addPerson(fmt.Sprintf("54911000000%02d", i), ""))
			c.LastPos = int64(1000 + i/2) // some at the same position
			m := w.draft(c, fmt.Sprint("M", i), whatsapp.In)
			require.True(t, w.addMessage(m))
			c.LastMessage = m.ID
			w.tx(func(tx whatsapp.Store) error {
				if i%3 == 0 {
					require.NoError(t, tx.Grant(ctx, whatsapp.Permission{Tenant: tenant, Chat: c.ID, User: viewer, GrantedAt: now}))
				}
				return tx.SaveChat(ctx, c)
			})
			all = append(all, c.ID)
		}
		gone := w.addChat(w.addPerson("5491100009999", ""))
		gone.MergedInto, gone.Person = w.chat.ID, whatsapp.Contact{}
		w.tx(func(tx whatsapp.Store) error { return tx.SaveChat(ctx, gone) })

		var seen []id.Chat
		q := whatsapp.ChatQuery{Session: w.ref.Session, Kinds: []whatsapp.ChatKind{whatsapp.DirectChat}, Limit: 3}
		for {
			page, err := w.store.ListChats(ctx, tenant, q)
			require.NoError(t, err)
			for _, e := range page {
				if len(seen) > 0 && e.ID != w.chat.ID {
					require.NotNil(t, e.Last)
					require.Equal(t, "¿Qué tal? 💈", e.Last.Text)
				}
				seen = append(seen, e.ID)
			}
			if len(page) < q.Limit {
				break
			}
			last := page[len(page)-1]
			q.Before = whatsapp.ChatCursor{Pos: last.LastPos, ID: last.ID}
		}
		require.ElementsMatch(t, append(all, w.chat.ID), seen)
		require.Equal(t, w.chat.ID, seen[7], "the oldest is last")
		none, err := w.store.ListChats(ctx, tenant, whatsapp.ChatQuery{Kinds: []whatsapp.ChatKind{whatsapp.GroupChat}, Limit: 10})
		require.NoError(t, err)
		require.Empty(t, none)
		mine, err := w.store.ListChats(ctx, tenant, whatsapp.ChatQuery{Viewer: viewer, Limit: 10})
		require.NoError(t, err)
		require.Len(t, mine, 3)
	})
}

func TestPermissionsAreGrantedAndTakenBack(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		p := whatsapp.Permission{Tenant: tenant, Chat: w.chat.ID, User: id.NewUser(), GrantedBy: "usr_admin", GrantedAt: now}
		w.tx(func(tx whatsapp.Store) error { return errors.Join(tx.Grant(ctx, p), tx.Grant(ctx, p)) })
		list, err := w.store.ListPermissions(ctx, tenant, w.chat.ID)
		require.NoError(t, err)
		require.Equal(t, []whatsapp.Permission{p}, list)
		require.NoError(t, w.store.Revoke(ctx, tenant, w.chat.ID, p.User))
		ok, err := w.store.IsGranted(ctx, tenant, w.chat.ID, p.User)
		require.NoError(t, err)
		require.False(t, ok)
	})
}
