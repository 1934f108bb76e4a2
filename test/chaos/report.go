package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"turnero/test/drive"
)

// The times within which sessions go over.
const (
	killP95   = 5 * time.Second
	killWorst = 8 * time.Second
	termWorst = time.Second
)

// checkLog looks at what the network and the database noted.
func (c *campaign) checkLog(ctx context.Context) {
	stats, err := c.sim.stats(ctx)
	if err != nil {
		c.blame("network: %v", err)
	}
	c.logf("network: %+v", stats)
	for _, zero := range []struct {
		name string
		n    int64
	}{{"stanzas taken from connections that were left behind", stats.StaleAccepted}, {"ratchet reuse", stats.RatchetReuse}, {"stale ratchet counters", stats.StaleCounters},
		{"other texts under the same message ID", stats.IDReuse}, {"stanzas dropped from full outboxes", stats.Overflows}, {"panics of the network", stats.Panics},
		{"messages that phones forgot", stats.Forgotten}, {"devices unlinked", stats.Unlinked}} {
		if zero.n != 0 {
			c.blame("%s: %d", zero.name, zero.n)
		}
	}
	c.watch.mu.Lock()
	lost, stale, odd := c.watch.lost, c.watch.stale, c.watch.events
	c.watch.mu.Unlock()
	if lost > 0 {
		c.logf("%d entries of the network's log were overwritten before they were read", lost)
	}
	if len(stale) > 0 {
		c.blame("%d frames were taken from a connection although a newer one of the device was in:%s%s", len(stale), joined(stale, 10, frame.String), c.around(stale[0].At))
	}
	for _, f := range odd[:min(len(odd), 20)] {
		c.logf("the network noted: %s%s", f, c.around(f.At))
	}
	if !c.o.audits {
		return
	}
	writes, compared, err := c.db.stale(ctx)
	if err != nil {
		c.blame("audit: %v", err)
		return
	}
	terms, err := c.db.terms(ctx)
	if err != nil || compared == 0 {
		c.blame("the audit compared nothing: %v", err)
	}
	c.logf("database: %d rows compared with the owners of %d terms", compared, terms)
	if len(writes) > 0 {
		c.blame("%d rows were written by others than the owner:%s%s", len(writes), joined(writes, 10, func(s staleWrite) string {
			return fmt.Sprintf("%s %s of session %s by %s; fence %d is %s's", s.At.UTC().Format(clock), s.Place, s.Session, s.Who, s.Fence, s.Owner)
		}), c.around(writes[0].At))
	}
	doubles, err := c.db.doubleFences(ctx)
	if err != nil || len(doubles) > 0 {
		c.blame("fences that were taken twice, of the sessions %v %v", doubles, err)
	}
}

// size is how large a process is.
type size struct {
	name                 string
	pid                  int
	residentKiB, heapKiB int64
	goroutines           int64
	sessions             int
}

// sizes measures every process after a collection.
func (c *campaign) sizes(ctx context.Context) []size {
	var out []size
	for _, i := range c.instances {
		s, err := c.size(ctx, i)
		if err != nil {
			c.logf("%s cannot be measured: %v", i.name(), err)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (c *campaign) size(ctx context.Context, i *instance) (s size, err error) {
	if !i.isUp() {
		return s, errors.New("it does not run")
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for range 2 {
		if err = web.Call(ctx, "POST", "http://"+i.debug+"/debug/free", nil, nil); err != nil {
			return s, err
		}
	}
	s.name, s.pid = i.name(), i.current().PID()
	if s.residentKiB, err = drive.ResidentKiB(s.pid); err != nil {
		return s, err
	}
	m, err := metrics(ctx, i)
	if err != nil {
		return s, err
	}
	s.heapKiB, s.goroutines = int64(m["go_memstats_heap_alloc_bytes"])>>10, int64(m["go_goroutines"])
	owned, err := c.ownedBy(ctx, i)
	s.sessions = len(owned)
	return s, err
}

// metrics reads the metrics that have no labels.
func metrics(ctx context.Context, i *instance) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+i.address+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := web.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	out := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			out[name] = n
		}
	}
	return out, nil
}

// report prints what was measured.
func (c *campaign) report(ctx context.Context, before []size) {
	out, in := c.counts()
	c.logf("texts accepted: %d out, %d in; begun late because their chats were busy: %d", out, in, c.traffic.skipped.Load())
	c.reportTakeovers()
	fmt.Fprintln(c.say, "\n| process | sessions | resident MiB | heap MiB | goroutines |\n|---|---|---|---|---|")
	for _, s := range before {
		fmt.Fprintf(c.say, "| %s at the start | %d | %d | %d | %d |\n", s.name, s.sessions, s.residentKiB>>10, s.heapKiB>>10, s.goroutines)
	}
	for _, s := range c.sizes(ctx) {
		fmt.Fprintf(c.say, "| %s at the end | %d | %d | %d | %d |\n", s.name, s.sessions, s.residentKiB>>10, s.heapKiB>>10, s.goroutines)
	}
}

// verdict fails when anything was wrong.
func (c *campaign) verdict() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) == 0 {
		fmt.Fprintln(c.say, "\nnothing was lost, doubled or out of order, and no session had two writers")
		return nil
	}
	fmt.Fprintf(c.say, "\n%d things were wrong:\n", len(c.wrong))
	for _, w := range c.wrong {
		fmt.Fprintln(c.say, "-", w)
	}
	return fmt.Errorf("%d things were wrong; repeat it with -seed %d; logs and frames are in %s", len(c.wrong), c.o.seed, c.dir)
}

// reportTakeovers prints how long sessions were without a connection after their process ended: where nothing else went wrong at the same
// time, which has goals, and in all.
func (c *campaign) reportTakeovers() {
	fmt.Fprintln(c.say, "\n| process ended by | among other faults | sessions | median | p95 | worst | goal | met |\n|---|---|---|---|---|---|---|---|")
	for _, kind := range []string{"kill", "term", "stop-short", "stop", "stop-tx"} {
		for _, isDisturbed := range []bool{false, true} {
			times, missing := c.takeoverTimes(kind, isDisturbed)
			if len(times) == 0 {
				continue
			}
			p95, worst := percentile(times, 95), times[len(times)-1]
			goal, met := "", ""
			switch {
			case isDisturbed:
			case kind == "kill":
				goal, met = fmt.Sprintf("p95 %s, worst %s", killP95, killWorst), yes(p95 <= killP95 && worst <= killWorst)
			case kind == "term":
				goal, met = fmt.Sprintf("worst %s", termWorst), yes(worst <= termWorst)
			}
			if missing > 0 {
				met += fmt.Sprintf(" (%d stayed with the process, or nobody had them within a minute)", missing)
			}
			fmt.Fprintf(c.say, "| %s | %s | %d | %s | %s | %s | %s | %s |\n", kind, map[bool]string{true: "yes", false: "no"}[isDisturbed], len(times),
				round(percentile(times, 50)), round(p95), round(worst), goal, met)
		}
	}
}

// takeoverTimes gives, sorted, how long sessions had no connection after processes ended in a way.
func (c *campaign) takeoverTimes(kind string, isDisturbed bool) (times []time.Duration, missing int) {
	for _, t := range c.takeovers {
		if t.Kind != kind || c.isDisturbed(t) != isDisturbed {
			continue
		}
		for _, s := range t.Sessions {
			at, ok := c.watch.loginAfter(s.number(), t.At)
			if !ok || at.Sub(t.At) > time.Minute {
				missing++
				continue
			}
			times = append(times, at.Sub(t.At))
		}
	}
	slices.Sort(times)
	return times, missing
}

// isDisturbed reports whether another action was in force while sessions went over.
func (c *campaign) isDisturbed(t *takeover) bool {
	return slices.ContainsFunc(c.actions, func(h *happening) bool {
		return h.Number != t.Action && h.began.Before(t.At.Add(killWorst)) && h.ended.Add(2*time.Second).After(t.At)
	})
}

// percentile picks from sorted times.
func percentile(times []time.Duration, p int) time.Duration {
	return times[min(len(times)-1, len(times)*p/100)]
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "NO"
}
