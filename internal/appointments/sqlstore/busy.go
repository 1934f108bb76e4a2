package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

// longestOccupied is the most that one appointment or hold can occupy, buffers included. It turns "what overlaps" into a
// range of one index column.
const longestOccupied = appointments.MaxDuration + 2*appointments.MaxBuffer

// busy reads what occupies the staff's time in the span, from appointments (where what was cancelled occupies the time 0 to
// 0) and from holds that have not expired. The first is answered from one index alone.
func (s *Store) busy(ctx context.Context, tenant id.Tenant, staff []appointments.Staff, span appointments.Span, q appointments.PlanQuery) (map[id.Staff][]appointments.Span, error) {
	out := make(map[id.Staff][]appointments.Span, len(staff))
	if len(staff) == 0 {
		return out, nil
	}
	keys := make([]string, len(staff))
	byKey := make(map[string]id.Staff, len(staff))
	for i := range staff {
		keys[i] = staff[i].ID.String()
		byKey[keys[i]] = staff[i].ID
	}
	form := rowByRow
	if s.h.Dialect() == sqlkit.SQLite {
		form = packed
	}
	where := "WHERE tenant_id = ? AND staff_id IN ? AND occupied_from > ? AND occupied_from < ? AND occupied_to > ?"
	args := []any{tenant, bun.Tuple(keys), sqlkit.Micros(span.From.Add(-longestOccupied)), sqlkit.Micros(span.To), sqlkit.Micros(span.From)}
	query := "SELECT " + form.columns + " FROM appointments " + where
	held := append(args[:len(args):len(args)], sqlkit.Micros(q.Now))
	if !q.Appointment.IsZero() {
		query, args = query+" AND id <> ?", append(args, q.Appointment)
	}
	query += form.group + " UNION ALL SELECT " + form.columns + " FROM holds " + where + " AND expires_at > ?"
	if !q.Hold.IsZero() {
		query, held = query+" AND id <> ?", append(held, q.Hold)
	}
	rows, err := s.h.Read().QueryContext(ctx, query+form.group, append(args, held...)...)
	if err != nil {
		return nil, fmt.Errorf("list occupied time: %w", err)
	}
	defer rows.Close()
	if err = form.read(rows, byKey, out); err == nil {
		err = rows.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read occupied time: %w", err)
	}
	return out, nil
}

// busyForm is one way to get occupied ranges out of a database.
type busyForm struct {
	columns, group string
	read           func(rows *sql.Rows, byKey map[string]id.Staff, out map[id.Staff][]appointments.Span) error
}

// rowByRow gets one row for each range.
var rowByRow = busyForm{columns: "staff_id, occupied_from, occupied_to", read: readRanges}

func readRanges(rows *sql.Rows, byKey map[string]id.Staff, out map[id.Staff][]appointments.Span) error {
	var before string
	var who id.Staff
	var list []appointments.Span
	for rows.Next() {
		var key string
		var from, to int64
		if err := rows.Scan(&key, &from, &to); err != nil {
			return err
		}
		if key != before { // rows of one person mostly come together
			if before != "" {
				out[who] = list
			}
			before, who = key, byKey[key]
			list = out[who]
		}
		list = append(list, appointments.Span{From: time.UnixMicro(from), To: time.UnixMicro(to)})
	}
	if before != "" {
		out[who] = list
	}
	return nil
}

// packed gets one row for each person, with a number for each range: its begin in seconds, and in the lowest 18 bits its
// length. On SQLite, which runs in this process, a row costs several times what a number in a text does; on the others it
// gains nothing, and MySQL cuts such texts short.
var packed = busyForm{
	columns: "staff_id, group_concat((occupied_from / 1000000 << 18) + (occupied_to - occupied_from + 999999) / 1000000)",
	group:   " GROUP BY staff_id",
	read:    readPacked,
}

func readPacked(rows *sql.Rows, byKey map[string]id.Staff, out map[id.Staff][]appointments.Span) error {
	for rows.Next() {
		var key, text string
		if err := rows.Scan(&key, &text); err != nil {
			return err
		}
		who := byKey[key]
		list := out[who]
		if list == nil {
			list = make([]appointments.Span, 0, 1+strings.Count(text, ","))
		}
		for number := range strings.SplitSeq(text, ",") {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return err
			}
			from, length := n>>18, n&(1<<18-1)
			list = append(list, appointments.Span{From: time.Unix(from, 0), To: time.Unix(from+length, 0)})
		}
		out[who] = list
	}
	return nil
}
