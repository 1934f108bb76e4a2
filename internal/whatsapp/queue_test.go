package whatsapp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

func TestAMessageIsQueuedAtOnceAndSentInTheOrderOfItsChat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	gate := make(chan struct{})
	line.onSend(func(ctx context.Context, _ whatsapp.Outgoing) (whatsapp.Sent, error) {
		select {
		case <-gate:
			return whatsapp.Sent{At: time.Now(), Contact: ana}, nil
		case <-ctx.Done():
			return whatsapp.Sent{}, ctx.Err()
		}
	})
	var queued []whatsapp.Message
	for i := range 10 {
		m := b.queue("5491122334455", fmt.Sprint(i))
		require.Equal(t, whatsapp.MessageQueued, m.Status)
		require.NotEmpty(t, m.WAID)
		queued = append(queued, m)
	}
	close(gate)
	eventually(t, "all are sent", func() bool { return b.message(queued[9].ID).Status == whatsapp.MessageSent })
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, line.texts())
	require.Equal(t, queued[0].WAID, line.attempts[0].WAID)
	require.Equal(t, ana, b.chats()[0].Person.IDs, "the acknowledgement tells the LID")
	require.Equal(t, ana.LID, b.chats()[0].Address)
	sent := told[events.MessageSentByPerson](b)
	require.Len(t, sent, 10)
	require.Equal(t, "api", sent[0].Origin)
	require.Equal(t, whatsapp.PersonMode, b.chats()[0].ModeAt(time.Now()))
	require.Equal(t, b.admin.User.String(), b.message(queued[0].ID).Actor)
}

func TestAChatThatWaitsDoesNotHoldUpTheOthersAndIsRetriedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		failures := map[string]int{"first": 2}
		var mu sync.Mutex
		line.onSend(func(_ context.Context, m whatsapp.Outgoing) (whatsapp.Sent, error) {
			mu.Lock()
			defer mu.Unlock()
			if failures[m.Text] > 0 {
				failures[m.Text]--
				return whatsapp.Sent{}, whatsapp.ErrUnknownOutcome
			}
			return whatsapp.Sent{At: time.Now()}, nil
		})
		first, second := b.queue("5491100000001", "first"), b.queue("5491100000001", "second")
		other := b.queue("5491100000002", "other")
		synctest.Wait()
		require.Equal(t, whatsapp.MessageSent, b.message(other.ID).Status)
		require.Equal(t, whatsapp.MessageQueued, b.message(first.ID).Status)
		require.Equal(t, whatsapp.MessageQueued, b.message(second.ID).Status)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, whatsapp.MessageSent, b.message(second.ID).Status)
		var tries []string
		for _, m := range line.attempts {
			if m.Text != "other" {
				tries = append(tries, m.Text)
			}
			if m.Text == "first" {
				require.Equal(t, first.WAID, m.WAID, "every attempt has the same ID")
			}
		}
		require.Equal(t, []string{"first", "first", "first", "second"}, tries)
	})
}

func TestWhatCannotBeSentFailsWithItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		line.onSend(func(_ context.Context, m whatsapp.Outgoing) (whatsapp.Sent, error) {
			switch m.Text {
			case "refused":
				return whatsapp.Sent{}, &whatsapp.Rejected{Reason: "not_on_whatsapp", Err: errors.New("404")}
			case "never answered":
				return whatsapp.Sent{}, whatsapp.ErrUnknownOutcome
			}
			return whatsapp.Sent{At: time.Now()}, nil
		})
		refused, after := b.queue("5491100000001", "refused"), b.queue("5491100000001", "after")
		silent, last := b.queue("5491100000002", "never answered"), b.queue("5491100000002", "last")
		synctest.Wait()
		require.Equal(t, whatsapp.MessageFailed, b.message(refused.ID).Status)
		require.Equal(t, "not_on_whatsapp", b.message(refused.ID).Reason)
		require.Equal(t, whatsapp.MessageSent, b.message(after.ID).Status)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Equal(t, whatsapp.MessageQueued, b.message(silent.ID).Status)
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		require.Equal(t, whatsapp.FailedOutcomeUnknown, b.message(silent.ID).Reason)
		require.Equal(t, whatsapp.MessageSent, b.message(last.ID).Status)

		require.NoError(t, line.sink.Receipt(t.Context(), whatsapp.Receipt{Chat: ana.Number, WAIDs: []string{silent.WAID}, Kind: whatsapp.ReceiptDelivered, At: time.Now()}))
		require.Equal(t, whatsapp.MessageDelivered, b.message(silent.ID).Status, "a receipt is proof")
		require.Empty(t, b.message(silent.ID).Reason)
	})
}

func TestAnOfflineLineTakesMessagesAndSendsThemWhenItIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		line.onSend(func(context.Context, whatsapp.Outgoing) (whatsapp.Sent, error) {
			return whatsapp.Sent{}, whatsapp.ErrNotConnected
		})
		first := b.queue("5491100000001", "first")
		synctest.Wait()
		require.Equal(t, whatsapp.MessageQueued, b.message(first.ID).Status)
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting, Reason: "timeout"})
		tries := len(line.texts())
		second := b.queue("5491100000001", "second")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, line.texts(), tries, "nobody tries while it is known to be down")
		line.onSend(nil)
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		synctest.Wait()
		require.Equal(t, whatsapp.MessageSent, b.message(first.ID).Status)
		require.Equal(t, whatsapp.MessageSent, b.message(second.ID).Status)
	})
}

func TestAMessageQueuedWhileTheProcessWasDownIsSentByTheNext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	line.onSend(func(ctx context.Context, _ whatsapp.Outgoing) (whatsapp.Sent, error) {
		<-ctx.Done() // an acknowledgement that never comes
		return whatsapp.Sent{}, whatsapp.ErrUnknownOutcome
	})
	first := b.queue("5491100000001", "first")
	eventually(t, "under way", func() bool { return len(line.texts()) == 1 })
	b.halt()
	second := b.queue("5491100000001", "second")
	require.Equal(t, whatsapp.MessageQueued, b.message(first.ID).Status)
	b.run()
	again := b.engine.next(t)
	again.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	eventually(t, "both are sent", func() bool { return b.message(second.ID).Status == whatsapp.MessageSent })
	require.Equal(t, []string{"first", "second"}, again.texts())
	require.Equal(t, first.WAID, again.attempts[0].WAID)
}

func TestSendsUnderWayFinishWhenTheProcessStops(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	began, finish := make(chan struct{}), make(chan struct{})
	line.onSend(func(context.Context, whatsapp.Outgoing) (whatsapp.Sent, error) {
		close(began)
		<-finish
		return whatsapp.Sent{At: time.Now()}, nil
	})
	m := b.queue("5491100000001", "hola")
	<-began
	b.stop()
	close(finish)
	<-b.stopped
	require.Equal(t, whatsapp.MessageSent, b.message(m.ID).Status)
	require.True(t, line.closed())
}

func TestARequestMayWaitForTheOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		send := func(text string, wait time.Duration) whatsapp.Message {
			m, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: "5491122334455", Text: text, Wait: wait})
			require.NoError(t, err)
			return m
		}
		line.onSend(func(context.Context, whatsapp.Outgoing) (whatsapp.Sent, error) {
			time.Sleep(3 * time.Second)
			return whatsapp.Sent{At: time.Now()}, nil
		})
		began := time.Now()
		require.Equal(t, whatsapp.MessageSent, send("a", 10*time.Second).Status)
		require.Equal(t, 3*time.Second, time.Since(began))
		require.Equal(t, whatsapp.MessageQueued, send("b", time.Second).Status)
		require.Equal(t, whatsapp.MessageQueued, send("c", 0).Status)
		time.Sleep(time.Minute)

		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
		began = time.Now()
		require.Equal(t, whatsapp.MessageQueued, send("d", time.Hour).Status)
		require.Equal(t, whatsapp.MaxWait, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		m, err := b.svc.Queue(ctx, b.admin, whatsapp.SendCommand{Chat: "5491122334455", Text: "e", Wait: 10 * time.Second})
		require.NoError(t, err, "it is stored, whatever ends the waiting")
		require.Equal(t, whatsapp.MessageQueued, m.Status)
		require.Equal(t, "e", b.message(m.ID).Text)
	})
}

func TestOneIdempotencyKeyMakesOneMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.linked()
	send := func(chat, text, key string) (whatsapp.Message, error) {
		return b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: chat, Text: text, Key: key})
	}
	first, err := send("+54 9 11 2233-4455", "hola", "k1")
	require.NoError(t, err)
	eventually(t, "sent", func() bool { return b.message(first.ID).Status == whatsapp.MessageSent })
	again, err := send("5491122334455@c.us", "hola", "k1")
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	require.Equal(t, whatsapp.MessageSent, again.Status, "in its present state")
	for _, other := range [][2]string{{"5491122334455", "chau"}, {"5491100000009", "hola"}} {
		_, err = send(other[0], other[1], "k1")
		require.True(t, fault.HasReason(err, "idempotency_key_reused"), err)
	}
	require.Len(t, b.chats(), 1, "a refused request leaves no chat behind")
	require.Len(t, b.messages("5491122334455"), 1)
	_, err = b.svc.Logout(t.Context(), b.admin, id.Session{})
	require.NoError(t, err)
	again, err = send("5491122334455", "hola", "k1")
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
}

func TestBadMessagesAreRefusedAndNothingChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.linked()
	for _, c := range []struct{ chat, text, field string }{
		{"5491122334455", "", "text"}, {"5491122334455", " \n\t", "text"}, {"5491122334455", strings.Repeat("ñ", 4097), "text"}, {"5491122334455", "a\x00", "text"},
		{"5491122334455", "\xff", "text"}, {"", "hola", "chatId"}, {"pepe", "hola", "chatId"}, {"12@nowhere", "hola", "chatId"}, {"@c.us", "hola", "chatId"},
		{"status@broadcast", "hola", "chatId"}, {"12036@newsletter", "hola", "chatId"}, {strings.Repeat("1", 200) + "@lid", "hola", "chatId"}, {strings.Repeat("1", 60), "hola", "chatId"},
	} {
		_, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: c.chat, Text: c.text})
		f, ok := fault.As(err)
		require.True(t, ok && f.Code == fault.Invalid, "%q %q: %v", c.chat, c.text, err)
		require.Equal(t, c.field, f.Fields[0].Name)
	}
	for _, chat := range []string{"chat_nonsense", id.NewChat().String()} {
		_, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: chat, Text: "hola"})
		require.True(t, fault.Is(err, fault.NotFound), err)
	}
	_, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: "5491122334455", Text: strings.Repeat("ñ", 4096)})
	require.NoError(t, err)
	require.Len(t, b.chats(), 1)
}

func TestANumberWrittenTheOtherWayFindsTheOneContactWhoHasIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hola")))
	m := b.queue("541122334455", "hola Ana")
	require.Equal(t, b.chats()[0].ID, m.ChatID)
	stranger := b.queue("541199999999", "hola")
	require.Equal(t, "541199999999@s.whatsapp.net", chatOf(b, stranger).Address.String(), "nobody is guessed")

	require.NoError(t, line.sink.Received(t.Context(), text("B", whatsapp.ContactIDs{Number: number("541122334455")}, "soy otra")))
	require.Len(t, b.chats(), 3, "what WhatsApp says is taken as it is")
	require.Equal(t, "541122334455@s.whatsapp.net", chatOf(b, b.queue("541122334455", "a")).Address.String())
}

func chatOf(b *bench, m whatsapp.Message) whatsapp.Chat {
	b.t.Helper()
	c, err := b.store.FindChat(b.t.Context(), b.tenant, m.ChatID)
	require.NoError(b.t, err)
	return c
}
