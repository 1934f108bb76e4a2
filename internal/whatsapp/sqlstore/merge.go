package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

// MoveMessages implements whatsapp.Store.
func (s *Store) MoveMessages(ctx context.Context, from, into whatsapp.Chat) (int, id.Message, error) {
	var none id.Message
	was, is := from.Person.ID.String(), into.Person.ID.String()
	doubled, err := s.doubled(ctx, `b.chat_id = ? AND b.sender_id = CASE WHEN a.sender_id = ? THEN ? ELSE a.sender_id END
		WHERE a.tenant_id = ? AND a.chat_id = ?`, into.ID, was, is, from.Tenant, from.ID)
	if err != nil {
		return 0, none, err
	}
	if err = s.deleteMessages(ctx, from.Tenant, doubled); err != nil {
		return 0, none, err
	}
	err = s.exec(ctx, "move messages", "UPDATE whatsapp_messages SET chat_id = ?, sender_id = CASE WHEN sender_id = ? THEN ? ELSE sender_id END WHERE tenant_id = ? AND chat_id = ?",
		into.ID, was, is, from.Tenant, from.ID)
	if err != nil {
		return 0, none, err
	}
	if err = s.movePermissions(ctx, from, into); err != nil {
		return 0, none, err
	}
	var newest []messageKey
	err = s.h.Read().NewSelect().Table("whatsapp_messages").Column("id", "sender_id").Where("tenant_id = ?", into.Tenant).Where("chat_id = ?", into.ID).
		OrderExpr("pos DESC, id DESC").Limit(1).Scan(ctx, &newest)
	if err != nil {
		return 0, none, fmt.Errorf("find newest message: %w", err)
	}
	incoming := 0
	for _, m := range doubled {
		if m.SenderID != "" {
			incoming++
		}
	}
	return incoming, append(newest, messageKey{})[0].ID, nil
}

func (s *Store) movePermissions(ctx context.Context, from, into whatsapp.Chat) error {
	err := s.exec(ctx, "move permissions", `INSERT INTO whatsapp_chat_permissions (tenant_id, chat_id, user_id, granted_by, granted_at)
		SELECT f.tenant_id, ?, f.user_id, f.granted_by, f.granted_at FROM whatsapp_chat_permissions AS f
		LEFT JOIN whatsapp_chat_permissions AS t ON t.tenant_id = f.tenant_id AND t.chat_id = ? AND t.user_id = f.user_id
		WHERE f.tenant_id = ? AND f.chat_id = ? AND t.user_id IS NULL`, into.ID, into.ID, from.Tenant, from.ID)
	if err != nil {
		return err
	}
	return s.exec(ctx, "drop permissions", "DELETE FROM whatsapp_chat_permissions WHERE tenant_id = ? AND chat_id = ?", from.Tenant, from.ID)
}

// MoveSender implements whatsapp.Store. Messages have no index by sender: there are few groups and few chats with one contact.
func (s *Store) MoveSender(ctx context.Context, tenant id.Tenant, from, into id.Contact) error {
	var chats []string
	err := s.h.Read().NewRaw("SELECT id FROM whatsapp_chats WHERE tenant_id = ? AND contact_id IN ('', ?) AND merged_into = ''", tenant, into).Scan(ctx, &chats)
	if err != nil {
		return fmt.Errorf("list chats: %w", err)
	}
	for _, chat := range chats {
		doubled, err := s.doubled(ctx, "b.chat_id = a.chat_id AND b.sender_id = ? WHERE a.tenant_id = ? AND a.chat_id = ? AND a.sender_id = ?", into, tenant, chat, from)
		if err != nil {
			return err
		}
		if err = s.deleteMessages(ctx, tenant, doubled); err != nil {
			return err
		}
		err = s.exec(ctx, "move sender", "UPDATE whatsapp_messages SET sender_id = ? WHERE tenant_id = ? AND chat_id = ? AND sender_id = ?", into, tenant, chat, from)
		if err != nil {
			return err
		}
		if err = s.forgetDoubled(ctx, tenant, chat, len(doubled)); err != nil {
			return err
		}
	}
	return nil
}

// forgetDoubled corrects what a chat says of its messages after some were deleted because they were there twice.
func (s *Store) forgetDoubled(ctx context.Context, tenant id.Tenant, chat string, doubled int) error {
	if doubled == 0 {
		return nil
	}
	return s.exec(ctx, "correct chat", `UPDATE whatsapp_chats SET unread = CASE WHEN unread > ? THEN unread - ? ELSE 0 END,
		last_message_id = (SELECT m.id FROM whatsapp_messages AS m WHERE m.tenant_id = ? AND m.chat_id = ? ORDER BY m.pos DESC, m.id DESC LIMIT 1)
		WHERE tenant_id = ? AND id = ?`, doubled, doubled, tenant, chat, tenant, chat)
}

type messageKey struct {
	ID       id.Message `bun:"id"`
	SenderID string     `bun:"sender_id"`
}

// doubled finds the messages a that are the same as a message b of their session, where on says what else b has and which a are meant.
func (s *Store) doubled(ctx context.Context, on string, args ...any) ([]messageKey, error) {
	var keys []messageKey
	err := s.h.Read().NewRaw(`SELECT a.id AS id, a.sender_id AS sender_id FROM whatsapp_messages AS a
		JOIN whatsapp_messages AS b ON b.tenant_id = a.tenant_id AND b.session_id = a.session_id AND b.wa_id = a.wa_id AND `+on, args...).Scan(ctx, &keys)
	if err != nil {
		return nil, fmt.Errorf("find doubled messages: %w", err)
	}
	return keys, nil
}

func (s *Store) deleteMessages(ctx context.Context, tenant id.Tenant, keys []messageKey) error {
	for len(keys) > 0 {
		n := min(len(keys), 500)
		ids := make([]id.Message, n)
		for i := range n {
			ids[i] = keys[i].ID
		}
		keys = keys[n:]
		if err := s.exec(ctx, "drop doubled messages", "DELETE FROM whatsapp_messages WHERE tenant_id = ? AND id IN (?)", tenant, bun.List(ids)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) exec(ctx context.Context, what, sql string, args ...any) error {
	if _, err := s.h.Write().NewRaw(sql, args...).Exec(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
