package whatsapp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

func TestALineThatWasNeverLinkedTakesNoMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.svc.Queue(t.Context(), b.admin, whatsapp.SendCommand{Chat: "5491122334455", Text: "hola"})
	require.True(t, fault.HasReason(err, "session_not_linked"), err)
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
	require.Empty(t, b.chats())
	j := &events.SendMessage{Tenant: b.tenant, To: "+5491122334455", Message: id.NewMessage(), WAID: events.WhatsAppMessageID(), Text: "recordatorio", Origin: "reminder"}
	for range 2 {
		require.NoError(t, b.svc.HandleSend(t.Context(), j))
	}
	got := b.message(j.Message)
	require.Equal(t, whatsapp.MessageFailed, got.Status)
	require.Equal(t, whatsapp.FailedNotLinked, got.Reason)
	require.Len(t, told[events.MessageStatusChanged](b), 1)
}

func TestACommandOfAnotherModuleIsQueuedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hola")))
	chat := b.chats()[0].ID
	j := &events.SendMessage{Tenant: b.tenant, Chat: chat, Message: id.NewMessage(), WAID: events.WhatsAppMessageID(), Text: "¡Hola!", Origin: "bot", OnlyIfBot: true}
	for range 3 {
		require.NoError(t, b.svc.HandleSend(t.Context(), j))
	}
	eventually(t, "sent", func() bool { return b.message(j.Message).Status == whatsapp.MessageSent })
	require.Equal(t, []string{"¡Hola!"}, line.texts())
	require.Equal(t, j.WAID, line.attempts[0].WAID)
	require.Empty(t, told[events.MessageSentByPerson](b))
	require.Equal(t, whatsapp.BotMode, b.chats()[0].ModeAt(time.Now()), "the bot does not silence itself")

	foreign := *j
	foreign.Tenant, foreign.Message = id.NewTenant(), id.NewMessage()
	require.True(t, fault.Is(b.svc.HandleSend(t.Context(), &foreign), fault.NotFound))
	blank := *j
	blank.Message, blank.Text = id.NewMessage(), ""
	require.True(t, fault.Is(b.svc.HandleSend(t.Context(), &blank), fault.Invalid))
}

func TestConditionsAreCheckedAtTheMomentOfSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hola")))
		chat := b.chats()[0].ID
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
		command := func(change func(*events.SendMessage)) id.Message {
			j := &events.SendMessage{Tenant: b.tenant, Chat: chat, Message: id.NewMessage(), WAID: events.WhatsAppMessageID(), Text: "texto", Origin: "bot"}
			change(j)
			require.NoError(t, b.svc.HandleSend(t.Context(), j))
			return j.Message
		}
		onlyIfBot := command(func(j *events.SendMessage) { j.OnlyIfBot = true })
		late := command(func(j *events.SendMessage) { j.NotAfter = time.Now().Add(time.Minute) })
		inTime := command(func(j *events.SendMessage) { j.NotAfter = time.Now().Add(time.Hour) })
		withdrawn := command(func(*events.SendMessage) {})
		plain := command(func(*events.SendMessage) {})
		for range 2 {
			require.NoError(t, b.svc.HandleWithdraw(t.Context(), &events.WithdrawMessage{Tenant: b.tenant, Message: withdrawn, Reason: "appointment_cancelled"}))
		}
		unknown := &events.WithdrawMessage{Tenant: b.tenant, Message: id.NewMessage()}
		require.True(t, fault.Is(b.svc.HandleWithdraw(t.Context(), unknown), fault.NotFound), "it may be on its way: the command comes again")
		require.NoError(t, b.svc.HandleHandOff(t.Context(), &events.HandOffChat{Tenant: b.tenant, Chat: chat}))
		time.Sleep(2 * time.Minute)
		line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		synctest.Wait()
		for m, reason := range map[id.Message]string{onlyIfBot: whatsapp.FailedPersonHasChat, late: whatsapp.FailedExpired, withdrawn: "appointment_cancelled"} {
			require.Equal(t, whatsapp.MessageFailed, b.message(m).Status)
			require.Equal(t, reason, b.message(m).Reason)
		}
		require.Equal(t, whatsapp.MessageSent, b.message(inTime).Status)
		require.Equal(t, whatsapp.MessageSent, b.message(plain).Status)
		require.Len(t, line.texts(), 2)
		require.NoError(t, b.svc.HandleWithdraw(t.Context(), &events.WithdrawMessage{Tenant: b.tenant, Message: plain}))
		require.Equal(t, whatsapp.MessageSent, b.message(plain).Status, "what was sent stays sent")
	})
}
