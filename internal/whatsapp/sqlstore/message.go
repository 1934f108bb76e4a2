package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

type messageRow struct {
	bun.BaseModel `bun:"table:whatsapp_messages,alias:m"`
	TenantID      id.Tenant  `bun:"tenant_id,pk"`
	ID            id.Message `bun:"id,pk"`
	SessionID     id.Session `bun:"session_id"`
	ChatID        id.Chat    `bun:"chat_id"`
	WAID          string     `bun:"wa_id"`
	Pos           int64      `bun:"pos"`
	Direction     string     `bun:"direction"`
	SenderID      string     `bun:"sender_id"`
	Type          string     `bun:"type"`
	Body          string     `bun:"body"`
	Status        string     `bun:"status"`
	Reason        string     `bun:"reason"`
	StatusAt      int64      `bun:"status_at"`
	SentAt        int64      `bun:"sent_at"`
	Origin        string     `bun:"origin"`
	Actor         string     `bun:"actor"`
	IsQueued      int64      `bun:"is_queued"`
	OnlyIfBot     int64      `bun:"only_if_bot"`
	NotAfter      int64      `bun:"not_after"`
	ReplyTo       string     `bun:"reply_to"`
	CreatedAt     int64      `bun:"created_at"`
}

var messageColumnNames = []string{"tenant_id", "id", "session_id", "chat_id", "wa_id", "pos", "direction", "sender_id", "type", "body", "status", "reason",
	"status_at", "sent_at", "origin", "actor", "only_if_bot", "not_after", "reply_to", "created_at"}

// messageColumns are all of a message's, under the names that messageCols reads.
var messageColumns = prefixed("m", "m_", messageColumnNames...)

// lastColumns are what the list of chats shows of the newest message, empty where there is none.
const lastColumns = "COALESCE(m.id, '') AS m_id, COALESCE(m.tenant_id, '') AS m_tenant_id, COALESCE(m.session_id, '') AS m_session_id, COALESCE(m.chat_id, '') AS m_chat_id, " +
	"COALESCE(m.direction, '') AS m_direction, COALESCE(m.type, '') AS m_type, COALESCE(m.body, '') AS m_body, COALESCE(m.status, '') AS m_status, " +
	"COALESCE(m.sent_at, 0) AS m_sent_at, COALESCE(m.pos, 0) AS m_pos"

type messageCols struct {
	TenantID  id.Tenant  `bun:"tenant_id"`
	ID        id.Message `bun:"id"`
	SessionID id.Session `bun:"session_id"`
	ChatID    id.Chat    `bun:"chat_id"`
	WAID      string     `bun:"wa_id"`
	Pos       int64      `bun:"pos"`
	Direction string     `bun:"direction"`
	SenderID  id.Contact `bun:"sender_id"`
	Type      string     `bun:"type"`
	Body      string     `bun:"body"`
	Status    string     `bun:"status"`
	Reason    string     `bun:"reason"`
	StatusAt  int64      `bun:"status_at"`
	SentAt    int64      `bun:"sent_at"`
	Origin    string     `bun:"origin"`
	Actor     string     `bun:"actor"`
	OnlyIfBot int64      `bun:"only_if_bot"`
	NotAfter  int64      `bun:"not_after"`
	ReplyTo   id.Message `bun:"reply_to"`
	CreatedAt int64      `bun:"created_at"`
}

func (r *messageCols) message() whatsapp.Message {
	return whatsapp.Message{Ref: whatsapp.Ref{Tenant: r.TenantID, Session: r.SessionID}, ID: r.ID, ChatID: r.ChatID, WAID: r.WAID, Pos: r.Pos,
		Direction: whatsapp.Direction(r.Direction), SenderID: r.SenderID, Type: r.Type, Text: r.Body, Status: whatsapp.MessageStatus(r.Status), Reason: r.Reason,
		StatusAt: sqlkit.Time(r.StatusAt), Timestamp: sqlkit.Time(r.SentAt), Origin: r.Origin, Actor: r.Actor, OnlyIfBot: r.OnlyIfBot == 1,
		NotAfter: sqlkit.Time(r.NotAfter), ReplyTo: r.ReplyTo, CreatedAt: sqlkit.Time(r.CreatedAt)}
}

func toMessageRow(m whatsapp.Message) *messageRow {
	return &messageRow{TenantID: m.Tenant, ID: m.ID, SessionID: m.Session, ChatID: m.ChatID, WAID: m.WAID, Pos: m.Pos, Direction: string(m.Direction),
		SenderID: m.SenderID.String(), Type: m.Type, Body: m.Text, Status: string(m.Status), Reason: m.Reason, StatusAt: sqlkit.Micros(m.StatusAt),
		SentAt: sqlkit.Micros(m.Timestamp), Origin: m.Origin, Actor: m.Actor, IsQueued: toInt(m.Status == whatsapp.MessageQueued), OnlyIfBot: toInt(m.OnlyIfBot),
		NotAfter: sqlkit.Micros(m.NotAfter), ReplyTo: m.ReplyTo.String(), CreatedAt: sqlkit.Micros(m.CreatedAt)}
}

// AddMessage implements whatsapp.Store.
func (s *Store) AddMessage(ctx context.Context, m whatsapp.Message) (bool, error) {
	return s.insert(ctx, "message", toMessageRow(m))
}

// SaveMessage implements whatsapp.Store.
func (s *Store) SaveMessage(ctx context.Context, m whatsapp.Message) error {
	return mustMatch("message")(s.update(m).Exec(ctx))
}

func (s *Store) update(m whatsapp.Message) *bun.UpdateQuery {
	return s.h.Write().NewUpdate().Model(toMessageRow(m)).Column("status", "reason", "status_at", "sent_at", "is_queued").
		Where("tenant_id = ?", m.Tenant).Where("id = ?", m.ID)
}

type messageOnly struct {
	Message messageCols `bun:"embed:m_"`
}

func (s *Store) selectMessages() *bun.SelectQuery {
	return s.h.Read().NewSelect().TableExpr("whatsapp_messages AS m").ColumnExpr(messageColumns)
}

// FindMessage implements whatsapp.Store.
func (s *Store) FindMessage(ctx context.Context, tenant id.Tenant, message id.Message) (whatsapp.Message, error) {
	var r messageWithSender
	q := s.selectMessages().ColumnExpr(personColumns).Join(joinSender).Where("m.tenant_id = ?", tenant).Where("m.id = ?", message)
	if err := found("message", q.Scan(ctx, &r)); err != nil {
		return whatsapp.Message{}, err
	}
	return r.message(), nil
}

// LockMessage implements whatsapp.Store.
func (s *Store) LockMessage(ctx context.Context, tenant id.Tenant, message id.Message) (whatsapp.Message, error) {
	var r messageOnly
	q := s.selectMessages().Where("m.tenant_id = ?", tenant).Where("m.id = ?", message)
	if err := found("message", s.lock(q, "m").Scan(ctx, &r)); err != nil {
		return whatsapp.Message{}, err
	}
	return r.Message.message(), nil
}

// FindOwn implements whatsapp.Store.
func (s *Store) FindOwn(ctx context.Context, ref whatsapp.Ref, waIDs []string) ([]whatsapp.Message, error) {
	if len(waIDs) == 0 {
		return nil, nil
	}
	q := s.selectMessages().Where("m.tenant_id = ?", ref.Tenant).Where("m.session_id = ?", ref.Session).Where("m.wa_id IN (?)", bun.List(waIDs)).
		Where("m.sender_id = ''").Where("m.direction = ?", whatsapp.Out).Order("m.id")
	if s.h.InsideTx() {
		q = s.lock(q, "m")
	}
	var rows []messageOnly
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("find own messages: %w", err)
	}
	out := make([]whatsapp.Message, len(rows))
	for i := range rows {
		out[i] = rows[i].Message.message()
	}
	return out, nil
}

const joinSender = "LEFT JOIN whatsapp_contacts AS k ON k.tenant_id = m.tenant_id AND k.id = m.sender_id"

type messageWithSender struct {
	Message messageCols `bun:"embed:m_"`
	Sender  personCols  `bun:"embed:p_"`
}

func (r *messageWithSender) message() whatsapp.Message {
	m := r.Message.message()
	m.Sender = r.Sender.contact(m.Tenant)
	return m
}

// ListMessages implements whatsapp.Store.
func (s *Store) ListMessages(ctx context.Context, tenant id.Tenant, chat id.Chat, before whatsapp.MessageCursor, limit int) ([]whatsapp.Message, error) {
	q := s.selectMessages().Where("m.tenant_id = ?", tenant).Where("m.chat_id = ?", chat)
	if before.Pos != 0 {
		q = q.Where("m.pos <= ?", before.Pos).Where("(m.pos < ? OR m.id < ?)", before.Pos, before.ID.String())
	}
	return listMessages(ctx, q, limit)
}

// ListIncoming implements whatsapp.Store.
func (s *Store) ListIncoming(ctx context.Context, tenant id.Tenant, chat id.Chat, limit int) ([]whatsapp.Message, error) {
	return listMessages(ctx, s.selectMessages().Where("m.tenant_id = ?", tenant).Where("m.chat_id = ?", chat).Where("m.direction = ?", whatsapp.In), limit)
}

func listMessages(ctx context.Context, q *bun.SelectQuery, limit int) ([]whatsapp.Message, error) {
	var rows []messageWithSender
	err := q.ColumnExpr(personColumns).Join(joinSender).OrderExpr("m.pos DESC, m.id DESC").Limit(int64(limit)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	out := make([]whatsapp.Message, len(rows))
	for i := range rows {
		out[i] = rows[i].message()
	}
	return out, nil
}

type queuedRow struct {
	Message messageCols `bun:"embed:m_"`
	Chat    chatCols    `bun:"embed:c_"`
	Person  personCols  `bun:"embed:p_"`
}

func (s *Store) selectQueued(ref whatsapp.Ref) *bun.SelectQuery {
	return s.selectMessages().ColumnExpr(chatColumns).ColumnExpr(personColumns).
		Join("JOIN whatsapp_chats AS c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id").Join(joinPerson).
		Where("m.tenant_id = ?", ref.Tenant).Where("m.session_id = ?", ref.Session).Where("m.is_queued = 1")
}

// ListQueued implements whatsapp.Store. Queues that fit in a page are read for many sessions at once.
func (s *Store) ListQueued(ctx context.Context, ref whatsapp.Ref, except []id.Chat, limit int) ([]whatsapp.Queued, error) {
	if s.h.InsideTx() {
		return s.listQueued(ctx, ref, except, limit)
	}
	all, err := s.queues.Ask(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !all.isWhole {
		return s.listQueued(ctx, ref, except, limit)
	}
	out := slices.DeleteFunc(all.messages, func(q whatsapp.Queued) bool { return slices.Contains(except, q.ChatID) })
	return out[:min(len(out), limit)], nil
}

func (s *Store) listQueued(ctx context.Context, ref whatsapp.Ref, except []id.Chat, limit int) ([]whatsapp.Queued, error) {
	q := s.selectQueued(ref)
	if len(except) > 0 {
		q = q.Where("m.chat_id NOT IN (?)", bun.List(except))
	}
	return manyQueued(ctx, q.OrderExpr("m.pos, m.id").Limit(int64(limit)))
}

// FindQueued implements whatsapp.Store.
func (s *Store) FindQueued(ctx context.Context, ref whatsapp.Ref, message id.Message) (whatsapp.Queued, bool, error) {
	rows, err := manyQueued(ctx, s.selectQueued(ref).Where("m.id = ?", message))
	if err != nil || len(rows) == 0 {
		return whatsapp.Queued{}, false, err
	}
	return rows[0], true, nil
}

func manyQueued(ctx context.Context, q *bun.SelectQuery) ([]whatsapp.Queued, error) {
	var rows []queuedRow
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list queued messages: %w", err)
	}
	out := make([]whatsapp.Queued, len(rows))
	for i := range rows {
		with := chatWithPerson{rows[i].Chat, rows[i].Person}
		out[i] = whatsapp.Queued{Message: rows[i].Message.message(), Chat: with.chat()}
	}
	return out, nil
}
