package sqlstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments/bot"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestAConversationComesBackAsItWasSaved(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		store := sqlstore.NewBot(newBench(t, db).store)
		tenant, chat := id.NewTenant(), id.NewChat()
		want := bot.Conversation{Chat: chat, State: []byte(`{"v":1,"asked":"slot"}`), AnswerAt: today.Add(time.Second), Replies: []time.Time{today, today.Add(time.Minute)},
			TextOnly: today.Add(time.Hour), Limited: today.Add(2 * time.Hour), Updated: today.Add(3 * time.Hour),
			Pending: []bot.Pending{{Message: id.NewMessage(), Session: id.NewSession(), Text: "mañana 🙂 a las 10", IsText: true, WhatsApp: "123@lid", Phone: "+5491122334455", Name: "Zoë", SentAt: today, At: today}}}
		err := store.InTx(t.Context(), func(tx bot.Store) error {
			empty, err := tx.LockConversation(t.Context(), tenant, chat)
			require.NoError(t, err)
			require.Equal(t, bot.Conversation{Chat: chat, State: []byte{}, Pending: []bot.Pending{}}, empty, "the first time it is empty")
			return tx.SaveConversation(t.Context(), tenant, want)
		})
		require.NoError(t, err)
		require.Equal(t, want, conversation(t, store, tenant, chat))
		isConversing := func(tenant id.Tenant) bool {
			is, err := store.IsConversing(t.Context(), tenant, chat)
			require.NoError(t, err)
			return is
		}
		require.True(t, isConversing(tenant))
		require.False(t, isConversing(id.NewTenant()))
		require.NoError(t, store.InTx(t.Context(), func(tx bot.Store) error {
			quiet, err := tx.LockConversation(t.Context(), tenant, chat)
			require.NoError(t, err)
			quiet.State, quiet.Pending = nil, nil
			require.NoError(t, tx.SaveConversation(t.Context(), tenant, quiet))
			is, err := tx.IsConversing(t.Context(), tenant, chat)
			require.NoError(t, err)
			require.False(t, is)
			return tx.SaveConversation(t.Context(), tenant, want)
		}))

		require.Empty(t, conversation(t, store, id.NewTenant(), chat).State, "another tenant's chat of the same ID is another chat")
		require.Equal(t, want, conversation(t, store, tenant, chat))
	})
}

func conversation(t *testing.T, store bot.Store, tenant id.Tenant, chat id.Chat) (c bot.Conversation) {
	t.Helper()
	err := store.InTx(t.Context(), func(tx bot.Store) (err error) {
		c, err = tx.LockConversation(t.Context(), tenant, chat)
		return err
	})
	require.NoError(t, err)
	return c
}

func TestAnEventIsConsumedOnceAndNotWhenRolledBack(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		store := sqlstore.NewBot(newBench(t, db).store)
		tenant, event := id.NewTenant(), id.NewEvent()
		consume := func(tenant id.Tenant, event id.Event, end error) bool {
			var fresh bool
			err := store.InTx(t.Context(), func(tx bot.Store) (err error) {
				fresh, err = tx.Consume(t.Context(), tenant, event, today)
				require.NoError(t, err)
				return end
			})
			require.ErrorIs(t, err, end)
			return fresh
		}
		require.True(t, consume(tenant, event, errors.New("rolled back")))
		require.True(t, consume(tenant, event, nil))
		require.False(t, consume(tenant, event, nil))
		require.True(t, consume(id.NewTenant(), event, nil), "another tenant's events are its own")
		require.True(t, consume(tenant, id.NewEvent(), nil))

		committer := groupcommit.New(db, groupcommit.Fences{})
		t.Cleanup(committer.Close)
		for _, noting := range []*sqlstore.BotStore{store, store.Together(func() *groupcommit.Committer { return nil }), store.Together(func() *groupcommit.Committer { return committer })} {
			noted := id.NewEvent()
			for range 2 {
				require.NoError(t, noting.NoteConsumed(t.Context(), tenant, noted, today))
			}
			require.False(t, consume(tenant, noted, nil))
			require.True(t, consume(id.NewTenant(), noted, nil))
		}
	})
}

func TestOfAtOnceConsumersOneIsFirst(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		store := sqlstore.NewBot(newBench(t, db).store)
		tenant, chat, event := id.NewTenant(), id.NewChat(), id.NewEvent()
		first, errs := atOnce(8, func(int) (fresh bool, err error) {
			err = store.InTx(t.Context(), func(tx bot.Store) error {
				if fresh, err = tx.Consume(t.Context(), tenant, event, today); err != nil || !fresh {
					return err
				}
				c, err := tx.LockConversation(t.Context(), tenant, chat)
				if err != nil {
					return err
				}
				c.State = append(c.State, 'x')
				return tx.SaveConversation(t.Context(), tenant, c)
			})
			return fresh, err
		})
		n := 0
		for i := range first {
			require.NoError(t, errs[i])
			if first[i] {
				n++
			}
		}
		require.Equal(t, 1, n)
		require.Equal(t, "x", string(conversation(t, store, tenant, chat).State))
	})
}

func TestAtOnceChangesOfAConversationWaitForOneAnother(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		store := sqlstore.NewBot(newBench(t, db).store)
		tenant, chat := id.NewTenant(), id.NewChat()
		_, errs := atOnce(8, func(int) (struct{}, error) {
			return struct{}{}, store.InTx(t.Context(), func(tx bot.Store) error {
				c, err := tx.LockConversation(t.Context(), tenant, chat)
				if err != nil {
					return err
				}
				c.State = append(c.State, 'x')
				return tx.SaveConversation(t.Context(), tenant, c)
			})
		})
		require.NoError(t, errors.Join(errs...))
		require.Equal(t, strings.Repeat("x", 8), string(conversation(t, store, tenant, chat).State))
	})
}

func TestTheLastReminderIsOfTheAppointmentsAskedFor(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, store := t.Context(), sqlstore.NewBot(newBench(t, db).store)
		tenant, one, two, other := id.NewTenant(), id.NewAppointment(), id.NewAppointment(), id.NewAppointment()
		for i, a := range []id.Appointment{one, two, other} {
			require.NoError(t, store.NoteReminder(ctx, tenant, a, today.Add(time.Duration(i)*time.Minute)))
		}
		last := func(tenant id.Tenant, since time.Time, of ...id.Appointment) id.Appointment {
			got, err := store.LastReminder(ctx, tenant, of, since)
			require.NoError(t, err)
			return got
		}
		require.Equal(t, two, last(tenant, today, one, two))
		require.Equal(t, one, last(tenant, today, one))
		require.Zero(t, last(tenant, today.Add(time.Hour), one, two), "too long ago")
		require.Zero(t, last(tenant, today), "none asked for")
		require.Zero(t, last(id.NewTenant(), today, one, two), "another tenant's")

		require.NoError(t, store.NoteReminder(ctx, tenant, one, today.Add(time.Hour)), "reminded once more")
		require.Equal(t, one, last(tenant, today, one, two))
		require.NoError(t, store.NoteReminder(ctx, tenant, one, today), "told late")
		require.Equal(t, one, last(tenant, today, one, two))
	})
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		ctx, store := t.Context(), sqlstore.NewBot(newBench(t, db).store)
		tenant, old, kept := id.NewTenant(), id.NewEvent(), id.NewEvent()
		oldChat, keptChat, reminded := id.NewChat(), id.NewChat(), id.NewAppointment()
		err := store.InTx(ctx, func(tx bot.Store) error {
			for event, at := range map[id.Event]time.Time{old: today, kept: today.Add(time.Hour)} {
				_, err := tx.Consume(ctx, tenant, event, at)
				require.NoError(t, err)
			}
			for chat, at := range map[id.Chat]time.Time{oldChat: today, keptChat: today.Add(time.Hour)} {
				c, err := tx.LockConversation(ctx, tenant, chat)
				require.NoError(t, err)
				c.State, c.Updated = []byte("kept"), at
				require.NoError(t, tx.SaveConversation(ctx, tenant, c))
			}
			return tx.NoteReminder(ctx, tenant, reminded, today)
		})
		require.NoError(t, err)
		n, err := store.Forget(ctx, today.Add(time.Minute), today.Add(time.Minute))
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		require.Empty(t, conversation(t, store, tenant, oldChat).State)
		require.Equal(t, "kept", string(conversation(t, store, tenant, keptChat).State))
		fresh, err := store.Consume(ctx, tenant, kept, today)
		require.NoError(t, err)
		require.False(t, fresh)
		got, err := store.LastReminder(ctx, tenant, []id.Appointment{reminded}, time.Time{})
		require.NoError(t, err)
		require.Zero(t, got)
	})
}

func TestNamesOfConversationsDependOnCase(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBench(t, db)
		store := sqlstore.NewBot(b.store)
		chat := id.NewChat()
		err := store.InTx(t.Context(), func(tx bot.Store) error {
			c, err := tx.LockConversation(t.Context(), b.tenant, chat)
			require.NoError(t, err)
			c.State = []byte("x")
			return tx.SaveConversation(t.Context(), b.tenant, c)
		})
		require.NoError(t, err)
		for _, column := range []string{"tenant_id", "chat_id"} {
			key := map[string]string{"tenant_id": b.tenant.String(), "chat_id": chat.String()}[column]
			n, err := db.Handle().Read().NewSelect().TableExpr("bot_conversations").Where("tenant_id = ?", b.tenant).Where(column+" = ?", strings.ToUpper(key)).Count(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
			n, err = db.Handle().Read().NewSelect().TableExpr("bot_conversations").Where("tenant_id = ?", b.tenant).Where(column+" = ?", key).Count(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}
	})
}
