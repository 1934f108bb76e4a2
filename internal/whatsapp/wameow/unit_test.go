package wameow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"

	"turnero/internal/whatsapp"
)

func TestPausesGrowAreBoundedAndSpread(t *testing.T) {
	t.Parallel()
	for range 200 {
		require.LessOrEqual(t, normalPace.retry(1, 1), 260*time.Millisecond)
		require.LessOrEqual(t, normalPace.retry(1, 100_000), 6*time.Second)
		for n := 2; n < 100; n++ {
			p := normalPace.retry(n, 1)
			require.LessOrEqual(t, p, 10*time.Second, "a line is back soon after the end of an outage, however long that was")
			require.GreaterOrEqual(t, p, 500*time.Millisecond)
			p = normalPace.refused(n)
			require.LessOrEqual(t, p, 5*time.Minute)
			require.GreaterOrEqual(t, p, 5*time.Second)
		}
		require.GreaterOrEqual(t, normalPace.retry(50, 1), 5*time.Second)
		require.GreaterOrEqual(t, normalPace.refused(50), 150*time.Second, "who is refused does not hammer")
	}
}

func TestOutageIsProbedByFew(t *testing.T) {
	t.Parallel()
	var o outage
	now := time.Now()
	for range outageAfter {
		require.True(t, o.mayTry(now, time.Second), "one line's trouble is its own")
		o.fail()
	}
	tries := 0
	for i := range 10_000 { // a thousand lines that knock every ten seconds, over a hundred
		if o.mayTry(now.Add(time.Duration(i)*10*time.Millisecond), time.Second) {
			tries++
			o.fail()
		}
	}
	require.Equal(t, 100, tries)
	require.True(t, o.end())
	require.False(t, o.end(), "once")
	for range 100 {
		require.True(t, o.mayTry(now, time.Second))
	}
}

func TestVersionIsAskedAgainOnlyWhenItIsOld(t *testing.T) {
	t.Parallel()
	asked := 0
	v := version{fetch: func(context.Context) (*store.WAVersionContainer, error) { asked++; return nil, nil }}
	now := time.Now()
	log := slog.New(slog.DiscardHandler)
	for range 3 {
		v.update(t.Context(), now, log)
	}
	require.Equal(t, 1, asked)
	v.outdate()
	v.update(t.Context(), now.Add(time.Second), log)
	require.Equal(t, 1, asked, "not at once, whatever the number of lines")
	for range 3 {
		v.update(t.Context(), now.Add(versionPause), log)
	}
	require.Equal(t, 2, asked)
}

func TestRatchetThatIsNotGivenBackIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRatchet()
		require.NoError(t, r.lockLoose(t.Context()))
		require.ErrorIs(t, r.lock(t.Context()), errRatchetStuck)
		require.True(t, r.endLoose())
		require.False(t, r.endLoose())
		require.NoError(t, r.lock(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.lock(ctx), context.Canceled)
		r.unlock()
	})
}

func TestGateWaitsForThoseInside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		require.True(t, g.enter())
		g.shut()
		g.shut()
		require.False(t, g.enter())
		isEmpty := false
		go func() { g.wait(); isEmpty = true }()
		synctest.Wait()
		require.False(t, isEmpty)
		g.leave()
		synctest.Wait()
		require.True(t, isEmpty)
	})
}

// The library says only in its log that it is about to lose the order of stanzas. Should a version of it say so in other
// words, this fails.
func TestFullQueueOfTheLibraryIsNoticed(t *testing.T) {
	t.Parallel()
	isTold := false
	log := libraryLog{log: slog.New(slog.DiscardHandler), overflow: func() { isTold = true }}
	client := whatsmeow.NewClient(&store.Device{}, log)
	node, err := waBinary.Marshal(waBinary.Node{Tag: "message", Attrs: waBinary.Attrs{"id": "1"}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	internals(client).HandleFrame(ctx, node, make(chan *waBinary.Node))
	cancel()
	require.True(t, isTold)
}

func TestLogHoldsNoNumbers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := libraryLog{log: slog.New(slog.NewTextHandler(&out, nil))}
	jid := types.NewJID("5491155443322", types.DefaultUserServer)
	log.Warnf("Failed to get LID for %s: %v", jid, errors.New("no rows for 5491155443322"))
	log.Errorf("Unknown stream error: %s", &waBinary.Node{Tag: "stream:error", Content: []byte("hola, quiero un turno")})
	log.Infof("Successfully paired %s", jid)
	log.Sub("Send").Debugf("%s", jid)
	require.NotContains(t, out.String(), "5491155443322")
	require.NotContains(t, out.String(), "turno")
	require.Contains(t, out.String(), "Failed to get LID for")
	require.Equal(t, 2, strings.Count(out.String(), "\n"))
	out.Reset()
	signalLog{slog.New(slog.NewTextHandler(&out, nil))}.Error("Session.go:12", "no session found for 5491155443322_1:0")
	require.NotContains(t, out.String(), "5491155443322")
}

func TestContentIsTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		message    *waE2E.Message
		kind, text string
		isSilent   bool
	}{
		{message: &waE2E.Message{Conversation: proto.String("hola")}, kind: "text", text: "hola"},
		{message: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("ver https://…")}}, kind: "text", text: "ver https://…"},
		{message: &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("la foto")}}, kind: "image", text: "la foto"},
		{message: &waE2E.Message{AudioMessage: &waE2E.AudioMessage{}}, kind: "audio"},
		{message: &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Text: proto.String("👍")}}, kind: "reaction", text: "👍"},
		{message: &waE2E.Message{OrderMessage: &waE2E.OrderMessage{OrderID: proto.String("7")}}, kind: "unknown"},
		{message: &waE2E.Message{SenderKeyDistributionMessage: &waE2E.SenderKeyDistributionMessage{}}, isSilent: true},
		{message: &waE2E.Message{MessageContextInfo: &waE2E.MessageContextInfo{MessageSecret: []byte{1}}}, isSilent: true},
		{message: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_REVOKE.Enum()}}, isSilent: true},
		{message: &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{}}, isSilent: true},
		{message: &waE2E.Message{}, isSilent: true},
		{isSilent: true},
	} {
		kind, text, ok := contentOf(c.message)
		require.Equal(t, !c.isSilent, ok, "%v", c.message)
		if ok {
			require.Equal(t, []string{c.kind, c.text}, []string{kind, text})
		}
	}
}

func TestServerCodesAreSorted(t *testing.T) {
	t.Parallel()
	for code, isFinal := range map[int]bool{400: true, 403: true, 463: true, 479: true, 408: false, 429: false, 500: false, 503: false} {
		err := refusal(fmt.Errorf("%w %d", whatsmeow.ErrServerReturnedError, code))
		var rejected *whatsapp.Rejected
		require.Equal(t, isFinal, errors.As(err, &rejected), "%d", code)
		require.Equal(t, !isFinal, errors.Is(err, whatsapp.ErrUnknownOutcome), "%d", code)
		if isFinal {
			want := map[bool]string{true: whatsapp.FailedRestricted, false: fmt.Sprint("refused_", code)}[code == codeRestricted]
			require.Equal(t, want, rejected.Reason)
		}
	}
}

func TestWhatIsSaidAboutARestriction(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]whatsapp.Restriction{
		`{"xwa2_fetch_account_reachout_timelock":{"is_active":true,"time_enforcement_ends":"1798675200","enforcement_type":"DEFAULT"}}`: {Until: time.Unix(1798675200, 0)},
		`{"xwa2_fetch_account_reachout_timelock":{"is_active":true,"time_enforcement_ends":"0"}}`:                                       {IsGuess: true},
		`{"xwa2_fetch_account_reachout_timelock":{"is_active":true}}`:                                                                   {IsGuess: true},
		`{"xwa2_fetch_account_reachout_timelock":{"is_active":false,"time_enforcement_ends":"0"}}`:                                      {},
		`{"xwa2_fetch_account_reachout_timelock":{}}`:                                                                                   {},
	} {
		got, err := readTimelock([]byte(answer))
		require.NoError(t, err, answer)
		require.Equal(t, want, got, answer)
	}
	for _, answer := range []string{``, `null`, `{}`, `{"xwa2_fetch_account_reachout_timelock":null}`, `{"xwa2_fetch_account_reachout_timelock":7}`} {
		_, err := readTimelock([]byte(answer))
		require.Error(t, err, answer)
	}
}

func TestAddressesKeepWhatTheyMean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"5491155443322:7@s.whatsapp.net": "5491155443322@s.whatsapp.net", "123:7@lid": "123@lid", "5491155443322@c.us": "5491155443322@s.whatsapp.net",
		"123@hosted.lid": "123@lid", "1203-4@g.us": "1203-4@g.us", "status@broadcast": "status@broadcast", "77@newsletter": "77@newsletter", "867@bot": "",
	} {
		jid, err := types.ParseJID(in)
		require.NoError(t, err)
		require.Equal(t, want, addressOf(jid).String())
	}
	who := contactOf(types.NewJID("9", types.HiddenUserServer), types.EmptyJID, types.NewJID("54", types.DefaultUserServer))
	require.Equal(t, "9@lid", who.LID.String())
	require.Equal(t, "54@s.whatsapp.net", who.Number.String())
}

// txnStores is an event buffer that makes transactions, and pre-keys that want to be made in one.
type txnStores struct {
	store.EventBuffer
	store.PreKeyStore
	txns int
}

type inTxn struct{}

func (s *txnStores) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	s.txns++
	return fn(context.WithValue(ctx, inTxn{}, true))
}

func (s *txnStores) GetOrGenPreKeys(ctx context.Context, count uint32) ([]*keys.PreKey, error) {
	if ctx.Value(inTxn{}) == nil {
		return nil, errors.New("outside of a transaction")
	}
	return make([]*keys.PreKey, count), nil
}

func TestPreKeysOfALinkAreOneTransaction(t *testing.T) {
	t.Parallel()
	s := &txnStores{}
	c := &connection{gate: newGate()}
	c.ctx, c.cancel = context.WithCancelCause(t.Context())
	g := &guard{conn: c, ratchet: newRatchet(), in: innerStores{EventBuffer: s, PreKeyStore: s}}
	batch, err := g.GetOrGenPreKeys(t.Context(), 812)
	require.NoError(t, err)
	require.Len(t, batch, 812)
	require.Equal(t, 1, s.txns)
}
