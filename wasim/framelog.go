package wasim

import (
	"sync"
	"time"
)

// frameLogLimit is how many entries the frame log holds unless Options.Log is set.
const frameLogLimit = 4096

// Frame is one entry of the frame log: a stanza that crossed the network's border, or something that the network noticed.
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

// frameLog is a ring of the last frames, or all of them.
type frameLog struct {
	now   func() time.Time
	isAll bool

	mu     sync.Mutex
	frames []Frame
	oldest int
	last   uint64
}

func newFrameLog(isAll bool, now func() time.Time) *frameLog {
	return &frameLog{isAll: isAll, now: now}
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
	l.last++
	f.Seq = l.last
	if l.isAll || len(l.frames) < frameLogLimit {
		l.frames = append(l.frames, f)
		return
	}
	l.frames[l.oldest] = f
	l.oldest = (l.oldest + 1) % len(l.frames)
}

// after returns up to limit entries that follow a sequence number.
func (l *frameLog) after(seq uint64, limit int) []Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.last - uint64(len(l.frames)) + 1 // sequence number of the oldest entry
	skip := 0
	if seq >= first {
		skip = int(min(seq-first+1, uint64(len(l.frames))))
	}
	size := min(limit, len(l.frames)-skip)
	list := make([]Frame, size)
	for i := range list {
		list[i] = l.frames[(l.oldest+skip+i)%len(l.frames)]
	}
	return list
}

// Frames returns up to limit entries of the frame log that follow a sequence number, the oldest first.
func (n *Network) Frames(after uint64, limit int) []Frame {
	if limit <= 0 {
		limit = frameLogLimit
	}
	return n.frames.after(after, limit)
}
