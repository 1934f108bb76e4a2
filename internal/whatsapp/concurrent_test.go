package whatsapp_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

// TestLinesOfOneTenantMayHearFromTheSamePeopleAtOnce has two lines receive from, learn of and send to the same people at the
// same time, so that the same contacts and chats are made and merged by several transactions.
func TestLinesOfOneTenantMayHearFromTheSamePeopleAtOnce(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		first := b.linked()
		second := b.linkedBesides("segunda")

		const people, rounds = 4, 6
		var work sync.WaitGroup
		for _, line := range []*fakeLine{first, second} {
			work.Go(func() { // one goroutine per line: what must stay in order is told in order
				for i := range people * rounds {
					from := []whatsapp.ContactIDs{{Number: person(i % people).Number}, {LID: person(i % people).LID}, person(i % people)}[i/people%3]
					if err := line.sink.Received(t.Context(), text(fmt.Sprint("M", i), from, "hola")); err != nil {
						t.Errorf("receive: %v", err)
					}
				}
			})
			work.Go(func() {
				for i := range people * 2 {
					if err := line.sink.Learned(t.Context(), person(i%people)); err != nil {
						t.Errorf("learned: %v", err)
					}
				}
			})
			work.Go(func() {
				for i := range people * 2 {
					_, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Session: line.ref.Session, Chat: person(i % people).Number.String(), Text: fmt.Sprint("T", i)})
					if err != nil {
						t.Errorf("queue: %v", err)
					}
				}
			})
		}
		work.Wait()
		require.NoError(t, first.ctx.Err(), "no store error ended a term")
		require.NoError(t, second.ctx.Err())
		for _, line := range []*fakeLine{first, second} {
			chats, err := b.svc.ListChats(t.Context(), b.admin, whatsapp.ChatQuery{Session: line.ref.Session, Limit: 50})
			require.NoError(t, err)
			require.Len(t, chats, people)
			for _, c := range chats {
				require.Equal(t, rounds, c.Unread)
				eventually(t, "all are sent", func() bool {
					all, err := b.svc.ListMessages(t.Context(), b.admin, id.Session{}, c.ID.String(), whatsapp.MessageCursor{}, 50)
					require.NoError(t, err)
					sent := 0
					for _, m := range all {
						if m.Direction == whatsapp.Out && m.Status == whatsapp.MessageSent {
							sent++
						}
					}
					return sent == 2 && len(all) == rounds+2
				})
			}
			seen := map[string]bool{}
			for _, m := range line.texts() {
				require.False(t, seen[m], "sent once")
				seen[m] = true
			}
		}
		require.Len(t, told[events.MessageReceived](b), 2*people*rounds)
	})
}

// TestRequestsWithOneKeyAtOnceMakeOneMessage, of which all that made it are told.
func TestRequestsWithOneKeyAtOnceMakeOneMessage(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		line := b.linked()
		const keys, each = 12, 4
		require.NoError(t, line.sink.Received(t.Context(), text("IN", person(0), "hola")))
		made := make([][each]id.Message, keys)
		var work sync.WaitGroup
		for i := range keys {
			for try := range each {
				work.Go(func() {
					m, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: person(0).Number.String(), Text: fmt.Sprint("T", i), Key: fmt.Sprint("K", i)})
					if err != nil {
						t.Errorf("queue: %v", err)
					}
					made[i][try] = m.ID
				})
			}
		}
		work.Wait()
		for _, ids := range made {
			require.Equal(t, [each]id.Message{ids[0], ids[0], ids[0], ids[0]}, ids)
		}
		eventually(t, "all are sent", func() bool { return len(line.texts()) >= keys })
		list, err := b.svc.ListMessages(t.Context(), b.admin, id.Session{}, person(0).Number.String(), whatsapp.MessageCursor{}, 100)
		require.NoError(t, err)
		require.Len(t, list, keys+1)
		require.Len(t, line.texts(), keys)
	})
}

// TestACommandThatComesSeveralTimesAtOnceIsOneMessage, whether it says by which WhatsApp ID the message goes or leaves that open, and whether or not it names the
// line, which is not the default one.
func TestACommandThatComesSeveralTimesAtOnceIsOneMessage(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		b.linked()
		line := b.linkedBesides("segunda")
		require.NoError(t, line.sink.Received(t.Context(), text("IN", person(0), "hola")))
		chats, err := b.svc.ListChats(t.Context(), b.admin, whatsapp.ChatQuery{Session: line.ref.Session, Limit: 5})
		require.NoError(t, err)
		require.Len(t, chats, 1)
		var commands []*events.SendMessage
		for i := range 12 {
			j := &events.SendMessage{Tenant: b.tenant, Chat: chats[0].ID, Message: id.NewMessage(), Text: fmt.Sprint("T", i), Origin: "bot"}
			if i%2 == 0 {
				j.Session = line.ref.Session
			}
			if i%3 > 0 {
				j.WAID = events.WhatsAppMessageID()
			}
			commands = append(commands, j)
		}
		atOnce := func() {
			var handling sync.WaitGroup
			for _, j := range commands {
				for range 4 {
					handling.Go(func() {
						if err := b.svc.HandleSend(t.Context(), j); err != nil {
							t.Errorf("handle: %v", err)
						}
					})
				}
			}
			handling.Wait()
		}
		atOnce()
		eventually(t, "all are sent", func() bool { return len(line.texts()) >= len(commands) })
		atOnce()
		require.Len(t, line.texts(), len(commands))
		_, err = b.svc.Logout(t.Context(), b.admin, line.ref.Session)
		require.NoError(t, err)
		for _, j := range commands {
			j.Message = id.NewMessage()
			if j.WAID != "" {
				j.WAID = events.WhatsAppMessageID()
			}
		}
		atOnce()
		failed := map[id.Message]int{}
		for _, ev := range told[events.MessageStatusChanged](b) {
			if ev.Reason == whatsapp.FailedNotLinked {
				failed[ev.Message]++
			}
		}
		for _, j := range commands {
			require.Equal(t, 1, failed[j.Message], "told once")
			require.Equal(t, whatsapp.MessageFailed, b.message(j.Message).Status)
		}
	})
}

// TestWhatIsQueuedAtOnceLeavesOnceAndInOrder has many callers write to few chats of a line that loses its connection now and then. Some of what they write is
// handed to the sender as it is stored, the rest is read from the queue.
func TestWhatIsQueuedAtOnceLeavesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		line := b.linked()
		const chats, writers, each = 3, 3, 12
		for i := range chats {
			require.NoError(t, line.sink.Received(t.Context(), text(fmt.Sprint("IN", i), person(i), "hola")))
		}
		var work sync.WaitGroup
		for w := range writers {
			work.Go(func() {
				for i := range chats * each {
					cmd := whatsapp.SendCommand{Chat: person(i % chats).Number.String(), Text: fmt.Sprintf("T%d-%d", w, i)}
					if w == 0 && i%4 == 0 {
						cmd.Key = cmd.Text
					}
					if _, err := b.svc.Queue(t.Context(), b.admin, cmd); err != nil {
						t.Errorf("queue: %v", err)
					}
				}
			})
		}
		work.Go(func() {
			for range 5 {
				line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
				line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
			}
		})
		work.Wait()
		eventually(t, "all are sent", func() bool { return len(line.texts()) >= chats*writers*each })
		at := map[string]int{}
		for i, words := range line.texts() {
			require.NotContains(t, at, words, "sent once")
			at[words] = i
		}
		list, err := b.svc.ListChats(t.Context(), b.admin, whatsapp.ChatQuery{Session: line.ref.Session, Limit: 50})
		require.NoError(t, err)
		require.Len(t, list, chats)
		for _, c := range list {
			all, err := b.svc.ListMessages(t.Context(), b.admin, id.Session{}, c.ID.String(), whatsapp.MessageCursor{}, 100)
			require.NoError(t, err)
			require.Len(t, all, writers*each+1)
			next := len(at)
			for _, m := range all { // newest first
				if m.Direction == whatsapp.Out {
					require.Less(t, at[m.Text], next, "%s left out of order", m.Text)
					next = at[m.Text]
				}
			}
		}
	})
}
