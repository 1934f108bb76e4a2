package wasim

import (
	"strconv"
)

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
	"http_503":      {about: "answer new connections with an HTTP status; 503 by default", fill: defaultCode(503), check: forEverybody},
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

func forEverybody(f *Fault) error {
	if f.Number != "" {
		return invalid("number", "who connects is not yet known when this fault strikes")
	}
	return nil
}

func strikeCut(n *Network, f *Fault) int {
	list := n.connections(f.Number)
	for _, c := range list {
		n.frames.note(c, "cut", "")
		c.cut()
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
