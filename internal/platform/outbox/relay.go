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
func (l *Log) relay(ctx, _ context.Context) error {
	woken, cancel := l.bus.Subscribe(bus.TopicOutbox)
	defer cancel()
	tick := time.NewTicker(relayPoll)
	defer tick.Stop()
	for {
		n, err := l.number(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			l.bus.Wake(bus.TopicEvents)
		}
		if n == numberBatch {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
		case <-tick.C:
		}
	}
}

// number gives the next numbers to the oldest events that have none, and returns how many. The lock on the relay's row
// makes one batch wait for the other, so numbers become visible in their order and without gaps.
func (l *Log) number(ctx context.Context) (int, error) {
	if waiting, err := unnumbered(ctx, l.db.Handle(), 1); err != nil || len(waiting) == 0 {
		return 0, err
	}
	count := 0
	err := l.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		var relay cursor
		err := h.ForUpdate(h.Write().NewSelect().Model(&relay).Where("name = ?", relayRow)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("lock the relay's row: %w", err)
		}
		if relay.Holder != l.holder {
			return errLost
		}
		// The rows are chosen by a plain read and changed by their keys: a locking read would wait for transactions
		// that have appended and not yet committed, and all events behind them with it.
		positions, err := unnumbered(ctx, h, numberBatch)
		if count = len(positions); err != nil || count == 0 {
			return err
		}
		next := append([]byte(nil), "CASE pos"...)
		for i, pos := range positions {
			next = fmt.Appendf(next, " WHEN %d THEN %d", pos, relay.Seq+int64(i)+1)
		}
		next = append(next, " END"...)
		n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*row)(nil)).Set("seq = ?", bun.Safe(next)).Where("pos IN (?)", bun.List(positions)).Where("seq IS NULL").Exec(ctx))
		if err != nil {
			return fmt.Errorf("number events: %w", err)
		}
		if n != int64(count) {
			return errors.New("number events: some were numbered or deleted meanwhile")
		}
		_, err = h.Write().NewUpdate().Model((*cursor)(nil)).Set("seq = ?", relay.Seq+int64(count)).
			Set("updated_at = ?", sqlkit.Micros(l.now())).Where("name = ?", relayRow).Exec(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// unnumbered gives the positions of committed events without a number, oldest first.
func unnumbered(ctx context.Context, h sqlkit.Handle, limit int64) ([]int64, error) {
	var out []int64
	err := h.Read().NewSelect().Model((*row)(nil)).Column("pos").Where("seq IS NULL").Order("pos").Limit(limit).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("look for events without a number: %w", err)
	}
	return out, nil
}
