package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"turnero/test/drive"
)

// meter measures a side.
type meter struct {
	pid      int
	database string // name of its database on a PostgreSQL server, whose processes for it are counted in; "" for none
}

// rate gives how many things a second do does, if it does n, and how many milliseconds of processor time each took. What processes used that
// ended meanwhile is not counted.
func (m meter) rate(n int, do func() error) (perSecond, cpu float64, err error) {
	before, err := m.used()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err = do(); err != nil {
		return 0, 0, err
	}
	perSecond = float64(n) / time.Since(start).Seconds()
	after, err := m.used()
	for pid, seconds := range after {
		cpu += (seconds - before[pid]) * 1000 / float64(n)
	}
	return perSecond, cpu, err
}

// used gives the seconds of processor time that each process of the side has used so far.
func (m meter) used() (map[int]float64, error) {
	own, err := drive.ProcessorTime(m.pid)
	used := map[int]float64{m.pid: own.Seconds()}
	if err != nil || m.database == "" {
		return used, err
	}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	for _, path := range processes {
		title, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(title), "postgres: ") || !strings.Contains(string(title), " "+m.database+" ") {
			continue // some end while we look
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		if t, err := drive.ProcessorTime(pid); err == nil {
			used[pid] = t.Seconds()
		}
	}
	return used, nil
}

// databaseOf gives the database that a URL names.
func databaseOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

// latency has the contacts write at the plan's rate and gives quantiles, in milliseconds, of the time from before a message is written to its acknowledgement.
func latency(sim string, p plan) (p50, p99 float64, err error) {
	if p.Rate == 0 {
		return 0, 0, nil
	}
	to := make([]string, p.Sessions)
	for i := range to {
		to[i] = business(i)
	}
	var report struct {
		ID      int    `json:"id"`
		State   string `json:"state"`
		Latency struct {
			P50 float64 `json:"p50"`
			P99 float64 `json:"p99"`
		} `json:"latencyMs"`
	}
	err = call("POST", "http://"+sim+"/sim/load", map[string]any{"first": contact(0), "phones": p.Sessions, "to": to, "rate": p.Rate, "duration": p.Seconds}, &report)
	for err == nil && report.State != "done" {
		if report.State == "stopped" || report.State == "overdue" {
			return 0, 0, fmt.Errorf("incoming at a rate: the script is %s", report.State)
		}
		time.Sleep(100 * time.Millisecond)
		err = call("GET", fmt.Sprintf("http://%s/sim/load/%d", sim, report.ID), nil, &report)
	}
	return report.Latency.P50, report.Latency.P99, err
}
