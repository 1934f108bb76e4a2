package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

// TestAnotherTenantsThingsAreNotThere asks for everything with another tenant's name and with IDs in other letter case.
func TestAnotherTenantsThingsAreNotThere(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		user := id.NewUser()
		m := w.draft(w.chat, "WA", whatsapp.Out)
		require.True(t, w.addMessage(m))
		w.tx(func(tx whatsapp.Store) error {
			return tx.Grant(ctx, whatsapp.Permission{Tenant: w.ref.Tenant, Chat: w.chat.ID, User: user, GrantedAt: now})
		})
		stranger := whatsapp.Ref{Tenant: id.NewTenant(), Session: w.ref.Session}
		_, err := w.store.FindSession(ctx, stranger)
		requireNotFound(t, err)
		_, err = w.store.FindChat(ctx, stranger.Tenant, w.chat.ID)
		requireNotFound(t, err)
		_, err = w.store.FindChatAt(ctx, stranger, w.chat.Address)
		requireNotFound(t, err)
		_, err = w.store.FindMessage(ctx, stranger.Tenant, m.ID)
		requireNotFound(t, err)
		ok, err := w.store.IsGranted(ctx, stranger.Tenant, w.chat.ID, user)
		require.NoError(t, err)
		require.False(t, ok)
		_, ok, err = w.store.FindQueued(ctx, stranger, m.ID)
		require.NoError(t, err)
		require.False(t, ok)
		require.NoError(t, w.store.Revoke(ctx, stranger.Tenant, w.chat.ID, user))
		for what, got := range w.lists(stranger, user) {
			require.Zero(t, got, what)
		}
		for what, got := range w.lists(w.ref, user) {
			require.Equal(t, 1, got, what)
		}
		for what, change := range map[string]func(tx whatsapp.Store) error{
			"session": func(tx whatsapp.Store) error { return tx.SaveSession(ctx, whatsapp.Session{Ref: stranger}) },
			"contact": func(tx whatsapp.Store) error {
				return tx.SaveContact(ctx, whatsapp.Contact{Tenant: stranger.Tenant, ID: w.person.ID}, "")
			},
			"chat": func(tx whatsapp.Store) error {
				return tx.SaveChat(ctx, whatsapp.Chat{Ref: stranger, ID: w.chat.ID, Address: w.chat.Address})
			},
			"message":      func(tx whatsapp.Store) error { return tx.SaveMessage(ctx, whatsapp.Message{Ref: stranger, ID: m.ID}) },
			"lock session": func(tx whatsapp.Store) error { _, err := tx.LockSession(ctx, stranger); return err },
			"lock contact": func(tx whatsapp.Store) error { _, err := tx.LockContact(ctx, stranger.Tenant, w.person.ID); return err },
			"lock chat":    func(tx whatsapp.Store) error { _, err := tx.LockChat(ctx, stranger.Tenant, w.chat.ID); return err },
			"lock message": func(tx whatsapp.Store) error { _, err := tx.LockMessage(ctx, stranger.Tenant, m.ID); return err },
		} {
			err := w.store.InTx(ctx, change)
			require.True(t, fault.Is(err, fault.NotFound), "%s: %v", what, err)
		}
		require.NoError(t, w.store.InTx(ctx, func(tx whatsapp.Store) error { return tx.DeleteContact(ctx, stranger.Tenant, w.person.ID) }))
		got, err := w.store.FindChat(ctx, w.ref.Tenant, w.chat.ID)
		require.NoError(t, err)
		require.Equal(t, w.chat, got)
		w.otherCaseFindsNothing(db, m, user)
	})
}

// lists counts what each list shows of the world to the holder of the ref.
func (w *world) lists(ref whatsapp.Ref, user id.User) map[string]int {
	w.t.Helper()
	ctx := w.t.Context()
	out := map[string]int{}
	count := func(what string, n int, err error) {
		require.NoError(w.t, err, what)
		out[what] = n
	}
	sessions, err := w.store.ListSessions(ctx, ref.Tenant)
	count("sessions", len(sessions), err)
	chats, err := w.store.ListChats(ctx, ref.Tenant, whatsapp.ChatQuery{Limit: 10})
	count("chats", len(chats), err)
	chats, err = w.store.ListChats(ctx, ref.Tenant, whatsapp.ChatQuery{Viewer: user, Limit: 10})
	count("granted chats", len(chats), err)
	messages, err := w.store.ListMessages(ctx, ref.Tenant, w.chat.ID, whatsapp.MessageCursor{}, 10)
	count("messages", len(messages), err)
	own, err := w.store.FindOwn(ctx, ref, []string{"WA"})
	count("own", len(own), err)
	queued, err := w.store.ListQueued(ctx, ref, nil, 10)
	count("queued", len(queued), err)
	permissions, err := w.store.ListPermissions(ctx, ref.Tenant, w.chat.ID)
	count("permissions", len(permissions), err)
	contacts, err := w.store.FindContacts(ctx, ref.Tenant, w.person.IDs)
	count("contacts", len(contacts), err)
	contacts, err = w.store.FindContactsByFold(ctx, ref.Tenant, "541122334455", 2)
	count("alike", len(contacts), err)
	w.tx(func(tx whatsapp.Store) error {
		at, err := tx.LockChatsAt(ctx, ref, w.chat.Address)
		count("chats at", len(at), err)
		of, err := tx.LockChatsOf(ctx, ref.Tenant, w.person.ID)
		count("chats of", len(of), err)
		return nil
	})
	return out
}

// otherCaseFindsNothing checks the columns themselves, since an ID type cannot hold upper case.
func (w *world) otherCaseFindsNothing(db *sqlkit.DB, m whatsapp.Message, user id.User) {
	w.t.Helper()
	for table, where := range map[string][2]string{
		"whatsapp_sessions":         {"id", w.ref.Session.String()},
		"whatsapp_contacts":         {"id", w.person.ID.String()},
		"whatsapp_chats":            {"id", w.chat.ID.String()},
		"whatsapp_messages":         {"wa_id", m.WAID},
		"whatsapp_chat_permissions": {"user_id", user.String()},
	} {
		for _, c := range []struct {
			value string
			want  int
		}{{where[1], 1}, {swapCase(where[1]), 0}} {
			var n int
			query := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE tenant_id = '%s' AND %s = '%s'", table, w.ref.Tenant, where[0], c.value)
			require.NoError(w.t, db.SQL().QueryRowContext(w.t.Context(), query).Scan(&n))
			require.Equal(w.t, c.want, n, query)
		}
	}
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}
