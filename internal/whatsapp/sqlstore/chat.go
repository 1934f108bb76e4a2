package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

type chatRow struct {
	bun.BaseModel `bun:"table:whatsapp_chats,alias:c"`
	TenantID      id.Tenant  `bun:"tenant_id,pk"`
	ID            id.Chat    `bun:"id,pk"`
	SessionID     id.Session `bun:"session_id"`
	Address       string     `bun:"address"`
	Kind          string     `bun:"kind"`
	ContactID     string     `bun:"contact_id"`
	Mode          string     `bun:"mode"`
	PersonUntil   int64      `bun:"person_until"`
	Unread        int64      `bun:"unread"`
	LastPos       int64      `bun:"last_pos"`
	LastMessageID string     `bun:"last_message_id"`
	MergedInto    string     `bun:"merged_into"`
	CreatedAt     int64      `bun:"created_at"`
}

// chatColumns are all of a chat's, under the names that chatCols reads.
var chatColumns = prefixed("c", "c_", "tenant_id", "id", "session_id", "address", "kind", "mode", "person_until", "unread", "last_pos",
	"last_message_id", "merged_into", "created_at")

const joinPerson = "LEFT JOIN whatsapp_contacts AS k ON k.tenant_id = c.tenant_id AND k.id = c.contact_id"

type chatCols struct {
	TenantID      id.Tenant  `bun:"tenant_id"`
	ID            id.Chat    `bun:"id"`
	SessionID     id.Session `bun:"session_id"`
	Address       string     `bun:"address"`
	Kind          string     `bun:"kind"`
	Mode          string     `bun:"mode"`
	PersonUntil   int64      `bun:"person_until"`
	Unread        int64      `bun:"unread"`
	LastPos       int64      `bun:"last_pos"`
	LastMessageID id.Message `bun:"last_message_id"`
	MergedInto    id.Chat    `bun:"merged_into"`
	CreatedAt     int64      `bun:"created_at"`
}

type chatWithPerson struct {
	Chat   chatCols   `bun:"embed:c_"`
	Person personCols `bun:"embed:p_"`
}

func (r *chatWithPerson) chat() whatsapp.Chat {
	c := &r.Chat
	return whatsapp.Chat{Ref: whatsapp.Ref{Tenant: c.TenantID, Session: c.SessionID}, ID: c.ID, Address: address(c.Address), Kind: whatsapp.ChatKind(c.Kind),
		Person: r.Person.contact(c.TenantID), Mode: whatsapp.Mode(c.Mode), PersonUntil: sqlkit.Time(c.PersonUntil), Unread: int(c.Unread), LastPos: c.LastPos,
		LastMessage: c.LastMessageID, MergedInto: c.MergedInto, CreatedAt: sqlkit.Time(c.CreatedAt)}
}

func toChatRow(c whatsapp.Chat) *chatRow {
	r := &chatRow{TenantID: c.Tenant, ID: c.ID, SessionID: c.Session, Address: c.Address.String(), Kind: string(c.Kind), ContactID: c.Person.ID.String(),
		Mode: string(c.Mode), PersonUntil: sqlkit.Micros(c.PersonUntil), Unread: int64(c.Unread), LastPos: c.LastPos, LastMessageID: c.LastMessage.String(),
		MergedInto: c.MergedInto.String(), CreatedAt: sqlkit.Micros(c.CreatedAt)}
	if !c.MergedInto.IsZero() { // its address belongs to the other chat now; the key must still be one of a kind
		r.Address = c.ID.String()
	}
	return r
}

// AddChat implements whatsapp.Store.
func (s *Store) AddChat(ctx context.Context, c whatsapp.Chat) (bool, error) {
	return s.insert(ctx, "chat", toChatRow(c))
}

// SaveChat implements whatsapp.Store.
func (s *Store) SaveChat(ctx context.Context, c whatsapp.Chat) error {
	return mustMatch("chat")(s.h.Write().NewUpdate().Model(toChatRow(c)).ExcludeColumn("tenant_id", "id", "session_id", "kind", "created_at").
		Where("tenant_id = ?", c.Tenant).Where("id = ?", c.ID).Exec(ctx))
}

func (s *Store) selectChats() *bun.SelectQuery {
	return s.h.Read().NewSelect().TableExpr("whatsapp_chats AS c").ColumnExpr(chatColumns).ColumnExpr(personColumns).Join(joinPerson)
}

// FindChat implements whatsapp.Store. A merged chat is found as it is.
func (s *Store) FindChat(ctx context.Context, tenant id.Tenant, chat id.Chat) (whatsapp.Chat, error) {
	return oneChat(ctx, s.selectChats().Where("c.tenant_id = ?", tenant).Where("c.id = ?", chat))
}

// LockChat implements whatsapp.Store. A merged chat is found as it is.
func (s *Store) LockChat(ctx context.Context, tenant id.Tenant, chat id.Chat) (whatsapp.Chat, error) {
	return oneChat(ctx, s.lock(s.selectChats().Where("c.tenant_id = ?", tenant).Where("c.id = ?", chat), "c"))
}

// FindChatAt implements whatsapp.Store.
func (s *Store) FindChatAt(ctx context.Context, ref whatsapp.Ref, at whatsapp.Address) (whatsapp.Chat, error) {
	return oneChat(ctx, s.selectChats().Where("c.tenant_id = ?", ref.Tenant).Where("c.session_id = ?", ref.Session).Where("c.address = ?", at.String()))
}

func oneChat(ctx context.Context, q *bun.SelectQuery) (whatsapp.Chat, error) {
	var r chatWithPerson
	if err := found("chat", q.Scan(ctx, &r)); err != nil {
		return whatsapp.Chat{}, err
	}
	return r.chat(), nil
}

// LockChatsAt implements whatsapp.Store.
func (s *Store) LockChatsAt(ctx context.Context, ref whatsapp.Ref, addresses ...whatsapp.Address) ([]whatsapp.Chat, error) {
	keys := make([]string, 0, len(addresses))
	for _, a := range addresses {
		if !a.IsZero() {
			keys = append(keys, a.String())
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	q := s.selectChats().Where("c.tenant_id = ?", ref.Tenant).Where("c.session_id = ?", ref.Session).Where("c.address IN (?)", bun.List(keys)).Order("c.id")
	return manyChats(ctx, s.lock(q, "c"))
}

// LockChatsOf implements whatsapp.Store.
func (s *Store) LockChatsOf(ctx context.Context, tenant id.Tenant, contact id.Contact) ([]whatsapp.Chat, error) {
	return manyChats(ctx, s.lock(s.selectChats().Where("c.tenant_id = ?", tenant).Where("c.contact_id = ?", contact.String()).Order("c.id"), "c"))
}

func manyChats(ctx context.Context, q *bun.SelectQuery) ([]whatsapp.Chat, error) {
	var rows []chatWithPerson
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("find chats: %w", err)
	}
	out := make([]whatsapp.Chat, len(rows))
	for i := range rows {
		out[i] = rows[i].chat()
	}
	return out, nil
}

type chatEntry struct {
	Chat   chatCols    `bun:"embed:c_"`
	Person personCols  `bun:"embed:p_"`
	Last   messageCols `bun:"embed:m_"`
}

// ListChats implements whatsapp.Store.
func (s *Store) ListChats(ctx context.Context, tenant id.Tenant, query whatsapp.ChatQuery) ([]whatsapp.ChatEntry, error) {
	q := s.selectChats().ColumnExpr(lastColumns).
		Join("LEFT JOIN whatsapp_messages AS m ON m.tenant_id = c.tenant_id AND m.id = c.last_message_id").
		Where("c.tenant_id = ?", tenant).Where("c.merged_into = ''")
	if !query.Session.IsZero() {
		q = q.Where("c.session_id = ?", query.Session)
	}
	if len(query.Kinds) > 0 {
		q = q.Where("c.kind IN (?)", bun.List(query.Kinds))
	}
	if !query.Viewer.IsZero() {
		q = q.Where("EXISTS (SELECT 1 FROM whatsapp_chat_permissions AS g WHERE g.tenant_id = ? AND g.user_id = ? AND g.chat_id = c.id)", tenant, query.Viewer)
	}
	if before := query.Before; before.Pos != 0 {
		q = q.Where("c.last_pos <= ?", before.Pos).Where("(c.last_pos < ? OR c.id < ?)", before.Pos, before.ID.String())
	}
	var rows []chatEntry
	if err := q.OrderExpr("c.last_pos DESC, c.id DESC").Limit(int64(query.Limit)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list chats: %w", err)
	}
	out := make([]whatsapp.ChatEntry, len(rows))
	for i := range rows {
		with := chatWithPerson{rows[i].Chat, rows[i].Person}
		out[i].Chat = with.chat()
		if m := rows[i].Last.message(); !m.ID.IsZero() {
			out[i].Last = &m
		}
	}
	return out, nil
}
