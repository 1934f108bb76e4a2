package wameow

import "time"

// Hurry makes an engine's pauses between attempts short. To be called before the first session is opened.
func Hurry(e *Engine) {
	e.pace = pace{firstMost: time.Millisecond, again: 5 * time.Millisecond, againMost: 20 * time.Millisecond,
		growth: 10 * time.Millisecond, growthMost: 200 * time.Millisecond,
		firstCode: normalPace.firstCode, code: normalPace.code, linking: normalPace.linking}
}

// HurryCodes makes an engine show each code for an instant only.
func HurryCodes(e *Engine) { e.pace.firstCode, e.pace.code = 30*time.Millisecond, 20*time.Millisecond }
