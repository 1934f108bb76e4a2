package outbox

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// member is a process that works on the log. Its name holds rows of outbox_consumers; what it holds is its own for as long as
// its row is there. A name is used by one process only, and not again after its row was deleted.
type member struct {
	bun.BaseModel `bun:"table:outbox_members"`
	Holder        string `bun:"holder,pk"`
	Duties        string `bun:"duties"`     // the names of what it does, a line each
	HeldUntil     int64  `bun:"held_until"` // by the database's clock; later others may delete the row
}

// post is one row of outbox_consumers: something that one process does at a time.
type post struct {
	name string
	part int
}

// state is who does what at one moment.
type state struct {
	holders map[post]string
	members map[string][]string // their duties
	expired []string            // those of the members that may be deleted
}

// look reads the state in one statement.
func (k *keeper) look(ctx context.Context) (*state, error) {
	var rows []struct {
		Name   string
		Part   int64
		Holder string
		Gone   int64
	}
	h := k.log.db.Handle()
	err := h.Read().NewRaw(`SELECT name, part, holder, 0 AS gone FROM outbox_consumers WHERE name <> ?
		UNION ALL SELECT duties, -1, holder, CASE WHEN ? THEN 1 ELSE 0 END FROM outbox_members`, trimRow, k.silence(h)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read who does what: %w", err)
	}
	s := &state{holders: map[post]string{}, members: map[string][]string{}}
	for _, r := range rows {
		if r.Part >= 0 {
			s.holders[post{r.Name, int(r.Part)}] = r.Holder
			continue
		}
		s.members[r.Holder] = strings.Split(r.Name, "\n")
		if r.Gone == 1 {
			s.expired = append(s.expired, r.Holder)
		}
	}
	return s, nil
}

// isFree reports whether nobody who is alive holds the post.
func (s *state) isFree(p post) bool {
	_, isAlive := s.members[s.holders[p]]
	return !isAlive
}

// quota tells how many parts of a consumer the process is to have: all are given out, and no two processes differ by more
// than one. Which of them have one more differs from consumer to consumer.
func (s *state) quota(consumer, holder string) int {
	var able []string
	for name, duties := range s.members {
		if slices.Contains(duties, consumer) {
			able = append(able, name)
		}
	}
	slices.Sort(able)
	place := slices.Index(able, holder)
	if place < 0 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(consumer))
	quota := parts / len(able)
	if (place+int(h.Sum32()%parts))%len(able) < parts%len(able) {
		quota++
	}
	return quota
}

// register makes this process a member under a new name. On SQLite the first call ends all other members: an embedded
// database has one process, and its predecessors are gone.
func (k *keeper) register(ctx context.Context) error {
	holder := sqlkit.NewHolder()
	names := make([]string, 0, len(k.duties))
	for _, d := range k.duties {
		if d.post.part == 0 {
			names = append(names, d.post.name)
		}
	}
	err := k.log.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		if h.Dialect() == sqlkit.SQLite && !k.wasMember {
			if _, err := h.Write().NewDelete().Model((*member)(nil)).Where("holder <> ?", holder).Exec(ctx); err != nil {
				return err
			}
		}
		for _, d := range k.duties {
			c := &cursor{Name: d.post.name, Part: int64(d.post.part), UpdatedAt: sqlkit.Micros(k.log.now())}
			if _, err := h.InsertIfAbsent(ctx, c); err != nil {
				return err
			}
		}
		_, err := h.Write().NewInsert().Model(&member{Holder: holder, Duties: strings.Join(names, "\n")}).
			Value("held_until", "? + ?", h.Clock(), k.lease().Microseconds()).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("become a member: %w", err)
	}
	k.holder, k.wasMember = holder, true
	return nil
}

// extend prolongs the membership; false means that others have ended it.
func (k *keeper) extend(ctx context.Context, h sqlkit.Handle) (bool, error) {
	n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*member)(nil)).Set("held_until = ? + ?", h.Clock(), k.lease().Microseconds()).
		Where("holder = ?", k.holder).Exec(ctx))
	return n == 1, err
}

// silence is the condition for members that have gone silent. An end further ahead than anybody may ask for was written before the database's
// clock was set back: whoever is alive writes a new one in a moment, and the dead would be waited for all that time.
func (k *keeper) silence(h sqlkit.Handle) schema.QueryWithArgs {
	return bun.SafeQuery("(held_until < ? OR held_until > ? + ?)", h.Clock(), h.Clock(), 3*k.lease().Microseconds())
}

// bury ends the membership of those that went silent, unless they have spoken meanwhile. What they held is free then.
func (k *keeper) bury(ctx context.Context, silent []string) error {
	h := k.log.db.Handle()
	n, err := sqlkit.Affected(h.Write().NewDelete().Model((*member)(nil)).Where("holder IN (?)", bun.List(silent)).Where("?", k.silence(h)).Exec(ctx))
	if err == nil && n > 0 {
		k.log.logger.WarnContext(ctx, "processes went silent", "count", n)
	}
	return err
}

// take tries to get the posts, which nobody held a moment ago, and returns those it got.
func (k *keeper) take(ctx context.Context, s *state, wanted []post) (won []post, err error) {
	err = k.log.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		won = nil
		// Nobody can end our membership until this is committed.
		if isMember, err := k.extend(ctx, h); err != nil || !isMember {
			return err
		}
		var rows []cursor
		sel := h.Write().NewSelect().Model(&rows).Column("name", "part").WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			for _, p := range wanted {
				q = q.WhereOr("name = ? AND part = ? AND holder = ?", p.name, p.part, s.holders[p])
			}
			return q
		})
		// A row that is locked is in use by whoever was thought gone: waiting for it would hold up the others.
		if err := h.ForUpdateSkipLocked(sel).Scan(ctx); err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			won = append(won, post{r.Name, int(r.Part)})
		}
		_, err := h.Write().NewUpdate().Model((*cursor)(nil)).Set("holder = ?", k.holder).WhereGroup(" AND ", theRows(won)).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take what is free: %w", err)
	}
	return won, nil
}

// giveUp lets others have the posts.
func (k *keeper) giveUp(ctx context.Context, posts []post) error {
	_, err := k.log.db.Handle().Write().NewUpdate().Model((*cursor)(nil)).Set("holder = ''").Where("holder = ?", k.holder).
		WhereGroup(" AND ", theRows(posts)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	return nil
}

func theRows(posts []post) func(q *bun.UpdateQuery) *bun.UpdateQuery {
	return func(q *bun.UpdateQuery) *bun.UpdateQuery {
		for _, p := range posts {
			q = q.WhereOr("name = ? AND part = ?", p.name, p.part)
		}
		return q
	}
}

// withdraw has the others share out everything among themselves; what is held stays so until it is given up.
func (k *keeper) withdraw(ctx context.Context) error {
	ctx, cancel := k.limited(ctx)
	defer cancel()
	_, err := k.log.db.Handle().Write().NewUpdate().Model((*member)(nil)).Set("duties = ''").Where("holder = ?", k.holder).Exec(ctx)
	return err
}

// resign ends the membership; what is still held is free at once.
func (k *keeper) resign(ctx context.Context) error {
	ctx, cancel := k.limited(ctx)
	defer cancel()
	_, err := k.log.db.Handle().Write().NewDelete().Model((*member)(nil)).Where("holder = ?", k.holder).Exec(ctx)
	return err
}
