package whatsapp_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

// history is what a run of the property test did, as the outside world knows it.
type history struct {
	b     *bench
	line  *fakeLine
	in    []map[string]bool // by person: WhatsApp IDs of what they wrote
	typed []map[string]bool // by person: of what the business typed on its phone
	sent  [][]whatsapp.Message
}

func person(i int) whatsapp.ContactIDs {
	return whatsapp.ContactIDs{Number: number(fmt.Sprintf("54911000000%02d", i)), LID: lid(fmt.Sprintf("70%02d", i))}
}

// namedAs draws the addresses by which a person is named this time.
func namedAs(t *rapid.T, i int) whatsapp.ContactIDs {
	who := person(i)
	switch rapid.IntRange(0, 2).Draw(t, "named by") {
	case 0:
		return whatsapp.ContactIDs{Number: who.Number}
	case 1:
		return whatsapp.ContactIDs{LID: who.LID}
	}
	return who
}

// TestWhateverTheOrderAPersonIsOneChatAndAMessageIsOneRow interleaves deliveries (by number, LID or both, again and again),
// echoes, sends, receipts and discoveries at random.
func TestWhateverTheOrderAPersonIsOneChatAndAMessageIsOneRow(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	const people = 3
	rapid.Check(t, func(rt *rapid.T) {
		b := setupOn(t, db)
		b.run()
		h := &history{b: b, line: b.linked(), in: make([]map[string]bool, people), typed: make([]map[string]bool, people), sent: make([][]whatsapp.Message, people)}
		h.line.onSend(nil)
		for i := range people {
			h.in[i], h.typed[i] = map[string]bool{}, map[string]bool{}
		}
		who := rapid.IntRange(0, people-1)
		steps := map[string]func(*rapid.T){
			"receive": func(rt *rapid.T) { h.receive(rt, who.Draw(rt, "who"), false) },
			"typed":   func(rt *rapid.T) { h.receive(rt, who.Draw(rt, "who"), true) },
			"queue":   func(rt *rapid.T) { h.queue(rt, who.Draw(rt, "who")) },
			"echo":    func(rt *rapid.T) { h.echo(rt, who.Draw(rt, "who")) },
			"receipt": func(rt *rapid.T) { h.receipt(rt, who.Draw(rt, "who")) },
			"learned": func(rt *rapid.T) { require.NoError(t, h.line.sink.Learned(t.Context(), person(who.Draw(rt, "who")))) },
			"down":    func(*rapid.T) { h.line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting}) },
			"up":      func(*rapid.T) { h.line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected}) },
		}
		rt.Repeat(steps)
		h.line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnected})
		for i := range people {
			require.NoError(t, h.line.sink.Learned(t.Context(), person(i)))
		}
		h.check(rt, people)
		require.NoError(t, b.svc.HandleEvent(t.Context(), id.NewEvent(), &events.TenantStatusChanged{Tenant: b.tenant, Status: "suspended"})) // the next round restores nothing of this one
		b.halt()
	})
}

func (h *history) receive(rt *rapid.T, who int, isTyped bool) {
	seen, prefix := h.in[who], "IN"
	if isTyped {
		seen, prefix = h.typed[who], "ME"
	}
	waID := fmt.Sprintf("%s%d%d", prefix, who, rapid.IntRange(0, 3).Draw(rt, "message"))
	m := text(waID, namedAs(rt, who), "hola")
	m.FromMe = isTyped
	require.NoError(rt, h.line.sink.Received(h.b.t.Context(), m))
	seen[waID] = true
}

func (h *history) queue(rt *rapid.T, who int) {
	name := namedAs(rt, who).Canonical().String()
	h.sent[who] = append(h.sent[who], h.b.queue(name, "hola"))
}

func (h *history) echo(rt *rapid.T, who int) {
	if len(h.sent[who]) == 0 {
		return
	}
	m := rapid.SampledFrom(h.sent[who]).Draw(rt, "sent")
	in := text(m.WAID, namedAs(rt, who), m.Text)
	in.FromMe = true
	require.NoError(rt, h.line.sink.Received(h.b.t.Context(), in))
}

func (h *history) receipt(rt *rapid.T, who int) {
	if len(h.sent[who]) == 0 {
		return
	}
	named := namedAs(rt, who)
	r := whatsapp.Receipt{Chat: named.Canonical(), Peer: named, WAIDs: []string{rapid.SampledFrom(h.sent[who]).Draw(rt, "sent").WAID}, At: time.Now(),
		Kind: rapid.SampledFrom([]whatsapp.ReceiptKind{whatsapp.ReceiptDelivered, whatsapp.ReceiptRead, whatsapp.ReceiptPlayed}).Draw(rt, "kind")}
	require.NoError(rt, h.line.sink.Receipt(h.b.t.Context(), r))
}

func (h *history) check(t *rapid.T, people int) {
	t.Helper()
	active := 0
	for i := range people {
		if len(h.in[i])+len(h.typed[i])+len(h.sent[i]) == 0 {
			continue
		}
		active++
		for _, m := range h.sent[i] {
			eventually(h.b.t, "everything queued leaves", func() bool { return h.b.message(m.ID).Status != whatsapp.MessageQueued })
		}
		entry, err := h.b.svc.FindChat(h.b.t.Context(), h.b.admin, id.Session{}, person(i).LID.String())
		require.NoError(t, err)
		require.Equal(t, person(i), entry.Person.IDs)
		require.Equal(t, len(h.in[i]), entry.Unread)
		all := h.b.messages(entry.ID.String())
		require.Len(t, all, len(h.in[i])+len(h.typed[i])+len(h.sent[i]))
		require.Equal(t, all[len(all)-1].ID, entry.Last.ID)
		last := int64(0)
		for _, m := range all {
			require.GreaterOrEqual(t, m.Pos, last)
			last = m.Pos
			if m.Direction == whatsapp.In {
				require.Equal(t, entry.Person.ID, m.SenderID)
				require.True(t, h.in[i][m.WAID])
			}
		}
	}
	require.Len(t, h.b.chats(), active)
	rank := map[string]int{"failed": 1, "sent": 2, "delivered": 3, "read": 4, "played": 5}
	reached := map[id.Message]int{}
	for _, ev := range told[events.MessageStatusChanged](h.b) {
		require.Greater(t, rank[ev.Status], reached[ev.Message])
		reached[ev.Message] = rank[ev.Status]
	}
	attempted := map[string]int{}
	for _, m := range h.line.attempts {
		attempted[m.WAID]++
		require.LessOrEqual(t, attempted[m.WAID], 1, "acknowledged at the first attempt")
	}
}
