package phone

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// memoSize is how many numbers are remembered; memoLength the longest text of one.
const (
	memoSize   = 1 << 14
	memoLength = 32
)

// memo remembers what numbers were read as: the rules of all countries take longer than the rest of a request, and a business writes to the same people
// again and again. Where two texts fall on one place the later stays.
type memo struct {
	seed  maphash.Seed
	reads [memoSize]atomic.Pointer[reading]
}

type reading struct {
	text, region, e164 string
	err                error
}

func (m *memo) parse(text, region string, parse func(text, region string) (string, error)) (string, error) {
	if len(text) > memoLength {
		return parse(text, region)
	}
	at := &m.reads[maphash.Comparable(m.seed, [2]string{text, region})%memoSize]
	if r := at.Load(); r != nil && r.text == text && r.region == region {
		return r.e164, r.err
	}
	e164, err := parse(text, region)
	at.Store(&reading{strings.Clone(text), region, e164, err}) // the text may be part of something large
	return e164, err
}
