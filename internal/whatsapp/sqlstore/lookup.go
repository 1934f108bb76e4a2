package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// lookup is a way to look for a chat.
type lookup int

const (
	byID      lookup = iota // tenant, nothing, ID
	byAddress               // tenant, session, address
	byNumber                // tenant, session, number of the person: the chat has the canonical address of whoever has it
)

// joins tell how a lookup finds its chats, given wanted keys w of three columns t, x and y.
var joins = [...]string{
	byID:      "JOIN whatsapp_chats AS c ON c.tenant_id = w.t AND c.id = w.y",
	byAddress: "JOIN whatsapp_chats AS c ON c.tenant_id = w.t AND c.session_id = w.x AND c.address = w.y",
}

const (
	claimJoin  = "JOIN idempotency_keys AS i ON i.tenant_id = w.t AND i.operation = w.x AND i.key = w.y"
	numberJoin = "JOIN whatsapp_contacts AS p ON p.tenant_id = w.t AND p.number = w.y"
	chatSelect = "w.t, w.x, w.y, c.tenant_id, c.id, c.session_id, c.address, c.kind, c.mode, c.person_until, c.unread, c.last_pos, c.last_message_id, c.merged_into, c.created_at, " +
		"COALESCE(k.id, ''), COALESCE(k.number, ''), COALESCE(k.lid, ''), COALESCE(k.name, ''), COALESCE(k.created_at, 0), COALESCE(s.is_linked, 0)"
	chatJoins = " LEFT JOIN whatsapp_contacts AS k ON k.tenant_id = c.tenant_id AND k.id = c.contact_id" +
		" LEFT JOIN whatsapp_sessions AS s ON s.tenant_id = c.tenant_id AND s.id = c.session_id"
	messageJoin = "JOIN whatsapp_messages AS m ON m.tenant_id = w.t AND m.session_id = w.x AND m.wa_id = w.y"
	queuedOne   = "SELECT 1 FROM whatsapp_messages AS m WHERE m.tenant_id = w.t AND m.session_id = w.x AND m.is_queued = 1"
	oneByOne    = " OFFSET 0" // at the end of a part of a query: without it, PostgreSQL may read all queues for each key
	isOwn       = " AND m.sender_id = '' AND m.direction = 'out'"
)

var messageSelect = "m." + strings.Join(messageColumnNames, ", m.")

// mostWantedOf bounds the keys of one query. On MySQL they are part of its text; on SQLite there is no round trip to save.
func mostWantedOf(d sqlkit.Dialect) int {
	switch d {
	case sqlkit.Postgres:
		return 5000
	case sqlkit.MySQL:
		return 300
	}
	return 1
}

// want gives a query for each part of the keys that one statement may name. It reads "SELECT " + columns + " FROM keys AS w " + join + end.
func (r *round) want(keys [][3]string, columns, join, end string, scan func(row sqlkit.Row) error) []sqlkit.Statement {
	if r.dialect() != sqlkit.Postgres { // the keys come first, whatever the planner thinks
		word := map[sqlkit.Dialect]string{sqlkit.MySQL: " STRAIGHT_JOIN ", sqlkit.SQLite: " CROSS JOIN "}[r.dialect()]
		join = strings.ReplaceAll(strings.ReplaceAll(" "+join, " JOIN ", word), "LEFT"+word, "LEFT JOIN ")
	}
	var out []sqlkit.Statement
	for part := range slices.Chunk(keys, mostWantedOf(r.dialect())) {
		from, args := r.wanted(part)
		out = append(out, sqlkit.Statement{Text: "SELECT " + columns + " FROM " + from + " " + join + end, Args: args, Each: scan})
	}
	return out
}

// wanted gives keys as a table w of the columns t, x and y.
func (r *round) wanted(keys [][3]string) (from string, args []any) {
	if r.dialect() == sqlkit.Postgres {
		t, x, y := make([]string, len(keys)), make([]string, len(keys)), make([]string, len(keys))
		for i, k := range keys {
			t[i], x[i], y[i] = k[0], k[1], k[2]
		}
		return sqlkit.Keys("$1::text[], $2::text[], $3::text[]", 4) + " AS w(t, x, y)", []any{t, x, y, len(keys)}
	}
	for _, k := range keys {
		args = append(args, k[0], k[1], k[2])
	}
	return "(SELECT ? AS t, ? AS x, ? AS y" + strings.Repeat(" UNION ALL SELECT ?, ?, ?", len(keys)-1) + ") AS w", args
}

// read reads what the items are about: first where to look and the business's own messages, locked, then the chats, locked, with what else they hold.
// Nobody is waited for, so that no order of locking can end in a deadlock.
func (r *round) read(ctx context.Context, items []any) error {
	places, same, own := map[place]bool{}, map[waKey]bool{}, map[waKey]bool{}
	var claims [][3]string
	for _, item := range items {
		switch item := item.(type) {
		case *whatsapp.Post:
			places[placeOf(item)] = true
			if item.WAID != "" {
				same[waKeyOf(item.Ref, item.WAID)] = true
			}
			if item.Key != "" {
				claims = append(claims, claimOf(item))
			}
			if item.AsksQueue {
				r.isIdle[item.Ref] = true // unless a message is found
			}
		case *whatsapp.Move:
			for _, waID := range item.WAIDs {
				own[waKeyOf(item.Ref, waID)] = true
			}
		}
	}
	canonical := map[place]place{}
	if err := r.h.Send(ctx, append(r.wantNumbers(places, canonical), r.wantMessages(own, true)...)...); err != nil {
		return fmt.Errorf("find own messages: %w", err)
	}
	for _, at := range canonical {
		places[at] = true
	}
	if err := r.readChats(ctx, places, slices.Concat(r.wantMessages(same, false), r.wantQueues(), r.wantClaims(claims))); err != nil {
		return fmt.Errorf("find chats: %w", err)
	}
	for number, at := range canonical {
		if chat := r.byPlace[at]; chat != nil {
			r.byPlace[number] = chat
		}
	}
	return nil
}

// wantClaims asks which idempotency keys were used before.
func (r *round) wantClaims(claims [][3]string) []sqlkit.Statement {
	return r.want(claims, "w.t, w.x, w.y", claimJoin, "", func(row sqlkit.Row) error {
		var used [3]string
		err := row.Scan(&used[0], &used[1], &used[2])
		r.used[used] = true
		return err
	})
}

// wantQueues asks which of the sessions that are taken to be idle have something to send.
func (r *round) wantQueues() []sqlkit.Statement {
	sessions := make([][3]string, 0, len(r.isIdle))
	for ref := range r.isIdle {
		sessions = append(sessions, [3]string{ref.Tenant.String(), ref.Session.String()})
	}
	queue := queuedOne
	if r.dialect() == sqlkit.Postgres {
		queue += oneByOne
	}
	return r.want(sessions, "w.t, w.x", "", "WHERE EXISTS ("+queue+")", func(row sqlkit.Row) error {
		var ref whatsapp.Ref
		err := row.Scan(&ref.Tenant, &ref.Session)
		delete(r.isIdle, ref)
		return err
	})
}

// wantNumbers asks where the chats of people with numbers stand. Who changes that moves their chats too, which is seen when these are locked.
func (r *round) wantNumbers(places map[place]bool, canonical map[place]place) []sqlkit.Statement {
	var numbers [][3]string
	for p := range places {
		if p.by == byNumber {
			numbers = append(numbers, [3]string{p.tenant, p.session, p.key})
		}
	}
	return r.want(numbers, "w.t, w.x, w.y, COALESCE(p.lid, p.number)", numberJoin, "", func(row sqlkit.Row) error {
		from := place{by: byNumber}
		to := place{by: byAddress}
		if err := row.Scan(&from.tenant, &from.session, &from.key, &to.key); err != nil {
			return err
		}
		to.tenant, to.session = from.tenant, from.session
		canonical[from] = to
		return nil
	})
}

// readChats reads and locks the chats at the places, and then reads what else is asked for. On MySQL, where a lock takes the rows of every joined table, they
// are found first, then locked, then read.
func (r *round) readChats(ctx context.Context, places map[place]bool, more []sqlkit.Statement) error {
	var keys [len(joins)][][3]string
	for p := range places {
		if p.by != byNumber {
			keys[p.by] = append(keys[p.by], [3]string{p.tenant, p.session, p.key})
		}
	}
	end := ""
	if r.dialect() == sqlkit.Postgres {
		end = " FOR UPDATE OF c SKIP LOCKED"
	}
	var statements []sqlkit.Statement
	for by, keys := range keys {
		if r.dialect() != sqlkit.MySQL {
			statements = append(statements, r.want(keys, chatSelect, joins[by]+chatJoins, end, r.chatScanner(lookup(by)))...)
			continue
		}
		if err := r.readChatsMySQL(ctx, lookup(by), keys); err != nil {
			return err
		}
	}
	return r.h.Send(ctx, append(statements, more...)...)
}

func (r *round) readChatsMySQL(ctx context.Context, by lookup, keys [][3]string) error {
	var found, locked [][3]string
	places := map[[3]string]place{}
	find := r.want(keys, "w.t, w.x, w.y, c.id", joins[by], "", func(row sqlkit.Row) error {
		at, chat := place{by: by}, [3]string{}
		if err := row.Scan(&at.tenant, &at.session, &at.key, &chat[2]); err != nil {
			return err
		}
		chat[0] = at.tenant
		found, places[chat] = append(found, chat), at
		return nil
	})
	if err := r.h.Send(ctx, find...); err != nil {
		return err
	}
	slices.SortFunc(found, compareKeys)
	lock := r.want(found, "w.t, w.y", joins[byID], " FOR UPDATE SKIP LOCKED", func(row sqlkit.Row) error {
		var chat [3]string
		if err := row.Scan(&chat[0], &chat[2]); err != nil {
			return err
		}
		locked = append(locked, chat)
		return nil
	})
	if err := r.h.Send(ctx, lock...); err != nil {
		return err
	}
	if err := r.h.Send(ctx, r.want(locked, chatSelect, joins[byID]+chatJoins, "", r.chatScanner(byID))...); err != nil {
		return err
	}
	for _, chat := range locked {
		if at := r.byPlace[place{byID, chat[0], "", chat[2]}]; at != nil {
			r.byPlace[places[chat]] = at
		}
	}
	return nil
}

func compareKeys(a, b [3]string) int { return slices.Compare(a[:], b[:]) }

// chatScanner reads the rows of chatSelect.
func (r *round) chatScanner(by lookup) func(row sqlkit.Row) error {
	return func(row sqlkit.Row) error {
		at := place{by: by}
		var c chatCols
		var p personCols
		var isLinked int64
		err := row.Scan(&at.tenant, &at.session, &at.key, &c.TenantID, &c.ID, &c.SessionID, &c.Address, &c.Kind, &c.Mode, &c.PersonUntil, &c.Unread, &c.LastPos, &c.LastMessageID,
			&c.MergedInto, &c.CreatedAt, &p.ID, &p.Number, &p.LID, &p.Name, &p.CreatedAt, &isLinked)
		if err != nil {
			return err
		}
		key := at.tenant + "/" + c.ID.String()
		chat := r.chats[key]
		if chat == nil {
			with := chatWithPerson{c, p}
			chat = &chatAt{chat: with.chat(), isLinked: isLinked == 1}
			r.chats[key] = chat
		}
		r.byPlace[at] = chat
		return nil
	}
}

// wantMessages asks for what has the WhatsApp IDs. Where they are to be locked, only what the business sent is meant.
func (r *round) wantMessages(keys map[waKey]bool, isLocked bool) []sqlkit.Statement {
	list := make([][3]string, 0, len(keys))
	for k := range keys {
		list = append(list, [3]string{k.tenant, k.session, k.waID})
	}
	slices.SortFunc(list, compareKeys)
	join, end := messageJoin, ""
	if isLocked {
		join += isOwn
		end = map[sqlkit.Dialect]string{sqlkit.Postgres: " FOR UPDATE OF m SKIP LOCKED", sqlkit.MySQL: " FOR UPDATE SKIP LOCKED"}[r.dialect()]
	}
	return r.want(list, messageSelect, join, end, func(row sqlkit.Row) error {
		var c messageCols
		err := row.Scan(&c.TenantID, &c.ID, &c.SessionID, &c.ChatID, &c.WAID, &c.Pos, &c.Direction, &c.SenderID, &c.Type, &c.Body, &c.Status, &c.Reason,
			&c.StatusAt, &c.SentAt, &c.Origin, &c.Actor, &c.OnlyIfBot, &c.NotAfter, &c.ReplyTo, &c.CreatedAt)
		if err != nil {
			return err
		}
		m := &messageAt{message: c.message(), isLocked: isLocked}
		key := waKeyOf(m.message.Ref, c.WAID)
		isKnown := slices.ContainsFunc(r.messages[key], func(o *messageAt) bool { return o.message.ID == m.message.ID })
		if !isKnown {
			r.messages[key] = append(r.messages[key], m)
		}
		return nil
	})
}
