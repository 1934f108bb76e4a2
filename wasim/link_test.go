package wasim_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

func TestClientLinksByQRAndTalksBothWays(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, n, business)
	require.Equal(t, business, c.Store.ID.User)
	require.Equal(t, int64(1), n.Stats().Pairings)

	write(t, n, customer, business, "hola")
	m := c.awaitText("hola")
	require.Equal(t, customer, m.Info.Sender.User)
	require.False(t, m.Info.SenderAlt.IsEmpty(), "every account has a LID")

	id := c.say(customer, "buenas tardes")
	got := shows(t, n, customer, hasText("buenas tardes"))
	require.Equal(t, id, got.ID)
	require.Equal(t, wasim.DirectionIn, got.Direction)
	require.Equal(t, business, got.From)
	own := shows(t, n, business, hasText("buenas tardes"))
	require.Equal(t, wasim.DirectionOut, own.Direction)
	require.Equal(t, customer, own.Chat)
	require.Equal(t, 1, own.Device)
}

func TestClientUploadsAllKeysWithoutFastPair(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, func(o *wasim.Options) { o.FastPair = false })
	c := linked(t, n, numberOf(1))
	count, err := c.Store.PreKeys.UploadedPreKeyCount(context.Background())
	require.NoError(t, err)
	require.Greater(t, count, 800)
}

func TestClientLinksByCode(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	number := numberOf(1)
	c := newClient(t, n)
	require.NoError(t, c.Connect())
	await(c, func(*events.QR) bool { return true })
	ctx := context.Background()

	_, err := c.PairPhone(ctx, number, true, whatsmeow.PairClientChrome, "Turnero")
	require.Error(t, err, "only names of browsers are accepted")

	code, err := c.PairPhone(ctx, number, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	require.NoError(t, err)
	require.ErrorIs(t, n.EnterCode(numberOf(2), code), wasim.ErrCodeUnknown, "the code is for another number")
	require.ErrorIs(t, n.EnterCode(number, "123"), wasim.ErrInvalid)
	require.ErrorIs(t, n.EnterCode(number, "ABCDEFGH"), wasim.ErrCodeUnknown, "a wrong code opens nothing")

	code, err = c.PairPhone(ctx, number, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	require.NoError(t, err)
	require.NoError(t, n.EnterCode("+"+number, code))
	await(c, func(*events.PairSuccess) bool { return true })
	await(c, func(*events.Connected) bool { return true })
	write(t, n, numberOf(3), number, "por código")
	c.awaitText("por código")
}

func TestCodesThatCannotBeScannedSayWhy(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	n := newNetwork(t, func(o *wasim.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	number := numberOf(1)
	c := newClient(t, n)
	require.NoError(t, c.Connect())
	codes := await(c, func(*events.QR) bool { return true }).Codes
	require.Len(t, codes, 6)

	require.ErrorIs(t, n.Scan(number, "hola"), wasim.ErrInvalid)
	require.ErrorIs(t, n.Scan(number, "2@nobody,AAAA,BBBB,CCCC,1"), wasim.ErrInvalid)
	stranger := newClient(t, newNetwork(t))
	require.NoError(t, stranger.Connect())
	foreign := await(stranger, func(*events.QR) bool { return true }).Codes[0]
	require.ErrorIs(t, n.Scan(number, foreign), wasim.ErrCodeUnknown)
	require.ErrorIs(t, n.Scan("9991234567", codes[0]), wasim.ErrNoWhatsApp)

	ahead.Store(int64(80 * time.Second))
	require.ErrorIs(t, n.Scan(number, codes[0]), wasim.ErrCodeExpired)
	require.NoError(t, n.Scan(number, codes[1]), "the second code is shown when the first has expired")
	require.ErrorIs(t, n.Scan(number, codes[1]), wasim.ErrCodeUsed)
	await(c, func(*events.Connected) bool { return true })
	require.ErrorIs(t, n.Scan(number, codes[2]), wasim.ErrCodeExpired, "the client has stopped showing it")
}

func TestPhoneListsItsDevices(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	number := numberOf(1)
	_, err := n.AddPhone("+54 9 11 5550-0001", "Peluquería")
	require.NoError(t, err)
	c := linked(t, n, number)
	phone, err := n.Phone(number)
	require.NoError(t, err)
	require.Equal(t, "Peluquería", phone.Name)
	require.Len(t, phone.Devices, 1)
	require.Equal(t, c.Store.ID.String(), phone.Devices[0].JID)
	require.Equal(t, "whatsmeow", phone.Devices[0].Name, "what the client calls itself")
	require.True(t, phone.Devices[0].Connected)
}

func TestLinkedClientLogsInAgain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	number := numberOf(1)
	c := linked(t, n, number)
	c.reopen(n)
	require.NoError(t, c.Connect())
	await(c, func(*events.Connected) bool { return true })
	write(t, n, numberOf(2), number, "otra vez")
	c.awaitText("otra vez")
}

func TestUnlinkingAtThePhoneLogsTheClientOut(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	online, offline := linked(t, n, numberOf(1)), linked(t, n, numberOf(2))
	eventually(t, "the clients have nothing else to do", func() bool { return n.Stats().Waiting == 0 })

	require.NoError(t, n.Unlink(numberOf(1), 0))
	out := await(online, func(*events.LoggedOut) bool { return true })
	require.False(t, out.OnConnect)

	offline.Disconnect()
	require.NoError(t, n.Unlink(numberOf(2), 1))
	require.ErrorIs(t, n.Unlink(numberOf(2), 1), wasim.ErrNotFound)
	require.NoError(t, offline.Connect())
	out = await(offline, func(*events.LoggedOut) bool { return true })
	require.True(t, out.OnConnect)
	require.Equal(t, events.ConnectFailureLoggedOut, out.Reason)
}

func TestClientLogsItselfOut(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	number := numberOf(1)
	c := linked(t, n, number)
	eventually(t, "the client has nothing else to do", func() bool { return n.Stats().Waiting == 0 })
	require.NoError(t, c.Logout(context.Background()))
	phone, err := n.Phone(number)
	require.NoError(t, err)
	require.Empty(t, phone.Devices)
}

func TestSecondConnectionReplacesTheFirst(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	number := numberOf(1)
	first := linked(t, n, number)
	second := &client{t: t, path: first.path}
	second.open(n)
	t.Cleanup(second.close)
	require.NoError(t, second.Connect())
	await(second, func(*events.Connected) bool { return true })
	await(first, func(*events.StreamReplaced) bool { return true })
	require.Equal(t, int64(1), n.Stats().Replaced)
	write(t, n, numberOf(2), number, "para el segundo")
	second.awaitText("para el segundo")
}

func TestUnknownQueriesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	c := linked(t, n, numberOf(1))
	begun := time.Now()
	_, err := c.GetContactQRLink(context.Background(), false)
	require.Error(t, err)
	require.Less(t, time.Since(begun), 5*time.Second)
	require.Equal(t, int64(1), n.Stats().UnknownQueries)
}

func TestNumbersExistOrNot(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	c := linked(t, n, numberOf(1))
	_, err := n.AddPhone("5491144440000", "Ana")
	require.NoError(t, err)
	no := false
	_, err = n.Configure("5491144440001", wasim.Settings{OnWhatsApp: &no})
	require.NoError(t, err)
	list, err := c.IsOnWhatsApp(context.Background(), []string{"+5491144440000", "+9991234567", "+5491144440001", "+541144440000", "+5511999998888"})
	require.NoError(t, err)
	isIn := map[string]bool{}
	for _, r := range list {
		isIn[r.Query] = r.IsIn
		if r.Query == "+541144440000" {
			require.Equal(t, "5491144440000", r.PhoneNumber.User, "both ways to write the number reach the account")
		}
	}
	require.Equal(t, map[string]bool{"+5491144440000": true, "+9991234567": false, "+5491144440001": false, "+541144440000": true,
		"+5511999998888": true}, isIn)
	_, err = c.trySay("9991234567", "nadie")
	require.Error(t, err)
}
