package wasim_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"turnero/wasim"
)

func TestFilesGoBothWays(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, func(o *wasim.Options) { o.Dir = dir })
			business, customer := numberOf(1), numberOf(2)
			c := linked(t, n, business)
			ctx := context.Background()
			picture := bytes.Repeat([]byte("pixels"), 20_000)

			id, err := n.SendFile(ctx, customer, business, "mirá", wasim.File{Kind: "image", MimeType: "image/jpeg", Data: picture})
			require.NoError(t, err)
			m := await(c, func(e *events.Message) bool { return e.Info.ID == id })
			require.Equal(t, "mirá", m.Message.GetImageMessage().GetCaption())
			data, err := c.Download(ctx, m.Message.GetImageMessage())
			require.NoError(t, err)
			require.Equal(t, picture, data)

			up, err := c.Upload(ctx, []byte("presupuesto"), whatsmeow.MediaDocument)
			require.NoError(t, err)
			_, err = c.SendMessage(ctx, jid(customer), &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
				URL: &up.URL, DirectPath: &up.DirectPath, MediaKey: up.MediaKey, FileEncSHA256: up.FileEncSHA256, FileSHA256: up.FileSHA256,
				FileLength: &up.FileLength, Mimetype: proto.String("text/plain"), FileName: proto.String("presupuesto.txt")}})
			require.NoError(t, err)
			got := shows(t, n, customer, func(m wasim.Message) bool { return m.Type == "document" })
			require.Equal(t, "presupuesto.txt", got.Media.FileName)
			data, media, err := n.Download(customer, got.ID)
			require.NoError(t, err)
			require.Equal(t, "presupuesto", string(data))
			require.Equal(t, "text/plain", media.MimeType)

			require.NoError(t, c.DeleteMedia(ctx, whatsmeow.MediaDocument, up.DirectPath, up.FileEncSHA256, ""))
			_, _, err = n.Download(customer, got.ID)
			require.ErrorIs(t, err, wasim.ErrNotFound)
			_, err = n.SendFile(ctx, customer, business, "", wasim.File{Kind: "hologram", Data: []byte("x")})
			require.ErrorIs(t, err, wasim.ErrInvalid)
		})
	}
}

func TestClientLearnsItsNameAndIsPresent(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	_, err := n.AddPhone(business, "Peluquería Ñandú")
	require.NoError(t, err)
	c := linked(t, n, business)
	named := await(c, func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchCriticalBlock })
	require.EqualValues(t, 1, named.Version)
	ctx := context.Background()
	require.NoError(t, c.SendPresence(ctx, types.PresenceAvailable), "fails without a push name")

	_, err = n.AddPhone(business, "Peluquería Nueva")
	require.NoError(t, err)
	renamed := await(c, func(*events.PushNameSetting) bool { return true })
	require.Equal(t, "Peluquería Nueva", renamed.Action.GetName())

	id := write(t, n, customer, business, "¿estás?")
	c.awaitText("¿estás?")
	shows(t, n, customer, func(m wasim.Message) bool {
		for _, r := range m.Receipts {
			if m.ID == id && r.Device == 1 && r.Type == wasim.ReceiptDelivered && !r.Inactive {
				return true
			}
		}
		return false
	})
}

func TestAppStateOfTheClientIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(o *wasim.Options) { o.Dir = dir }
	n := newNetwork(t, keep)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	await(c, func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchRegular })
	ctx := context.Background()
	require.NoError(t, c.SendAppState(ctx, appstate.BuildMute(jid(customer), true, time.Hour)))
	require.NoError(t, c.SendAppState(ctx, appstate.BuildPin(jid(customer), true)))

	require.NoError(t, n.Close())
	n = newNetwork(t, keep)
	second := linked(t, n, business)
	await(second, func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchRegularLow })
	eventually(t, "the second device knows what the first has set", func() bool {
		chat, err := second.Store.ChatSettings.GetChatSettings(ctx, jid(customer))
		return err == nil && chat.Pinned && chat.MutedUntil.After(time.Now())
	})
}

func TestTypingAndPresenceOfThePhoneReachTheClient(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	ctx := context.Background()
	for state, media := range map[string]types.ChatPresenceMedia{"composing": types.ChatPresenceMediaText, "recording": types.ChatPresenceMediaAudio} {
		require.NoError(t, n.SetTyping(customer, business, state))
		p := await(c, func(*events.ChatPresence) bool { return true })
		require.Equal(t, types.ChatPresenceComposing, p.State)
		require.Equal(t, media, p.Media)
	}
	require.ErrorIs(t, n.SetTyping(customer, business, "singing"), wasim.ErrInvalid)

	require.NoError(t, c.SubscribePresence(ctx, jid(customer)))
	require.True(t, await(c, func(*events.Presence) bool { return true }).Unavailable)
	require.NoError(t, n.SetOnline(customer, true))
	require.False(t, await(c, func(*events.Presence) bool { return true }).Unavailable)
	require.NoError(t, n.SetOnline(customer, false))
	require.False(t, await(c, func(e *events.Presence) bool { return e.Unavailable }).LastSeen.IsZero())

	w, err := n.Watch(customer)
	require.NoError(t, err)
	defer w.Stop()
	require.NoError(t, c.SendChatPresence(ctx, jid(customer), types.ChatPresenceComposing, types.ChatPresenceMediaText))
	select {
	case e := <-w.C:
		require.Equal(t, wasim.Event{Type: wasim.EventTyping, From: business, State: "composing"}, e)
	case <-time.After(patience):
		require.Fail(t, "the phone does not see the client type")
	}
}

func TestPrivacyTokensReachTheOtherSide(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := linked(t, n, numberOf(1)), linked(t, n, numberOf(2))
	a.say(numberOf(2), "la primera de este chat")
	b.awaitText("la primera de este chat")
	eventually(t, "the token has come", func() bool {
		token, err := b.Store.PrivacyTokens.GetPrivacyToken(context.Background(), a.Store.LID.ToNonAD())
		return err == nil && token != nil && len(token.Token) > 0
	})
}
