package outbox

import (
	"context"
	"fmt"
	"time"

	"turnero/internal/platform/sqlkit"
)

const trimBatch = 1000

// Trim deletes the events appended before the instant that every consumer has passed, and returns how many. Parked events
// stay. A consumer that does not run any more holds everything back until Forget.
func (l *Log) Trim(ctx context.Context, before time.Time) (int64, error) {
	passed, err := l.passed(ctx)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for {
		n, more, err := l.trimBatch(ctx, before, passed)
		total += n
		if err != nil || !more {
			return total, err
		}
	}
}

// passed is the highest number that all consumers have behind them.
func (l *Log) passed(ctx context.Context) (int64, error) {
	var seq []int64
	err := l.db.Handle().Read().NewSelect().Model((*cursor)(nil)).Column("seq").Where("name <> ?", trimRow).Order("seq").Limit(1).Scan(ctx, &seq)
	if err != nil {
		return 0, fmt.Errorf("read checkpoints: %w", err)
	}
	if len(seq) == 0 {
		return 0, nil
	}
	return seq[0], nil
}

const notParked = "NOT EXISTS (SELECT 1 FROM outbox_parked AS p WHERE p.event_id = outbox.event_id)"

func (l *Log) trimBatch(ctx context.Context, before time.Time, passed int64) (int64, bool, error) {
	var deleted int64
	more := false
	err := l.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		var oldest []struct{ Seq, CreatedAt int64 }
		err := h.Write().NewRaw("SELECT seq, created_at FROM outbox WHERE seq <= ? AND "+notParked+" ORDER BY seq LIMIT ?", passed, trimBatch).Scan(ctx, &oldest)
		if err != nil {
			return fmt.Errorf("look for old events: %w", err)
		}
		n := 0
		for n < len(oldest) && oldest[n].CreatedAt < sqlkit.Micros(before) {
			n++
		}
		more = n == trimBatch
		if deleted = 0; n == 0 {
			return nil
		}
		last := oldest[n-1].Seq
		deleted, err = sqlkit.Affected(h.Write().NewRaw("DELETE FROM outbox WHERE seq <= ? AND "+notParked, last).Exec(ctx))
		if err != nil {
			return fmt.Errorf("delete old events: %w", err)
		}
		return h.Upsert(ctx, &cursor{Name: trimRow, Seq: last, UpdatedAt: sqlkit.Micros(l.now())}, []string{"name", "part"}, []string{"seq", "updated_at"})
	})
	return deleted, more, err
}

// Forget drops the checkpoints of a consumer that does not exist any more.
func (l *Log) Forget(ctx context.Context, consumer string) error {
	_, err := l.db.Handle().Write().NewDelete().Model((*cursor)(nil)).Where("name = ?", consumer).Where("name NOT LIKE '~%'").Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget consumer: %w", err)
	}
	return nil
}
