package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// lockTTL is how long a lock stands, as the product's operators are told.
const lockTTL = 3 * time.Second

// lock is the lock of one session as it stands in Redis: "<end in ms> <owner> <seq> <address>" in a field of a hash.
type lock struct {
	table, field, value string
}

func (l lock) part(n int) string {
	parts := strings.SplitN(l.value, " ", 4)
	if n >= len(parts) {
		return ""
	}
	return parts[n]
}

func (l lock) owner() string   { return l.part(1) }
func (l lock) address() string { return l.part(3) }

// locks reads the sessions' locks. It asks Redis directly, whatever the processes' links do.
func (c *campaign) locks(ctx context.Context) (map[*session]lock, error) {
	if !c.o.hasRedis {
		return map[*session]lock{}, nil
	}
	tables, err := c.rdb.Keys(ctx, "turnero:lease:*").Result()
	if err != nil && !c.redisTurn.TryLock() {
		return nil, errImpossible // another fault has taken Redis away
	} else if err != nil {
		c.redisTurn.Unlock()
		return nil, err
	}
	byID := make(map[string]*session, len(c.sessions))
	for _, s := range c.sessions {
		byID[s.id] = s
	}
	out := map[*session]lock{}
	for _, table := range tables {
		fields, err := c.rdb.HGetAll(ctx, table).Result()
		if err != nil {
			return nil, err
		}
		for field, value := range fields {
			at := strings.LastIndex(field, "ses_")
			if at < 0 {
				continue
			}
			if s := byID[field[at:]]; s != nil {
				out[s] = lock{table, field, value}
			}
		}
	}
	return out, nil
}

// ownedBy gives the sessions whose locks the process holds.
func (c *campaign) ownedBy(ctx context.Context, i *instance) ([]*session, error) {
	locks, err := c.locks(ctx)
	if err != nil {
		return nil, err
	}
	var owned []*session
	for _, s := range c.sessions {
		if l, ok := locks[s]; ok && l.address() == i.address {
			owned = append(owned, s)
		}
	}
	return owned, nil
}

// loseLocks deletes the locks of some of the process's sessions and makes the table look as if it had been there for long, so that
// another process may take them at once while the owner still believes in them.
func (c *campaign) loseLocks(ctx context.Context, i *instance, draw uint64) (int, error) {
	owned, locks, err := c.someOf(ctx, i, draw)
	if err != nil {
		return 0, err
	}
	for _, s := range owned {
		l := locks[s]
		if err = c.rdb.HDel(ctx, l.table, l.field).Err(); err != nil {
			return 0, err
		}
		if err = c.rdb.HSet(ctx, l.table, "born", fmt.Sprint(time.Now().Add(-time.Hour).UnixMilli()), "seen", fmt.Sprint(time.Now().UnixMilli())).Err(); err != nil {
			return 0, err
		}
	}
	return len(owned), nil
}

// giveLocks writes another process into the locks of some of the process's sessions.
func (c *campaign) giveLocks(ctx context.Context, i *instance, draw uint64) (int, error) {
	owned, locks, err := c.someOf(ctx, i, draw)
	if err != nil {
		return 0, err
	}
	var heir lock
	for _, l := range locks {
		if l.address() != i.address {
			heir = l
			break
		}
	}
	if heir.value == "" {
		return 0, errors.New("nobody else holds any lock")
	}
	for _, s := range owned {
		l := locks[s]
		value := fmt.Sprintf("%d %s %s %s", time.Now().Add(lockTTL).UnixMilli(), heir.owner(), l.part(2), heir.address())
		if err = c.rdb.HSet(ctx, l.table, l.field, value).Err(); err != nil {
			return 0, err
		}
	}
	return len(owned), nil
}

// someOf gives every second session of a process, or the others of them.
func (c *campaign) someOf(ctx context.Context, i *instance, draw uint64) ([]*session, map[*session]lock, error) {
	locks, err := c.locks(ctx)
	if err != nil {
		return nil, nil, err
	}
	var some []*session
	for _, s := range c.sessions {
		if l, ok := locks[s]; ok && l.address() == i.address && uint64(s.index)%2 == draw%2 {
			some = append(some, s)
		}
	}
	return some, locks, nil
}
