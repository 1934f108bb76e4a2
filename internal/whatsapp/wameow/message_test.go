package wameow_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
)

func TestMessagesGoBothWays(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, devices wameow.DeviceStore) {
		b := newBench(t, devices)
		waID := b.write("hola, quiero un turno")
		in := b.sink.awaitTexts(t, "hola, quiero un turno")[0]
		customer, err := b.net.Phone(b.customer)
		require.NoError(t, err)
		require.Equal(t, waID, in.WAID)
		require.Equal(t, customer.LID, in.Chat.String(), "the canonical address is the LID")
		require.Equal(t, whatsapp.NumberAddress(b.customer), in.Peer.Number)
		require.Equal(t, in.Peer, in.Sender)
		require.Equal(t, "Ana", in.PushName)
		require.Equal(t, "text", in.Type)
		require.False(t, in.FromMe)

		m, sent, err := b.send("claro, ¿mañana a las 10?")
		require.NoError(t, err)
		require.Equal(t, in.Peer, sent.Contact)
		require.False(t, sent.At.IsZero())
		got, err := b.net.WaitMessage(t.Context(), b.customer, func(k wasim.Message) bool { return k.ID == m.WAID })
		require.NoError(t, err)
		require.Equal(t, m.Text, got.Text)
		_, err = b.net.WaitMessage(t.Context(), b.business, func(k wasim.Message) bool { return k.ID == m.WAID })
		require.NoError(t, err, "the business's own phone shows it as well")
		b.clean()
	})
}

func TestFirstMessageToSomebodyNewLearnsTheirLID(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, sent, err := b.send("su turno es mañana")
	require.NoError(t, err)
	customer, err := b.net.Phone(b.customer)
	require.NoError(t, err)
	require.Equal(t, whatsapp.NumberAddress(b.customer), sent.Contact.Number)
	require.Equal(t, customer.LID, sent.Contact.LID.String())
	b.sink.await(t, "the pair", func() bool { return slices.Contains(b.sink.learned, sent.Contact) })
}

func TestReceiptsNameBothAddressesOfTheContact(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	m, sent, err := b.send("¿lo ves?")
	require.NoError(t, err)
	has := func(kind whatsapp.ReceiptKind) func() bool {
		return func() bool {
			return slices.ContainsFunc(b.sink.receipts, func(r whatsapp.Receipt) bool {
				return r.Kind == kind && slices.Contains(r.WAIDs, m.WAID) && r.Peer == sent.Contact
			})
		}
	}
	b.sink.await(t, "delivered", has(whatsapp.ReceiptDelivered))
	_, err = b.net.Read(b.customer, b.business)
	require.NoError(t, err)
	b.sink.await(t, "read", has(whatsapp.ReceiptRead))
}

func TestTextTypedOnTheBusinessPhoneIsFromMe(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, err := b.net.Send(t.Context(), b.business, b.customer, "te atiendo yo")
	require.NoError(t, err)
	in := b.sink.awaitTexts(t, "te atiendo yo")[0]
	require.True(t, in.FromMe)
	require.Equal(t, whatsapp.NumberAddress(b.customer), in.Peer.Number)
	require.Equal(t, in.Peer.LID, in.Chat)
	require.Equal(t, whatsapp.NumberAddress(b.business), in.Sender.Number)
}

func TestGroupMessagesAreTypedAndKeysAreNoMessages(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	group, err := b.net.AddGroup("Vecinos", []string{b.customer, b.business})
	require.NoError(t, err)
	_, err = b.net.Send(t.Context(), b.customer, group.ID, "hola grupo")
	require.NoError(t, err)
	in := b.sink.awaitTexts(t, "hola grupo")[0]
	require.Equal(t, whatsapp.GroupChat, in.Chat.Kind())
	require.Equal(t, group.ID, in.Chat.String())
	require.Equal(t, whatsapp.NumberAddress(b.customer), in.Sender.Number)
	require.Zero(t, in.Peer)

	to, err := whatsapp.ParseAddress(group.ID)
	require.NoError(t, err)
	for _, text := range []string{"buenas", "y otra"} {
		_, err = b.line.Send(t.Context(), whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: to, Text: text})
		require.NoError(t, err)
	}
	eventually(t, "the group shows both", func() bool {
		return slices.Equal([]string{"buenas", "y otra"}, b.shown(b.customer, b.business))
	})
	b.clean()
}

func TestDuplicatedMessageArrivesOnce(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.fault(wasim.Fault{Kind: "duplicate", Count: 1})
	b.write("doble")
	b.write("después")
	b.sink.awaitTexts(t, "doble", "después")
	b.clean()
}

func TestRefusedMessagesComeAgainInOrderAndNoneIsLost(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	var calls atomic.Int64
	var mu sync.Mutex
	var offered []string
	b.sink.onReceived = func(m whatsapp.Incoming) error {
		n := calls.Add(1)
		mu.Lock()
		defer mu.Unlock()
		if n%4 == 0 {
			return errNotNow
		}
		offered = append(offered, m.Text)
		return nil
	}
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprint("mensaje ", i))
		b.write(want[i])
	}
	b.sink.awaitTexts(t, want...)
	mu.Lock()
	defer mu.Unlock()
	require.True(t, slices.Equal(want, slices.Compact(offered)), "each was taken in its turn: %v", offered)
	require.Positive(t, b.net.Stats().Redelivered)
	b.clean()
}

func TestRefusedReceiptComesAgain(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	var calls atomic.Int64
	b.sink.onReceipt = func(whatsapp.Receipt) error {
		if calls.Add(1) == 1 {
			return errNotNow
		}
		return nil
	}
	m, _, err := b.send("¿llegó?")
	if err != nil { // the refused receipt may have ended the connection before the acknowledgement came
		require.ErrorIs(t, err, whatsapp.ErrUnknownOutcome)
		_, err = b.sendAgain(m)
	}
	require.NoError(t, err)
	b.sink.await(t, "the receipt", func() bool { return len(b.sink.receipts) > 0 })
	require.GreaterOrEqual(t, calls.Load(), int64(2))
}

func TestPanicOfTheSessionIsARefusal(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	var calls atomic.Int64
	b.sink.onReceived = func(whatsapp.Incoming) error {
		if calls.Add(1) == 1 {
			panic("a bug in the session")
		}
		return nil
	}
	b.write("uno")
	b.write("dos")
	b.sink.awaitTexts(t, "uno", "dos")
	require.Equal(t, int64(3), calls.Load())
	b.clean()
}

func TestRestartKeepsTheLinkAndTheRatchets(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, devices wameow.DeviceStore) {
		b := newBench(t, devices)
		b.write("antes")
		b.sink.awaitTexts(t, "antes")
		_, _, err := b.send("también antes")
		require.NoError(t, err)
		eventually(t, "all is acknowledged", func() bool { return b.net.Stats().Waiting == 0 })
		b.line.Close()
		b.write("mientras no estabas")

		b.engine, b.sink = newEngine(t, b.net, devices), newSink()
		b.line = open(t, b.engine, b.ref, b.sink)
		in := b.sink.awaitTexts(t, "mientras no estabas")[0]
		require.True(t, in.Offline)
		b.sink.awaitState(t, whatsapp.LinkConnected)
		require.Zero(t, b.sink.codes, "nothing to scan")
		_, _, err = b.send("de vuelta")
		require.NoError(t, err)
		b.write("y yo")
		in = b.sink.awaitTexts(t, "mientras no estabas", "y yo")[1]
		require.False(t, in.Offline)
		eventually(t, "both texts", func() bool {
			return slices.Equal([]string{"también antes", "de vuelta"}, b.shown(b.customer, b.business))
		})
		require.Zero(t, b.net.Stats().RetriesIn+b.net.Stats().RetriesOut)
		b.clean()
	})
}

// The busiest chat there can be: 500 messages each way, with one contact, at once, on several senders.
func TestFiveHundredEachWayAtOnceWithOneContact(t *testing.T) {
	t.Parallel()
	const count, senders = 500, 8
	eachStore(t, func(t *testing.T, devices wameow.DeviceStore) {
		b := newBench(t, devices)
		b.sink.onReceipt = func(whatsapp.Receipt) error { return nil }
		_, _, err := b.send("hola") // both sides know each other
		require.NoError(t, err)
		b.write("hola")
		b.sink.awaitTexts(t, "hola")
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range count {
				if _, err := b.net.Send(t.Context(), b.customer, b.business, fmt.Sprint("entra ", i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		var next atomic.Int64
		for range senders {
			wg.Go(func() {
				for {
					i := next.Add(1) - 1
					if i >= count {
						return
					}
					if _, _, err := b.send(fmt.Sprint("sale ", i)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		b.sink.await(t, "all messages", func() bool { return len(b.sink.messages) == count+1 })
		eventually(t, "the phone shows all", func() bool { return len(b.shown(b.customer, b.business)) >= count+1 })
		out := b.shown(b.customer, b.business)[1:]
		slices.Sort(out)
		require.Len(t, slices.Compact(out), count)
		b.sink.mu.Lock()
		defer b.sink.mu.Unlock()
		for i, in := range b.sink.messages[1:] {
			require.Equal(t, fmt.Sprint("entra ", i), in.Text, "in order")
		}
		require.Zero(t, b.net.Stats().RetriesIn+b.net.Stats().RetriesOut)
		b.clean()
	})
}

func TestTextsAreGivenAgainToAPhoneThatCannotReadThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	devices := fileDevices(t, filepath.Join(dir, "whatsapp.db"))
	b := newBenchOn(t, newNetworkIn(t, dir), devices)
	b.write("hola") // from here on the session writes without keys that would let the phone begin anew
	b.sink.awaitTexts(t, "hola")
	_, _, err := b.send("buenas")
	require.NoError(t, err)
	eventually(t, "all is acknowledged", func() bool { return b.net.Stats().Waiting == 0 })
	b.line.Close()
	require.NoError(t, b.net.Close())
	loseSessions(t, dir)

	b.net = newNetworkIn(t, dir)
	// The request to have it again reaches the session late, when its engine has forgotten the text.
	b.fault(wasim.Fault{Kind: "delay", Delay: 4})
	b.engine, b.sink = newEngine(t, b.net, devices), newSink()
	asked := make(chan string, 8)
	b.sink.onSentText = func(waID string) { asked <- waID }
	b.line = open(t, b.engine, b.ref, b.sink)
	b.sink.awaitState(t, whatsapp.LinkConnected)
	m, _, err := b.send("tras la pérdida")
	require.NoError(t, err)
	b.line.Close()
	b.net.ClearFaults()
	b.line = open(t, b.engine, b.ref, b.sink)
	got, err := b.net.WaitMessage(t.Context(), b.customer, func(k wasim.Message) bool { return k.Text == m.Text })
	require.NoError(t, err)
	require.Equal(t, m.WAID, got.ID)
	select {
	case waID := <-asked:
		require.Equal(t, m.WAID, waID)
	case <-time.After(patience):
		require.Fail(t, "the session was not asked for the text")
	}
	require.Positive(t, b.net.Stats().RetriesOut)
}

func TestSendAfterAnUnknownOutcomeShowsOnce(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	b.fault(wasim.Fault{Kind: "drop_ack", Count: 1})
	m, _, err := b.send("sin acuse")
	require.ErrorIs(t, err, whatsapp.ErrUnknownOutcome)
	_, err = b.line.Send(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, []string{"sin acuse"}, b.shown(b.customer, b.business))
	b.clean()
}

func TestRefusalsOfWhatsAppAreTold(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, _, err := b.send("uno")
	require.NoError(t, err)
	b.fault(wasim.Fault{Kind: "query_error", Code: 501, Query: "w:mex"})
	b.fault(wasim.Fault{Kind: "nack", Code: 463, Count: 1})
	_, _, err = b.send("rechazado")
	requireRejected(t, err, whatsapp.FailedRestricted)
	b.sink.await(t, "the restriction", func() bool { return slices.Contains(b.sink.locks, whatsapp.Restriction{IsGuess: true}) })
	b.fault(wasim.Fault{Kind: "nack", Code: 479, Count: 1})
	_, _, err = b.send("rechazado")
	requireRejected(t, err, "refused_479")
	b.fault(wasim.Fault{Kind: "nack", Code: 503, Count: 1})
	m, _, err := b.send("más tarde")
	require.ErrorIs(t, err, whatsapp.ErrUnknownOutcome)
	_, err = b.line.Send(t.Context(), m)
	require.NoError(t, err)
}

func requireRejected(t *testing.T, err error, reason string) {
	t.Helper()
	var rejected *whatsapp.Rejected
	require.True(t, errors.As(err, &rejected), "%v", err)
	require.Equal(t, reason, rejected.Reason)
}

func TestRecipientsThatCannotBeReachedAreRejected(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	for address, reason := range map[string]string{
		"9995551234@s.whatsapp.net": "not_on_whatsapp", "status@broadcast": "unsupported_recipient", "123@newsletter": "unsupported_recipient"} {
		to, err := whatsapp.ParseAddress(address)
		require.NoError(t, err)
		_, err = b.line.Send(t.Context(), whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: to, Text: "hola"})
		requireRejected(t, err, reason)
	}
	_, err := b.line.Send(t.Context(), whatsapp.Outgoing{WAID: "3EB0", Text: "a nadie"})
	requireRejected(t, err, "invalid_recipient")
	require.Zero(t, b.net.Stats().MessagesIn)
}

func TestMessageEncryptedForNoDeviceDoesNotLeave(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(b *bench){
		"nobody's": func(*bench) {},
		"only the own phone's": func(b *bench) {
			_, err := b.net.Send(b.Context(), b.business, b.customer, "escrito en el teléfono")
			require.NoError(b, err)
			b.sink.awaitTexts(b, "escrito en el teléfono")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := simpleBench(t)
			prepare(b)
			before := b.net.Stats().MessagesIn
			b.fault(wasim.Fault{Kind: "query_error", Query: "encrypt", Code: 500})
			_, _, err := b.send("sin llaves")
			require.ErrorIs(t, err, whatsapp.ErrNotConnected, "nothing left, and it may work later")
			require.Equal(t, before, b.net.Stats().MessagesIn)
			b.net.ClearFaults()
			_, _, err = b.send("con llaves")
			require.NoError(t, err)
			require.Contains(t, b.shown(b.customer, b.business), "con llaves")
			require.NotContains(t, b.shown(b.customer, b.business), "sin llaves")
		})
	}
}
