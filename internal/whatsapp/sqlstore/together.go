package sqlstore

import (
	"context"
	"errors"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// Together gives the same store with what TogetherStore says committed by the committer, whose fences must be the sessions'. Without, each such change has
// a transaction of its own.
func (s *Store) Together(c *groupcommit.Committer) *Store {
	with := *s
	with.committer = c
	return &with
}

// fences are those of the sessions.
var fences = groupcommit.Fences{Table: "whatsapp_sessions", Stale: whatsapp.ErrStaleFence}

// errElsewhere fails a member for which nothing can be decided in a group.
var errElsewhere = errors.New("sqlstore: not there, or held by somebody else")

// Post implements whatsapp.Store.
func (s *Store) Post(ctx context.Context, p whatsapp.Post) (bool, error) {
	if err := idempotency.Check(p.Key); err != nil {
		return false, err
	}
	return s.grouped(ctx, p.Term, s.batch, &p, p.Stored)
}

// Move implements whatsapp.Store.
func (s *Store) Move(ctx context.Context, m whatsapp.Move) (bool, error) {
	return s.grouped(ctx, m.Term, s.batch, &m, nil)
}

func (s *Store) grouped(ctx context.Context, t whatsapp.Term, b groupcommit.Batch, item any, stored func()) (ok bool, err error) {
	m := &groupcommit.Member{Batch: b, Item: item}
	if t.Fence != 0 {
		m.Fence = groupcommit.Fence{Tenant: t.Tenant.String(), ID: t.Session.String(), Value: t.Fence}
	}
	if s.committer != nil && !s.h.InsideTx() {
		m.Done = func(err error) {
			if err == nil && stored != nil {
				stored()
			}
		}
		err = s.committer.Submit(ctx, m)
	} else {
		err = groupcommit.Alone(ctx, s.h, fences, m)
	}
	if errors.Is(err, errElsewhere) || sqlkit.IsUnique(err) { // somebody stored the same in between
		return false, nil
	}
	return err == nil, err
}

// batch does Posts and Moves of many sessions at once.
type batch struct{ log *outbox.Log }

var _ groupcommit.Batch = (*batch)(nil)

// Run implements groupcommit.Batch: it reads what the items are about, locked, and has each decide in turn. The next one sees what those before it decided.
func (b *batch) Run(ctx context.Context, h sqlkit.Handle, items []any) ([]groupcommit.Row, []error, error) {
	r := &round{h: h, log: b.log, chats: map[string]*chatAt{}, byPlace: map[place]*chatAt{}, messages: map[waKey][]*messageAt{}, isIdle: map[whatsapp.Ref]bool{}, used: map[[3]string]bool{}, added: map[id.Message]bool{}}
	if r.dialect() == sqlkit.SQLite { // a context that can end costs a goroutine for each of the many statements
		ctx = context.WithoutCancel(ctx)
	}
	if err := r.read(ctx, items); err != nil {
		return nil, nil, err
	}
	failed := make([]error, len(items))
	for i, item := range items {
		switch item := item.(type) {
		case *whatsapp.Post:
			failed[i] = r.post(item)
		case *whatsapp.Move:
			failed[i] = r.move(item)
		}
	}
	rows, err := r.rows()
	if err == nil && r.hasEvents {
		h.AfterCommit(b.log.Wake)
	}
	return rows, failed, err
}

// round is one run of the batch.
type round struct {
	h   sqlkit.Handle
	log *outbox.Log

	chats    map[string]*chatAt // by ID
	byPlace  map[place]*chatAt
	messages map[waKey][]*messageAt
	isIdle   map[whatsapp.Ref]bool // sessions that are known to have nothing to send
	used     map[[3]string]bool    // idempotency keys that cannot be used again: tenant, operation, key

	changedChats    []*chatAt
	newMessages     []*messageAt
	added           map[id.Message]bool // those in newMessages
	changedMessages []*messageAt
	events, claims  []groupcommit.Row
	hasEvents       bool
}

func (r *round) dialect() sqlkit.Dialect { return r.h.Dialect() }

// place is where an item looks for its chat.
type place struct {
	by              lookup
	tenant, session string
	key             string
}

// waKey names what has one WhatsApp ID in a session.
type waKey struct{ tenant, session, waID string }

type chatAt struct {
	chat      whatsapp.Chat
	isLinked  bool
	isChanged bool
}

type messageAt struct {
	message   whatsapp.Message
	isLocked  bool
	isChanged bool
}

// placeOf tells where a post looks for its chat.
func placeOf(p *whatsapp.Post) place {
	switch {
	case !p.Chat.IsZero():
		return place{byID, p.Tenant.String(), "", p.Chat.String()}
	case p.Address.IsNumber():
		return place{byNumber, p.Tenant.String(), p.Session.String(), p.Address.String()}
	}
	return place{byAddress, p.Tenant.String(), p.Session.String(), p.Address.String()}
}

// claimOf names the idempotency key of a post.
func claimOf(p *whatsapp.Post) [3]string { return [3]string{p.Tenant.String(), p.Operation, p.Key} }

func waKeyOf(ref whatsapp.Ref, waID string) waKey {
	return waKey{ref.Tenant.String(), ref.Session.String(), waID}
}

// post decides one Post.
func (r *round) post(p *whatsapp.Post) error {
	at := r.byPlace[placeOf(p)]
	if at == nil {
		return errElsewhere
	}
	if p.Fence != 0 && at.chat.Session != p.Session {
		return errElsewhere // the fence is another session's
	}
	if p.Key != "" && r.used[claimOf(p)] {
		return errElsewhere
	}
	key := waKeyOf(at.chat.Ref, p.WAID)
	is := whatsapp.Place{Chat: at.chat, IsLinked: at.isLinked, IsFirst: r.isIdle[at.chat.Ref]}
	for _, m := range r.messages[key] {
		if p.WAID != "" && m.message.ChatID == at.chat.ID {
			is.Same = append(is.Same, m.message)
		}
	}
	change, err := p.Decide(is)
	if err != nil {
		return err
	}
	if change.Message != nil && r.added[change.Message.ID] {
		return errElsewhere // the same command came twice; once this is committed, the message will be found
	}
	if err = r.tell(change.Events); err != nil {
		return err
	}
	if change.Chat != nil {
		at.chat = *change.Chat
		if !at.isChanged {
			at.isChanged, r.changedChats = true, append(r.changedChats, at)
		}
	}
	if change.Message != nil {
		m := &messageAt{message: *change.Message}
		r.added[m.message.ID], r.newMessages = true, append(r.newMessages, m)
		if p.Key != "" {
			r.used[claimOf(p)] = true
			r.claims = append(r.claims, idempotency.Row(r.dialect(), p.Tenant, p.Operation, p.Key, change.Made.Fingerprint, change.Made.Entity, m.message.CreatedAt))
		}
		key.waID = m.message.WAID
		r.messages[key] = append(r.messages[key], m)
		if m.message.Status == whatsapp.MessageQueued {
			delete(r.isIdle, at.chat.Ref)
		}
	}
	return nil
}

// move decides one Move.
func (r *round) move(m *whatsapp.Move) error {
	var at []*messageAt
	for _, waID := range m.WAIDs {
		n := len(at)
		for _, found := range r.messages[waKeyOf(m.Ref, waID)] {
			if found.isLocked {
				at = append(at, found)
			}
		}
		if n == len(at) {
			return errElsewhere
		}
	}
	own, was := make([]*whatsapp.Message, len(at)), make([]whatsapp.Message, len(at))
	for i := range at {
		own[i], was[i] = &at[i].message, at[i].message
	}
	if err := r.tell(m.Decide(own)); err != nil {
		for i := range at {
			at[i].message = was[i]
		}
		return err
	}
	for i := range at {
		if at[i].message != was[i] && !at[i].isChanged {
			at[i].isChanged, r.changedMessages = true, append(r.changedMessages, at[i])
		}
	}
	return nil
}

func (r *round) tell(told []events.Event) error {
	made := make([]groupcommit.Row, 0, len(told))
	for _, ev := range told {
		row, err := r.log.Row(ev)
		if err != nil {
			return err
		}
		made = append(made, row)
	}
	r.events = append(r.events, made...)
	r.hasEvents = len(r.events) > 0
	return nil
}

// rows gives what the items decided.
func (r *round) rows() ([]groupcommit.Row, error) {
	out := append(r.events, r.claims...)
	for _, m := range r.newMessages {
		row := toMessageRow(m.message)
		out = append(out, groupcommit.Row{Table: newMessages, Values: []any{row.TenantID.String(), row.ID.String(), row.SessionID.String(), row.ChatID.String(), row.WAID, row.Pos,
			row.Direction, row.SenderID, row.Type, row.Body, row.Status, row.Reason, row.StatusAt, row.SentAt, row.Origin, row.Actor, row.IsQueued, row.OnlyIfBot,
			row.NotAfter, row.ReplyTo, row.CreatedAt}})
	}
	for _, m := range r.changedMessages {
		row := toMessageRow(m.message)
		out = append(out, groupcommit.Row{Table: movedMessages, Values: []any{row.TenantID.String(), row.ID.String(), row.Status, row.Reason, row.StatusAt, row.SentAt, row.IsQueued}})
	}
	for _, c := range r.changedChats {
		row := toChatRow(c.chat)
		out = append(out, groupcommit.Row{Table: changedChats, Values: []any{row.TenantID.String(), row.ID.String(), row.Mode, row.PersonUntil, row.Unread, row.LastPos, row.LastMessageID}})
	}
	return out, nil
}

func columns(kind groupcommit.Kind, names ...string) []groupcommit.Column {
	out := make([]groupcommit.Column, len(names))
	for i, name := range names {
		out[i] = groupcommit.Column{Name: name, Kind: kind}
	}
	return out
}

func join(parts ...[]groupcommit.Column) (all []groupcommit.Column) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// What a group writes.
var (
	rowKey      = columns(groupcommit.Text, "tenant_id", "id")
	newMessages = &groupcommit.Table{Name: "whatsapp_messages", Keys: rowKey, OnlyNew: true, Values: join(
		columns(groupcommit.Text, "session_id", "chat_id", "wa_id"), columns(groupcommit.Int, "pos"),
		columns(groupcommit.Text, "direction", "sender_id", "type", "body", "status", "reason"), columns(groupcommit.Int, "status_at", "sent_at"),
		columns(groupcommit.Text, "origin", "actor"), columns(groupcommit.Int, "is_queued", "only_if_bot", "not_after"),
		columns(groupcommit.Text, "reply_to"), columns(groupcommit.Int, "created_at"))}
	movedMessages = &groupcommit.Table{Name: "whatsapp_messages", Keys: rowKey, OnlyOld: true, Values: join(
		columns(groupcommit.Text, "status", "reason"), columns(groupcommit.Int, "status_at", "sent_at", "is_queued"))}
	changedChats = &groupcommit.Table{Name: "whatsapp_chats", Keys: rowKey, OnlyOld: true, Values: join(
		columns(groupcommit.Text, "mode"), columns(groupcommit.Int, "person_until", "unread", "last_pos"), columns(groupcommit.Text, "last_message_id"))}
)
