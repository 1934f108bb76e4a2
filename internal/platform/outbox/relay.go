package outbox

import (
	"context"
	"errors"
	"time"

	"turnero/internal/platform/bus"
)

const (
	numberBatch = 500
	relayPoll   = 250 * time.Millisecond // for events whose wake-up was not heard
)

// relay numbers what is committed, until ctx ends, the row is lost or the database fails.
func (l *Log) relay(ctx context.Context, holder string, r *reader) error {
	err := l.relayAll(ctx, holder, r)
	if err != nil && !errors.Is(err, errLost) {
		l.told.Tell(ctx, "events not numbered", err)
	}
	return err
}

func (l *Log) relayAll(ctx context.Context, holder string, r *reader) error {
	woken, cancel := l.bus.Subscribe(bus.TopicOutbox)
	defer cancel()
	tick, next := time.NewTicker(relayPoll), newAlarm(gather)
	defer tick.Stop()
	defer next.stop()
	next.soon()
	for {
		isPoll := false
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
			next.soon()
			continue
		case <-tick.C:
			isPoll = true
		case <-next.rings():
			next.rang()
		}
		if isPoll {
			isWaiting, err := l.isWaiting(ctx)
			if err != nil {
				return err
			}
			if !isWaiting {
				continue
			}
		}
		if err := l.numberAll(ctx, holder, r); err != nil {
			return err
		}
		l.told.Tell(ctx, "events not numbered", nil)
	}
}

// isWaiting reports whether there is anything to number.
func (l *Log) isWaiting(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	waiting, err := l.unnumbered(ctx, l.db.Handle(), 1)
	return len(waiting) > 0, err
}

// numberAll numbers what is there, a batch after the other, and tells whoever waits for it: the reader of this process has it
// without asking the database.
func (l *Log) numberAll(ctx context.Context, holder string, r *reader) error {
	for ctx.Err() == nil {
		batch, err := l.number(ctx, holder)
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			l.bus.Wake(bus.TopicEvents)
			l.tell(batch, r)
		}
		if len(batch) < numberBatch {
			return nil
		}
	}
	return nil
}

func (l *Log) tell(batch []row, r *reader) {
	if len(l.numbered) == 0 {
		return // and the batch holds positions alone
	}
	r.offer(batch)
	recs := make([]Record, len(batch))
	for i := range batch {
		recs[i] = batch[i].plain()
	}
	for _, fn := range l.numbered {
		fn(recs)
	}
}
