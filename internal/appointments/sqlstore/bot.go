package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
)

// BotStore is bot.Store over the same database as a Store.
type BotStore struct {
	*Store
	committer func() *groupcommit.Committer // nil: nothing is grouped
}

var _ bot.Store = (*BotStore)(nil)

// NewBot makes the bot's Store.
func NewBot(store *Store) *BotStore { return &BotStore{Store: store} }

// Together gives the same store with what stands alone committed by the committer, together with the changes of others. It is asked for when it is needed,
// and may be nil.
func (b *BotStore) Together(committer func() *groupcommit.Committer) *BotStore {
	return &BotStore{b.Store, committer}
}

// InTx implements bot.Store.
func (b *BotStore) InTx(ctx context.Context, fn func(bot.Store) error) error {
	return b.inTx(ctx, func(_ context.Context, tx *Store) error { return fn(&BotStore{Store: tx}) })
}

// Appointments implements bot.Store.
func (b *BotStore) Appointments() appointments.Store { return b.Store }

type botConversationRow struct {
	bun.BaseModel `bun:"table:bot_conversations"`
	TenantID      id.Tenant `bun:"tenant_id,pk"`
	ChatID        id.Chat   `bun:"chat_id,pk"`
	State         string    `bun:"state"`
	Pending       string    `bun:"pending"`
	AnswerAt      int64     `bun:"answer_at"`
	Replies       string    `bun:"replies"`
	TextOnlyAt    int64     `bun:"text_only_at"`
	LimitedAt     int64     `bun:"limited_at"`
	UpdatedAt     int64     `bun:"updated_at"`
}

type botConsumedRow struct {
	bun.BaseModel `bun:"table:bot_consumed"`
	TenantID      id.Tenant `bun:"tenant_id,pk"`
	EventID       id.Event  `bun:"event_id,pk"`
	ConsumedAt    int64     `bun:"consumed_at"`
}

type botReminderRow struct {
	bun.BaseModel `bun:"table:bot_reminders"`
	TenantID      id.Tenant      `bun:"tenant_id,pk"`
	AppointmentID id.Appointment `bun:"appointment_id,pk"`
	RemindedAt    int64          `bun:"reminded_at"`
}

// Consume implements bot.Store.
func (b *BotStore) Consume(ctx context.Context, tenant id.Tenant, event id.Event, at time.Time) (bool, error) {
	fresh, err := b.h.InsertIfAbsent(ctx, &botConsumedRow{TenantID: tenant, EventID: event, ConsumedAt: sqlkit.Micros(at)})
	if err != nil {
		return false, fmt.Errorf("note consumed event: %w", err)
	}
	return fresh, nil
}

// consumed is the table of botConsumedRow as a group commit writes it.
var consumed = &groupcommit.Table{Name: "bot_consumed", Keys: []groupcommit.Column{{Name: "tenant_id"}, {Name: "event_id"}},
	Values: []groupcommit.Column{{Name: "consumed_at", Kind: groupcommit.Int}}, KeepFirst: true}

// NoteConsumed implements bot.Store.
func (b *BotStore) NoteConsumed(ctx context.Context, tenant id.Tenant, event id.Event, at time.Time) error {
	m := &groupcommit.Member{Rows: []groupcommit.Row{{Table: consumed, Values: []any{tenant.String(), event.String(), sqlkit.Micros(at)}}}}
	var err error
	if b.committer == nil || b.committer() == nil {
		err = groupcommit.Alone(ctx, b.h, groupcommit.Fences{}, m)
	} else {
		err = b.committer().Submit(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("note consumed event: %w", err)
	}
	return nil
}

// IsConversing implements bot.Store. It is asked for every message that is sent by a person.
func (b *BotStore) IsConversing(ctx context.Context, tenant id.Tenant, chat id.Chat) (bool, error) {
	query := b.h.Dialect().Placeholders("SELECT 1 FROM bot_conversations WHERE tenant_id = ? AND chat_id = ? AND (state <> '' OR pending NOT IN ('[]', 'null'))")
	isThere := false
	err := b.h.Send(ctx, sqlkit.Statement{Text: query, Args: []any{tenant.String(), chat.String()}, Each: func(sqlkit.Row) error {
		isThere = true
		return nil
	}})
	if err != nil {
		return false, fmt.Errorf("look at conversation: %w", err)
	}
	return isThere, nil
}

// LockConversation implements bot.Store. The row is read first and made only when it is missing: two transactions that both
// began with the insert would each hold the row for reading on MySQL and wait for the other to write it.
func (b *BotStore) LockConversation(ctx context.Context, tenant id.Tenant, chat id.Chat) (bot.Conversation, error) {
	r, err := b.lockConversation(ctx, tenant, chat)
	if sqlkit.IsNoRows(err) {
		if _, err = b.h.InsertIfAbsent(ctx, &botConversationRow{TenantID: tenant, ChatID: chat, Pending: "[]", Replies: "[]"}); err != nil {
			return bot.Conversation{}, fmt.Errorf("begin conversation: %w", err)
		}
		r, err = b.lockConversation(ctx, tenant, chat)
	}
	if err != nil {
		return bot.Conversation{}, fmt.Errorf("lock conversation: %w", err)
	}
	return r.conversation()
}

func (b *BotStore) lockConversation(ctx context.Context, tenant id.Tenant, chat id.Chat) (*botConversationRow, error) {
	r := &botConversationRow{}
	q := b.h.Write().NewSelect().Model(r).Where("tenant_id = ?", tenant).Where("chat_id = ?", chat)
	return r, b.h.ForUpdate(q).Scan(ctx)
}

func (r *botConversationRow) conversation() (bot.Conversation, error) {
	c := bot.Conversation{Chat: r.ChatID, State: []byte(r.State), AnswerAt: sqlkit.Time(r.AnswerAt), TextOnly: sqlkit.Time(r.TextOnlyAt),
		Limited: sqlkit.Time(r.LimitedAt), Updated: sqlkit.Time(r.UpdatedAt)}
	var replies []int64
	if err := json.Unmarshal([]byte(r.Replies), &replies); err != nil {
		return c, fmt.Errorf("read replies of conversation %s: %w", r.ChatID, err)
	}
	for _, at := range replies {
		c.Replies = append(c.Replies, sqlkit.Time(at))
	}
	if err := json.Unmarshal([]byte(r.Pending), &c.Pending); err != nil {
		return c, fmt.Errorf("read pending messages of conversation %s: %w", r.ChatID, err)
	}
	return c, nil
}

// SaveConversation implements bot.Store.
func (b *BotStore) SaveConversation(ctx context.Context, tenant id.Tenant, c bot.Conversation) error {
	replies := make([]int64, len(c.Replies))
	for i, at := range c.Replies {
		replies[i] = sqlkit.Micros(at)
	}
	rawReplies, err := json.Marshal(replies)
	if err != nil {
		return err
	}
	rawPending, err := json.Marshal(c.Pending)
	if err != nil {
		return err
	}
	r := &botConversationRow{TenantID: tenant, ChatID: c.Chat, State: string(c.State), Pending: string(rawPending), AnswerAt: sqlkit.Micros(c.AnswerAt),
		Replies: string(rawReplies), TextOnlyAt: sqlkit.Micros(c.TextOnly), LimitedAt: sqlkit.Micros(c.Limited), UpdatedAt: sqlkit.Micros(c.Updated)}
	n, err := sqlkit.Affected(b.h.Write().NewUpdate().Model(r).Column("state", "pending", "answer_at", "replies", "text_only_at", "limited_at", "updated_at").
		Where("tenant_id = ?", tenant).Where("chat_id = ?", c.Chat).Exec(ctx))
	return found("conversation", n, err)
}

// NoteReminder implements bot.Store.
func (b *BotStore) NoteReminder(ctx context.Context, tenant id.Tenant, appointment id.Appointment, at time.Time) error {
	r := &botReminderRow{TenantID: tenant, AppointmentID: appointment, RemindedAt: sqlkit.Micros(at)}
	fresh, err := b.h.InsertIfAbsent(ctx, r)
	if err != nil || fresh {
		return err
	}
	_, err = b.h.Write().NewUpdate().Model(r).Column("reminded_at").Where("tenant_id = ?", tenant).Where("appointment_id = ?", appointment).
		Where("reminded_at < ?", r.RemindedAt).Exec(ctx)
	return err
}

// LastReminder implements bot.Store.
func (b *BotStore) LastReminder(ctx context.Context, tenant id.Tenant, of []id.Appointment, since time.Time) (id.Appointment, error) {
	if len(of) == 0 {
		return id.Appointment{}, nil
	}
	keys := make([]string, len(of))
	for i, a := range of {
		keys[i] = a.String()
	}
	r := &botReminderRow{}
	err := b.h.Read().NewSelect().Model(r).Where("tenant_id = ?", tenant).Where("appointment_id IN ?", bun.Tuple(keys)).
		Where("reminded_at >= ?", sqlkit.Micros(since)).Order("reminded_at DESC", "appointment_id").Limit(1).Scan(ctx)
	if sqlkit.IsNoRows(err) {
		return id.Appointment{}, nil
	}
	return r.AppointmentID, err
}

// Forget implements bot.Store.
func (b *BotStore) Forget(ctx context.Context, notes, conversations time.Time) (int64, error) {
	var total int64
	for _, old := range []struct {
		model  any
		column string
		before time.Time
	}{
		{(*botConsumedRow)(nil), "consumed_at", notes},
		{(*botReminderRow)(nil), "reminded_at", notes},
		{(*botConversationRow)(nil), "updated_at", conversations},
	} {
		n, err := sqlkit.Affected(b.h.Write().NewDelete().Model(old.model).Where("? < ?", bun.Ident(old.column), sqlkit.Micros(old.before)).Exec(ctx))
		if err != nil {
			return total, fmt.Errorf("forget old conversations: %w", err)
		}
		total += n
	}
	return total, nil
}
