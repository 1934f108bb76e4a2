package wasim_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"turnero/wasim"
)

func TestGroupMessagesGoBothWays(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer, neighbour := numberOf(1), numberOf(2), numberOf(3)
	c, other := linked(t, n, business), linked(t, n, neighbour)
	group, err := n.AddGroup("Vecinos", []string{customer, business, neighbour})
	require.NoError(t, err)
	joined := await(c, func(*events.JoinedGroup) bool { return true })
	require.Equal(t, "Vecinos", joined.Name)

	for _, text := range []string{"hola grupo", "¿todo bien?"} {
		write(t, n, customer, group.ID, text)
		m := c.awaitText(text)
		require.True(t, m.Info.IsGroup)
		require.Equal(t, customer, m.Info.Sender.User)
		other.awaitText(text)
		shows(t, n, neighbour, hasText(text))
	}
	groupJID, err := types.ParseJID(group.ID)
	require.NoError(t, err)
	info, err := c.GetGroupInfo(context.Background(), groupJID)
	require.NoError(t, err)
	require.Len(t, info.Participants, 3)
	all, err := c.GetJoinedGroups(context.Background())
	require.NoError(t, err)
	require.Len(t, all, 1)

	for _, text := range []string{"del negocio", "y otra"} {
		r, err := c.SendMessage(context.Background(), groupJID, &waE2E.Message{Conversation: proto.String(text)})
		require.NoError(t, err)
		got := shows(t, n, customer, hasText(text))
		require.Equal(t, group.ID, got.Chat)
		require.Equal(t, business, got.From)
		require.True(t, other.awaitText(text).Info.IsGroup)
		await(c, func(e *events.Receipt) bool { return e.MessageIDs[0] == r.ID && e.Sender.User == customer })
		shows(t, n, business, hasText(text))
	}
	require.Zero(t, n.Stats().DecryptErrors)
	_, err = n.Send(context.Background(), numberOf(9), group.ID, "intruso")
	require.ErrorIs(t, err, wasim.ErrNotFound)
}

func TestClientMakesAGroup(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	c := linked(t, n, numberOf(1))
	info, err := c.CreateGroup(context.Background(), whatsmeow.ReqCreateGroup{Name: "Equipo", Participants: []types.JID{jid(numberOf(2))}})
	require.NoError(t, err)
	require.Equal(t, "Equipo", n.Groups()[0].Subject)
	write(t, n, numberOf(2), info.JID.String(), "gracias")
	c.awaitText("gracias")
}

func TestStatusAndChannelMessagesReachTheClient(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	write(t, n, customer, "status@broadcast", "mi estado")
	m := c.awaitText("mi estado")
	require.Equal(t, types.StatusBroadcastJID, m.Info.Chat)
	require.Equal(t, customer, m.Info.Sender.User)
	write(t, n, customer, "120363000000000099@newsletter", "novedades")
	require.Equal(t, types.NewsletterServer, c.awaitText("novedades").Info.Chat.Server)
	require.Zero(t, n.Stats().RetriesIn)
}

func TestGroupMessageThatCannotBeReadIsSentAgain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	group, err := n.AddGroup("Vecinos", []string{customer, business})
	require.NoError(t, err)
	_, err = n.Fault(wasim.Fault{Kind: "corrupt", Number: business, Count: 1})
	require.NoError(t, err)
	id := write(t, n, customer, group.ID, "con ruido")
	await(c, func(*events.UndecryptableMessage) bool { return true })
	require.Equal(t, id, c.awaitText("con ruido").Info.ID)
	write(t, n, customer, group.ID, "claro")
	c.awaitText("claro")
}
