package sqlstore_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
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

func TestSessionsAreKeptWhole(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		full := whatsapp.Session{Ref: w.ref, Name: "Otra", Status: whatsapp.StatusDegraded, Reason: "silent", Since: now.Add(time.Second), Until: now.Add(time.Hour),
			Identity: whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: whatsapp.NumberAddress("5491100000000"), LID: address(t, "900@lid")}, PushName: "Peluquería 💇"},
			IsLinked: true, IsPaused: true, DownSince: now, IsAlerted: true, Fence: 7, CreatedAt: now}
		w.tx(func(tx whatsapp.Store) error { return tx.SaveSession(ctx, full) })
		got, err := w.store.FindSession(ctx, w.ref)
		require.NoError(t, err)
		require.Equal(t, full, got)
		w.tx(func(tx whatsapp.Store) error {
			got, err = tx.LockSession(ctx, w.ref)
			require.Equal(t, full, got)
			added, err2 := tx.AddSession(ctx, whatsapp.Session{Ref: w.ref, Status: whatsapp.StatusStopped})
			require.False(t, added)
			return errors.Join(err, err2)
		})
		second := whatsapp.Session{Ref: whatsapp.Ref{Tenant: w.ref.Tenant, Session: id.NewSession()}, Name: "Segunda", Status: whatsapp.StatusStopped, CreatedAt: now.Add(time.Minute)}
		w.tx(func(tx whatsapp.Store) error { _, err := tx.AddSession(ctx, second); return err })
		list, err := w.store.ListSessions(ctx, w.ref.Tenant)
		require.NoError(t, err)
		require.Equal(t, []whatsapp.Session{full, second}, list)
		atStart, err := w.store.ListSessionsAtStart(ctx)
		require.NoError(t, err)
		require.Contains(t, atStart, full)
		require.NotContains(t, atStart, second)
		requireNotFound(t, w.store.InTx(ctx, func(tx whatsapp.Store) error {
			return tx.SaveSession(ctx, whatsapp.Session{Ref: whatsapp.Ref{Tenant: w.ref.Tenant, Session: id.NewSession()}})
		}))
	})
}

func TestOnlyTheTermThatHoldsTheFenceWrites(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		write := func(fence int64) error {
			return w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: fence}, func(tx whatsapp.Store) error {
				_, err := tx.AddMessage(ctx, w.draft(w.chat, fmt.Sprint("F", fence), whatsapp.In))
				return err
			})
		}
		require.NoError(t, write(1))
		require.ErrorIs(t, write(0), whatsapp.ErrStaleFence)
		require.ErrorIs(t, write(2), whatsapp.ErrStaleFence)
		foreign := w.store.InTerm(ctx, whatsapp.Term{Ref: whatsapp.Ref{Tenant: id.NewTenant(), Session: w.ref.Session}, Fence: 1}, func(whatsapp.Store) error { return nil })
		require.ErrorIs(t, foreign, whatsapp.ErrStaleFence)
		list, err := w.store.ListMessages(ctx, w.ref.Tenant, w.chat.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

// A new owner must wait for the last write of the old one, or else the old one must notice: never both unseen.
func TestTheFenceCannotMoveUnderAWrite(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		inside, moved := make(chan struct{}), make(chan error, 1)
		go func() {
			<-inside
			moved <- w.store.InTx(ctx, func(tx whatsapp.Store) error {
				s, err := tx.LockSession(ctx, w.ref)
				s.Fence++
				return errors.Join(err, tx.SaveSession(ctx, s))
			})
		}()
		var once sync.Once
		err := w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: 1}, func(tx whatsapp.Store) error {
			once.Do(func() { close(inside) })
			select {
			case err := <-moved:
				return fmt.Errorf("the fence moved while it was held: %w", err)
			case <-time.After(100 * time.Millisecond): // long enough for a lock that does not hold to be seen
			}
			_, err := tx.AddMessage(ctx, w.draft(w.chat, "held", whatsapp.In))
			return err
		})
		require.NoError(t, err)
		require.NoError(t, <-moved)
		require.ErrorIs(t, w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: 1}, func(whatsapp.Store) error { return nil }), whatsapp.ErrStaleFence)
	})
}

func TestContactsAreFoundByEitherAddress(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		numberOnly, lidOnly := w.addPerson("541155550000", ""), w.addPerson("", "2002")
		w.addPerson("", "2003") // contacts without number do not get in each other's way
		find := func(ids whatsapp.ContactIDs) []whatsapp.Contact {
			got, err := w.store.FindContacts(ctx, tenant, ids)
			require.NoError(t, err)
			w.tx(func(tx whatsapp.Store) error {
				locked, err := tx.FindContacts(ctx, tenant, ids)
				require.Equal(t, got, locked)
				return err
			})
			return got
		}
		require.Equal(t, []whatsapp.Contact{w.person}, find(w.person.IDs))
		require.Equal(t, []whatsapp.Contact{w.person}, find(whatsapp.ContactIDs{LID: w.person.IDs.LID}))
		require.Equal(t, []whatsapp.Contact{numberOnly}, find(numberOnly.IDs))
		require.Empty(t, find(whatsapp.ContactIDs{}))
		require.ElementsMatch(t, []whatsapp.Contact{numberOnly, lidOnly}, find(whatsapp.ContactIDs{Number: numberOnly.IDs.Number, LID: lidOnly.IDs.LID}))
		for _, taken := range []whatsapp.ContactIDs{{Number: numberOnly.IDs.Number}, {LID: lidOnly.IDs.LID, Number: whatsapp.NumberAddress("5491100000001")}} {
			w.tx(func(tx whatsapp.Store) error {
				added, err := tx.AddContact(ctx, whatsapp.Contact{Tenant: tenant, ID: id.NewContact(), IDs: taken}, "")
				require.False(t, added)
				return err
			})
		}
		alike, err := w.store.FindContactsByFold(ctx, tenant, "541122334455", 2)
		require.NoError(t, err)
		require.Equal(t, []whatsapp.Contact{w.person}, alike)

		lidOnly.Name, lidOnly.IDs.Number = "Beto", whatsapp.NumberAddress("5491166666666")
		w.tx(func(tx whatsapp.Store) error {
			if err := tx.SaveContact(ctx, lidOnly, "541166666666"); err != nil {
				return err
			}
			got, err := tx.LockContact(ctx, tenant, lidOnly.ID)
			require.Equal(t, lidOnly, got)
			return errors.Join(err, tx.DeleteContact(ctx, tenant, numberOnly.ID))
		})
		require.Empty(t, find(numberOnly.IDs))
		require.Len(t, find(lidOnly.IDs), 1)
	})
}

func TestATransactionThatLosesARaceForAnAddressRunsAgain(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		other := w.addPerson("", "2002")
		runs := 0
		err := w.store.InTx(t.Context(), func(tx whatsapp.Store) error {
			runs++
			c := other
			if c.Name = "again"; runs == 1 {
				c.IDs.Number = w.person.IDs.Number // as if it had become somebody's since it was looked up
			}
			return tx.SaveContact(t.Context(), c, "")
		})
		require.NoError(t, err)
		require.Equal(t, 2, runs)
	})
}

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
			for _, want := range []bool{true, false} {
				saved, err := tx.SaveQueued(ctx, sent)
				require.NoError(t, err)
				require.Equal(t, want, saved)
			}
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
