package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// queue is what a session has to send, oldest first.
type queue struct {
	messages []whatsapp.Queued
	isWhole  bool // else there is more than was read
}

// queuedPerSession is how many messages of each session a query for many reads, more or less.
const queuedPerSession = 16

const (
	queueSelect = "c.tenant_id, c.id, c.session_id, c.address, c.kind, c.mode, c.person_until, c.unread, c.last_pos, c.last_message_id, c.merged_into, c.created_at, " +
		"COALESCE(k.id, ''), COALESCE(k.number, ''), COALESCE(k.lid, ''), COALESCE(k.name, ''), COALESCE(k.created_at, 0), "
	queuedJoin = "JOIN whatsapp_messages AS m ON m.tenant_id = w.t AND m.session_id = w.x AND m.is_queued = 1"
	queuedEach = "CROSS JOIN LATERAL (SELECT * FROM whatsapp_messages WHERE tenant_id = w.t AND session_id = w.x AND is_queued = 1" + oneByOne + ") AS m"
	ofQueued   = " JOIN whatsapp_chats AS c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id" +
		" LEFT JOIN whatsapp_contacts AS k ON k.tenant_id = c.tenant_id AND k.id = c.contact_id"
)

// readQueues reads the queues of sessions.
func readQueues(ctx context.Context, db *sqlkit.DB, sessions []whatsapp.Ref) ([]queue, error) {
	at := make(map[whatsapp.Ref]*queue, len(sessions))
	for _, ref := range sessions {
		at[ref] = &queue{}
	}
	r := &round{h: db.Keyed()}
	for part := range slices.Chunk(slices.Collect(maps.Keys(at)), mostWantedOf(r.dialect())) {
		keys := make([][3]string, len(part))
		for i, ref := range part {
			keys[i] = [3]string{ref.Tenant.String(), ref.Session.String()}
		}
		most, n := queuedPerSession*(len(part)+4), 0
		join := queuedJoin
		if r.dialect() == sqlkit.Postgres {
			join = queuedEach
		}
		want := r.want(keys, queueSelect+messageSelect, join+ofQueued, fmt.Sprintf(" LIMIT %d", most), func(row sqlkit.Row) error {
			q, err := scanQueued(row)
			if err != nil {
				return err
			}
			n++
			of := at[q.Ref]
			of.messages = append(of.messages, q)
			return nil
		})
		if err := r.h.Send(ctx, want...); err != nil {
			return nil, fmt.Errorf("list queued messages: %w", err)
		}
		for _, ref := range part {
			at[ref].isWhole = n < most
		}
	}
	out := make([]queue, len(sessions))
	for i, ref := range sessions {
		slices.SortFunc(at[ref].messages, func(a, b whatsapp.Queued) int {
			return cmp.Or(cmp.Compare(a.Pos, b.Pos), cmp.Compare(a.ID.String(), b.ID.String()))
		})
		out[i] = queue{slices.Clone(at[ref].messages), at[ref].isWhole}
	}
	return out, nil
}

func scanQueued(row sqlkit.Row) (whatsapp.Queued, error) {
	var c chatCols
	var p personCols
	var m messageCols
	err := row.Scan(&c.TenantID, &c.ID, &c.SessionID, &c.Address, &c.Kind, &c.Mode, &c.PersonUntil, &c.Unread, &c.LastPos, &c.LastMessageID, &c.MergedInto, &c.CreatedAt,
		&p.ID, &p.Number, &p.LID, &p.Name, &p.CreatedAt,
		&m.TenantID, &m.ID, &m.SessionID, &m.ChatID, &m.WAID, &m.Pos, &m.Direction, &m.SenderID, &m.Type, &m.Body, &m.Status, &m.Reason,
		&m.StatusAt, &m.SentAt, &m.Origin, &m.Actor, &m.OnlyIfBot, &m.NotAfter, &m.ReplyTo, &m.CreatedAt)
	with := chatWithPerson{c, p}
	return whatsapp.Queued{Message: m.message(), Chat: with.chat()}, err
}
