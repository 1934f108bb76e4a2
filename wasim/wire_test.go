package wasim

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// rawClient speaks the wire protocol by hand, so that it can do what no library does.
type rawClient struct {
	t    *testing.T
	ws   *websocket.Conn
	in   *transport // reads what the server writes
	send func(plaintext []byte) error
}

func newWireNetwork(t *testing.T) *Network {
	t.Helper()
	n, err := New(context.Background(), Options{Seed: "wasim tests"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

func dialRaw(t *testing.T, n *Network) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "wss://web.whatsapp.com/ws/chat", &websocket.DialOptions{HTTPClient: n.HTTPClient()})
	require.NoError(t, err)
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

// connectRaw completes the initiator's half of the handshake with the given header and payload.
func connectRaw(t *testing.T, n *Network, header string, payload *waWa6.ClientPayload) *rawClient {
	t.Helper()
	static, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	ctx := t.Context()
	ws, in, err := shakeHands(ctx, n.HTTPClient(), header, static, payload)
	require.NoError(t, err)
	t.Cleanup(func() { ws.CloseNow() })
	return &rawClient{t: t, ws: ws, in: in, send: func(plaintext []byte) error { return in.write(ctx, plaintext) }}
}

func (c *rawClient) stanza(n node) {
	c.t.Helper()
	raw, err := waBinary.Marshal(n)
	require.NoError(c.t, err)
	require.NoError(c.t, c.send(raw))
}

func (c *rawClient) read() *node {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	raw, err := c.in.read(ctx)
	require.NoError(c.t, err)
	n, err := decode(raw)
	require.NoError(c.t, err)
	return n
}

// requireClosed waits until the server has ended the connection.
func (c *rawClient) requireClosed() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, err := c.in.read(ctx); err != nil {
			require.NoError(c.t, ctx.Err(), "the server keeps the connection open")
			return
		}
	}
}

// registrationPayload is what a client says that asks to be linked.
func registrationPayload() *waWa6.ClientPayload {
	identity := keys.NewKeyPair()
	signed := identity.CreateSignedPreKey(1)
	return &waWa6.ClientPayload{DevicePairingData: &waWa6.ClientPayload_DevicePairingRegistrationData{
		ERegid: []byte{0, 0, 0, 7}, EIdent: identity.Pub[:], ESkeyID: []byte{0, 0, 1}, ESkeyVal: signed.Pub[:], ESkeySig: signed.Signature[:]}}
}

func TestHeaderOfTheClientIsAuthenticated(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	begun := time.Now()
	c := connectRaw(t, n, "WA\x06\x02", registrationPayload())
	first := c.read()
	require.Equal(t, "iq", first.Tag)
	require.GreaterOrEqual(t, time.Since(begun), firstStanzaDelay, "clients that finish asynchronously need a moment")
	offer := first.GetChildByTag("pair-device")
	require.Len(t, offer.GetChildren(), refCount)
}

func TestClientThatIsNotLinkedMayAskLittle(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	c := connectRaw(t, n, "WA\x06\x03", registrationPayload())
	c.read()
	ask := func(xmlns string) *node {
		c.stanza(node{Tag: "iq", Attrs: attrs{"id": "1", "xmlns": xmlns, "type": "get", "to": types.ServerJID}, Content: []node{{Tag: "count"}}})
		return c.read()
	}
	require.Equal(t, "result", ask("w:p").Attrs["type"])
	refused := ask("encrypt")
	reason := refused.GetChildByTag("error")
	require.Equal(t, "401", reason.Attrs["code"])
	c.stanza(node{Tag: "message", Attrs: attrs{"id": "X", "to": types.NewJID("5491155500002", types.DefaultUserServer)}})
	require.Equal(t, "result", ask("w:p").Attrs["type"], "a message before login is not even answered")
}

func TestUnknownDeviceIsRefusedAndTheReasonArrives(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	c := connectRaw(t, n, "WA\x06\x03", &waWa6.ClientPayload{Username: proto.Uint64(5491155500001), Device: proto.Uint32(1)})
	failure := c.read()
	require.Equal(t, "failure", failure.Tag)
	require.Equal(t, "401", failure.Attrs["reason"])
	begun := time.Now()
	c.requireClosed()
	require.GreaterOrEqual(t, time.Since(begun), lingerTime/2)
	require.EqualValues(t, 1, n.Stats().LoginsRefused)
}

func TestNonsenseEndsTheConnectionAndNothingElse(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	ctx := t.Context()
	for _, nonsense := range []string{"GET / HTTP/1.1\r\n\r\n", "WA\x06\x03\x00\x00\x03abc", "WA\x06\x03\x00\x00\x00"} {
		ws := dialRaw(t, n)
		require.NoError(t, ws.Write(ctx, websocket.MessageBinary, []byte(nonsense)))
		_, _, err := ws.Read(ctx)
		require.Error(t, err)
	}
	ws := dialRaw(t, n)
	require.NoError(t, ws.Write(ctx, websocket.MessageText, []byte("hola")))
	_, _, err := ws.Read(ctx)
	require.Error(t, err)
	require.EqualValues(t, 4, n.Stats().HandshakeErrors)

	for _, nonsense := range []string{"", "\x00", "\x00\xf8", "\x02zlib", "\x00\xf8\xff\xff\xff\xff", "\x00\xff\x7f\x00"} {
		c := connectRaw(t, n, "WA\x06\x03", registrationPayload())
		c.read()
		require.NoError(t, c.send([]byte(nonsense)))
		c.requireClosed()
	}
	c := connectRaw(t, n, "WA\x06\x03", registrationPayload())
	c.read()
	c.in.writes++ // a frame that does not decrypt
	require.NoError(t, c.send([]byte("lost")))
	c.requireClosed()

	bad := registrationPayload()
	bad.DevicePairingData.ESkeySig[0] ^= 1
	c = connectRaw(t, n, "WA\x06\x03", bad)
	require.Equal(t, "failure", c.read().Tag)
	require.NotNil(t, connectRaw(t, n, "WA\x06\x03", registrationPayload()).read(), "others are served as before")
}

func TestClientThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	n := newWireNetwork(t)
	c := connectRaw(t, n, "WA\x06\x03", registrationPayload())
	c.read()
	ping, err := waBinary.Marshal(node{Tag: "iq", Attrs: attrs{"id": "1", "xmlns": "w:p", "type": "get", "to": types.ServerJID}})
	require.NoError(t, err)
	for range 50_000 {
		if c.send(ping) != nil {
			break
		}
	}
	require.Eventually(t, func() bool { return n.Stats().SlowClients == 1 && n.Stats().Connections == 0 }, 20*time.Second, 5*time.Millisecond)
}

func TestOutboxFindsWhatAnAcknowledgementIsFor(t *testing.T) {
	t.Parallel()
	var o outbox
	message := func(id, from string) *stanza {
		s, _ := o.add(&node{Tag: "message", Attrs: attrs{"id": id, "from": jidOf(from)}}, nil)
		return s
	}
	a, b, again := message("A", "1@s.whatsapp.net"), message("B", "2@s.whatsapp.net"), message("A", "3@s.whatsapp.net")
	require.Same(t, again, o.find(stanzaKey{class: "message", id: "A", from: "3@s.whatsapp.net"}), "an exact match comes first")
	require.Same(t, a, o.find(stanzaKey{class: "message", id: "A", from: "1@lid"}), "else the oldest of that ID is meant")
	require.Nil(t, o.find(stanzaKey{class: "receipt", id: "A"}))
	require.True(t, o.remove(b))
	require.False(t, o.remove(b))
	require.Same(t, again, o.after(a.seq))
	require.True(t, o.remove(a))
	require.True(t, o.remove(again))
	require.Nil(t, o.after(0))
}

func TestRatchetWatchTellsRepetitionFromReuse(t *testing.T) {
	t.Parallel()
	var w ratchetWatch
	first, second := [32]byte{1}, [32]byte{2}
	require.Equal(t, isFresh, w.check("x", first, 0, 10))
	require.Equal(t, isRepeat, w.check("x", first, 0, 10))
	require.Equal(t, isReuse, w.check("x", first, 0, 11))
	require.Equal(t, isFresh, w.check("y", first, 0, 11), "another addressee")
	require.Equal(t, isFresh, w.check("x", second, 0, 11), "another chain")
	for i := range uint32(3 * countersWatched) {
		require.Equal(t, isFresh, w.check("x", second, i+1, uint64(i)))
	}
	require.Equal(t, isReuse, w.check("x", second, 3*countersWatched, 0))
	require.Equal(t, isPast, w.check("x", second, 3, 2), "nobody knows any more what it carried")
	require.Len(t, w.pair["x"].chains[1].counters, countersWatched)
	for i := range byte(3 * chainsWatched) {
		w.check("x", [32]byte{100, i}, 0, 0)
	}
	require.Len(t, w.pair["x"].chains, chainsWatched)
	require.Equal(t, isPast, w.check("x", second, 1<<20, 0), "a chain that was left behind")
	for i := range byte(2 * chainsKnown) {
		w.check("x", [32]byte{101, i}, 0, 0)
	}
	require.Len(t, w.pair["x"].past, chainsKnown)
}
