package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// checkpoint reads where a part of a consumer is, if it is held under that name.
func (l *Log) checkpoint(ctx context.Context, consumer string, part int, holder string) (int64, error) {
	var seq []int64
	err := l.db.Handle().Read().NewSelect().Model((*cursor)(nil)).Column("seq").Where("name = ?", consumer).Where("part = ?", part).
		Where("holder = ?", holder).Scan(ctx, &seq)
	if err != nil {
		return 0, fmt.Errorf("read checkpoint: %w", err)
	}
	if len(seq) == 0 {
		return 0, errLost
	}
	return seq[0], nil
}

// save stores the checkpoints that have moved, those of one holder in one statement, if the parts are still held. It tells
// those whose part is not.
func (r *reader) save(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, saveLimit)
	defer cancel()
	moved := map[string][]*tenure{}
	for _, t := range r.tenures {
		if t.done() > t.saved {
			moved[t.holder] = append(moved[t.holder], t)
		}
	}
	var failed error
	for holder, tenures := range moved {
		failed = errors.Join(failed, r.saveAll(ctx, holder, tenures))
	}
	if len(moved) > 0 {
		r.log.told.Tell(ctx, "checkpoints not saved", failed)
	}
}

func (r *reader) saveAll(ctx context.Context, holder string, tenures []*tenure) error {
	h := r.log.db.Handle()
	next := []byte("CASE")
	var args []any
	seqs := make([]int64, len(tenures))
	for i, t := range tenures {
		seqs[i] = t.done()
		next = append(next, " WHEN name = ? AND part = ? THEN ?"...)
		args = append(args, t.c.name, t.part, seqs[i])
	}
	next = append(next, " ELSE seq END"...)
	n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*cursor)(nil)).Set("seq = "+string(next), args...).Set("updated_at = ?", sqlkit.Micros(r.log.now())).
		Where("holder = ?", holder).WhereGroup(" AND ", anyOf(tenures)).Exec(ctx))
	if err != nil {
		return fmt.Errorf("save checkpoints: %w", err)
	}
	held := tenures
	if n != int64(len(tenures)) {
		if held, err = r.stillHeld(ctx, holder, tenures); err != nil {
			return err
		}
	}
	for i, t := range tenures {
		if slices.Contains(held, t) {
			t.saved = seqs[i]
			continue
		}
		t.err = errLost
		t.lose()
	}
	return nil
}

func anyOf(tenures []*tenure) func(q *bun.UpdateQuery) *bun.UpdateQuery {
	return func(q *bun.UpdateQuery) *bun.UpdateQuery {
		for _, t := range tenures {
			q = q.WhereOr("name = ? AND part = ?", t.c.name, t.part)
		}
		return q
	}
}

func (r *reader) stillHeld(ctx context.Context, holder string, tenures []*tenure) ([]*tenure, error) {
	var rows []cursor
	err := r.log.db.Handle().Read().NewSelect().Model(&rows).Column("name", "part").Where("holder = ?", holder).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what is held: %w", err)
	}
	var held []*tenure
	for _, t := range tenures {
		if slices.ContainsFunc(rows, func(c cursor) bool { return c.Name == t.c.name && int(c.Part) == t.part }) {
			held = append(held, t)
		}
	}
	return held, nil
}
