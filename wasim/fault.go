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

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
