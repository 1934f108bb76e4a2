package sqlkit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// Micros gives an instant as it is stored: whole microseconds since the Unix epoch, 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads a stored instant, in UTC; 0 is the zero time.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Clock gives the SQL expression for the database's own clock, in whole microseconds since the Unix epoch. What several
// processes compare (who holds something, until when) is written and read by this one clock.
func (h Handle) Clock() bun.Safe {
	switch h.Dialect() {
	case Postgres:
		return "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"
	case MySQL:
		return "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

// Now reads the database's own clock.
func (h Handle) Now(ctx context.Context) (time.Time, error) {
	var micros int64
	if err := h.Read().NewRaw("SELECT ?", h.Clock()).Scan(ctx, &micros); err != nil {
		return time.Time{}, err
	}
	return Time(micros), nil
}

// ForUpdate locks the selected rows until the end of the transaction. On SQLite there is nothing to add: a writing
// transaction already excludes every other.
func (h Handle) ForUpdate(q *bun.SelectQuery) *bun.SelectQuery {
	if h.Dialect() == SQLite {
		return q
	}
	return q.For("UPDATE")
}

// ForUpdateSkipLocked is ForUpdate that passes over rows which others have locked.
func (h Handle) ForUpdateSkipLocked(q *bun.SelectQuery) *bun.SelectQuery {
	if h.Dialect() == SQLite {
		return q
	}
	return q.For("UPDATE SKIP LOCKED")
}

// InsertIfAbsent inserts the row (a pointer to a bun model) unless a unique key already has it; it reports whether it did.
// It must run inside a transaction when more depends on the answer.
func (h Handle) InsertIfAbsent(ctx context.Context, row any) (bool, error) {
	q := h.Write().NewInsert().Model(row)
	if h.Dialect() != MySQL {
		q = q.On("CONFLICT DO NOTHING")
	}
	res, err := q.Exec(ctx)
	if h.Dialect() == MySQL && IsUnique(err) { // unlike PostgreSQL, a refused row does not end the transaction here
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Upsert inserts the row, or when the unique key over the key columns already has it, sets the named columns to the row's values.
func (h Handle) Upsert(ctx context.Context, row any, key, set []string) error {
	q := h.Write().NewInsert().Model(row)
	if h.Dialect() == MySQL {
		parts := make([]string, len(set))
		for i, c := range set {
			parts[i] = fmt.Sprintf("%s = VALUES(%s)", c, c)
		}
		q = q.On("DUPLICATE KEY UPDATE " + strings.Join(parts, ", "))
	} else {
		q = q.On("CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE")
		for _, c := range set {
			q = q.Set(c + " = EXCLUDED." + c)
		}
	}
	_, err := q.Exec(ctx)
	return err
}

// Affected runs the outcome of a write through: the number of rows it matched, or its error.
func Affected(res interface{ RowsAffected() (int64, error) }, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Text makes a text of any origin fit for a column on every database: valid UTF-8 without NUL, at most limit bytes.
func Text(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
