package wasim

import (
	"bufio"
	"encoding/json"
	"sync"
	"time"
)

const (
	// defaultFrames is how many entries the frame log holds unless Options.Frames says otherwise.
	defaultFrames = 4096
	// frameLogPause is the longest time that a written entry stays in the buffer.
	frameLogPause = 250 * time.Millisecond
	// maxPending is how many entries may wait to be written.
	maxPending = 65_536
	// framesAtOnce is how large a log is made from the beginning; larger ones grow.
	framesAtOnce = 1 << 17
)

// Frame is one entry of the frame log: a stanza that crossed the network's border, or something that the network noticed. The
// order of the entries is the order in which the network acted: a stanza is logged as "in" before anything follows from it, and
// none of a connection is logged as "in" behind the connection's "replaced" or "unlinked".
type Frame struct {
	Seq       uint64    `json:"seq"`
	At        time.Time `json:"at"`
	Conn      uint64    `json:"conn"`             // numbers connections in the order in which they were made
	Device    string    `json:"device,omitempty"` // the client's address, once it has one
	Direction string    `json:"direction"`        // in, out, refused, dropped, event
	Tag       string    `json:"tag"`              // of the stanza, or the name of the event
	ID        string    `json:"id,omitempty"`
	Type      string    `json:"type,omitempty"`
	Class     string    `json:"class,omitempty"`
	Peer      string    `json:"peer,omitempty"`   // who it is from or to
	Stanza    uint64    `json:"stanza,omitempty"` // its place in the device's outbox
	Attempt   int       `json:"attempt,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// frameLog is a ring of the last frames. All of them also go to a writer, if there is one.
type frameLog struct {
	now    func() time.Time
	limit  int
	stats  *counters
	failed func(error)

	writing sync.Mutex    // held over a write; taken before mu
	out     *bufio.Writer // nil: nobody wants them, or the writer has failed

	mu        sync.Mutex
	frames    []Frame
	oldest    int
	last      uint64
	live      map[string]uint64 // the connection that each device has now, as the log tells it
	isWritten bool              // somebody wants all of them
	pending   []Frame           // to be written; encoded outside of the lock
	drained   *sync.Cond        // signalled when pending has been taken
	full      chan struct{}     // holds one signal when pending should be written at once
}

func newFrameLog(n *Network) *frameLog {
	l := &frameLog{now: n.now, limit: n.options.Frames, stats: &n.stats, live: map[string]uint64{}, full: make(chan struct{}, 1),
		frames: make([]Frame, 0, min(n.options.Frames, framesAtOnce)),
		failed: func(err error) { n.log.Error("frame log not written any further", "error", err) }}
	l.drained = sync.NewCond(&l.mu)
	if w := n.options.FrameLog; w != nil {
		l.out, l.isWritten = bufio.NewWriterSize(w, 256<<10), true
	}
	return l
}

// add logs a stanza that was read or written.
func (l *frameLog) add(c *conn, direction string, n *node, note string) {
	f := Frame{Conn: c.id, Direction: direction, Tag: n.Tag, ID: text(n.Attrs["id"]), Type: text(n.Attrs["type"]),
		Class: text(n.Attrs["class"]), Note: note}
	if f.Tag == "iq" && f.Type != "result" {
		f.Note = text(n.Attrs["xmlns"])
	}
	if f.Peer = jidText(n.Attrs["to"]); f.Peer == "" {
		f.Peer = jidText(n.Attrs["from"])
	}
	f.Device = c.label()
	l.put(f)
}

// stanza logs a stanza that leaves an outbox.
func (l *frameLog) stanza(c *conn, s *stanza) {
	l.put(Frame{Conn: c.id, Device: c.label(), Direction: "out", Tag: s.key.class, ID: s.key.id, Type: s.key.kind,
		Peer: s.key.from, Stanza: s.seq, Attempt: s.attempts})
}

// note logs something that happened to a connection.
func (l *frameLog) note(c *conn, event, note string) {
	l.put(Frame{Conn: c.id, Device: c.label(), Direction: "event", Tag: event, Note: note})
}

// event logs something about a message of a device.
func (l *frameLog) event(d *device, event, id, note string) {
	l.put(Frame{Device: d.label, Direction: "event", Tag: event, ID: id, Note: note})
}

func (l *frameLog) put(f Frame) {
	f.At = l.now().UTC()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.pending) >= maxPending && l.isWritten {
		l.drained.Wait() // the writer is far behind: the network waits for it
	}
	l.last++
	f.Seq = l.last
	l.audit(&f)
	l.write(&f)
	if len(l.frames) < l.limit {
		l.frames = append(l.frames, f)
		return
	}
	l.frames[l.oldest] = f
	l.oldest = (l.oldest + 1) % len(l.frames)
}

// audit looks, from the log alone, whether a stanza was taken from a connection that its device had left behind.
func (l *frameLog) audit(f *Frame) {
	switch {
	case f.Direction == "event" && f.Tag == "connected":
		l.live[f.Device] = f.Conn
	case f.Direction == "event" && (f.Tag == "disconnected" || f.Tag == "replaced" || f.Tag == "unlinked"):
		if l.live[f.Device] == f.Conn {
			delete(l.live, f.Device)
		}
	case f.Direction == "in" && f.Device != "" && l.live[f.Device] != f.Conn:
		l.stats.StaleAccepted.Add(1)
		f.Note = "stale"
	}
}

// write hands an entry to the writer. The caller holds l.mu.
func (l *frameLog) write(f *Frame) {
	if !l.isWritten {
		return
	}
	l.pending = append(l.pending, *f)
	if len(l.pending) == maxPending/8 {
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
}

// flush writes what is pending. The first error ends the writing.
func (l *frameLog) flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.drained.Broadcast()
	l.mu.Unlock()
	if l.out == nil {
		return
	}
	var err error
	for i := 0; i < len(pending) && err == nil; i++ {
		var raw []byte
		if raw, err = json.Marshal(&pending[i]); err == nil {
			_, err = l.out.Write(append(raw, '\n'))
		}
	}
	if err == nil {
		err = l.out.Flush()
	}
	if err == nil {
		return
	}
	l.out = nil
	l.stats.LogErrors.Add(1)
	l.failed(err)
	l.mu.Lock()
	l.isWritten, l.pending = false, nil
	l.drained.Broadcast()
	l.mu.Unlock()
}

// keepFlushed writes what is pending from time to time until the network has ended.
func (l *frameLog) keepFlushed(ended <-chan struct{}) {
	t := time.NewTicker(frameLogPause)
	defer t.Stop()
	for {
		select {
		case <-ended:
			return
		case <-t.C:
		case <-l.full:
		}
		l.flush()
	}
}

// after returns up to limit entries that follow a sequence number, and the numbers of the oldest and the newest entry there is.
func (l *frameLog) after(seq uint64, limit int) (list []Frame, first, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = l.last - uint64(len(l.frames)) + 1
	skip := 0
	if seq >= first {
		skip = int(min(seq-first+1, uint64(len(l.frames))))
	}
	list = make([]Frame, min(limit, len(l.frames)-skip))
	for i := range list {
		list[i] = l.frames[(l.oldest+skip+i)%len(l.frames)]
	}
	return list, first, l.last
}

// Frames returns up to limit entries of the frame log that follow a sequence number, the oldest first; zero means all. Entries
// that the log holds no more are passed over: the first one's Seq tells.
func (n *Network) Frames(after uint64, limit int) []Frame {
	if limit <= 0 {
		limit = n.options.Frames
	}
	list, _, _ := n.frames.after(after, limit)
	return list
}
