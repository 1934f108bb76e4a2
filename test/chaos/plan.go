package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// action is one thing that will go wrong. Everything about it is settled before the run begins.
type action struct {
	Number int
	At     time.Duration // after the beginning
	Kind   string
	Who    int           // process
	Length time.Duration // until it is healed
	Draw   uint64        // for what the action itself leaves to chance
}

func (a action) String() string {
	who := fmt.Sprintf("p%d", a.Who)
	if kinds[a.Kind].isForAll {
		who = "all"
	}
	return fmt.Sprintf("%2d. at %5.1fs %-14s %-3s for %.1fs", a.Number, a.At.Seconds(), a.Kind, who, a.Length.Seconds())
}

// plan makes the actions of a run. Equal arguments give equal plans. A quarter of them begin while the one before still lasts.
func plan(seed uint64, duration time.Duration, instances int, chosen []string, rest time.Duration) []action {
	draw := rand.New(rand.NewPCG(seed, 0))
	var out []action
	var bag []string
	at := 3 * time.Second
	for {
		if len(bag) == 0 { // each kind comes once before any comes again
			bag = slices.Clone(chosen)
			draw.Shuffle(len(bag), func(i, j int) { bag[i], bag[j] = bag[j], bag[i] })
		}
		a := action{Number: len(out) + 1, At: at, Kind: bag[0], Who: draw.IntN(instances), Draw: draw.Uint64()}
		bag = bag[1:]
		k := kinds[a.Kind]
		a.Length = (k.least + time.Duration(draw.Int64N(int64(k.most-k.least)+1))).Round(100 * time.Millisecond)
		pause := rest/2 + time.Duration(draw.Int64N(int64(rest)))
		if draw.IntN(4) == 0 {
			at += time.Duration(draw.Int64N(int64(a.Length) + 1))
		} else {
			at += a.Length + pause
		}
		if a.At+a.Length > duration {
			return out
		}
		out = append(out, a)
	}
}

// chooseKinds reads the list of kinds of faults that a run is made of. Empty: all. A leading minus leaves one out.
func chooseKinds(list string) ([]string, error) {
	all := kindNames()
	if list == "" {
		return all, nil
	}
	var chosen []string
	if strings.HasPrefix(list, "-") {
		chosen = all
	}
	for name := range strings.SplitSeq(list, ",") {
		bare := strings.TrimPrefix(name, "-")
		if _, ok := kinds[bare]; !ok {
			return nil, fmt.Errorf("there is no fault %q; there are %s", bare, strings.Join(all, ", "))
		}
		if name != bare {
			chosen = slices.DeleteFunc(chosen, func(s string) bool { return s == bare })
		} else if !slices.Contains(chosen, bare) {
			chosen = append(chosen, bare)
		}
	}
	return chosen, nil
}

// joined prints items as indented lines, at most so many of them.
func joined[T any](items []T, most int, show func(T) string) string {
	var b strings.Builder
	for i, x := range items {
		if i == most {
			fmt.Fprintf(&b, "\n    … and %d more", len(items)-most)
			break
		}
		b.WriteString("\n    " + show(x))
	}
	return b.String()
}
