package sqlstore_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/sqlstore"
)

// now is a time as it is stored: UTC, whole microseconds.
var now = time.Date(2026, 3, 26, 15, 30, 0, 123456000, time.UTC)

// world is one tenant with a session, a person and their chat.
type world struct {
	t      *testing.T
	store  *sqlstore.Store
	ref    whatsapp.Ref
	person whatsapp.Contact
	chat   whatsapp.Chat
	pos    int64
}

func setup(t *testing.T, db *sqlkit.DB) *world {
	t.Helper()
	w := &world{t: t, store: sqlstore.New(db, outbox.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))), pos: 100}
	w.ref = whatsapp.Ref{Tenant: id.NewTenant(), Session: id.NewSession()}
	w.tx(func(tx whatsapp.Store) error {
		added, err := tx.AddSession(t.Context(), whatsapp.Session{Ref: w.ref, Name: "Línea", Status: whatsapp.StatusStopped, Since: now, CreatedAt: now, Fence: 1})
		require.True(t, added)
		return err
	})
	w.person = w.addPerson("5491122334455", "1001")
	w.chat = w.addChat(w.person)
	return w
}

func (w *world) tx(fn func(tx whatsapp.Store) error) {
	w.t.Helper()
	require.NoError(w.t, w.store.InTx(w.t.Context(), fn))
}

func (w *world) addPerson(number, lid string) whatsapp.Contact {
	w.t.Helper()
	c := whatsapp.Contact{Tenant: w.ref.Tenant, ID: id.NewContact(), Name: "José Ñandú 🧉", CreatedAt: now}
	if number != "" {
		c.IDs.Number = whatsapp.NumberAddress(number)
	}
	if lid != "" {
		c.IDs.LID = address(w.t, lid+"@lid")
	}
	w.tx(func(tx whatsapp.Store) error {
		added, err := tx.AddContact(w.t.Context(), c, strings.Replace(number, "549", "54", 1))
		require.True(w.t, added)
		return err
	})
	return c
}

func (w *world) addChat(person whatsapp.Contact) whatsapp.Chat {
	w.t.Helper()
	c := whatsapp.Chat{Ref: w.ref, ID: id.NewChat(), Address: person.IDs.Canonical(), Kind: whatsapp.DirectChat, Person: person, Mode: whatsapp.BotMode, LastPos: 1, CreatedAt: now}
	w.add(c)
	return c
}

func (w *world) add(c whatsapp.Chat) {
	w.t.Helper()
	w.tx(func(tx whatsapp.Store) error {
		added, err := tx.AddChat(w.t.Context(), c)
		require.True(w.t, added)
		return err
	})
}

// draft is a message of the chat; it is not stored yet.
func (w *world) draft(chat whatsapp.Chat, waID string, direction whatsapp.Direction) whatsapp.Message {
	w.pos++
	m := whatsapp.Message{Ref: chat.Ref, ID: id.NewMessage(), ChatID: chat.ID, WAID: waID, Pos: w.pos, Direction: direction, Type: "text", Text: "¿Qué tal? 💈",
		Status: whatsapp.MessageReceived, StatusAt: now, Timestamp: now, CreatedAt: now}
	if direction == whatsapp.In {
		m.SenderID = chat.Person.ID
	} else {
		m.Status, m.Origin, m.Actor, m.OnlyIfBot, m.NotAfter, m.ReplyTo = whatsapp.MessageQueued, "bot", "usr_1", true, now.Add(time.Hour), id.NewMessage()
	}
	return m
}

func (w *world) addMessage(m whatsapp.Message) (added bool) {
	w.t.Helper()
	w.tx(func(tx whatsapp.Store) (err error) {
		added, err = tx.AddMessage(w.t.Context(), m)
		return err
	})
	return added
}

func address(t *testing.T, text string) whatsapp.Address {
	t.Helper()
	a, err := whatsapp.ParseAddress(text)
	require.NoError(t, err)
	return a
}

func requireNotFound(t *testing.T, err error) {
	t.Helper()
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
}

func TestEventsAndKeysShareTheTransaction(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		stop := errors.New("stop")
		attempt := func(end error) error {
			return w.store.InTx(ctx, func(tx whatsapp.Store) error {
				made, err := tx.ClaimKey(ctx, tenant, "op", "key", "hash", "msg_1", now)
				require.Empty(t, made)
				return errors.Join(err, tx.Emit(ctx, &events.ChatModeChanged{Tenant: tenant, Chat: w.chat.ID}), end)
			})
		}
		count := func() (n int) {
			require.NoError(t, db.SQL().QueryRowContext(ctx, "SELECT COUNT(*) FROM outbox WHERE tenant_id = '"+tenant.String()+"'").Scan(&n))
			return n
		}
		require.ErrorIs(t, attempt(stop), stop)
		require.Zero(t, count())
		require.NoError(t, attempt(nil))
		require.Equal(t, 1, count())
		w.tx(func(tx whatsapp.Store) error {
			made, err := tx.ClaimKey(ctx, tenant, "op", "key", "hash", "msg_2", now)
			require.Equal(t, "msg_1", made)
			return err
		})
	})
}
