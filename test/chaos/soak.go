package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// soakEvery is the time between two faults of a soak, and between two measurements.
const soakEvery = 30 * time.Second

// soakFlat is how much of its mean a measure may grow in an hour before it counts as a leak.
const soakFlat = 0.05

// sample is the size of the process that is never killed, at one moment.
type sample struct {
	at time.Time
	size
}

// sampling measures process 0 every so often until stop is called. In a soak nothing ends that process, so that its memory has a history.
func (c *campaign) sampling(ctx context.Context, every time.Duration) (stop func() []sample) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan []sample, 1)
	go func() {
		var all []sample
		for {
			last(ctx, every)
			if ctx.Err() != nil {
				done <- all
				return
			}
			s, err := c.size(ctx, c.instances[0])
			if err != nil {
				continue // it is stopped, or Redis is away: the next one counts
			}
			all = append(all, sample{time.Now(), s})
			c.logf("soak: %d sessions, resident %d MiB, heap %d MiB, %d goroutines", s.sessions, s.residentKiB>>10, s.heapKiB>>10, s.goroutines)
		}
	}()
	return func() []sample { cancel(); return <-done }
}

// judgeSoak prints how the measures moved and blames those that grow. The first fifth is left out: caches fill.
func (c *campaign) judgeSoak(samples []sample) {
	samples = samples[len(samples)/5:]
	if len(samples) < 4 {
		c.blame("%d samples are too few to say anything: run it for longer", len(samples))
		return
	}
	fmt.Fprintln(c.say, "\n| process 0 | mean | slope an hour | ± | flat |\n|---|---|---|---|---|")
	for _, m := range []struct {
		name string
		of   func(size) float64
	}{
		{"resident MiB", func(s size) float64 { return float64(s.residentKiB) / 1024 }},
		{"heap MiB", func(s size) float64 { return float64(s.heapKiB) / 1024 }},
		{"goroutines", func(s size) float64 { return float64(s.goroutines) }},
	} {
		mean, slope, deviation := trend(samples, m.of)
		isFlat := slope-2*deviation <= soakFlat*mean
		fmt.Fprintf(c.say, "| %s | %.1f | %+.2f (%+.1f %%) | %.2f | %s |\n", m.name, mean, slope, 100*slope/mean, 2*deviation, yes(isFlat))
		if !isFlat {
			c.blame("%s of process 0 grows by %.2f an hour, its mean is %.1f", m.name, slope, mean)
		}
	}
}

// trend fits measure = a + b × hours + c × sessions by least squares and gives the mean, b, and b's standard deviation: how many sessions the
// process has changes with every takeover and is no leak.
func trend(samples []sample, of func(size) float64) (mean, slope, deviation float64) {
	n := float64(len(samples))
	var hours, sessions, values []float64
	for _, s := range samples {
		hours = append(hours, s.at.Sub(samples[0].at).Hours())
		sessions = append(sessions, float64(s.sessions))
		values = append(values, of(s.size))
	}
	average := func(x []float64) (sum float64) {
		for _, v := range x {
			sum += v / n
		}
		return sum
	}
	product := func(x, y []float64) (sum float64) {
		mx, my := average(x), average(y)
		for i := range x {
			sum += (x[i] - mx) * (y[i] - my)
		}
		return sum
	}
	hh, hs, ss := product(hours, hours), product(hours, sessions), product(sessions, sessions)
	hv, sv := product(hours, values), product(sessions, values)
	mean = average(values)
	perSession := 0.0
	determinant := hh*ss - hs*hs
	if ss > 0 && determinant > 1e-9*hh*ss {
		slope, perSession = (hv*ss-sv*hs)/determinant, (sv*hh-hv*hs)/determinant
	} else {
		slope, determinant, ss = hv/hh, hh, 1
	}
	residual := product(values, values) - slope*hv - perSession*sv
	return mean, slope, math.Sqrt(max(residual, 0) / max(n-3, 1) * ss / determinant)
}

// soakPlan makes a plan with one action at each step, of which none ends process 0.
func soakPlan(seed uint64, duration, every time.Duration, instances int, chosen []string) []action {
	actions := plan(seed, duration*10, instances, chosen, time.Second)
	actions = actions[:min(len(actions), int(duration/every)-1)]
	for n := range actions {
		a := &actions[n]
		a.At = time.Duration(n+1) * every
		if a.Who == 0 && slices.Contains([]string{"kill", "term"}, a.Kind) {
			a.Who = 1 + n%(instances-1)
		}
	}
	return actions
}
