package live

import (
	"context"

	"turnero/internal/platform/outbox"
)

// Listener gives one tenant's events from a number on. It belongs to one goroutine.
type Listener struct {
	hub     *hub
	tenant  string
	changed chan struct{}
	cursor  int64 // up to which everything was taken; only Take uses it

	// Guarded by hub.mu.
	next       int64 // number of the first event of the tenant that came into the window since the last look; 0 = none
	isCaughtUp bool  // the last look went through to the end of the window
}

// Changed gives a channel that receives a value when a call of Take is worth while, and once at the beginning.
func (l *Listener) Changed() <-chan struct{} { return l.changed }

// Take gives the next events, lowest number first, at most limit; none when there are no more at present. After an error the same
// events come again at the next call.
func (l *Listener) Take(ctx context.Context, limit int) ([]outbox.Record, error) {
	for {
		recs, last, ok := l.fromWindow(limit)
		if ok {
			return recs, nil
		}
		recs, err := l.hub.log.After(ctx, l.tenant, l.cursor, limit)
		if err != nil {
			l.signal()
			return nil, err
		}
		if len(recs) > 0 {
			l.cursor = recs[len(recs)-1].Seq
		}
		if len(recs) == limit {
			l.signal()
			return recs, nil
		}
		// The window ended with a number that was in SQL before we read.
		moved := last > l.cursor
		l.cursor = max(l.cursor, last)
		if len(recs) > 0 || !moved {
			if moved {
				l.signal() // what came into the window meanwhile
			}
			return recs, nil
		}
	}
}

// fromWindow takes from the window, if it holds everything behind the cursor. last is where the window ends.
func (l *Listener) fromWindow(limit int) (recs []outbox.Record, last int64, ok bool) {
	h := l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known {
		return nil, 0, false
	}
	if l.isCaughtUp && l.next > l.cursor { // what came between was of others
		l.cursor = l.next - 1
	}
	first := h.last - int64(len(h.window)) + 1
	isCaughtUp := l.isCaughtUp && l.next == 0
	l.next, l.isCaughtUp = 0, false
	switch {
	case isCaughtUp:
		l.cursor, l.isCaughtUp = max(l.cursor, h.last), true
		return nil, h.last, true
	case l.cursor+1 < first:
		return nil, h.last, false
	case l.cursor > h.last: // the listener has read further than the window reaches: the window comes after
		return nil, h.last, true
	}
	for i := l.cursor + 1 - first; i < int64(len(h.window)); i++ {
		rec := h.window[i]
		if rec.Tenant != l.tenant {
			continue
		}
		if len(recs) == limit {
			l.signal()
			return recs, h.last, true
		}
		recs = append(recs, rec)
		l.cursor = rec.Seq
	}
	l.cursor, l.isCaughtUp = h.last, true
	return recs, h.last, true
}

func (l *Listener) signal() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Close ends the listening. Closing twice does nothing.
func (l *Listener) Close() { l.hub.leave(l) }
