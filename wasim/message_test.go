package wasim_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"turnero/wasim"
)

func TestSenderLearnsOfDeliveryAndReading(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)

	id := c.say(customer, "su turno es mañana")
	await(c, func(e *events.Receipt) bool { return e.Type == types.ReceiptTypeDelivered && e.MessageIDs[0] == id })
	count, err := n.Read(customer, business)
	require.NoError(t, err)
	require.Equal(t, 1, count)
	read := await(c, func(e *events.Receipt) bool { return e.Type == types.ReceiptTypeRead && e.MessageIDs[0] == id })
	require.Equal(t, types.HiddenUserServer, read.Sender.Server, "receipts come from the address that the message was sent to")
	own := shows(t, n, business, func(m wasim.Message) bool { return m.ID == id && m.Has(wasim.ReceiptRead) })
	require.True(t, own.Has(wasim.ReceiptSent))
	require.True(t, own.Has(wasim.ReceiptDelivered))

	again, err := n.Read(customer, "")
	require.NoError(t, err)
	require.Zero(t, again)
}

func TestPhoneLearnsWhatTheClientDid(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	id := write(t, n, customer, business, "¿hay turno?")
	m := c.awaitText("¿hay turno?")
	byDevice := func(kind string) func(wasim.Message) bool {
		return func(m wasim.Message) bool {
			for _, r := range m.Receipts {
				if m.ID == id && r.Type == kind && r.By == business && r.Device == 1 {
					return true
				}
			}
			return false
		}
	}
	shows(t, n, customer, byDevice(wasim.ReceiptDelivered))
	require.NoError(t, c.MarkRead(context.Background(), []string{id}, m.Info.Timestamp, m.Info.Chat, m.Info.Sender))
	shows(t, n, customer, byDevice(wasim.ReceiptRead))
}

func TestPhoneThatReadsAtOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	yes := true
	_, err := n.Configure(customer, wasim.Settings{AutoRead: &yes})
	require.NoError(t, err)
	c := linked(t, n, business)
	id := c.say(customer, "hola")
	await(c, func(e *events.Receipt) bool { return e.Type == types.ReceiptTypeRead && e.MessageIDs[0] == id })
}

func TestPhoneThatWritesByLID(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	lid := "lid"
	phone, err := n.Configure(customer, wasim.Settings{Addressing: &lid})
	require.NoError(t, err)
	c := linked(t, n, business)
	id := write(t, n, customer, business, "por LID")
	m := c.awaitText("por LID")
	require.Equal(t, phone.LID, m.Info.Sender.String())
	require.Equal(t, customer, m.Info.SenderAlt.User)
	shows(t, n, customer, func(m wasim.Message) bool {
		return m.ID == id && len(m.Receipts) > 2 // sent, delivered by the phone, delivered by the device
	})
	c.say(customer, "recibido")
	shows(t, n, customer, hasText("recibido"))
	require.Zero(t, n.Stats().DecryptErrors)
}

func TestTextTypedAtThePhoneReachesItsDevices(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, business, customer, "te atiendo yo")
	m := c.awaitText("te atiendo yo")
	require.True(t, m.Info.IsFromMe)
	require.Equal(t, customer, m.Info.Chat.User)
	require.Zero(t, m.Info.Sender.Device)
	shows(t, n, customer, hasText("te atiendo yo"))
	await(c, func(e *events.Receipt) bool {
		return e.Type == types.ReceiptTypeDelivered && e.MessageIDs[0] == m.Info.ID
	})
}

func TestConversationOfManyMessagesKeepsItsOrder(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	const rounds = 60
	for i := range rounds {
		write(t, n, customer, business, fmt.Sprintf("pregunta %d", i))
		if i%3 == 0 {
			c.say(customer, fmt.Sprintf("respuesta %d", i))
		}
	}
	next := 0
	for next < rounds {
		m := await(c, func(e *events.Message) bool { return words(e.Message) != "" })
		require.Equal(t, fmt.Sprintf("pregunta %d", next), words(m.Message))
		next++
	}
	list, err := n.Messages(customer, "")
	require.NoError(t, err)
	answered := 0
	for _, m := range list {
		if m.Direction == wasim.DirectionIn {
			require.Equal(t, fmt.Sprintf("respuesta %d", answered), m.Text)
			answered += 3
		}
	}
	require.Equal(t, rounds, answered)
	s := n.Stats()
	require.Zero(t, s.DecryptErrors+s.RatchetReuse+s.StaleCounters+s.IDReuse+s.UnknownQueries)
}

func TestRepeatedMessageIsShownOnceAndReusedIDRefused(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	id := c.say(customer, "una vez")
	extra := whatsmeow.SendRequestExtra{ID: id}
	c.say(customer, "una vez", extra)
	c.say(customer, "otra cosa", extra)
	c.say(customer, "fin")
	shows(t, n, customer, hasText("fin"))
	list, err := n.Messages(customer, "")
	require.NoError(t, err)
	require.Len(t, list, 2)
	s := n.Stats()
	require.Equal(t, int64(2), s.Duplicates, "at the recipient and at the own phone")
	require.Equal(t, int64(2), s.IDReuse)
}

func TestClientAsksAgainForWhatItCannotRead(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, customer, business, "uno")
	c.awaitText("uno")
	_, err := n.Fault(wasim.Fault{Kind: "corrupt", Number: business, Count: 2})
	require.NoError(t, err)
	id := write(t, n, customer, business, "dos")
	require.Equal(t, id, await(c, func(*events.UndecryptableMessage) bool { return true }).Info.ID)
	m := c.awaitText("dos")
	require.Equal(t, id, m.Info.ID)
	write(t, n, customer, business, "tres")
	c.awaitText("tres")
	require.GreaterOrEqual(t, n.Stats().RetriesIn, int64(2), "the copy that was sent again was damaged too")
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
}

func TestTwoAccountsUnderTestTalkToEachOther(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := linked(t, n, numberOf(1)), linked(t, n, numberOf(2))
	for i := range 5 {
		id := a.say(numberOf(2), fmt.Sprint("de a ", i))
		require.Equal(t, id, b.awaitText(fmt.Sprint("de a ", i)).Info.ID)
		await(a, func(e *events.Receipt) bool { return e.MessageIDs[0] == id && e.Sender.Device == 1 })
		b.say(numberOf(1), fmt.Sprint("de b ", i))
		a.awaitText(fmt.Sprint("de b ", i))
	}
	require.Positive(t, n.Stats().Relayed)
	require.Zero(t, n.Stats().DecryptErrors)
}

func TestSecondDeviceOfAnAccountSeesEverything(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	first := linked(t, n, business)
	first.say(customer, "antes")
	second := linked(t, n, business)
	require.EqualValues(t, 2, second.Store.ID.Device)
	write(t, n, customer, business, "para los dos")
	first.awaitText("para los dos")
	second.awaitText("para los dos")
	eventually(t, "the first device knows of the second", func() bool {
		devices, err := first.GetUserDevices(context.Background(), []types.JID{first.Store.LID.ToNonAD()})
		return err == nil && len(devices) == 3
	})
	first.say(customer, "del primero")
	m := second.awaitText("del primero")
	require.True(t, m.Info.IsFromMe)
	require.Equal(t, n.Phones()[1].LID, m.Info.Chat.String())
	require.EqualValues(t, 1, m.Info.Sender.Device)
}

func TestMessageOfManyKinds(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	ctx := context.Background()
	id := c.say(customer, "para editar")
	send := func(m *waE2E.Message) {
		_, err := c.SendMessage(ctx, jid(customer), m)
		require.NoError(t, err)
	}
	send(&waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("con enlace")}})
	send(c.BuildReaction(jid(customer), jid(business), id, "👍"))
	send(c.BuildEdit(jid(customer), id, &waE2E.Message{Conversation: proto.String("editado")}))
	send(c.BuildRevoke(jid(customer), types.EmptyJID, id))
	send(&waE2E.Message{LocationMessage: &waE2E.LocationMessage{Name: proto.String("Salón")}})
	send(&waE2E.Message{ListMessage: &waE2E.ListMessage{Title: proto.String("menú")}})
	var kinds []string
	shows(t, n, customer, func(m wasim.Message) bool { return m.Type == "unknown" })
	list, err := n.Messages(customer, id)
	require.NoError(t, err)
	for _, m := range list {
		kinds = append(kinds, m.Type+":"+m.Text)
	}
	require.Equal(t, []string{"text:con enlace", "reaction:👍", "edit:editado", "revoke:" + id, "location:Salón", "unknown:"}, kinds)
}

func TestClientLearnsOfAContactsNewDevice(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := linked(t, n, numberOf(1)), linked(t, n, numberOf(2))
	a.say(numberOf(2), "para uno")
	b.awaitText("para uno")
	second := linked(t, n, numberOf(2))
	a.say(numberOf(2), "con la lista vieja") // the acknowledgement says that the list is out of date
	b.awaitText("con la lista vieja")
	a.say(numberOf(2), "para los dos")
	b.awaitText("para los dos")
	second.awaitText("para los dos")
}

func TestConversationGoesOnAfterThePhoneWasReinstalled(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, customer, business, "hola")
	c.awaitText("hola")
	c.say(customer, "buenas")
	shows(t, n, customer, hasText("buenas"))

	require.NoError(t, n.Reinstall(customer))
	await(c, func(e *events.IdentityChange) bool { return e.JID.User == customer })
	c.say(customer, "¿teléfono nuevo?")
	shows(t, n, customer, hasText("¿teléfono nuevo?"))
	write(t, n, customer, business, "sí")
	c.awaitText("sí")

	require.NoError(t, n.Reinstall(business))
	await(c, func(*events.LoggedOut) bool { return true })
}
