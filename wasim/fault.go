package wasim

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is something that goes wrong on purpose.
type Fault struct {
	ID          int     `json:"id"`
	Kind        string  `json:"kind"`                  // one of FaultKinds
	Number      string  `json:"number,omitempty"`      // whose devices it strikes; empty: everybody's
	Count       int     `json:"count,omitempty"`       // how often it strikes; 0: until it ends
	Duration    float64 `json:"duration,omitempty"`    // seconds after which it ends; 0: when its count is used up or it is cleared
	Delay       float64 `json:"delay,omitempty"`       // seconds, for kinds that delay
	Code        int     `json:"code,omitempty"`        // error code or reason, for kinds that have one
	Expire      int     `json:"expire,omitempty"`      // seconds until a temporary ban ends
	Query       string  `json:"query,omitempty"`       // xmlns of the queries that query_error strikes; empty: all
	Probability float64 `json:"probability,omitempty"` // 0 to 1; 0 means always
}

// faultKind says what a fault of a kind does: at once, or whenever the network asks for it.
type faultKind struct {
	about string
	now   func(n *Network, f *Fault) int // strikes at once and returns how many it struck
	check func(f *Fault) error
	fill  func(f *Fault) // defaults
}

// faultKinds are the kinds of faults by their names. Kinds with now strike when they are given; the others are asked for at
// the place where they matter.
var faultKinds = map[string]*faultKind{
	"cut":           {about: "close the connections without a word, as a lost network does", now: strikeCut},
	"stream_error":  {about: "end the connections with <stream:error code>; 503 by default", now: strikeStreamError, fill: defaultCode(503)},
	"replace":       {about: "end the connections as if the same device had connected elsewhere", now: strikeReplace},
	"logout":        {about: "unlink the devices, as from the phone", now: strikeLogout},
	"drop_ack":      {about: "take messages of clients but do not acknowledge them"},
	"delay_ack":     {about: "acknowledge messages of clients late", check: needsDelay},
	"nack":          {about: "refuse messages of clients with a code; 463 by default", fill: defaultCode(463)},
	"delay":         {about: "deliver stanzas to clients late, in order", check: needsDelay},
	"duplicate":     {about: "deliver messages to clients twice"},
	"reorder":       {about: "hold a message back until the next one has been delivered"},
	"corrupt":       {about: "damage ciphertexts on their way to clients"},
	"black_hole":    {about: "keep connections open but neither read nor write"},
	"http_503":      {about: "answer new connections with an HTTP status; 503 by default", fill: defaultCode(503)},
	"login_failure": {about: "refuse logins with a reason; 503 by default, 402 is a temporary ban, 405 an outdated client", fill: defaultCode(503)},
	"query_error":   {about: "answer queries with an error code; 500 by default", fill: defaultCode(500)},
}

// faultAliases are other names by which a kind is known.
var faultAliases = map[string]string{"drop": "drop_ack", "ban": "login_failure", "http": "http_503", "out_of_order": "reorder"}

// FaultKinds returns the kinds of faults with what they do.
func FaultKinds() map[string]string {
	kinds := make(map[string]string, len(faultKinds))
	for name, k := range faultKinds {
		kinds[name] = k.about
	}
	return kinds
}

func defaultCode(code int) func(*Fault) {
	return func(f *Fault) {
		if f.Code == 0 {
			f.Code = code
		}
	}
}

func needsDelay(f *Fault) error {
	if f.Delay <= 0 {
		return invalid("delay", "a delay in seconds is needed")
	}
	return nil
}

// faultTable holds the faults in force.
type faultTable struct {
	net   *Network
	count atomic.Int32 // how many are in force, so that a network without any asks nothing

	mu   sync.Mutex
	list []*armedFault
	last int
}

type armedFault struct {
	Fault
	left int // strikes left; -1: no limit
	ends time.Time
}

func newFaultTable(n *Network) *faultTable { return &faultTable{net: n} }

// Fault makes something go wrong and returns it with its ID. Errors: ErrInvalid.
func (n *Network) Fault(f Fault) (Fault, error) {
	f.Kind = strings.ReplaceAll(f.Kind, "-", "_")
	if name, ok := faultAliases[f.Kind]; ok {
		if f.Kind == "ban" && f.Code == 0 {
			f.Code = 402
		}
		f.Kind = name
	}
	kind := faultKinds[f.Kind]
	if kind == nil {
		return Fault{}, invalid("kind", "there is no fault "+strconv.Quote(f.Kind))
	}
	if f.Number != "" {
		a, err := n.phoneOf(f.Number)
		if err != nil {
			return Fault{}, err
		}
		f.Number = a.number()
	}
	if f.Count < 0 || f.Duration < 0 || f.Delay < 0 {
		return Fault{}, invalid("count", "count, duration and delay cannot be negative")
	}
	if f.Probability < 0 || f.Probability > 1 {
		return Fault{}, invalid("probability", "a probability lies between 0 and 1")
	}
	if kind.fill != nil {
		kind.fill(&f)
	}
	if kind.check != nil {
		if err := kind.check(&f); err != nil {
			return Fault{}, err
		}
	}
	if kind.now != nil {
		f.ID = n.faults.nextID()
		n.stats.Faulted.Add(int64(kind.now(n, &f)))
		return f, nil
	}
	n.faults.arm(&f)
	return f, nil
}

// Faults returns the faults in force.
func (n *Network) Faults() []Fault {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.prune()
	list := make([]Fault, 0, len(n.faults.list))
	for _, f := range n.faults.list {
		list = append(list, f.Fault)
	}
	return list
}

// ClearFaults ends all faults in force.
func (n *Network) ClearFaults() {
	n.faults.mu.Lock()
	n.faults.list = nil
	n.faults.count.Store(0)
	n.faults.mu.Unlock()
	for _, c := range n.connections("") {
		c.signal()
	}
}

func (t *faultTable) nextID() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	return t.last
}

func (t *faultTable) arm(f *Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	f.ID = t.last
	armed := &armedFault{Fault: *f, left: -1}
	if f.Count > 0 {
		armed.left = f.Count
	}
	if f.Duration > 0 {
		armed.ends = time.Now().Add(seconds(f.Duration))
	}
	t.list = append(t.list, armed)
	t.count.Store(int32(len(t.list)))
}

func (t *faultTable) prune() {
	now := time.Now()
	t.list = slices.DeleteFunc(t.list, func(f *armedFault) bool { return f.left == 0 || !f.ends.IsZero() && now.After(f.ends) })
	t.count.Store(int32(len(t.list)))
}

// strike returns the first fault of a kind that strikes a number now, and uses it up once. match may narrow it down.
func (t *faultTable) strike(kind, number string, match func(*Fault) bool) *Fault {
	if t.count.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune()
	for _, f := range t.list {
		if f.Kind != kind || f.Number != "" && f.Number != number || match != nil && !match(&f.Fault) {
			continue
		}
		if f.Probability > 0 && rand.Float64() >= f.Probability {
			continue
		}
		if f.left > 0 {
			f.left--
		}
		t.net.stats.Faulted.Add(1)
		struck := f.Fault
		return &struck
	}
	return nil
}

// lasts says whether a fault of a kind is in force for a number, without using it up.
func (t *faultTable) lasts(kind, number string) bool {
	if t.count.Load() == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune()
	return slices.ContainsFunc(t.list, func(f *armedFault) bool {
		return f.Kind == kind && (f.Number == "" || f.Number == number)
	})
}

// attrs are the attributes of <failure>.
func (f *Fault) attrs() attrs {
	a := attrs{"reason": f.Code}
	if f.Code == 402 {
		a["code"], a["expire"] = 102, max(f.Expire, 1)
	}
	return a
}

// messagePlan is what is to happen to a message of a client.
type messagePlan struct {
	nack     int
	dropAck  bool
	delayAck time.Duration
}

func (t *faultTable) onMessage(c *conn) messagePlan {
	var plan messagePlan
	if f := t.strike("nack", c.number(), nil); f != nil {
		plan.nack = f.Code
		return plan
	}
	plan.dropAck = t.strike("drop_ack", c.number(), nil) != nil
	if f := t.strike("delay_ack", c.number(), nil); f != nil {
		plan.delayAck = seconds(f.Delay)
	}
	return plan
}

// onDelivery marks a stanza that was just put into an outbox. The device's lock is held.
func (t *faultTable) onDelivery(d *device, s *stanza) {
	number := d.account.number()
	if f := t.strike("delay", number, nil); f != nil {
		s.notBefore = time.Now().Add(seconds(f.Delay))
	}
	if s.key.class != "message" {
		return
	}
	if t.strike("duplicate", number, nil) != nil {
		s.copies = 1
	}
}

// onSeal damages a ciphertext when that is wanted.
func (t *faultTable) onSeal(d *device, ciphertext []byte) []byte {
	if len(ciphertext) < 4 || t.strike("corrupt", d.account.number(), nil) == nil {
		return ciphertext
	}
	damaged := bytes.Clone(ciphertext)
	damaged[len(damaged)-3] ^= 0xff
	return damaged
}

func (t *faultTable) onLogin(number string) *Fault { return t.strike("login_failure", number, nil) }

func (t *faultTable) onQuery(c *conn, xmlns string) int {
	f := t.strike("query_error", c.number(), func(f *Fault) bool { return f.Query == "" || f.Query == xmlns })
	if f == nil {
		return 0
	}
	return f.Code
}

func (t *faultTable) onUpgrade() int {
	if f := t.strike("http_503", "", nil); f != nil {
		return f.Code
	}
	return 0
}

// isDeaf says whether a connection has fallen into a black hole.
func (t *faultTable) isDeaf(c *conn) bool { return t.lasts("black_hole", c.number()) }

func strikeCut(n *Network, f *Fault) int {
	list := n.connections(f.Number)
	for _, c := range list {
		n.frames.note(c, "cut", "")
		c.ws.CloseNow()
	}
	return len(list)
}

func strikeStreamError(n *Network, f *Fault) int {
	list := n.connections(f.Number)
	for _, c := range list {
		c.end(streamError(strconv.Itoa(f.Code), ""))
	}
	return len(list)
}

func strikeReplace(n *Network, f *Fault) int {
	list := n.connections(f.Number)
	for _, c := range list {
		c.replace()
	}
	return len(list)
}

func strikeLogout(n *Network, f *Fault) int {
	struck := 0
	for _, a := range n.everybody() {
		if f.Number != "" && a.number() != f.Number {
			continue
		}
		for _, d := range a.linked() {
			if err := n.unlink(d, true); err == nil {
				struck++
			}
		}
	}
	return struck
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
