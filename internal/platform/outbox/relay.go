package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"turnero/internal/platform/bus"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

const (
	numberBatch = 500
	relayPoll   = 250 * time.Millisecond // for events whose wake-up was not heard
)

// relay numbers what is committed, until ctx ends or the row is lost.
func (l *Log) relay(ctx context.Context, holder string) error {
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
		if err := l.numberAll(ctx, holder); err != nil {
			return err
		}
	}
}

// isWaiting reports whether there is anything to number.
func (l *Log) isWaiting(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	waiting, err := l.unnumbered(ctx, l.db.Handle(), 1)
	return len(waiting) > 0, err
}

// numberAll numbers what is there, a batch after the other, and tells whoever waits for it.
func (l *Log) numberAll(ctx context.Context, holder string) error {
	for ctx.Err() == nil {
		batch, err := l.number(ctx, holder)
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			l.bus.Wake(bus.TopicEvents)
			l.tell(batch)
		}
		if len(batch) < numberBatch {
			return nil
		}
	}
	return nil
}

func (l *Log) tell(batch []row) {
	if len(l.numbered) == 0 {
		return
	}
	recs := make([]Record, len(batch))
	for i := range batch {
		recs[i] = batch[i].plain()
	}
	for _, fn := range l.numbered {
		fn(recs)
	}
}

// number gives the next numbers to the oldest events that have none, and returns them. The lock on the relay's row
// makes one batch wait for the other, so numbers become visible in their order and without gaps.
func (l *Log) number(ctx context.Context, holder string) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var batch []row
	err := l.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		batch = nil
		var relay cursor
		err := h.ForUpdate(h.Write().NewSelect().Model(&relay).Where("name = ?", relayRow)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("lock the relay's row: %w", err)
		}
		if relay.Holder != holder {
			return errLost
		}
		// The rows are chosen by a plain read and changed by their keys: a locking read would wait for transactions
		// that have appended and not yet committed, and all events behind them with it.
		if batch, err = l.unnumbered(ctx, h, numberBatch); err != nil || len(batch) == 0 {
			return err
		}
		positions := make([]int64, len(batch))
		for i := range batch {
			positions[i] = batch[i].Pos
			batch[i].Seq = new(relay.Seq + int64(i) + 1)
		}
		n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*row)(nil)).Set("seq = ?", numbers(positions, relay.Seq+1)).
			Where("pos IN (?)", bun.List(positions)).Where("seq IS NULL").Exec(ctx))
		if err != nil {
			return fmt.Errorf("number events: %w", err)
		}
		if n != int64(len(batch)) {
			return errors.New("number events: some were numbered or deleted meanwhile")
		}
		_, err = h.Write().NewUpdate().Model((*cursor)(nil)).Set("seq = ?", relay.Seq+int64(len(batch))).
			Set("updated_at = ?", sqlkit.Micros(l.now())).Where("name = ?", relayRow).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// numbers gives the expression of the number at each position: positions that follow one another share a case, since the
// database goes through the cases for every row.
func numbers(positions []int64, first int64) bun.Safe {
	expr := []byte("CASE")
	for i, pos := range positions {
		if last := i+1 == len(positions); last || positions[i+1] != pos+1 {
			expr = fmt.Appendf(expr, " WHEN pos <= %d THEN pos - (%d)", pos, pos-first-int64(i))
		}
	}
	return bun.Safe(append(expr, " END"...))
}

// unnumbered gives committed events without a number, oldest first: whole ones when somebody is told of them, else their
// positions.
func (l *Log) unnumbered(ctx context.Context, h sqlkit.Handle, limit int64) ([]row, error) {
	var out []row
	q := h.Read().NewSelect().Model(&out).Where("seq IS NULL").Order("pos").Limit(limit)
	if len(l.numbered) == 0 || limit == 1 {
		q = q.Column("pos")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("look for events without a number: %w", err)
	}
	return out, nil
}
