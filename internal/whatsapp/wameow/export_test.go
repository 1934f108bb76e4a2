package wameow

import "time"

// Hurry makes an engine's pauses between attempts short. To be called before the first session is opened.
func Hurry(e *Engine) {
	e.pace = pace{again: 5 * time.Millisecond, againMost: 20 * time.Millisecond,
		growth: 10 * time.Millisecond, growthMost: 200 * time.Millisecond, refusal: 10 * time.Millisecond, refusalMax: 200 * time.Millisecond, probe: time.Millisecond,
		firstCode: normalPace.firstCode, code: normalPace.code, linking: normalPace.linking}
}

// SilenceLimit and ProbeLimit are what a dead link is noticed by.
var SilenceLimit = silenceLimit

// ProbeLimit is how long a link that seems dead has to answer.
const ProbeLimit = probeLimit

// OutageProbe and OutagePause are the times of SlowOutage.
const (
	OutageProbe = 250 * time.Millisecond
	OutagePause = 8 * time.Second
)

// SlowOutage makes an engine's lines wait long between attempts, but for what an outage does to that.
func SlowOutage(e *Engine) {
	e.pace.growth, e.pace.growthMost, e.pace.probe = 50*time.Millisecond, 2*OutagePause, OutageProbe
}

// IsOut reports whether an engine takes the network for out of reach.
func IsOut(e *Engine) bool {
	e.outage.mu.Lock()
	defer e.outage.mu.Unlock()
	return e.outage.failed >= outageAfter
}

// HurryCodes makes an engine show each code for an instant only.
func HurryCodes(e *Engine) { e.pace.firstCode, e.pace.code = 30*time.Millisecond, 20*time.Millisecond }
