package whatsapp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

var ana = whatsapp.ContactIDs{Number: number("5491122334455"), LID: lid("1001")}

func TestAMessageIsStoredOnceWhicheverAddressNamesItsSender(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	for _, from := range []whatsapp.ContactIDs{ana, {LID: ana.LID}, {Number: ana.Number}, ana} {
		require.NoError(t, line.sink.Received(t.Context(), text("3A01", from, "hola, quiero un turno")))
	}
	chats := b.chats()
	require.Len(t, chats, 1)
	require.Equal(t, ana.LID, chats[0].Address)
	require.Equal(t, ana, chats[0].Person.IDs)
	require.Equal(t, "Ana", chats[0].Person.Name)
	require.Equal(t, 1, chats[0].Unread)
	require.Equal(t, "hola, quiero un turno", chats[0].Last.Text)
	got := b.messages(chats[0].ID.String())
	require.Len(t, got, 1)
	require.Equal(t, whatsapp.In, got[0].Direction)
	require.Equal(t, chats[0].Person.ID, got[0].SenderID)

	told := told[events.MessageReceived](b)
	require.Len(t, told, 1)
	require.Equal(t, events.MessageReceived{Tenant: b.tenant, Session: line.ref.Session, Chat: chats[0].ID, Message: got[0].ID, WAID: "3A01", ChatWA: "1001@lid",
		ChatKind: "direct", ChatMode: "bot", Phone: "+5491122334455", SenderName: "Ana", Type: "text", Text: "hola, quiero un turno",
		SentAt: got[0].Timestamp, ReceivedAt: got[0].CreatedAt}, told[0])
}

func TestANumberAndALIDThatTurnOutToBeOnePersonBecomeOneChat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
	sent := b.queue("5491122334455", "recordatorio")
	require.NoError(t, line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: ana.LID}, "por LID")))
	require.NoError(t, line.sink.Received(t.Context(), text("B", whatsapp.ContactIDs{Number: ana.Number}, "por número")))
	require.NoError(t, line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{Number: ana.Number}, "por LID")))
	require.Len(t, b.chats(), 2)
	old := sent.ChatID
	user := id.NewUser()
	b.users[user] = true
	require.NoError(t, b.svc.Grant(t.Context(), b.admin, id.Session{}, "5491122334455", user))
	_, err := b.svc.HandOff(t.Context(), b.admin, id.Session{}, old.String())
	require.NoError(t, err)

	require.NoError(t, line.sink.Learned(t.Context(), ana))
	chats := b.chats()
	require.Len(t, chats, 1)
	require.Equal(t, ana.LID, chats[0].Address)
	require.Equal(t, ana, chats[0].Person.IDs)
	require.Equal(t, 2, chats[0].Unread)
	require.Equal(t, whatsapp.PersonMode, chats[0].ModeAt(time.Now()))
	require.True(t, chats[0].PersonUntil.IsZero(), "handed off stays handed off")
	var texts []string
	for _, m := range b.messages("5491122334455") {
		texts = append(texts, m.Text)
		require.Equal(t, chats[0].ID, m.ChatID)
	}
	require.Equal(t, []string{"recordatorio", "por LID", "por número"}, texts)
	require.Equal(t, "por número", chats[0].Last.Text)
	permissions, err := b.svc.ListPermissions(t.Context(), b.admin, id.Session{}, chats[0].ID.String())
	require.NoError(t, err)
	require.Len(t, permissions, 1)
	merged := told[events.ChatsMerged](b)
	require.Len(t, merged, 1)
	require.ElementsMatch(t, []id.Chat{merged[0].Chat, merged[0].From}, []id.Chat{chats[0].ID, otherOf(merged[0], chats[0].ID)})

	for _, name := range []string{merged[0].From.String(), "1001@lid", "5491122334455@c.us", "+54 9 11 2233-4455"} {
		found, err := b.svc.FindChat(t.Context(), b.admin, id.Session{}, name)
		require.NoError(t, err, name)
		require.Equal(t, chats[0].ID, found.ID, name)
	}
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
	eventually(t, "what was queued in the old chat is sent in the new one", func() bool { return b.message(sent.ID).Status == whatsapp.MessageSent })
	require.Equal(t, ana.LID, line.attempts[0].To)
}

func otherOf(m events.ChatsMerged, chat id.Chat) id.Chat {
	if m.Chat == chat {
		return m.From
	}
	return m.Chat
}

func TestANumberThatPassesToSomebodyElseTakesNoHistoryAlong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "soy Ana")))
	somebody := whatsapp.ContactIDs{Number: ana.Number, LID: lid("2002")}
	in := text("B", somebody, "soy otro")
	in.PushName = "Beto"
	require.NoError(t, line.sink.Received(t.Context(), in))
	require.Len(t, b.chats(), 2)
	found, err := b.svc.FindChat(t.Context(), b.admin, id.Session{}, "5491122334455")
	require.NoError(t, err)
	require.Equal(t, lid("2002"), found.Address)
	require.Equal(t, "soy otro", found.Last.Text)
	first, err := b.svc.FindChat(t.Context(), b.admin, id.Session{}, "1001@lid")
	require.NoError(t, err)
	require.True(t, first.Person.IDs.Number.IsZero())

	moved := whatsapp.ContactIDs{Number: number("5491166666666"), LID: ana.LID}
	require.NoError(t, line.sink.Received(t.Context(), text("C", moved, "cambié de número")))
	first, err = b.svc.FindChat(t.Context(), b.admin, id.Session{}, "5491166666666")
	require.NoError(t, err)
	require.Equal(t, ana.LID, first.Address)
	require.Len(t, b.chats(), 2)
}

func TestAnEchoOfOurOwnMessageIsNoSecondMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
	m := b.queue("5491122334455", "hola Ana")
	echo := text(m.WAID, whatsapp.ContactIDs{LID: ana.LID}, "hola Ana")
	echo.FromMe = true
	require.NoError(t, line.sink.Received(t.Context(), echo))
	chats := b.chats()
	require.Len(t, chats, 1, "the echo tells that number and LID are one person's")
	require.Equal(t, ana, chats[0].Person.IDs)
	got := b.messages(chats[0].ID.String())
	require.Len(t, got, 1)
	require.Equal(t, whatsapp.MessageSent, got[0].Status, "WhatsApp shows it, so it was sent")
	require.Zero(t, chats[0].Unread)
	require.Len(t, told[events.MessageSentByPerson](b), 1)
}

func TestWhatIsTypedOnThePhoneSilencesTheBotForTwelveHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hola")))
		typed := text("B", ana, "te atiendo yo")
		typed.FromMe = true
		require.NoError(t, line.sink.Received(t.Context(), typed))
		chat := b.chats()[0]
		require.Equal(t, whatsapp.PersonMode, chat.ModeAt(time.Now()))
		require.Equal(t, "Ana", chat.Person.Name, "our own name is not the customer's")
		sent := told[events.MessageSentByPerson](b)
		require.Len(t, sent, 1)
		require.Equal(t, "phone", sent[0].Origin)

		time.Sleep(12*time.Hour - time.Second)
		require.NoError(t, line.sink.Received(t.Context(), text("C", ana, "¿sigue ahí?")))
		time.Sleep(2 * time.Second)
		require.NoError(t, line.sink.Received(t.Context(), text("D", ana, "¿hola?")))
		var modes []string
		for _, ev := range told[events.MessageReceived](b) {
			modes = append(modes, ev.ChatMode)
		}
		require.Equal(t, []string{"bot", "person", "bot"}, modes)
		changes := told[events.ChatModeChanged](b)
		require.Len(t, changes, 2)
		require.Equal(t, "person", changes[0].Mode)
		require.Equal(t, "bot", changes[1].Mode)

		late := text("E", ana, "escrito ayer")
		late.FromMe, late.Offline, late.Timestamp = true, true, time.Now().Add(-13*time.Hour)
		require.NoError(t, line.sink.Received(t.Context(), late))
		reaction := text("F", ana, "👍")
		reaction.FromMe, reaction.Type = true, "reaction"
		require.NoError(t, line.sink.Received(t.Context(), reaction))
		require.Equal(t, whatsapp.BotMode, b.chats()[0].ModeAt(time.Now()))
	})
}

func TestAHandedOffChatStaysWithTheStaffUntilItIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		line := b.linked()
		require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hablar con alguien")))
		chat := b.chats()[0].ID
		require.NoError(t, b.svc.HandleHandOff(t.Context(), &events.HandOffChat{Tenant: b.tenant, Chat: chat, Reason: "asked_by_customer"}))
		require.NoError(t, b.svc.HandleHandOff(t.Context(), &events.HandOffChat{Tenant: b.tenant, Chat: chat, Reason: "asked_by_customer"}))
		b.queue(chat.String(), "te atiendo yo")
		time.Sleep(48 * time.Hour)
		require.NoError(t, line.sink.Received(t.Context(), text("B", ana, "gracias")))
		require.Equal(t, "person", told[events.MessageReceived](b)[1].ChatMode)
		released, err := b.svc.Release(t.Context(), b.admin, id.Session{}, chat.String())
		require.NoError(t, err)
		require.Equal(t, whatsapp.BotMode, released.ModeAt(time.Now()))
		changes := told[events.ChatModeChanged](b)
		require.Len(t, changes, 2)
		require.Equal(t, "asked_by_customer", changes[0].Reason)
	})
}

func TestInAGroupEachPersonIsThemselves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	group, err := whatsapp.ParseAddress("120363@g.us")
	require.NoError(t, err)
	in := func(waID string, from whatsapp.ContactIDs) whatsapp.Incoming {
		m := text(waID, whatsapp.ContactIDs{}, "hola grupo")
		m.Chat, m.Sender = group, from
		return m
	}
	beto := whatsapp.ContactIDs{LID: lid("2002")}
	for _, m := range []whatsapp.Incoming{in("A", ana), in("A", ana), in("A", whatsapp.ContactIDs{LID: ana.LID}), in("A", beto), in("B", whatsapp.ContactIDs{Number: number("5491177777777")}), in("B", whatsapp.ContactIDs{LID: lid("3003")})} {
		require.NoError(t, line.sink.Received(t.Context(), m))
	}
	chats := b.chats()
	require.Len(t, chats, 1)
	require.Equal(t, whatsapp.GroupChat, chats[0].Kind)
	require.Len(t, b.messages("120363@g.us"), 4)
	require.NoError(t, line.sink.Learned(t.Context(), whatsapp.ContactIDs{Number: number("5491177777777"), LID: lid("3003")}))
	got := b.messages("120363@g.us")
	require.Len(t, got, 3, "one person's message is one message")
	require.Equal(t, number("5491177777777"), got[2].Sender.IDs.Number)
	require.Equal(t, got[2].ID, b.chats()[0].Last.ID)
	require.Equal(t, 3, b.chats()[0].Unread)
	require.Equal(t, "group", told[events.MessageReceived](b)[0].ChatKind)
}

func TestNoMessageIsTooStrangeToBeStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	m := text(strings.Repeat("x", 500), ana, "a\x00b\xff"+strings.Repeat("ñ", 70000))
	m.PushName, m.Type, m.Timestamp = strings.Repeat("A", 5000)+"\x00", "", time.Now().Add(1000*time.Hour)
	require.NoError(t, line.sink.Received(t.Context(), m))
	require.NoError(t, line.sink.Received(t.Context(), m))
	got := b.messages("1001@lid")
	require.Len(t, got, 1)
	require.True(t, strings.HasPrefix(got[0].Text, "ab\uFFFDñ"))
	require.Equal(t, "unknown", got[0].Type)
	require.WithinDuration(t, time.Now(), got[0].Timestamp, time.Minute)
	require.NoError(t, line.sink.Received(t.Context(), whatsapp.Incoming{WAID: "X", Type: "text", Text: "from nowhere"}))
	require.Len(t, b.chats(), 1)
}

func TestReceiptsMoveOurMessagesForwardOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	m := b.queue("5491122334455", "hola")
	eventually(t, "sent", func() bool { return b.message(m.ID).Status == whatsapp.MessageSent })
	receipt := func(kind whatsapp.ReceiptKind) {
		require.NoError(t, line.sink.Receipt(t.Context(), whatsapp.Receipt{Chat: ana.LID, Peer: whatsapp.ContactIDs{LID: ana.LID}, WAIDs: []string{"unknown", m.WAID}, Kind: kind, At: time.Now()}))
	}
	receipt(whatsapp.ReceiptRead)
	receipt(whatsapp.ReceiptDelivered)
	require.Equal(t, whatsapp.MessageRead, b.message(m.ID).Status)
	receipt(whatsapp.ReceiptPlayed)
	receipt("something_new")
	var statuses []string
	for _, ev := range told[events.MessageStatusChanged](b) {
		require.Equal(t, m.ID, ev.Message)
		statuses = append(statuses, ev.Status)
	}
	require.Equal(t, []string{"sent", "read", "played"}, statuses)
	text, ok, err := line.sink.SentText(t.Context(), ana.LID, m.WAID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "hola", text)
	_, ok, err = line.sink.SentText(t.Context(), ana.LID, "unknown")
	require.NoError(t, err)
	require.False(t, ok)
}

func TestReadingAChatTellsWhatsAppWhenItCan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	for _, waID := range []string{"A", "B"} {
		require.NoError(t, line.sink.Received(t.Context(), text(waID, ana, "hola")))
	}
	require.NoError(t, b.svc.MarkRead(t.Context(), b.admin, id.Session{}, "1001@lid"))
	require.Equal(t, []string{"B", "A"}, line.read)
	require.Zero(t, b.chats()[0].Unread)
	require.NoError(t, line.sink.Received(t.Context(), text("C", ana, "hola")))
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
	require.NoError(t, b.svc.MarkRead(t.Context(), b.admin, id.Session{}, "1001@lid"))
	require.Zero(t, b.chats()[0].Unread)
	require.Len(t, line.read, 2)
}
