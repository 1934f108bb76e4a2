package wasim

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// phone is the simulated primary device of an account: a Signal endpoint with a memory of its messages.
//
// Its lock is held over one operation of its own cryptography and is never held together with another phone's.
type phone struct {
	account *account

	issued       atomic.Uint32 // one-time keys handed out; changed under account.mu
	installation atomic.Uint32 // how often the phone has been installed anew; changed under account.mu

	keysMu  sync.Mutex
	ownKeys *phoneKeys

	mu         sync.Mutex
	sessions   map[string]*record.SessionStructure
	senderKeys map[string][]byte
	history    history
	retries    map[retryKey]int  // how often the phone has asked for a message again
	peerSent   map[string][]byte // what it sent to its own devices outside of chats, by message ID
	state      *appState
	isOnline   bool
	lastOnline time.Time

	watchMu  sync.Mutex
	watchers map[*Watcher]struct{}
}

type retryKey struct {
	device *device
	id     string
}

func newPhone(a *account) *phone { return &phone{account: a} }

// incoming is one ciphertext for a phone and what the stanza around it says.
type incoming struct {
	from     *device   // which device sent it
	chat     types.JID // the chat it was sent to, as the sender addresses it
	id       string
	envelope *envelope
	verdict  verdict
	sum      uint64 // checksum of the ciphertext
	isPeer   bool   // between an account's own devices, no message of a chat
}

// outcome says what became of an incoming ciphertext.
type outcome int

const (
	wasShown      outcome = iota
	wasHandled            // it was not a message to show: a key, a request
	wasDuplicate          // a message that is there already
	wasRepeated           // a retransmission of something that is no message of a chat, or that could not be read
	wasIDReuse            // another message under an ID that is there already: refused
	wasStale              // a counter of the past: refused
	wasUnreadable         // does not decrypt; the phone asks for it again
)

// receive opens a ciphertext and does with it what a phone does. The plaintext of handled messages is returned.
func (p *phone) receive(ctx context.Context, in *incoming) (outcome, *waE2E.Message, uint64) {
	n := p.account.net
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	known := p.history.find(in.id, in.from.account.number())
	if in.verdict == isRepeat && known != nil {
		return wasDuplicate, nil, 0
	}
	plaintext, err := p.decrypt(ctx, in.from, in.envelope, &c)
	if err != nil {
		isOld := errors.Is(err, signalerror.ErrOldCounter)
		switch {
		case isOld && known != nil && known.Sum == in.sum:
			return wasDuplicate, nil, 0
		case in.verdict == isRepeat || isOld && in.isPeer:
			return wasRepeated, nil, 0
		case isOld:
			return wasStale, nil, 0
		}
		n.log.Warn("phone cannot decrypt", "phone", p.account.pn, "from", in.from.jid, "id", in.id, "error", err)
		return wasUnreadable, nil, 0
	}
	message := &waE2E.Message{}
	if err = proto.Unmarshal(plaintext, message); err != nil {
		return wasUnreadable, nil, n.store.apply(c)
	}
	result, body := wasHandled, p.unwrap(ctx, in, message, &c)
	if body != nil {
		result = p.show(in, known, body, &c)
	}
	return result, message, n.store.apply(c)
}

// unwrap takes what the phone acts upon out of a message and returns what there is to show, if anything. The caller holds p.mu.
func (p *phone) unwrap(ctx context.Context, in *incoming, m *waE2E.Message, c *changes) *waE2E.Message {
	if sent := m.GetDeviceSentMessage().GetMessage(); sent != nil && in.from.account == p.account {
		return sent
	}
	if key := m.GetSenderKeyDistributionMessage(); key != nil {
		if err := p.learnSenderKey(ctx, key.GetGroupID(), in.from, key.GetAxolotlSenderKeyDistributionMessage(), c); err != nil {
			p.account.net.log.Warn("sender key refused", "from", in.from.jid, "error", err)
		}
	}
	if in.isPeer || !hasBody(m) {
		return nil
	}
	return m
}

// show puts a message into the phone's history. The caller holds p.mu.
func (p *phone) show(in *incoming, known *entry, body *waE2E.Message, c *changes) outcome {
	n := p.account.net
	kind, words, _ := describeMessage(body)
	if known != nil {
		if known.Text == words && known.Type == kind {
			return wasDuplicate
		}
		return wasIDReuse
	}
	from := in.from.account
	e, err := newEntry(in.id, from, n.display(in.chat), body, n.now().UTC())
	if err != nil {
		return wasUnreadable
	}
	e.Device, e.Sum = int(in.from.number), in.sum
	switch {
	case from == p.account:
		e.asSent(e.To)
	case isShared(in.chat):
		e.asReceived(p.account.number(), e.To, in.chat)
	default:
		e.asReceived(p.account.number(), e.From, in.chat)
	}
	p.add(e, c)
	p.tell(Event{Type: EventMessage, Message: ptr(e.public())})
	return wasShown
}

// deliver puts a message of another phone into the history: no cryptography is needed between phones.
func (p *phone) deliver(m *writing, to types.JID) (isNew bool, generation uint64) {
	from, id := m.from, m.id
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.history.find(id, from.number()) != nil {
		return false, 0
	}
	chat, addressee := from.number(), p.account.number()
	if isShared(to) {
		chat, addressee = to.String(), to.String()
	}
	e, err := newEntry(id, from, addressee, m.body, m.at)
	if err != nil {
		return false, 0
	}
	var c changes
	p.add(e.asReceived(p.account.number(), chat, to), &c)
	p.tell(Event{Type: EventMessage, Message: ptr(e.public())})
	return true, p.account.net.store.apply(c)
}

// noteReceipt notes what happened to messages that the account wrote.
func (p *phone) noteReceipt(ids []string, receipt Receipt) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c changes
	for _, id := range ids {
		r := p.history.own(id, p.account.number())
		if r == nil || !p.mark(r, receipt, &c) {
			continue
		}
		p.tell(Event{Type: EventReceipt, Message: ptr(r.public()), Receipt: &receipt})
	}
	return p.account.net.store.apply(c)
}

// isShared says whether a chat has more than two sides.
func isShared(chat types.JID) bool {
	return chat.Server == types.GroupServer || chat.Server == types.BroadcastServer
}

func ptr[T any](v T) *T { return &v }
