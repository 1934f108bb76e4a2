package wameow

import "time"

// Hurry makes an engine's pauses between attempts short. To be called before the first session is opened.
func Hurry(e *Engine) {
	e.pace = pace{firstMost: time.Millisecond, again: 5 * time.Millisecond, againMost: 20 * time.Millisecond,
		growth: 10 * time.Millisecond, growthMost: 200 * time.Millisecond,
		firstCode: normalPace.firstCode, code: normalPace.code, linking: normalPace.linking}
}

// Slow makes an engine's pauses so long that it does not connect again within a test.
func Slow(e *Engine) {
	e.pace = pace{firstMost: time.Millisecond, again: time.Hour, againMost: time.Hour, growth: time.Hour, growthMost: time.Hour}
}
