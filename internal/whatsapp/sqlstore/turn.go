package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// Turn implements whatsapp.Store.
func (s *Store) Turn(ctx context.Context, t whatsapp.Turn) (bool, error) {
	return s.grouped(ctx, t.Term, s.turns, &t, nil)
}

// turns does the Turns of many sessions at once.
type turns struct{ log *outbox.Log }

var _ groupcommit.Batch = (*turns)(nil)

// sessionAt is a session in one run of the batch.
type sessionAt struct {
	session   whatsapp.Session
	isChanged bool
}

// Run implements groupcommit.Batch as batch does.
func (b *turns) Run(ctx context.Context, h sqlkit.Handle, items []any) ([]groupcommit.Row, []error, error) {
	r := &round{h: h, log: b.log}
	if r.dialect() == sqlkit.SQLite {
		ctx = context.WithoutCancel(ctx)
	}
	sessions, err := r.readSessions(ctx, items)
	if err != nil {
		return nil, nil, fmt.Errorf("find sessions: %w", err)
	}
	failed := make([]error, len(items))
	for i, item := range items {
		failed[i] = r.turn(sessions, item.(*whatsapp.Turn))
	}
	out := r.events
	for _, at := range sessions {
		if at.isChanged {
			row := toSessionRow(at.session)
			out = append(out, groupcommit.Row{Table: turnedSessions, Values: []any{row.TenantID.String(), row.ID.String(), row.Status, row.Reason, row.Number, row.LID, row.PushName, row.Owner,
				row.Since, row.Until, row.Locked, row.IsLinked, row.DownSince, row.IsAlerted, row.Fence}})
		}
	}
	if r.hasEvents {
		h.AfterCommit(b.log.Wake)
	}
	return out, failed, nil
}

// turn decides one Turn.
func (r *round) turn(sessions map[whatsapp.Ref]*sessionAt, t *whatsapp.Turn) error {
	at := sessions[t.Ref]
	if at == nil {
		return errElsewhere
	}
	is := at.session
	if err := r.tell(t.Decide(&is)); err != nil {
		return err
	}
	at.isChanged = at.isChanged || is != at.session
	at.session = is
	return nil
}

var turnedSessions = &groupcommit.Table{Name: "whatsapp_sessions", Keys: rowKey, OnlyOld: true, Values: join(
	columns(groupcommit.Text, "status", "reason", "number", "lid", "push_name", "owner"),
	columns(groupcommit.Int, "since", "until", "locked", "is_linked", "down_since", "is_alerted", "fence"))}

const sessionSelect = "s.tenant_id, s.id, s.name, s.status, s.reason, s.since, s.until, s.locked, s.number, s.lid, s.push_name, s.is_linked, s.is_paused, s.down_since, s.is_alerted, " +
	"s.fence, s.owner, s.created_at"

// readSessions reads and locks the sessions that items are about, those that nobody else holds.
func (r *round) readSessions(ctx context.Context, items []any) (map[whatsapp.Ref]*sessionAt, error) {
	out := map[whatsapp.Ref]*sessionAt{}
	var keys [][3]string
	for _, item := range items {
		ref := item.(*whatsapp.Turn).Ref
		if _, isKnown := out[ref]; !isKnown {
			out[ref] = nil
			keys = append(keys, [3]string{ref.Tenant.String(), "", ref.Session.String()})
		}
	}
	slices.SortFunc(keys, compareKeys)
	end := map[sqlkit.Dialect]string{sqlkit.Postgres: " ORDER BY s.tenant_id, s.id FOR UPDATE OF s SKIP LOCKED", sqlkit.MySQL: " FOR UPDATE SKIP LOCKED"}[r.dialect()]
	want := r.want(keys, sessionSelect, "JOIN whatsapp_sessions AS s ON s.tenant_id = w.t AND s.id = w.y", end, func(row sqlkit.Row) error {
		var c sessionRow
		err := row.Scan(&c.TenantID, &c.ID, &c.Name, &c.Status, &c.Reason, &c.Since, &c.Until, &c.Locked, &c.Number, &c.LID, &c.PushName, &c.IsLinked, &c.IsPaused,
			&c.DownSince, &c.IsAlerted, &c.Fence, &c.Owner, &c.CreatedAt)
		if err != nil {
			return err
		}
		s := c.session()
		out[s.Ref] = &sessionAt{session: s}
		return nil
	})
	err := r.h.Send(ctx, want...)
	for ref, at := range out {
		if at == nil {
			delete(out, ref)
		}
	}
	return out, err
}
