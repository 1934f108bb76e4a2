package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// framePoll is how often the network's log is read; it holds the last few thousand entries.
const framePoll = 150 * time.Millisecond

// frame is one entry of the network's log.
type frame struct {
	Seq       uint64    `json:"seq"`
	At        time.Time `json:"at"`
	Conn      uint64    `json:"conn"`
	Device    string    `json:"device,omitempty"`
	Direction string    `json:"direction"`
	Tag       string    `json:"tag"`
	ID        string    `json:"id,omitempty"`
	Type      string    `json:"type,omitempty"`
	Class     string    `json:"class,omitempty"`
	Peer      string    `json:"peer,omitempty"`
	Stanza    uint64    `json:"stanza,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// login is a connection that was let in.
type login struct {
	at   time.Time
	conn uint64
}

// watcher reads the network's log while the run goes on and keeps what the checks need.
type watcher struct {
	sim  *simulator
	file *os.File // every entry, as evidence; nil: not kept
	out  *bufio.Writer

	mu     sync.Mutex
	last   uint64
	lost   uint64             // entries that were overwritten before they were read
	logins map[string][]login // by number
	newest map[string]uint64  // newest connection that was let in, by device
	stale  []frame            // taken from a connection although a newer one was in
	events []frame            // what the network found wrong with messages
	sent   map[string]time.Time
	wants  bool // keep when messages of clients came
}

func newWatcher(sim *simulator, file string) (*watcher, error) {
	w := &watcher{sim: sim, logins: map[string][]login{}, newest: map[string]uint64{}, sent: map[string]time.Time{}}
	if file == "" {
		return w, nil
	}
	var err error
	if w.file, err = os.Create(file); err == nil {
		w.out = bufio.NewWriterSize(w.file, 1<<20)
	}
	return w, err
}

// run reads until ctx ends, and then once more.
func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(framePoll)
	defer tick.Stop()
	for ctx.Err() == nil {
		w.read(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	w.read(context.WithoutCancel(ctx))
	if w.file != nil {
		_ = w.out.Flush()
		_ = w.file.Close()
	}
}

// read takes what is new.
func (w *watcher) read(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		var page struct {
			Items []frame `json:"items"`
		}
		w.mu.Lock()
		after := w.last
		w.mu.Unlock()
		if err := web.Call(ctx, "GET", w.sim.url("/sim/log?limit=10000&after="+strconv.FormatUint(after, 10)), nil, &page); err != nil {
			return // again soon; what is overwritten meanwhile is counted
		}
		w.mu.Lock()
		for _, f := range page.Items {
			w.take(f)
		}
		w.mu.Unlock()
		if len(page.Items) < 10_000 {
			return
		}
	}
}

// take notes one entry. The caller holds mu.
func (w *watcher) take(f frame) {
	if f.Seq > w.last+1 {
		w.lost += f.Seq - w.last - 1
	}
	w.last = f.Seq
	if w.out != nil {
		if raw, err := json.Marshal(f); err == nil {
			_, _ = w.out.Write(append(raw, '\n'))
		}
	}
	switch {
	case f.Direction == "event" && f.Tag == "connected":
		number, _, _ := strings.Cut(f.Device, ":")
		number, _, _ = strings.Cut(number, "@")
		w.logins[number] = append(w.logins[number], login{f.At, f.Conn})
		w.newest[f.Device] = max(w.newest[f.Device], f.Conn)
	case f.Direction == "event" && (f.Tag == "ratchet_reuse" || f.Tag == "id_reuse" || f.Tag == "stale_counter" || f.Tag == "undecryptable"):
		w.events = append(w.events, f)
	case f.Direction == "in" && f.Device != "" && f.Conn < w.newest[f.Device]:
		w.stale = append(w.stale, f)
	case f.Direction == "in" && f.Tag == "message" && w.wants:
		if _, isKnown := w.sent[f.ID]; !isKnown {
			w.sent[f.ID] = f.At
		}
	}
}

// loginAfter gives the first time after the instant at which the number's line was let in.
func (w *watcher) loginAfter(number string, at time.Time) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.logins[number] {
		if l.at.After(at) {
			return l.at, true
		}
	}
	return time.Time{}, false
}

// sentAt gives when the network first got a message of a client.
func (w *watcher) sentAt(id string) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.sent[id]
	return at, ok
}

func (f frame) String() string {
	return fmt.Sprintf("#%d %s %s %s conn %d device %s id %s peer %s %s", f.Seq, f.At.Format(clock), f.Direction, f.Tag, f.Conn, f.Device, f.ID, f.Peer, f.Note)
}
