package wameow

import (
	"math/rand/v2"
	"time"
)

// pace says how attempts to connect are spread in time after a first one, which begins at once: whoever opens many lines spreads that.
type pace struct {
	again     time.Duration // spread of the first attempt after a loss, before it is widened
	perLine   time.Duration // by which each open line widens it
	againMost time.Duration // the widest it becomes

	growth     time.Duration // pause before the second attempt after a loss; doubles from there
	growthMost time.Duration // longest pause while WhatsApp does not answer: knocking costs nothing then
	refusal    time.Duration // pause after WhatsApp refused the line; doubles with each refusal
	refusalMax time.Duration // longest pause while WhatsApp answers and refuses
	probe      time.Duration // between two attempts of the whole process during an outage

	firstCode, code time.Duration // how long a QR code is shown, as WhatsApp's own web client does
	linking         time.Duration // how long a term waits to be linked, whatever the number of connections that it takes
}

var normalPace = pace{again: 250 * time.Millisecond, perLine: 3 * time.Millisecond, againMost: 6 * time.Second,
	growth: time.Second, growthMost: 10 * time.Second, refusal: 5 * time.Second, refusalMax: 5 * time.Minute, probe: 500 * time.Millisecond,
	firstCode: time.Minute, code: 20 * time.Second, linking: 3 * time.Minute}

// retry is the pause before the n-th attempt (from 1) since the connection last held.
func (p pace) retry(n, lines int) time.Duration {
	if n <= 1 {
		return jitter(min(p.again+time.Duration(lines)*p.perLine, p.againMost))
	}
	return grown(p.growth, p.growthMost, n-2)
}

// refused is the pause before the n-th attempt (from 1) after WhatsApp refused the line.
func (p pace) refused(n int) time.Duration { return grown(p.refusal, p.refusalMax, n-1) }

// grown doubles a pause so many times, up to the most. A half of the result is random.
func grown(pause, most time.Duration, times int) time.Duration {
	if times < 16 {
		pause = min(pause<<max(0, times), most)
	} else {
		pause = most
	}
	return pause/2 + jitter(pause/2)
}

// jitter gives a random duration from zero to most.
func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}
