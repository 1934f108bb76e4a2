package outbox

import "slices"

// What a tail keeps at most: as much as lies between one part that waits for room and another one that does not.
const (
	tailEntries = parts * window
	tailBytes   = 4 << 20 // of payload
)

// span is a stretch of the log: all its entries with numbers above from, up to that of the last one.
type span struct {
	from    int64
	entries []entry
}

// to is the number up to which the span reaches.
func (s *span) to() int64 {
	if len(s.entries) == 0 {
		return s.from
	}
	return *s.entries[len(s.entries)-1].Seq
}

// after gives what the span has of the entries that follow on seq: nothing when it does not reach back to it.
func (s *span) after(seq int64) []entry {
	if seq < s.from || seq >= s.to() {
		return nil
	}
	n, found := slices.BinarySearchFunc(s.entries, seq, func(e entry, seq int64) int { return int(*e.Seq - seq) })
	if found {
		n++
	}
	return s.entries[n:]
}

// tail is the last stretch of the log that was read, kept for the parts that come to it later. It may hold entries that were
// trimmed since: every consumer has them behind it.
type tail struct {
	span
	bytes int
}

// add takes a stretch that was just read, when it leads beyond what is kept, and drops the oldest for it.
func (t *tail) add(s span) {
	if s.to() <= t.to() {
		return
	}
	if s.from < t.from || s.from > t.to() {
		*t = tail{span: span{from: s.from}}
	}
	for _, e := range s.after(t.to()) {
		t.entries = append(t.entries, e)
		t.bytes += len(e.Payload)
	}
	n := 0
	for ; n < len(t.entries) && (len(t.entries)-n > tailEntries || t.bytes > tailBytes); n++ {
		t.from = *t.entries[n].Seq
		t.bytes -= len(t.entries[n].Payload)
	}
	clear(t.entries[:n]) // the array behind them stays for a while
	t.entries = t.entries[n:]
}
