package wasim

import (
	"context"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"go.mau.fi/libsignal/ecc"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// LightClient is a client of the protocol that is no library's: it links, logs in, uploads keys, encrypts and decrypts, and
// acknowledges, with little memory and one goroutine. What the network does for it, it does for no library's sake. Its Signal
// state is that of a simulated phone of a network of its own.
type LightClient struct {
	Number string
	Device uint16

	way    *http.Client
	noise  *ecdh.PrivateKey
	home   *Network
	signal *phone

	mu      sync.Mutex
	link    *transport
	ws      *websocket.Conn
	waiting map[string]chan *node
	queries int
	ended   chan struct{}

	Ending   atomic.Pointer[string] // the last word of the network, or why the connection broke
	Received atomic.Int64           // messages
	Texts    func(id, from, text string)
	IsDeaf   atomic.Bool // does not acknowledge anything
}

// LinkLight makes a light client and links it to a number; scan is what the phone's user does with the code.
func LinkLight(ctx context.Context, way *http.Client, number string, scan func(code string) error) (*LightClient, error) {
	// Of the network at home no more is needed than what keys are made of.
	home := &Network{secret: networkSecret("light " + number + randomHex(8)), now: time.Now, log: slog.New(slog.DiscardHandler),
		accounts: map[string]*account{}, byLID: map[string]*account{}}
	var err error
	l := &LightClient{Number: number, way: way, home: home, signal: home.account(number).phone, waiting: map[string]chan *node{}}
	if l.noise, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
		return nil, err
	}
	k := l.signal.keys()
	ws, link, err := shakeHands(ctx, way, "WA\x06\x03", l.noise, &waWa6.ClientPayload{DevicePairingData: &waWa6.ClientPayload_DevicePairingRegistrationData{
		ERegid: binary.BigEndian.AppendUint32(nil, k.registration), EIdent: k.identity.Pub[:], ESkeyID: keyID(k.signed.KeyID),
		ESkeyVal: k.signed.Pub[:], ESkeySig: k.signed.Signature[:]}})
	if err != nil {
		return nil, err
	}
	defer ws.CloseNow()
	offer, err := readNode(ctx, link)
	if err != nil {
		return nil, err
	}
	refs := offer.GetChildByTag("pair-device")
	if len(refs.GetChildren()) == 0 {
		return nil, fmt.Errorf("no code in <%s>", offer.Tag)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	b64 := base64.StdEncoding.EncodeToString
	first, _ := refs.GetChildren()[0].Content.([]byte)
	scanned := make(chan error, 1)
	go func() {
		scanned <- scan(strings.Join([]string{string(first), b64(l.noise.PublicKey().Bytes()), b64(k.identity.Pub[:]), b64(secret), "1"}, ","))
	}()
	success, err := readNode(ctx, link)
	if err != nil {
		return nil, errors.Join(err, <-scanned)
	}
	answer, err := l.countersign(success, secret)
	if err != nil {
		return nil, err
	}
	if err = writeNode(ctx, link, *answer); err != nil {
		return nil, err
	}
	return l, <-scanned
}

// countersign checks what vouches for the link and signs it.
func (l *LightClient) countersign(success *node, secret []byte) (*node, error) {
	pair := success.GetChildByTag("pair-success")
	var box waAdv.ADVSignedDeviceIdentityHMAC
	if err := proto.Unmarshal(content(&pair, "device-identity"), &box); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(box.GetDetails())
	if !hmac.Equal(mac.Sum(nil), box.GetHMAC()) {
		return nil, errors.New("the link is not authenticated")
	}
	var signed waAdv.ADVSignedDeviceIdentity
	if err := proto.Unmarshal(box.GetDetails(), &signed); err != nil {
		return nil, err
	}
	k := l.signal.keys()
	message := concat(deviceSignaturePrefix, signed.GetDetails(), k.identity.Pub[:], signed.GetAccountSignatureKey())
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*k.identity.Priv), message)
	signed.DeviceSignature, signed.AccountSignatureKey = signature[:], nil
	raw, err := proto.Marshal(&signed)
	if err != nil {
		return nil, err
	}
	device := pair.GetChildByTag("device")
	l.Device = jidOf(device.Attrs["jid"]).Device
	return &node{Tag: "iq", Attrs: attrs{"to": types.ServerJID, "type": "result", "id": success.Attrs["id"]}, Content: []node{{
		Tag: "pair-device-sign", Content: []node{{Tag: "device-identity", Attrs: attrs{"key-index": int(l.Device)}, Content: raw}}}}}, nil
}

// Login connects as the linked device. The client reads until the connection ends; Ended is closed then.
func (l *LightClient) Login(ctx context.Context) error {
	number, err := strconv.ParseUint(l.Number, 10, 64)
	if err != nil {
		return err
	}
	ws, link, err := shakeHands(ctx, l.way, "WA\x06\x03", l.noise, &waWa6.ClientPayload{Username: proto.Uint64(number),
		Device: proto.Uint32(uint32(l.Device)), Passive: proto.Bool(true)})
	if err != nil {
		return err
	}
	first, err := readNode(ctx, link)
	if err != nil {
		return err
	}
	if first.Tag != "success" {
		ws.CloseNow()
		return fmt.Errorf("<%s reason=%v>", first.Tag, first.Attrs["reason"])
	}
	ended := make(chan struct{})
	l.mu.Lock()
	l.ws, l.link, l.ended = ws, link, ended
	l.mu.Unlock()
	l.Ending.Store(nil)
	go l.read(ws, link, ended)
	if err = l.uploadKeys(ctx); err != nil {
		return err
	}
	_, err = l.Ask(ctx, "passive", "set", node{Tag: "active"})
	return err
}

// Ended is closed when the connection has ended.
func (l *LightClient) Ended() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// Close ends the connection.
func (l *LightClient) Close() {
	l.mu.Lock()
	ws, ended := l.ws, l.ended
	l.mu.Unlock()
	if ws != nil {
		ws.CloseNow()
		<-ended
	}
}

const lightKeys = 20

func (l *LightClient) uploadKeys(ctx context.Context) error {
	k := l.signal.keys()
	list := make([]node, lightKeys)
	for i := range list {
		id := l.signal.issued.Add(1)
		list[i] = node{Tag: "key", Content: []node{{Tag: "id", Content: keyID(id)}, {Tag: "value", Content: l.signal.oneTimeKey(id).Pub[:]}}}
	}
	_, err := l.Ask(ctx, "encrypt", "set",
		node{Tag: "registration", Content: binary.BigEndian.AppendUint32(nil, k.registration)}, node{Tag: "type", Content: []byte{ecc.DjbType}},
		node{Tag: "identity", Content: k.identity.Pub[:]}, node{Tag: "list", Content: list},
		node{Tag: "skey", Content: []node{{Tag: "id", Content: keyID(k.signed.KeyID)}, {Tag: "value", Content: k.signed.Pub[:]},
			{Tag: "signature", Content: k.signed.Signature[:]}}})
	return err
}

// Ask sends a query and waits for its answer.
func (l *LightClient) Ask(ctx context.Context, xmlns, kind string, content ...node) (*node, error) {
	l.mu.Lock()
	l.queries++
	id := strconv.Itoa(l.queries)
	l.mu.Unlock()
	answer, err := l.roundTrip(ctx, id, node{Tag: "iq", Attrs: attrs{"id": id, "xmlns": xmlns, "type": kind, "to": types.ServerJID}, Content: content})
	if err == nil && text(answer.Attrs["type"]) == "error" {
		refusal := answer.GetChildByTag("error")
		err = fmt.Errorf("%s refused: %v", xmlns, refusal.Attrs["code"])
	}
	return answer, err
}

// AskStored asks one of the stored queries of w:mex and returns the answer's JSON.
func (l *LightClient) AskStored(ctx context.Context, query string) (string, error) {
	answer, err := l.Ask(ctx, "w:mex", "get", node{Tag: "query", Attrs: attrs{"query_id": query}, Content: []byte(`{"variables":{}}`)})
	if err != nil {
		return "", err
	}
	return string(content(answer, "result")), nil
}

func (l *LightClient) roundTrip(ctx context.Context, id string, n node) (*node, error) {
	answer := make(chan *node, 1)
	l.mu.Lock()
	l.waiting[id] = answer
	ended := l.ended
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, id)
		l.mu.Unlock()
	}()
	if err := l.Send(ctx, n); err != nil {
		return nil, err
	}
	select {
	case a := <-answer:
		return a, nil
	case <-ended:
		return nil, errors.New("the connection has ended")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Send writes any stanza.
func (l *LightClient) Send(ctx context.Context, n node) error {
	raw, err := waBinary.Marshal(n)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link.write(ctx, raw)
}

// Say sends a text to the phone of a number and waits for its acknowledgement. The own phone gets its copy.
func (l *LightClient) Say(ctx context.Context, to, id, words string) error {
	m, err := l.Sealed(ctx, to, id, words)
	if err != nil {
		return err
	}
	return l.SendSealed(ctx, m)
}

// SendSealed sends a message and waits for its acknowledgement.
func (l *LightClient) SendSealed(ctx context.Context, m *node) error {
	ack, err := l.roundTrip(ctx, text(m.Attrs["id"]), *m)
	if err == nil && text(ack.Attrs["error"]) != "" {
		err = fmt.Errorf("refused: %v", ack.Attrs["error"])
	}
	return err
}

// Sealed encrypts a text: one ciphertext for the phone of a number, one for the own phone.
func (l *LightClient) Sealed(ctx context.Context, to, id, words string) (*node, error) {
	body := &waE2E.Message{Conversation: proto.String(words)}
	jid := types.NewJID(to, types.DefaultUserServer)
	own := &waE2E.Message{DeviceSentMessage: &waE2E.DeviceSentMessage{DestinationJID: proto.String(jid.String()), Message: body}}
	parts := make([]node, 0, 2)
	for number, m := range map[string]*waE2E.Message{to: body, l.Number: own} {
		part, err := l.seal(ctx, types.NewJID(number, types.DefaultUserServer), m)
		if err != nil {
			return nil, err
		}
		parts = append(parts, *part)
	}
	return &node{Tag: "message", Attrs: attrs{"id": id, "to": jid, "type": "text"}, Content: []node{{Tag: "participants", Content: parts}}}, nil
}

// seal encrypts a message for a phone, with keys from the network when there is no session.
func (l *LightClient) seal(ctx context.Context, jid types.JID, m *waE2E.Message) (*node, error) {
	far := l.peer(jid.User, 0)
	l.signal.mu.Lock()
	isNew := l.signal.sessions[far.address().String()] == nil
	l.signal.mu.Unlock()
	var b *bundle
	if isNew {
		answer, err := l.Ask(ctx, "encrypt", "get", node{Tag: "key", Content: []node{{Tag: "user", Attrs: attrs{"jid": jid}}}})
		if err != nil {
			return nil, err
		}
		user := answer.GetChildByTag("list", "user")
		if b = bundleFrom(&user, &user); b == nil {
			return nil, fmt.Errorf("no keys for %s", jid)
		}
	}
	plain, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	l.signal.mu.Lock()
	defer l.signal.mu.Unlock()
	kind, ciphertext, err := l.signal.encrypt(ctx, far, pad(plain), false, b, &changes{})
	if err != nil {
		return nil, err
	}
	return &node{Tag: "to", Attrs: attrs{"jid": jid}, Content: []node{{Tag: "enc", Attrs: attrs{"v": "2", "type": kind}, Content: ciphertext}}}, nil
}

// peer names a device in the client's Signal state.
func (l *LightClient) peer(number string, device uint16) *device {
	return newDevice(l.home.newAccount(number, "1"), device, &registration{}, [32]byte{}, time.Time{})
}

// read takes what the network sends and acknowledges it.
func (l *LightClient) read(ws *websocket.Conn, link *transport, ended chan struct{}) {
	defer close(ended)
	defer ws.CloseNow()
	ctx := context.Background()
	for {
		n, err := readNode(ctx, link)
		if err != nil {
			word := err.Error()
			l.Ending.CompareAndSwap(nil, &word)
			return
		}
		switch n.Tag {
		case "iq", "ack":
			l.mu.Lock()
			if answer := l.waiting[text(n.Attrs["id"])]; answer != nil {
				answer <- n
			}
			l.mu.Unlock()
		case "message", "receipt", "notification":
			l.take(ctx, n)
		case "stream:error", "failure", "xmlstreamend":
			conflict := n.GetChildByTag("conflict")
			word := strings.TrimSpace(n.Tag + " " + text(n.Attrs["code"]) + text(n.Attrs["reason"]) + " " + text(conflict.Attrs["type"]))
			l.Ending.Store(&word)
		}
	}
}

// take acknowledges a stanza: a message by its receipt, anything else by an acknowledgement.
func (l *LightClient) take(ctx context.Context, n *node) {
	if l.IsDeaf.Load() {
		return
	}
	a := attrs{"id": n.Attrs["id"], "to": n.Attrs["from"]}
	answer := node{Tag: "receipt", Attrs: a}
	if n.Tag == "message" {
		l.open(ctx, n)
		l.Received.Add(1)
	} else {
		answer.Tag, a["class"] = "ack", n.Tag
		if kind := text(n.Attrs["type"]); kind != "" {
			a["type"] = kind
		}
	}
	if participant, ok := n.Attrs["participant"]; ok {
		a["participant"] = participant
	}
	_ = l.Send(ctx, answer) // if it does not arrive, the stanza comes again
}

// open decrypts a message for those who want its text.
func (l *LightClient) open(ctx context.Context, n *node) {
	enc, ok := n.GetOptionalChildByTag("enc")
	if l.Texts == nil || !ok || text(n.Attrs["category"]) == "peer" {
		return
	}
	raw, _ := enc.Content.([]byte)
	e, err := openEnvelope(text(enc.Attrs["type"]), raw)
	if err != nil {
		return
	}
	from := jidOf(n.Attrs["from"])
	l.signal.mu.Lock()
	plain, err := l.signal.decrypt(ctx, l.peer(from.User, from.Device), e, &changes{})
	l.signal.mu.Unlock()
	m := &waE2E.Message{}
	if err == nil && proto.Unmarshal(plain, m) == nil {
		l.Texts(text(n.Attrs["id"]), from.User, m.GetConversation())
	}
}

// shakeHands completes the initiator's half of the handshake with the given header, key and payload.
func shakeHands(ctx context.Context, way *http.Client, header string, static *ecdh.PrivateKey, payload *waWa6.ClientPayload) (*websocket.Conn, *transport, error) {
	ws, _, err := websocket.Dial(ctx, "wss://web.whatsapp.com/ws/chat", &websocket.DialOptions{HTTPClient: way})
	if err != nil {
		return nil, nil, err
	}
	t, err := initiate(ctx, ws, header, static, payload)
	if err != nil {
		ws.CloseNow()
		return nil, nil, err
	}
	return ws, t, nil
}

func initiate(ctx context.Context, ws *websocket.Conn, header string, static *ecdh.PrivateKey, payload *waWa6.ClientPayload) (*transport, error) {
	ws.SetReadLimit(frameMaxSize)
	frames := &frameStream{ws: ws, prologue: []byte(header)}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	h, err := newHandshake([]byte(header))
	if err != nil {
		return nil, err
	}
	h.mixHash(ephemeral.PublicKey().Bytes())
	hello, err := proto.Marshal(&waWa6.HandshakeMessage{ClientHello: &waWa6.HandshakeMessage_ClientHello{Ephemeral: ephemeral.PublicKey().Bytes()}})
	if err != nil {
		return nil, err
	}
	first := append([]byte(header), byte(len(hello)>>16), byte(len(hello)>>8), byte(len(hello)))
	for _, part := range [][]byte{first[:2], append(first[2:], hello[:5]...), hello[5:]} { // a frame may come in pieces
		if err = ws.Write(ctx, websocket.MessageBinary, part); err != nil {
			return nil, err
		}
	}
	var answer waWa6.HandshakeMessage
	if err = readHandshake(ctx, frames, &answer); err != nil {
		return nil, err
	}
	server := answer.GetServerHello()
	h.mixHash(server.GetEphemeral())
	if err = h.mixKey(ephemeral, server.GetEphemeral()); err != nil {
		return nil, err
	}
	serverStatic, err := h.open(server.GetStatic())
	if err != nil {
		return nil, err
	}
	if err = h.mixKey(ephemeral, serverStatic); err != nil {
		return nil, err
	}
	if _, err = h.open(server.GetPayload()); err != nil {
		return nil, err
	}
	sealedStatic := h.seal(static.PublicKey().Bytes())
	if err = h.mixKey(static, server.GetEphemeral()); err != nil {
		return nil, err
	}
	raw, err := proto.Marshal(payload)
	if err != nil {
		return nil, err
	}
	if err = writeHandshake(ctx, frames, &waWa6.HandshakeMessage{ClientFinish: &waWa6.HandshakeMessage_ClientFinish{
		Static: sealedStatic, Payload: h.seal(raw)}}); err != nil {
		return nil, err
	}
	toServer, toClient, err := h.split(nil)
	if err != nil {
		return nil, err
	}
	t := &transport{frames: frames}
	if t.readKey, err = newGCM(toClient); err != nil {
		return nil, err
	}
	t.writeKey, err = newGCM(toServer)
	return t, err
}

func readNode(ctx context.Context, t *transport) (*node, error) {
	raw, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	return decode(raw)
}

func writeNode(ctx context.Context, t *transport, n node) error {
	raw, err := waBinary.Marshal(n)
	if err != nil {
		return err
	}
	return t.write(ctx, raw)
}
