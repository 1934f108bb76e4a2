package wasim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

const (
	// historyLimit is how many messages a phone keeps; the oldest are forgotten first.
	historyLimit = 100_000
	// defaultMessages is how many all phones keep together unless Options.Messages says otherwise. A message between two phones
	// counts twice.
	defaultMessages = 500_000
	// forgottenLogged is after how many forgotten messages the log says so again.
	forgottenLogged = 10_000
)

// Directions of a message as a phone sees it.
const (
	DirectionIn  = "in"
	DirectionOut = "out"
)

// Types of receipts.
const (
	ReceiptSent      = "sent"      // the network took the message
	ReceiptDelivered = "delivered" // a device of the other side has it
	ReceiptRead      = "read"      // somebody has seen it
	ReceiptPlayed    = "played"    // somebody has listened to it
)

// Message is one message as a phone shows it.
type Message struct {
	Seq       uint64    `json:"seq"` // grows by one with each message of the phone; a cursor for Messages
	ID        string    `json:"id"`
	Direction string    `json:"direction"` // DirectionIn or DirectionOut
	Chat      string    `json:"chat"`      // the other number, or the group's address
	From      string    `json:"from"`      // number
	To        string    `json:"to"`        // number or group
	Type      string    `json:"type"`      // text, image, video, audio, document, sticker, location, contact, reaction, poll, edit, revoke, unknown
	Text      string    `json:"text"`
	Timestamp time.Time `json:"timestamp"`
	Device    int       `json:"device"` // which of the sender's devices wrote it; 0 is the phone itself
	Media     *Media    `json:"media,omitempty"`
	Receipts  []Receipt `json:"receipts"`
}

// Receipt is one thing that happened to a message.
type Receipt struct {
	Type      string    `json:"type"`
	By        string    `json:"by,omitempty"`       // number; empty for the network itself
	Device    int       `json:"device"`             // 0 is the phone itself
	Inactive  bool      `json:"inactive,omitempty"` // the device has it, but nobody is looking at it
	Timestamp time.Time `json:"timestamp"`
}

// Has reports whether the message has a receipt of a type.
func (m Message) Has(kind string) bool {
	return slices.ContainsFunc(m.Receipts, func(r Receipt) bool { return r.Type == kind })
}

// entry is a message with what it was made of.
type entry struct {
	Message
	Content []byte `json:"content"`           // waE2E.Message
	Address string `json:"address,omitempty"` // how the writer addressed the chat: receipts come from there
	Sum     uint64 `json:"sum,omitempty"`     // of the ciphertext it came in, to know a retransmission again
	IsSeen  bool   `json:"seen,omitempty"`
}

// newEntry makes the entry of a message that somebody wrote.
func newEntry(id string, from *account, to string, body *waE2E.Message, at time.Time) (*entry, error) {
	raw, err := proto.Marshal(body)
	if err != nil {
		return nil, err
	}
	kind, words, media := describeMessage(body)
	return &entry{Content: raw, Message: Message{ID: id, From: from.number(), To: to, Type: kind, Text: words, Timestamp: at, Media: media}}, nil
}

// asSent makes it an entry of its writer's own phone.
func (e *entry) asSent(chat string) *entry {
	e.Direction, e.Chat = DirectionOut, chat
	e.Receipts = []Receipt{{Type: ReceiptSent, Timestamp: e.Timestamp}}
	return e
}

// asReceived makes it an entry of another phone, which has it now. address is the chat as the writer addresses it.
func (e *entry) asReceived(by, chat string, address types.JID) *entry {
	e.Direction, e.Chat, e.Address = DirectionIn, chat, address.String()
	e.Receipts = []Receipt{{Type: ReceiptDelivered, By: by, Timestamp: e.Timestamp}}
	return e
}

type messageKey struct{ id, from string }

// history is what a phone remembers. The phone's lock guards it.
type history struct {
	entries []*entry
	index   map[messageKey]*entry
	last    uint64
	peers   map[string]bool // numbers with which there is a chat of two, and whether they have written in it

	forgotten uint64 // messages that had to give way
}

func (h *history) find(id, from string) *entry { return h.index[messageKey{id, from}] }

// own finds a message by its ID alone that the phone's account wrote.
func (h *history) own(id, number string) *entry { return h.find(id, number) }

// after returns the entries newer than a sequence number.
func (h *history) after(seq uint64) []*entry {
	i, found := slices.BinarySearchFunc(h.entries, seq, func(r *entry, seq uint64) int {
		switch {
		case r.Seq < seq:
			return -1
		case r.Seq > seq:
			return 1
		}
		return 0
	})
	if found {
		i++
	}
	return h.entries[i:]
}

// add appends a record. The caller holds p.mu.
func (p *phone) add(r *entry, c *changes) {
	h := &p.history
	h.last++
	r.Seq = h.last
	h.entries = append(h.entries, r)
	if h.index == nil {
		h.index = map[messageKey]*entry{}
	}
	h.index[messageKey{r.ID, r.From}] = r
	h.notePeer(r)
	p.keep(r, c)
	if total := p.account.net.kept.Add(1); len(h.entries) > historyLimit || total > int64(p.account.net.options.Messages) {
		p.forgetOldest(c)
	}
}

// notePeer remembers with whom the phone has a chat.
func (h *history) notePeer(r *entry) {
	isIn := r.Direction == DirectionIn && r.Chat == r.From
	if !isIn && (r.Direction == DirectionIn || r.Chat != r.To || strings.Contains(r.To, "@")) {
		return
	}
	if h.peers == nil {
		h.peers = map[string]bool{}
	}
	h.peers[r.Chat] = h.peers[r.Chat] || isIn
}

// hasHeardFrom says whether somebody has written to the phone.
func (p *phone) hasHeardFrom(other *account) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.history.peers[other.number()]
}

// peers returns the numbers with which the phone has a chat.
func (p *phone) peers() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.history.peers))
}

// forgetOldest makes room for the newest message, and says so loudly: whoever compares what was sent with what was shown cannot
// rely on this phone any more. The caller holds p.mu.
func (p *phone) forgetOldest(c *changes) {
	h, n := &p.history, p.account.net
	old := h.entries[0]
	h.entries[0] = nil
	h.entries = h.entries[1:]
	h.forgotten++
	if h.index[messageKey{old.ID, old.From}] == old {
		delete(h.index, messageKey{old.ID, old.From})
	}
	c.del(p.recordKey(old))
	n.kept.Add(-1)
	if count := n.stats.Forgotten.Add(1); count%forgottenLogged == 1 {
		n.log.Error("messages forgotten: the phones have more than they keep", "forgotten", count, "limit", n.options.Messages,
			"phone_limit", historyLimit)
	}
}

func (p *phone) recordKey(r *entry) string {
	return fmt.Sprintf("msg/%s/%016x", p.account.number(), r.Seq)
}

func (p *phone) keep(r *entry, c *changes) {
	if p.account.net.store == nil {
		return
	}
	raw, err := json.Marshal(r)
	if err != nil {
		p.account.net.log.Error("message cannot be encoded", "error", err)
		return
	}
	c.put(p.recordKey(r), raw)
}

// mark adds a receipt to a message unless it has it. The caller holds p.mu.
func (p *phone) mark(r *entry, receipt Receipt, c *changes) bool {
	isKnown := slices.ContainsFunc(r.Receipts, func(x Receipt) bool {
		return x.Type == receipt.Type && x.By == receipt.By && x.Device == receipt.Device && (x.Inactive == receipt.Inactive || !x.Inactive)
	})
	if isKnown {
		return false
	}
	r.Receipts = append(slices.Clip(r.Receipts), receipt)
	p.keep(r, c)
	return true
}

// public returns a copy of the message that later receipts do not change.
func (e *entry) public() Message {
	m := e.Message
	m.Receipts = slices.Clone(e.Receipts)
	if m.Receipts == nil {
		m.Receipts = []Receipt{}
	}
	return m
}
