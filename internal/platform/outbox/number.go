package outbox

import (
	"context"
	"errors"
	"fmt"

	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

var errMoved = errors.New("some were numbered or deleted meanwhile")

// number gives the next numbers to the oldest events that have none, and returns them. The lock on the relay's row
// makes one batch wait for the other, so numbers become visible in their order and without gaps.
func (l *Log) number(ctx context.Context, holder string) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var batch []row
	err := l.db.Keyed().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		last, err := lockRelay(ctx, h, holder)
		if err != nil {
			return err
		}
		if h.Dialect() == sqlkit.Postgres {
			batch, err = l.numberAtOnce(ctx, h, last)
		} else {
			batch, err = l.numberInSteps(ctx, h, last)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// lockRelay gives the last number, which nobody else adds to until the transaction ends.
func lockRelay(ctx context.Context, h sqlkit.Handle, holder string) (int64, error) {
	var relay cursor
	query := "SELECT seq, holder FROM outbox_consumers WHERE name = '" + relayRow + "'"
	if h.Dialect() != sqlkit.SQLite {
		query += " FOR UPDATE"
	}
	err := h.Send(ctx, sqlkit.Statement{Text: query, Each: func(row sqlkit.Row) error { return row.Scan(&relay.Seq, &relay.Holder) }})
	if err != nil {
		return 0, fmt.Errorf("lock the relay's row: %w", err)
	}
	if relay.Holder != holder {
		return 0, errLost
	}
	return relay.Seq, nil
}

// numberAtOnce chooses the events, numbers them and stores the last number in one statement, whose text is always the same. The
// statement begins after the relay's row is locked, so it sees all numbers that were given before, and nobody moves the rows that it
// names by their place (ctid).
func (l *Log) numberAtOnce(ctx context.Context, h sqlkit.Handle, last int64) ([]row, error) {
	var batch []row
	statement := sqlkit.Statement{Text: numbering(len(l.numbered) > 0), Args: []any{last, sqlkit.Micros(l.now())}}
	statement.Each = func(numbered sqlkit.Row) error {
		var r row
		into := []any{&r.Pos, &r.Seq}
		if len(l.numbered) > 0 {
			into = append(into, &r.EventID, &r.TenantID, &r.Name, &r.OrderKey, &r.Payload, &r.CreatedAt)
		}
		if err := numbered.Scan(into...); err != nil {
			return err
		}
		if last++; *r.Seq != last {
			return errMoved
		}
		batch = append(batch, r)
		return nil
	}
	if err := h.SendLast(ctx, statement); err != nil {
		return nil, fmt.Errorf("number events: %w", err)
	}
	return batch, nil
}

// numbering is the statement of numberAtOnce. It returns whole events when somebody is told of them, else their positions.
func numbering(whole bool) string {
	columns := "pos, seq"
	if whole {
		columns += ", event_id, tenant_id, name, order_key, payload, created_at"
	}
	return fmt.Sprintf(`WITH chosen AS MATERIALIZED (
			SELECT ctid AS place, $1 + row_number() OVER (ORDER BY pos) AS seq
			FROM (SELECT ctid, pos FROM outbox WHERE seq IS NULL ORDER BY pos LIMIT %d) AS oldest
		), numbered AS (
			UPDATE outbox SET seq = chosen.seq FROM chosen WHERE outbox.ctid = chosen.place RETURNING outbox.*
		), moved AS (
			UPDATE outbox_consumers SET seq = $1 + (SELECT count(*) FROM numbered), updated_at = $2
			WHERE name = '%s' AND EXISTS (SELECT 1 FROM numbered)
		) SELECT %s FROM numbered ORDER BY seq`, numberBatch, relayRow, columns)
}

// numberInSteps does the same where a statement can only change rows or only return them. The rows are chosen by a plain read
// and changed by their keys: a locking read would wait for transactions that have appended and not yet committed, and all
// events behind them with it.
func (l *Log) numberInSteps(ctx context.Context, h sqlkit.Handle, last int64) ([]row, error) {
	batch, err := l.unnumbered(ctx, h, numberBatch)
	if err != nil || len(batch) == 0 {
		return nil, err
	}
	positions := make([]int64, len(batch))
	for i := range batch {
		positions[i] = batch[i].Pos
		batch[i].Seq = new(last + int64(i) + 1)
	}
	n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*row)(nil)).Set("seq = ?", numbers(positions, last+1)).
		Where("pos IN (?)", bun.List(positions)).Where("seq IS NULL").Exec(ctx))
	if err != nil {
		return nil, fmt.Errorf("number events: %w", err)
	}
	if n != int64(len(batch)) {
		return nil, fmt.Errorf("number events: %w", errMoved)
	}
	_, err = h.Write().NewUpdate().Model((*cursor)(nil)).Set("seq = ?", last+n).Set("updated_at = ?", sqlkit.Micros(l.now())).
		Where("name = ?", relayRow).Exec(ctx)
	return batch, err
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
