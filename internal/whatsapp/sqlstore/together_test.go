package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

// group is a world whose store commits together with others.
type group struct {
	*world
	committer *groupcommit.Committer
	db        *sqlkit.DB
}

func setupGroup(t *testing.T, db *sqlkit.DB) *group {
	t.Helper()
	g := &group{world: setup(t, db), db: db, committer: groupcommit.New(db, groupcommit.Fences{Table: "whatsapp_sessions", Stale: whatsapp.ErrStaleFence})}
	t.Cleanup(g.committer.Close)
	g.store = g.store.Together(g.committer)
	return g
}

func (g *group) term() whatsapp.Term { return whatsapp.Term{Ref: g.ref, Fence: 1} }

// hold keeps the committer busy until the returned function is called, so that what comes meanwhile is one group.
func (g *group) hold() (release func()) {
	began, goOn := make(chan struct{}), make(chan struct{})
	isFirst := true
	g.committer.Enqueue(&groupcommit.Member{Do: func(context.Context, sqlkit.Handle) error {
		if isFirst {
			isFirst = false
			close(began)
		}
		<-goOn
		return nil
	}})
	<-began
	return func() { close(goOn) }
}

// arrive is a post that stores an incoming message, unless it is there already.
func (g *group) arrive(p whatsapp.Post, m whatsapp.Message, isNew *bool) whatsapp.Post {
	p.WAID = m.WAID
	p.Decide = func(at whatsapp.Place) (whatsapp.Change, error) {
		*isNew = len(at.Same) == 0
		if !*isNew {
			return whatsapp.Change{}, nil
		}
		m.Pos = at.Chat.LastPos + 1
		at.Chat.LastPos, at.Chat.LastMessage = m.Pos, m.ID
		at.Chat.Unread++
		return whatsapp.Change{Chat: &at.Chat, Message: &m, Events: []events.Event{&events.MessageReceived{Tenant: m.Tenant, Session: m.Session, Chat: m.ChatID, Message: m.ID, Text: m.Text}}}, nil
	}
	return p
}

// told gives the payloads of the tenant's events in the order of their appending.
func (g *group) told() (payloads []string) {
	g.t.Helper()
	rows, err := g.db.SQL().QueryContext(g.t.Context(), "SELECT payload FROM outbox WHERE tenant_id = '"+g.ref.Tenant.String()+"' ORDER BY pos")
	require.NoError(g.t, err)
	defer rows.Close()
	for rows.Next() {
		var payload string
		require.NoError(g.t, rows.Scan(&payload))
		payloads = append(payloads, payload)
	}
	require.NoError(g.t, rows.Err())
	return payloads
}

// outcome is what a Post or Move returned.
type outcome struct {
	ok  bool
	err error
}

// together has the calls made, in order, while the committer is held.
func (g *group) together(calls ...func(ctx context.Context) (bool, error)) []outcome {
	g.t.Helper()
	release := g.hold()
	results := make([]chan outcome, len(calls))
	for i, call := range calls {
		results[i] = make(chan outcome, 1)
		entered := make(chan struct{})
		go func() {
			close(entered)
			ok, err := call(g.t.Context())
			results[i] <- outcome{ok, err}
		}()
		<-entered
		waiting := i + 1
		require.Eventually(g.t, func() bool { return g.committer.Waiting() == waiting }, 10*time.Second, time.Millisecond)
	}
	release()
	out := make([]outcome, len(calls))
	for i := range results {
		out[i] = <-results[i]
	}
	return out
}

func TestMessagesOfAGroupAreStoredInOrderAndOnce(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		g := setupGroup(t, db)
		other := g.addChat(g.addPerson("5491122330000", ""))
		drafts := []whatsapp.Message{g.draft(g.chat, "A", whatsapp.In), g.draft(g.chat, "A", whatsapp.In), g.draft(g.chat, "B", whatsapp.In), g.draft(other, "A", whatsapp.In)}
		at := []whatsapp.Post{{Term: g.term(), Address: g.chat.Address}, {Term: g.term(), Address: whatsapp.NumberAddress("5491122334455")},
			{Term: whatsapp.Term{Ref: g.ref}, Chat: g.chat.ID}, {Term: g.term(), Address: other.Address}}
		isNew := make([]bool, len(drafts))
		var calls []func(context.Context) (bool, error)
		for i := range drafts {
			p := g.arrive(at[i], drafts[i], &isNew[i])
			calls = append(calls, func(ctx context.Context) (bool, error) { return g.store.Post(ctx, p) })
		}
		for _, o := range g.together(calls...) {
			require.Equal(t, outcome{true, nil}, o)
		}
		require.Equal(t, []bool{true, false, true, true}, isNew)
		chat, err := g.store.FindChat(t.Context(), g.ref.Tenant, g.chat.ID)
		require.NoError(t, err)
		require.Equal(t, 2, chat.Unread)
		require.Equal(t, drafts[2].ID, chat.LastMessage)
		list, err := g.store.ListMessages(t.Context(), g.ref.Tenant, g.chat.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		require.Equal(t, []id.Message{drafts[2].ID, drafts[0].ID}, []id.Message{list[0].ID, list[1].ID})
		want := drafts[0]
		want.Pos, want.Sender = chat.LastPos-1, g.person
		require.Equal(t, want, list[1])
		payloads := g.told()
		require.Len(t, payloads, 3)
		for i, m := range []whatsapp.Message{drafts[0], drafts[2], drafts[3]} {
			require.Contains(t, payloads[i], m.ID.String())
		}

		again := false
		ok, err := g.store.Post(t.Context(), g.arrive(at[0], drafts[0], &again))
		require.NoError(t, err)
		require.True(t, ok)
		require.False(t, again)
		require.Len(t, g.told(), 3)
	})
}

var errNotThis = errors.New("not this one")

func TestAMemberOfAGroupFailsAlone(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		g := setupGroup(t, db)
		stranger := setup(t, db)
		var isNew, never bool
		good, late, taken := g.draft(g.chat, "A", whatsapp.In), g.draft(g.chat, "B", whatsapp.In), g.draft(g.chat, "C", whatsapp.In)
		require.True(t, g.addMessage(taken))
		twin := taken
		twin.WAID = "D" // our ID is there: the database refuses it
		at := func(ref whatsapp.Ref, fence int64) whatsapp.Post {
			return whatsapp.Post{Term: whatsapp.Term{Ref: ref, Fence: fence}, Address: g.chat.Address}
		}
		post := func(p whatsapp.Post) func(context.Context) (bool, error) {
			return func(ctx context.Context) (bool, error) { return g.store.Post(ctx, p) }
		}
		refused := g.arrive(at(g.ref, 1), late, &never)
		refused.Decide = func(whatsapp.Place) (whatsapp.Change, error) { return whatsapp.Change{}, errNotThis }
		upper := whatsapp.Post{Term: whatsapp.Term{Ref: g.ref}, Address: address(t, "nobody@newsletter")}
		got := g.together(
			post(g.arrive(at(g.ref, 2), late, &never)),
			post(refused),
			post(g.arrive(at(g.ref, 1), twin, &never)),
			post(g.arrive(whatsapp.Post{Term: whatsapp.Term{Ref: stranger.ref}, Chat: g.chat.ID}, late, &never)),
			post(g.arrive(upper, late, &never)),
			post(g.arrive(at(g.ref, 1), good, &isNew)))
		require.Equal(t, outcome{false, whatsapp.ErrStaleFence}, got[0])
		require.Equal(t, outcome{false, errNotThis}, got[1])
		require.Equal(t, []outcome{{}, {}, {}}, got[2:5])
		require.Equal(t, outcome{true, nil}, got[5])
		require.True(t, isNew)
		list, err := g.store.ListMessages(t.Context(), g.ref.Tenant, g.chat.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		require.ElementsMatch(t, []id.Message{good.ID, taken.ID}, []id.Message{list[0].ID, list[1].ID})
		require.Len(t, list, 2)
		require.Len(t, g.told(), 1)
		chat, err := g.store.FindChat(t.Context(), g.ref.Tenant, g.chat.ID)
		require.NoError(t, err)
		require.Equal(t, 1, chat.Unread)
	})
}

func TestAnIdempotencyKeyIsUsedOnceInAGroupAndAfterIt(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		g := setupGroup(t, db)
		ctx := t.Context()
		draft := func(name string) whatsapp.Message { return g.draft(g.chat, name, whatsapp.Out) }
		request := func(key string, m whatsapp.Message, meanwhile func()) func(context.Context) (bool, error) {
			p := whatsapp.Post{Term: whatsapp.Term{Ref: g.ref}, Chat: g.chat.ID, Operation: "send", Key: key, Decide: func(at whatsapp.Place) (whatsapp.Change, error) {
				meanwhile()
				m.Pos = at.Chat.LastPos + 1
				at.Chat.LastPos, at.Chat.LastMessage = m.Pos, m.ID
				return whatsapp.Change{Chat: &at.Chat, Message: &m, Made: whatsapp.Made{Fingerprint: "of " + key, Entity: m.ID.String()}}, nil
			}}
			return func(ctx context.Context) (bool, error) { return g.store.Post(ctx, p) }
		}
		nothing := func() {}
		claim := func(key string) (made string) {
			require.NoError(t, g.store.InTx(ctx, func(tx whatsapp.Store) (err error) {
				made, err = tx.ClaimKey(ctx, g.ref.Tenant, "send", key, "of "+key, "another", time.Now())
				return err
			}))
			return made
		}
		first, twin, second, keyless := draft("A"), draft("B"), draft("C"), draft("D")
		require.Empty(t, claim("used"))
		got := g.together(request("k1", first, nothing), request("k1", twin, nothing), request("k2", second, nothing), request("used", draft("E"), nothing), request("", keyless, nothing))
		require.Equal(t, []outcome{{true, nil}, {}, {true, nil}, {}, {true, nil}}, got)
		require.Equal(t, first.ID.String(), claim("k1"))
		require.Equal(t, second.ID.String(), claim("k2"))
		stored := []id.Message{first.ID, second.ID, keyless.ID}
		if db.Dialect() != sqlkit.SQLite { // which has one writer at a time
			last := draft("F")
			got = g.together(request("k3", draft("G"), sync.OnceFunc(func() { require.Empty(t, claim("k3")) })), request("k4", last, nothing))
			require.Equal(t, []outcome{{}, {true, nil}}, got, "somebody else was faster")
			stored = append(stored, last.ID)
		}
		_, err := request(strings.Repeat("k", 256), draft("H"), nothing)(ctx)
		require.True(t, fault.Is(err, fault.Invalid), err)
		list, err := g.store.ListMessages(ctx, g.ref.Tenant, g.chat.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		var ids []id.Message
		for _, m := range list {
			ids = append(ids, m.ID)
		}
		require.ElementsMatch(t, stored, ids)
	})
}

func TestStatusesOfAGroupMoveInOrder(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		g := setupGroup(t, db)
		sent, theirs := g.draft(g.chat, "A", whatsapp.Out), g.draft(g.chat, "A", whatsapp.In)
		require.True(t, g.addMessage(sent))
		require.True(t, g.addMessage(theirs))
		move := func(term whatsapp.Term, from, to whatsapp.MessageStatus, waIDs ...string) func(context.Context) (bool, error) {
			return func(ctx context.Context) (bool, error) {
				return g.store.Move(ctx, whatsapp.Move{Term: term, WAIDs: waIDs, Decide: func(own []*whatsapp.Message) []events.Event {
					if len(own) != 1 || own[0].Status != from {
						return nil
					}
					own[0].Status, own[0].Reason, own[0].StatusAt = to, "because", now.Add(time.Minute)
					return []events.Event{&events.MessageStatusChanged{Tenant: g.ref.Tenant, Chat: g.chat.ID, Message: own[0].ID, Status: string(to)}}
				}})
			}
		}
		stale := g.term()
		stale.Fence = 7
		got := g.together(
			move(g.term(), whatsapp.MessageQueued, whatsapp.MessageSent, "A"),
			move(stale, whatsapp.MessageSent, whatsapp.MessageFailed, "A"),
			move(g.term(), whatsapp.MessageSent, whatsapp.MessageDelivered, "A"),
			move(g.term(), whatsapp.MessageDelivered, whatsapp.MessageRead, "a"),
			move(g.term(), whatsapp.MessageDelivered, whatsapp.MessageRead, "A", "nobody's"))
		require.Equal(t, []outcome{{true, nil}, {false, whatsapp.ErrStaleFence}, {true, nil}, {}, {}}, got)
		is, err := g.store.FindMessage(t.Context(), g.ref.Tenant, sent.ID)
		require.NoError(t, err)
		want := sent
		want.Status, want.Reason, want.StatusAt = whatsapp.MessageDelivered, "because", now.Add(time.Minute)
		require.Equal(t, want, is)
		untouched, err := g.store.FindMessage(t.Context(), g.ref.Tenant, theirs.ID)
		require.NoError(t, err)
		require.Equal(t, whatsapp.MessageReceived, untouched.Status)
		payloads := g.told()
		require.Len(t, payloads, 2)
		require.True(t, strings.Contains(payloads[0], `"sent"`) && strings.Contains(payloads[1], `"delivered"`), "%v", payloads)
		queued, err := g.store.ListQueued(t.Context(), g.ref, nil, 10)
		require.NoError(t, err)
		require.Empty(t, queued)
	})
}

// A group waits for nobody who holds a chat or a message: what is about these is left to a transaction of its own.
func TestAGroupPassesOverWhatOthersHold(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		if db.Dialect() == sqlkit.SQLite { // where one transaction writes at a time
			return
		}
		g := setupGroup(t, db)
		sent, fresh := g.draft(g.chat, "A", whatsapp.Out), g.draft(g.chat, "B", whatsapp.In)
		require.True(t, g.addMessage(sent))
		isNew := false
		err := g.store.InTx(t.Context(), func(tx whatsapp.Store) error {
			_, err := tx.LockChat(t.Context(), g.ref.Tenant, g.chat.ID)
			require.NoError(t, err)
			_, err = tx.LockMessage(t.Context(), g.ref.Tenant, sent.ID)
			require.NoError(t, err)
			ok, err := g.store.Post(t.Context(), g.arrive(whatsapp.Post{Term: g.term(), Address: g.chat.Address}, fresh, &isNew))
			require.NoError(t, err)
			require.False(t, ok)
			ok, err = g.store.Move(t.Context(), whatsapp.Move{Term: g.term(), WAIDs: []string{"A"}, Decide: func([]*whatsapp.Message) []events.Event { return nil }})
			require.NoError(t, err)
			require.False(t, ok)
			return nil
		})
		require.NoError(t, err)
		require.Empty(t, g.told())
		ok, err := g.store.Post(t.Context(), g.arrive(whatsapp.Post{Term: g.term(), Address: g.chat.Address}, fresh, &isNew))
		require.NoError(t, err)
		require.True(t, ok && isNew)
	})
}

func TestLongQueuesAreReadAPageAtATime(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		g := setupGroup(t, db)
		other := g.addChat(g.addPerson("5491122330000", ""))
		var want []id.Message
		for i := range 120 {
			chat := g.chat
			if i%2 == 1 {
				chat = other
			}
			m := g.draft(chat, id.NewMessage().String(), whatsapp.Out)
			require.True(t, g.addMessage(m))
			want = append(want, m.ID)
		}
		for _, n := range []int{120, 3} {
			page, err := g.store.ListQueued(t.Context(), g.ref, nil, 64)
			require.NoError(t, err)
			require.Len(t, page, min(n, 64))
			for i := range page {
				require.Equal(t, want[i], page[i].ID)
			}
			page, err = g.store.ListQueued(t.Context(), g.ref, []id.Chat{other.ID}, 64)
			require.NoError(t, err)
			for i := range page {
				require.Equal(t, g.chat.ID, page[i].ChatID)
			}
			require.Len(t, page, min(60, (n+1)/2))
			_, err = db.Handle().Write().NewRaw("UPDATE whatsapp_messages SET is_queued = 0 WHERE tenant_id = ? AND pos > ?", g.ref.Tenant, g.pos-117).Exec(t.Context())
			require.NoError(t, err)
		}
	})
}

func TestAPostTellsWhetherItsMessageIsTheOnlyOneThatWaits(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		g := setupGroup(t, db)
		other := g.addChat(g.addPerson("5491122330000", ""))
		var mu sync.Mutex
		var stored []string
		isFirst := map[string]bool{}
		send := func(chat whatsapp.Chat, waID string, asks bool, term whatsapp.Term) func(context.Context) (bool, error) {
			p := g.arrive(whatsapp.Post{Term: term, Address: chat.Address, AsksQueue: asks}, g.draft(chat, waID, whatsapp.Out), new(bool))
			decide := p.Decide
			p.Decide = func(at whatsapp.Place) (whatsapp.Change, error) {
				isFirst[waID] = at.IsFirst
				return decide(at)
			}
			p.Stored = func() {
				mu.Lock()
				defer mu.Unlock()
				stored = append(stored, waID)
			}
			return func(ctx context.Context) (bool, error) { return g.store.Post(ctx, p) }
		}
		got := g.together(send(g.chat, "A", true, g.term()), send(other, "B", true, whatsapp.Term{Ref: g.ref}), send(other, "C", false, g.term()),
			send(other, "D", true, whatsapp.Term{Ref: g.ref, Fence: 9}))
		require.Equal(t, []outcome{{true, nil}, {true, nil}, {true, nil}, {false, whatsapp.ErrStaleFence}}, got)
		require.Equal(t, map[string]bool{"A": true, "B": false, "C": false}, isFirst)
		require.Equal(t, []string{"A", "B", "C"}, stored)

		ok, err := send(g.chat, "E", true, g.term())(t.Context())
		require.NoError(t, err)
		require.True(t, ok)
		require.False(t, isFirst["E"], "others wait in the database")
		for _, waID := range []string{"A", "B", "C", "E"} {
			ok, err = g.store.Move(t.Context(), whatsapp.Move{Term: g.term(), WAIDs: []string{waID}, Decide: func(own []*whatsapp.Message) []events.Event {
				own[0].Status = whatsapp.MessageSent
				return nil
			}})
			require.NoError(t, err)
			require.True(t, ok)
		}
		ok, err = send(g.chat, "F", true, g.term())(t.Context())
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, isFirst["F"])
	})
}
