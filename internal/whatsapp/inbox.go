package whatsapp

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// ListChats lists the chats that the caller may see, newest first: people and groups unless q names other kinds.
func (s *Service) ListChats(ctx context.Context, p id.Principal, q ChatQuery) ([]ChatEntry, error) {
	if p.Role == id.Employee {
		q.Viewer = p.User
	}
	if len(q.Kinds) == 0 {
		q.Kinds = []ChatKind{DirectChat, GroupChat}
	}
	if !q.Session.IsZero() {
		if _, err := s.FindSession(ctx, p, q.Session); err != nil {
			return nil, err
		}
	}
	return s.store.ListChats(ctx, p.Tenant, q)
}

// FindChat finds one chat that the caller may see, with its newest message.
func (s *Service) FindChat(ctx context.Context, p id.Principal, session id.Session, chat string) (ChatEntry, error) {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return ChatEntry{}, err
	}
	entry := ChatEntry{Chat: c}
	if c.LastMessage.IsZero() {
		return entry, nil
	}
	last, err := s.store.FindMessage(ctx, p.Tenant, c.LastMessage)
	if err == nil {
		entry.Last = &last
	} else if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return entry, err
}

// ListMessages lists the messages of a chat that the caller may see, newest first.
func (s *Service) ListMessages(ctx context.Context, p id.Principal, session id.Session, chat string, before MessageCursor, limit int) ([]Message, error) {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return nil, err
	}
	return s.store.ListMessages(ctx, p.Tenant, c.ID, before, limit)
}

// FindMessage finds one message of a chat that the caller may see.
func (s *Service) FindMessage(ctx context.Context, p id.Principal, session id.Session, chat string, message id.Message) (Message, error) {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return Message{}, err
	}
	m, err := s.store.FindMessage(ctx, p.Tenant, message)
	if err == nil && m.ChatID != c.ID {
		err = fault.NotFoundf("message")
	}
	return m, err
}

// HandOff gives a chat to the staff until it is released: the bot is switched off there.
func (s *Service) HandOff(ctx context.Context, p id.Principal, session id.Session, chat string) (Chat, error) {
	return s.changeMode(ctx, p, session, chat, func(c *Chat, now time.Time) []events.Event { return c.handOff(modeHandedOff, now) })
}

// Release gives a chat back to the bot.
func (s *Service) Release(ctx context.Context, p id.Principal, session id.Session, chat string) (Chat, error) {
	return s.changeMode(ctx, p, session, chat, (*Chat).release)
}

// HandleHandOff gives a chat to the staff because another module asked for it.
func (s *Service) HandleHandOff(ctx context.Context, j *events.HandOffChat) error {
	reason := clean(j.Reason, mostWAID)
	if reason == "" {
		reason = modeHandedOff
	}
	_, err := s.setMode(ctx, j.Tenant, j.Chat, func(c *Chat, now time.Time) []events.Event { return c.handOff(reason, now) })
	return err
}

func (s *Service) changeMode(ctx context.Context, p id.Principal, session id.Session, chat string, change func(*Chat, time.Time) []events.Event) (Chat, error) {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return Chat{}, err
	}
	return s.setMode(ctx, p.Tenant, c.ID, change)
}

func (s *Service) setMode(ctx context.Context, tenant id.Tenant, chat id.Chat, change func(*Chat, time.Time) []events.Event) (Chat, error) {
	var out Chat
	err := s.store.InTx(ctx, func(tx Store) error {
		c, err := followMerges(ctx, tx, tenant, chat)
		if err != nil {
			return err
		}
		told := change(&c, s.now())
		out = c
		if err = tx.SaveChat(ctx, c); err != nil {
			return err
		}
		return emit(ctx, tx, told...)
	})
	return out, err
}

// Grant lets a user of the tenant see and answer a chat. Granting twice changes nothing.
func (s *Service) Grant(ctx context.Context, p id.Principal, session id.Session, chat string, user id.User) error {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return err
	}
	ok, err := s.users.Exists(ctx, p.Tenant, user)
	if err != nil {
		return err
	}
	if !ok {
		return fault.NotFoundf("user")
	}
	return s.store.InTx(ctx, func(tx Store) error {
		locked, err := followMerges(ctx, tx, p.Tenant, c.ID)
		if err != nil {
			return err
		}
		return tx.Grant(ctx, Permission{Tenant: p.Tenant, Chat: locked.ID, User: user, GrantedBy: p.Actor(), GrantedAt: s.now()})
	})
}

// Revoke takes a grant back. Revoking what was not granted changes nothing.
func (s *Service) Revoke(ctx context.Context, p id.Principal, session id.Session, chat string, user id.User) error {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return err
	}
	return s.store.Revoke(ctx, p.Tenant, c.ID, user)
}

// ListPermissions lists who may see a chat.
func (s *Service) ListPermissions(ctx context.Context, p id.Principal, session id.Session, chat string) ([]Permission, error) {
	c, err := s.findChat(ctx, p, session, chat)
	if err != nil {
		return nil, err
	}
	return s.store.ListPermissions(ctx, p.Tenant, c.ID)
}
