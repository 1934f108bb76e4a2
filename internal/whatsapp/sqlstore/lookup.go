package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strings"

	"turnero/internal/platform/sqlkit"
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
	numberJoin = "JOIN whatsapp_contacts AS p ON p.tenant_id = w.t AND p.number = w.y"
	chatSelect = "w.t, w.x, w.y, c.tenant_id, c.id, c.session_id, c.address, c.kind, c.mode, c.person_until, c.unread, c.last_pos, c.last_message_id, c.merged_into, c.created_at, " +
		"COALESCE(k.id, ''), COALESCE(k.number, ''), COALESCE(k.lid, ''), COALESCE(k.name, ''), COALESCE(k.created_at, 0), COALESCE(s.is_linked, 0)"
	chatJoins = " LEFT JOIN whatsapp_contacts AS k ON k.tenant_id = c.tenant_id AND k.id = c.contact_id" +
		" LEFT JOIN whatsapp_sessions AS s ON s.tenant_id = c.tenant_id AND s.id = c.session_id"
	messageJoin = "JOIN whatsapp_messages AS m ON m.tenant_id = w.t AND m.session_id = w.x AND m.wa_id = w.y"
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

// want runs a query for each part of the keys that one statement may name. It reads "SELECT " + columns + " FROM keys AS w " + join + end.
func (r *round) want(ctx context.Context, keys [][3]string, columns, join, end string, scan func(row scanner) error) error {
	if r.dialect != sqlkit.Postgres { // the keys come first, whatever the planner thinks
		word := map[sqlkit.Dialect]string{sqlkit.MySQL: " STRAIGHT_JOIN ", sqlkit.SQLite: " CROSS JOIN "}[r.dialect]
		join = strings.ReplaceAll(strings.ReplaceAll(" "+join, " JOIN ", word), "LEFT"+word, "LEFT JOIN ")
	}
	for part := range slices.Chunk(keys, mostWantedOf(r.dialect)) {
		from, args := r.wanted(part)
		rows, err := r.native.QueryContext(ctx, "SELECT "+columns+" FROM "+from+" "+join+end, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err = scan(rows); err != nil {
				return errors.Join(err, rows.Close())
			}
		}
		if err = errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// wanted gives keys as a table w of the columns t, x and y.
func (r *round) wanted(keys [][3]string) (from string, args []any) {
	if r.dialect == sqlkit.Postgres {
		t, x, y := make([]string, len(keys)), make([]string, len(keys)), make([]string, len(keys))
		for i, k := range keys {
			t[i], x[i], y[i] = k[0], k[1], k[2]
		}
		return "unnest($1::text[], $2::text[], $3::text[]) AS w(t, x, y)", []any{t, x, y}
	}
	for _, k := range keys {
		args = append(args, k[0], k[1], k[2])
	}
	return "(SELECT ? AS t, ? AS x, ? AS y" + strings.Repeat(" UNION ALL SELECT ?, ?, ?", len(keys)-1) + ") AS w", args
}

// readChats reads and locks the chats at the places. Nobody is waited for, so that no order of locking can end in a deadlock. On MySQL, where a lock takes the rows of every joined table, they are found first, then locked,
// then read.
func (r *round) readChats(ctx context.Context, places map[place]bool) error {
	var keys [len(joins)][][3]string
	var numbers [][3]string
	for p := range places {
		if p.by == byNumber {
			numbers = append(numbers, [3]string{p.tenant, p.session, p.key})
			continue
		}
		keys[p.by] = append(keys[p.by], [3]string{p.tenant, p.session, p.key})
	}
	canonical, err := r.readNumbers(ctx, numbers)
	if err != nil {
		return err
	}
	for _, at := range canonical {
		if !places[at] {
			keys[byAddress] = append(keys[byAddress], [3]string{at.tenant, at.session, at.key})
		}
	}
	for by, keys := range keys {
		switch {
		case len(keys) == 0:
		case r.dialect == sqlkit.MySQL:
			err = r.readChatsMySQL(ctx, lookup(by), keys)
		case r.dialect == sqlkit.Postgres:
			err = r.want(ctx, keys, chatSelect, joins[by]+chatJoins, " FOR UPDATE OF c SKIP LOCKED", r.chatScanner(lookup(by)))
		default:
			err = r.want(ctx, keys, chatSelect, joins[by]+chatJoins, "", r.chatScanner(lookup(by)))
		}
		if err != nil {
			return err
		}
	}
	for number, at := range canonical {
		if chat := r.byPlace[at]; chat != nil {
			r.byPlace[number] = chat
		}
	}
	return nil
}

// readNumbers tells where the chats of people with the numbers stand. Who changes that moves their chats too, which is seen when these are locked.
func (r *round) readNumbers(ctx context.Context, numbers [][3]string) (map[place]place, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	out := make(map[place]place, len(numbers))
	return out, r.want(ctx, numbers, "w.t, w.x, w.y, COALESCE(p.lid, p.number)", numberJoin, "", func(row scanner) error {
		from := place{by: byNumber}
		to := place{by: byAddress}
		if err := row.Scan(&from.tenant, &from.session, &from.key, &to.key); err != nil {
			return err
		}
		to.tenant, to.session = from.tenant, from.session
		out[from] = to
		return nil
	})
}

func (r *round) readChatsMySQL(ctx context.Context, by lookup, keys [][3]string) error {
	var found, locked [][3]string
	places := map[[3]string]place{}
	err := r.want(ctx, keys, "w.t, w.x, w.y, c.id", joins[by], "", func(row scanner) error {
		at, chat := place{by: by}, [3]string{}
		if err := row.Scan(&at.tenant, &at.session, &at.key, &chat[2]); err != nil {
			return err
		}
		chat[0] = at.tenant
		found, places[chat] = append(found, chat), at
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, compareKeys)
	err = r.want(ctx, found, "w.t, w.y", joins[byID], " FOR UPDATE SKIP LOCKED", func(row scanner) error {
		var chat [3]string
		if err := row.Scan(&chat[0], &chat[2]); err != nil {
			return err
		}
		locked = append(locked, chat)
		return nil
	})
	if err != nil {
		return err
	}
	if err = r.want(ctx, locked, chatSelect, joins[byID]+chatJoins, "", r.chatScanner(byID)); err != nil {
		return err
	}
	for _, chat := range locked {
		if at := r.byPlace[place{byID, chat[0], "", chat[2]}]; at != nil {
			r.byPlace[places[chat]] = at
		}
	}
	return nil
}

// scanner is a row of an answer.
type scanner interface{ Scan(into ...any) error }

func compareKeys(a, b [3]string) int { return slices.Compare(a[:], b[:]) }

// chatScanner reads the rows of chatSelect.
func (r *round) chatScanner(by lookup) func(row scanner) error {
	return func(row scanner) error {
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

// readMessages reads what has the WhatsApp IDs. Where they are to be locked, only what the business sent is meant.
func (r *round) readMessages(ctx context.Context, keys map[waKey]bool, isLocked bool) error {
	if len(keys) == 0 {
		return nil
	}
	list := make([][3]string, 0, len(keys))
	for k := range keys {
		list = append(list, [3]string{k.tenant, k.session, k.waID})
	}
	slices.SortFunc(list, compareKeys)
	join, end := messageJoin, ""
	if isLocked {
		join += isOwn
		end = map[sqlkit.Dialect]string{sqlkit.Postgres: " FOR UPDATE OF m SKIP LOCKED", sqlkit.MySQL: " FOR UPDATE SKIP LOCKED"}[r.dialect]
	}
	return r.want(ctx, list, messageSelect, join, end, func(row scanner) error {
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
