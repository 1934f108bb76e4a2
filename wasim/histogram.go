package wasim

import (
	"math/bits"
	"time"
)

const (
	// histogramSteps is into how many parts each power of two is divided: a value is known within 1 in 64.
	histogramSteps = 64
	// histogramPowers covers durations of up to 19 hours, in microseconds.
	histogramPowers = 30
)

// histogram counts durations in buckets that grow with them, so that its size does not depend on how many there are.
type histogram struct {
	counts [histogramSteps * (histogramPowers + 1)]uint32
	total  int
	max    time.Duration
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d.Microseconds()))]++
	h.total++
	h.max = max(h.max, d)
}

func bucketOf(us uint64) int {
	shift := max(bits.Len64(us)-7, 0)
	if shift == 0 && us < histogramSteps {
		return int(us)
	}
	if shift >= histogramPowers {
		return histogramSteps*(histogramPowers+1) - 1
	}
	return histogramSteps*(shift+1) + int(us>>shift) - histogramSteps
}

// bucketEnd is the greatest number of microseconds that falls into a bucket.
func bucketEnd(bucket int) uint64 {
	if bucket < histogramSteps {
		return uint64(bucket)
	}
	shift := bucket/histogramSteps - 1
	return (uint64(bucket%histogramSteps+histogramSteps)+1)<<shift - 1
}

// quantile returns the value that a part of all values does not exceed, in milliseconds.
func (h *histogram) quantile(part float64) float64 {
	rank, seen := int(part*float64(h.total)), 0
	for bucket, count := range h.counts {
		if seen += int(count); count > 0 && seen > rank || seen == h.total && seen > 0 {
			return min(float64(bucketEnd(bucket))/1000, milliseconds(h.max))
		}
	}
	return 0
}

func (h *histogram) quantiles() Quantiles {
	return Quantiles{h.quantile(0.5), h.quantile(0.9), h.quantile(0.99), milliseconds(h.max)}
}
