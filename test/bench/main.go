package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// callers is how many messages are on their way at once.
const callers = 32

// plan is what a run does.
type plan struct {
	Sessions int
	Messages int
	Rate     float64 // of incoming messages while their latency is measured, a second; 0 for not at all
	Seconds  float64 // for so long
	Profiles string  // folder for profiles of Turnero; "" for none
}

// result is what one side was measured at.
type result struct {
	Name      string
	BaseKiB   int64   // resident before the first session
	IdleKiB   float64 // per session, connected, nothing sent yet
	UsedKiB   float64 // per session, after the traffic
	OutPerSec float64 // messages acknowledged by the network
	InPerSec  float64 // messages that the side has taken in
	OutCPU    float64 // milliseconds of processor time per message, of the side and its database
	InCPU     float64
	InP50     float64 // milliseconds from the phone to the acknowledgement of what is stored, at the rate of the plan
	InP99     float64
}

func main() {
	sessions := flag.Int("sessions", 500, "sessions of each side")
	messages := flag.Int("messages", 5000, "messages in each direction")
	inRate := flag.Float64("rate", 300, "incoming messages a second while their latency is measured; 0 leaves it out")
	seconds := flag.Float64("seconds", 15, "for how long it is measured")
	only := flag.String("only", "", "measure only these sides: a comma-separated part of bare-memory,bare-sqlite,bare-postgres,turnero-sqlite,turnero-postgres")
	profiles := flag.String("profiles", "", "folder to write profiles of Turnero to: CPU of the first 3 s of each direction (rates are lower then), allocations before and after it, and the heap at the end")
	binary := flag.String("turnero", "bin/turnero", "the program to measure")
	child := flag.String("child", "", "store of a bare side to be measured in this process (used by bench itself)")
	sim := flag.String("sim", "", "address of the local network (used by bench itself)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := plan{*sessions, *messages, *inRate, *seconds, *profiles}
	if *child != "" {
		r, err := measureBare(ctx, *child, *sim, p)
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(r)
		}
		exitOn(err)
		return
	}
	var results []result
	for _, side := range []struct {
		name string
		run  func() (result, error)
	}{
		{"bare-memory", func() (result, error) { return spawnBare(ctx, *binary, "memory", p) }},
		{"bare-sqlite", func() (result, error) { return spawnBare(ctx, *binary, "sqlite", p) }},
		{"bare-postgres", func() (result, error) { return spawnBare(ctx, *binary, "postgres", p) }},
		{"turnero-sqlite", func() (result, error) { return measureTurnero(ctx, *binary, "sqlite", p) }},
		{"turnero-postgres", func() (result, error) { return measureTurnero(ctx, *binary, "postgres", p) }},
	} {
		if *only != "" && !strings.Contains(","+*only+",", ","+side.name+",") {
			continue
		}
		start := time.Now()
		r, err := side.run()
		if err != nil {
			report(p, results)
			exitOn(err)
		}
		r.Name = side.name
		results = append(results, r)
		fmt.Fprintf(os.Stderr, "bench: %s measured in %s\n", side.name, time.Since(start).Round(time.Second))
	}
	report(p, results)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// report prints the table; ratios are to the bare library on the same kind of store, where that was measured.
func report(p plan, results []result) {
	byName := map[string]result{}
	for _, r := range results {
		byName[r.Name] = r
	}
	fmt.Printf("\n%d sessions, %d messages each way, %d callers. Load average: %s\n\n", p.Sessions, p.Messages, callers, loadAverage())
	fmt.Println("| side | memory idle KiB/session | after traffic | out msg/s | in msg/s | out vs bare on the same store | in vs bare on the same store | CPU ms per message out | in | in p50 ms | p99 ms |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range results {
		_, store, _ := strings.Cut(r.Name, "-")
		bare, ok := byName["bare-"+store]
		out, in := "", ""
		if ok && bare.Name != r.Name {
			out, in = fmt.Sprintf("%.2f", r.OutPerSec/bare.OutPerSec), fmt.Sprintf("%.2f", r.InPerSec/bare.InPerSec)
		}
		fmt.Printf("| %s | %.0f | %.0f | %.0f | %.0f | %s | %s | %.2f | %.2f | %.1f | %.1f |\n", r.Name, r.IdleKiB, r.UsedKiB, r.OutPerSec, r.InPerSec, out, in, r.OutCPU, r.InCPU, r.InP50, r.InP99)
	}
}

func loadAverage() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(raw))[:3], " ")
}

// spawnBare measures a bare side in a fresh process against a fresh network.
func spawnBare(ctx context.Context, binary, store string, p plan) (r result, err error) {
	sim, err := startSim(ctx, binary)
	if err != nil {
		return r, err
	}
	defer sim.stop()
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "-child", store, "-sim", sim.address, "-sessions", fmt.Sprint(p.Sessions), "-messages", fmt.Sprint(p.Messages),
		"-rate", fmt.Sprint(p.Rate), "-seconds", fmt.Sprint(p.Seconds))
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("bare %s: %w", store, err)
	}
	return r, json.Unmarshal(raw, &r)
}
