package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/sqlkit"
)

// The times of the row.
const (
	hold      = 5 * time.Second // how long the row is a silent cluster's
	holdEvery = time.Second
	callLimit = 2 * time.Second
	patience  = 2 * hold // at start, for a cluster that has just ended
)

// alone is the cluster of a process without Redis. There is one at a time, by the lock of sqlkit.HoldAlone.
const alone = "alone"

// ErrServed says that processes with which this one shares no locks serve the database.
var ErrServed = errors.New("processes of another cluster serve this database: all must name the same redis-url (or, for a single process, none); stop those, or correct the address")

// row is the only one of its table.
const row = "self"

type installation struct {
	bun.BaseModel `bun:"table:installation"`
	Name          string `bun:"name,pk"`
	ID            string `bun:"id"`
	Cluster       string `bun:"cluster"`
	HeldUntil     int64  `bun:"held_until"` // by the database's clock
}

// Member is one process of a cluster.
type Member struct {
	db   *sqlkit.DB
	conn *redisconn.Conn
	id   string
	name string
}

// Installation gives the ID of the installation that the database is of: letters and digits, the same for ever.
func Installation(ctx context.Context, db *sqlkit.DB) (string, error) {
	h := db.Handle()
	if _, err := h.InsertIfAbsent(ctx, &installation{Name: row, ID: rand.Text()}); err != nil {
		return "", fmt.Errorf("name the installation: %w", err)
	}
	var id string
	if err := h.Read().NewSelect().Model((*installation)(nil)).Column("id").Where("name = ?", row).Scan(ctx, &id); err != nil {
		return "", fmt.Errorf("read the installation's name: %w", err)
	}
	return id, nil
}

// Join makes the process a member of the cluster that shares the Redis, nil for a cluster of itself. Errors: ErrServed after ten
// seconds during which another cluster kept the database.
func Join(ctx context.Context, db *sqlkit.DB, conn *redisconn.Conn) (*Member, error) {
	m := &Member{db: db, conn: conn, name: alone}
	var err error
	if m.id, err = Installation(ctx, db); err != nil {
		return nil, err
	}
	if conn != nil {
		if err = m.agree(ctx, rand.Text()); err != nil {
			return nil, err
		}
	}
	for end := time.Now().Add(patience); ; {
		err = m.keep(ctx)
		if !errors.Is(err, ErrServed) || time.Now().After(end) {
			return m, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(hold / 10):
		}
	}
}

// Installation is the ID of the installation.
func (m *Member) Installation() string { return m.id }

// agree settles the cluster's name with those who share the Redis: the first to come gives it.
func (m *Member) agree(ctx context.Context, proposal string) error {
	key := clusterKey(m.id)
	if err := m.conn.Client().SetNX(ctx, key, proposal, 0).Err(); err != nil {
		return fmt.Errorf("agree on the cluster's name: %w", err)
	}
	name, err := m.conn.Client().Get(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("agree on the cluster's name: %w", err)
	}
	m.name = name
	return nil
}

// keep moves the end of the row.
func (m *Member) keep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	h := m.db.Handle()
	n, err := sqlkit.Affected(h.Write().NewUpdate().Model((*installation)(nil)).
		Set("cluster = ?", m.name).Set("held_until = ? + ?", h.Clock(), hold.Microseconds()).
		Where("name = ?", row).Where("cluster = ? OR held_until < ?", m.name, h.Clock()).Exec(ctx))
	if err == nil && n == 0 {
		err = ErrServed
	}
	return err
}

// Run keeps the database for the cluster until ctx ends. It returns ErrServed when another one has it. A database or Redis that does
// not answer changes nothing: who writes is settled elsewhere.
func (m *Member) Run(ctx context.Context) error {
	tick := time.NewTicker(holdEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if m.conn != nil {
			m.remind(ctx)
		}
		if err := m.keep(ctx); errors.Is(err, ErrServed) {
			return err
		}
	}
}

// remind puts the name back into a Redis that lost it, so that processes which start later find the one that is in use.
func (m *Member) remind(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_ = m.conn.Client().SetNX(ctx, clusterKey(m.id), m.name, 0).Err() // again in a second
}

// Standing is how a database stands towards a process that would serve it.
type Standing struct {
	IsServed bool // some process serves it at this moment
	IsOwn    bool // with whom the process would share its locks
	IsAlone  bool // by one process without Redis
}

// Look tells who serves the database, as a process with the Redis (nil: without) would find it. It changes nothing.
func Look(ctx context.Context, db *sqlkit.DB, conn *redisconn.Conn) (Standing, error) {
	h := db.Handle()
	var found []installation
	err := h.Read().NewSelect().Model(&found).Where("name = ?", row).Where("held_until > ?", h.Clock()).Scan(ctx)
	if err != nil || len(found) == 0 {
		return Standing{}, err
	}
	s := Standing{IsServed: true, IsAlone: found[0].Cluster == alone}
	name := alone
	if conn != nil {
		if name, err = conn.Client().Get(ctx, clusterKey(found[0].ID)).Result(); err != nil && !errors.Is(err, redis.Nil) {
			return Standing{}, fmt.Errorf("read the cluster's name: %w", err)
		}
	}
	s.IsOwn = name == found[0].Cluster
	return s, nil
}

func clusterKey(installation string) string { return "turnero:cluster:" + installation }
