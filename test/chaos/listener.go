package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// listenerSilence is after how long without a word a listener goes elsewhere; a living stream says something every 15 s.
const listenerSilence = 20 * time.Second

// event is one event of the API's stream.
type event struct {
	seq  int64
	name string
	text string // of a message.received
}

// listener follows a tenant's events from one process to the next, each time behind the last one that it saw.
type listener struct {
	run    *campaign
	tenant *tenant

	mu      sync.Mutex
	last    int64
	seen    map[int64]bool
	streams int // how often it had to connect
}

func newListener(c *campaign, t *tenant) *listener {
	return &listener{run: c, tenant: t, seen: map[int64]bool{}}
}

// follow listens until ctx ends.
func (l *listener) follow(ctx context.Context) {
	for ctx.Err() == nil {
		l.mu.Lock()
		after := l.last
		l.streams++
		l.mu.Unlock()
		_ = readEvents(ctx, l.run.anyone(), l.tenant, after, listenerSilence, l.take)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// take notes an event; numbers only ever grow.
func (l *listener) take(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.seq <= l.last {
		l.run.blame("a listener that had event %d got event %d", l.last, e.seq)
	}
	l.last = max(l.last, e.seq)
	l.seen[e.seq] = true
}

// unseen gives the events that the listener has not had yet.
func (l *listener) unseen(log []event) (out []event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range log {
		if !l.seen[e.seq] {
			out = append(out, e)
		}
	}
	return out
}

// readEvents hands the events behind a number to take, until ctx ends or nothing is heard for as long as silence.
func readEvents(ctx context.Context, from *instance, t *tenant, after int64, silence time.Duration, take func(event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watchdog := time.AfterFunc(silence, cancel)
	defer watchdog.Stop()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+from.address+"/api/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-API-Key", t.key)
	req.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("events: %d", resp.StatusCode)
	}
	var e event
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		watchdog.Reset(silence)
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			if e.seq, err = strconv.ParseInt(value, 10, 64); err != nil {
				return err
			}
		case "event":
			e.name = value
		case "data":
			if e.name == "message.received" {
				var data struct {
					Data struct {
						Text string `json:"text"`
					} `json:"data"`
				}
				if err = json.Unmarshal([]byte(value), &data); err != nil {
					return err
				}
				e.text = data.Data.Text
			}
		case "":
			if e.seq > 0 {
				take(e)
			}
			e = event{}
		}
	}
	return errors.Join(lines.Err(), ctx.Err())
}

// log reads all events of a tenant anew, from a process that is well.
func (l *listener) log(ctx context.Context) (all []event, err error) {
	err = readEvents(ctx, l.run.anyone(), l.tenant, 0, 3*time.Second, func(e event) { all = append(all, e) })
	if len(all) > 0 {
		return all, nil
	}
	return nil, err
}
