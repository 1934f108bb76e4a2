package wasim

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxFaultDelay bounds what a fault may hold up, in seconds.
	maxFaultDelay = 300
	// maxFaultDuration bounds how long a fault or a restriction lasts, in seconds.
	maxFaultDuration = 366 * 24 * 3600
)

// Fault is something that goes wrong on purpose.
//
// A kind that acts on connections (see FaultKinds) strikes all of them at once, or Count of them taken at random; with Every or
// Probability it strikes connections as their clients send stanzas. Every other kind waits for its occasions: each message,
// stanza, query, login or dial that it is about. Of the occasions that fit, Every picks each n-th and Probability some by chance.
type Fault struct {
	ID          int     `json:"id"`
	Kind        string  `json:"kind"`                  // one of FaultKinds, or another name for one
	Number      string  `json:"number,omitempty"`      // whose devices it strikes; empty: everybody's
	Device      int     `json:"device,omitempty"`      // which linked device of Number; 0: all of them
	Count       int     `json:"count,omitempty"`       // how often it strikes; 0: until it ends
	Every       int     `json:"every,omitempty"`       // strikes each n-th occasion; 0 and 1: each
	Probability float64 `json:"probability,omitempty"` // 0 to 1; 0 means always
	Seed        uint64  `json:"seed,omitempty"`        // of the chance; 0: the fault's ID
	Duration    float64 `json:"duration,omitempty"`    // seconds after which it ends; 0: when its count is used up or it is cleared
	Delay       float64 `json:"delay,omitempty"`       // seconds, for kinds that delay; at most 300
	Code        int     `json:"code,omitempty"`        // error code or reason, for kinds that have one
	Expire      int     `json:"expire,omitempty"`      // seconds until a temporary ban ends
	Type        string  `json:"type,omitempty"`        // of a restriction
	Query       string  `json:"query,omitempty"`       // which queries: their xmlns, or xmlns and first child as in "encrypt/key"; empty: all
	Struck      int     `json:"struck"`                // how often it has struck so far
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
	ends   time.Time
	seen   int // occasions
	chance *rand.Rand
}

// occasion is what a fault may strike: a number and a device of it, as far as they are known.
type occasion struct {
	number string
	device int
}

func newFaultTable(n *Network) *faultTable { return &faultTable{net: n} }

// Fault makes something go wrong and returns it with its ID. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Fault(f Fault) (Fault, error) {
	kind, err := n.prepare(&f)
	if err != nil {
		return Fault{}, err
	}
	isAtRate := f.Every > 1 || f.Probability > 0
	switch {
	case kind.at != nil && isAtRate:
		return Fault{}, invalid("kind", f.Kind+" strikes once and for all: it has no rate")
	case kind.at != nil:
		f.ID = n.faults.nextID()
		f.Struck, err = kind.at(n, &f)
		n.faults.note(f.Kind, f.Struck)
		return f, err
	case kind.conn != nil && !isAtRate && !(kind.lasts && f.Count == 0):
		f.ID = n.faults.nextID()
		for _, c := range n.chosen(&f) {
			kind.conn(c, &f)
			f.Struck++
		}
		n.faults.note(f.Kind, f.Struck)
		return f, nil
	}
	n.faults.arm(&f)
	return f, nil
}

// prepare completes and checks a fault.
func (n *Network) prepare(f *Fault) (*faultKind, error) {
	f.Kind, f.ID, f.Struck = strings.ReplaceAll(f.Kind, "-", "_"), 0, 0
	if alias := faultAliases[f.Kind]; alias != nil {
		alias(f)
	}
	kind := faultKinds[f.Kind]
	if kind == nil {
		return nil, invalid("kind", "there is no fault "+strconv.Quote(f.Kind))
	}
	if f.Number != "" {
		a, err := n.phoneOf(f.Number)
		if err != nil {
			return nil, err
		}
		f.Number = a.number()
	}
	switch {
	case f.Count < 0 || f.Every < 0 || f.Duration < 0 || f.Delay < 0 || f.Device < 0 || f.Expire < 0:
		return nil, invalid("count", "count, every, duration, delay, device and expire cannot be negative")
	case f.Probability < 0 || f.Probability > 1:
		return nil, invalid("probability", "a probability lies between 0 and 1")
	case f.Delay > maxFaultDelay:
		return nil, invalid("delay", "a delay is at most 300 seconds")
	case f.Duration > maxFaultDuration || f.Expire > maxFaultDuration:
		return nil, invalid("duration", "a fault lasts at most a year")
	case f.Device > 0 && f.Number == "":
		return nil, invalid("device", "a device belongs to a number")
	}
	if kind.fill != nil {
		kind.fill(f)
	}
	if kind.check != nil {
		return kind, kind.check(f)
	}
	return kind, nil
}

// chosen returns the open connections that a fault strikes at once: all that fit, or as many of them as it counts.
func (n *Network) chosen(f *Fault) []*conn {
	list := n.connections(f.Number)
	list = slices.DeleteFunc(list, func(c *conn) bool { return f.Device > 0 && c.occasion().device != f.Device })
	if f.Count > 0 && f.Count < len(list) {
		slices.SortFunc(list, func(x, y *conn) int { return int(x.id) - int(y.id) })
		f.chance().Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:f.Count]
	}
	return list
}

// chance is the fault's own source of chance: the same seed makes the same choices.
func (f *Fault) chance() *rand.Rand {
	seed := f.Seed
	if seed == 0 {
		seed = uint64(f.ID)
	}
	return rand.New(rand.NewPCG(seed, 0))
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

// ClearFaults ends all faults in force, lifts all restrictions and lets deaf connections hear again.
func (n *Network) ClearFaults() {
	n.faults.mu.Lock()
	n.faults.list = nil
	n.faults.count.Store(0)
	n.faults.mu.Unlock()
	for _, a := range n.everybody() {
		if err := n.lift(a, time.Time{}); err != nil {
			n.log.Error("restriction not lifted", "error", err)
		}
	}
	for _, c := range n.connections("") {
		c.deafUntil.Store(0)
		c.signal()
	}
}

// ClearFault ends one fault. Errors: ErrNotFound.
func (n *Network) ClearFault(id int) error {
	t := n.faults
	t.mu.Lock()
	before := len(t.list)
	t.list = slices.DeleteFunc(t.list, func(f *armedFault) bool { return f.ID == id })
	isFound := len(t.list) < before
	t.count.Store(int32(len(t.list)))
	t.mu.Unlock()
	if !isFound {
		return ErrNotFound.because("id", "there is no fault %d in force", id)
	}
	for _, c := range n.connections("") {
		c.signal()
	}
	return nil
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
	armed := &armedFault{Fault: *f, chance: f.chance()}
	if f.Duration > 0 {
		armed.ends = time.Now().Add(seconds(f.Duration))
	}
	t.list = append(t.list, armed)
	t.count.Store(int32(len(t.list)))
}

func (t *faultTable) prune() {
	now := time.Now()
	t.list = slices.DeleteFunc(t.list, func(f *armedFault) bool {
		return f.Count > 0 && f.Struck >= f.Count || !f.ends.IsZero() && now.After(f.ends)
	})
	t.count.Store(int32(len(t.list)))
}

// note counts that a kind of fault has struck.
func (t *faultTable) note(kind string, times int) {
	t.net.stats.Faulted.Add(int64(times))
	t.net.stats.struck(kind).Add(int64(times))
}

func (f *Fault) fits(o occasion) bool {
	return (f.Number == "" || f.Number == o.number) && (f.Device == 0 || f.Device == o.device)
}

// strike returns the first fault of a kind that strikes now, and uses it up once. match may narrow it down.
func (t *faultTable) strike(kind string, o occasion, match func(*Fault) bool) *Fault {
	if t.count.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune()
	for _, f := range t.list {
		if f.Kind != kind || !f.fits(o) || match != nil && !match(&f.Fault) {
			continue
		}
		f.seen++
		if f.Every > 1 && f.seen%f.Every != 0 || f.Probability > 0 && f.chance.Float64() >= f.Probability {
			continue
		}
		f.Struck++
		t.note(kind, 1)
		struck := f.Fault
		return &struck
	}
	return nil
}

// lasts says whether a fault of a kind is in force for everything that happens to somebody, without using it up.
func (t *faultTable) lasts(kind string, o occasion) bool {
	if t.count.Load() == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune()
	return slices.ContainsFunc(t.list, func(f *armedFault) bool {
		return f.Kind == kind && f.Every <= 1 && f.Probability == 0 && f.fits(o)
	})
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
