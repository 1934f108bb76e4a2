package wasim

import (
	"math"
	"strconv"
	"time"
)

// faultKind says what a fault of a kind does: to connections, at once, or when the network asks for it at the place where it
// matters.
type faultKind struct {
	about string
	conn  func(c *conn, f *Fault)                 // acts on one connection
	at    func(n *Network, f *Fault) (int, error) // acts at once and returns how many it struck
	lasts bool                                    // acts on connections that come later as well, unless it has a count or a rate
	check func(f *Fault) error
	fill  func(f *Fault) // defaults
}

// faultKinds are the kinds of faults by their names.
var faultKinds = map[string]*faultKind{
	"cut":           {about: "close connections without a word, as a lost network does", conn: hitCut},
	"stream_error":  {about: "end connections with <stream:error code>; 503 by default", conn: hitStreamError, fill: defaultCode(503)},
	"replace":       {about: "end connections as if the same device had connected elsewhere", conn: hitReplace},
	"black_hole":    {about: "keep connections open but neither read nor write", conn: hitDeafen, lasts: true},
	"logout":        {about: "unlink the devices, as from the phone", at: strikeLogout},
	"restrict":      {about: "lock the accounts' outgoing messages for a duration: error 463 and the notice with its end", at: strikeRestrict, check: isRestriction},
	"slow":          {about: "take and write every stanza of a connection late", check: needsDelay},
	"drop_ack":      {about: "take messages of clients but do not acknowledge them"},
	"delay_ack":     {about: "acknowledge messages of clients late", check: needsDelay},
	"nack":          {about: "refuse messages of clients with a code; 463 by default", fill: defaultCode(463)},
	"delay":         {about: "deliver stanzas to clients late, in order", check: needsDelay},
	"duplicate":     {about: "deliver messages to clients twice"},
	"reorder":       {about: "hold a message back until the next one has been delivered"},
	"corrupt":       {about: "damage ciphertexts on their way to clients"},
	"http_503":      {about: "answer new connections with an HTTP status; 503 by default", fill: defaultCode(503), check: forEverybody},
	"login_failure": {about: "refuse logins with a reason; 503 by default, 402 is a temporary ban, 405 an outdated client", fill: defaultCode(503)},
	"query_error":   {about: "answer queries with an error code; 500 by default", fill: defaultCode(500)},
	"query_silence": {about: "do not answer queries"},
}

// faultAliases are other names for a kind, or for a kind with certain values.
var faultAliases = map[string]func(f *Fault){
	"drop":          aliasOf("drop_ack", 0, ""),
	"http":          aliasOf("http_503", 0, ""),
	"out_of_order":  aliasOf("reorder", 0, ""),
	"remove_device": aliasOf("logout", 0, ""),
	"ban":           aliasOf("login_failure", 402, ""),
	"402":           aliasOf("login_failure", 402, ""),
	"405":           aliasOf("login_failure", 405, ""),
	"409":           aliasOf("login_failure", 409, ""),
	"503":           aliasOf("login_failure", 503, ""),
	"463":           aliasOf("restrict", 0, ""),
	"prekey_error":  aliasOf("query_error", 0, "encrypt/key"),
	"device_error":  aliasOf("query_error", 0, "usync"),
}

// FaultKinds returns the kinds of faults with what they do.
func FaultKinds() map[string]string {
	kinds := make(map[string]string, len(faultKinds))
	for name, k := range faultKinds {
		kinds[name] = k.about
	}
	return kinds
}

func aliasOf(kind string, code int, query string) func(*Fault) {
	return func(f *Fault) {
		f.Kind = kind
		if f.Code == 0 {
			f.Code = code
		}
		if f.Query == "" {
			f.Query = query
		}
	}
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

func isRestriction(f *Fault) error {
	if f.Device != 0 {
		return invalid("device", "an account is restricted with all its linked devices")
	}
	return checkRestriction(f.Type)
}

func forEverybody(f *Fault) error {
	if f.Number != "" {
		return invalid("number", "who connects is not yet known when this fault strikes")
	}
	return nil
}

func hitCut(c *conn, _ *Fault) {
	c.net.frames.note(c, "cut", "")
	c.cut()
}

func hitStreamError(c *conn, f *Fault) { c.end(streamError(strconv.Itoa(f.Code), "")) }

func hitReplace(c *conn, _ *Fault) { c.replace() }

// hitDeafen lets one connection fall into a black hole, for the fault's duration or for good.
func hitDeafen(c *conn, f *Fault) {
	until := int64(math.MaxInt64)
	if f.Duration > 0 {
		until = time.Now().Add(seconds(f.Duration)).UnixNano()
	}
	c.deafUntil.Store(until)
	c.net.frames.note(c, "black_hole", "")
}

// strikeLogout unlinks devices, connected or not: all that fit, or as many of them as the fault counts.
func strikeLogout(n *Network, f *Fault) (int, error) {
	var list []*device
	for _, a := range n.everybody() {
		for _, d := range a.linked() {
			if f.fits(d.occasion()) {
				list = append(list, d)
			}
		}
	}
	if f.Count > 0 && f.Count < len(list) {
		f.chance().Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:f.Count]
	}
	for i, d := range list {
		if err := n.unlinkAtPhone(d); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// strikeRestrict restricts the accounts that have linked devices.
func strikeRestrict(n *Network, f *Fault) (int, error) {
	var list []*account
	for _, a := range n.everybody() {
		if f.Number == a.number() || f.Number == "" && len(a.linked()) > 0 {
			list = append(list, a)
		}
	}
	if f.Count > 0 && f.Count < len(list) {
		f.chance().Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:f.Count]
	}
	duration := f.Duration
	if duration == 0 {
		duration = float64(f.Expire)
	}
	for i, a := range list {
		if err := n.restrict(a, f.Type, seconds(duration)); err != nil {
			return i, err
		}
	}
	return len(list), nil
}
