package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/auth"
	"turnero/internal/config"
	"turnero/internal/notifications"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/cluster"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/lease"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/limit"
	"turnero/internal/platform/live"
	"turnero/internal/platform/migrate"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/peer"
	"turnero/internal/platform/pulse"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/telemetry"
	"turnero/internal/tenants"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wastore"
)

// core is what every module of a process stands on, and the modules that are built so far.
type core struct {
	cfg     *config.Config
	logger  *slog.Logger
	now     func() time.Time
	metrics *telemetry.Metrics
	data    *dataDir
	db      *sqlkit.DB
	aside   *sqlkit.DB      // the same database, over one connection that no work takes; nil for an embedded one
	pulse   *pulse.Pulse    // nil for an embedded database
	redis   *redisconn.Conn // nil: the process shares its work with no other
	cluster *cluster.Member // once the database is served, not only looked at
	bus     bus.Bus
	locks   *lease.Holder
	self    lease.Owner // how other processes know this one
	peers   *peer.Client
	mux     *http.ServeMux
	api     *httpkit.API
	// questions answers what other processes ask.
	questions *peer.Server
	events    *outbox.Log
	live      live.Fanout
	jobs      *jobs.Queue
	keys      *secret.Keyring
	network   *network
	devices   *wastore.Store
	group     *lifecycle.Group
	chores    []chore
	closing   chan struct{} // closed when the process begins to stop

	baseURL       string // under which people reach the process
	remote        remotes
	fellows       fellows
	retract       func() // has all processes ask again whose credentials are whose
	tenantLimit   limit.Limiter
	auth          *auth.Service
	tenants       *tenants.Service
	appointments  *appointments.Service
	whatsapp      *whatsapp.Service
	notifications *notifications.Service
}

// openCore opens the data folder, the database and the keys, in this order, and closes again what is open when one fails.
func openCore(env *environment, logger *slog.Logger) (c *core, err error) {
	c = &core{cfg: env.cfg, logger: logger, now: time.Now, metrics: telemetry.NewMetrics(), mux: http.NewServeMux(),
		closing: make(chan struct{}), group: lifecycle.NewGroup(logger, env.cfg.ShutdownTimeout)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.data, err = holdFolders(c.cfg); err != nil {
		return c, err
	}
	if err = c.openDatabase(env.ctx); err != nil {
		return c, err
	}
	if err = c.openKeys(env.ctx); err != nil {
		return c, err
	}
	if c.cfg.Redis != "" {
		if c.redis, err = redisconn.Open(env.ctx, c.cfg.Redis.Reveal()); err != nil {
			return c, fmt.Errorf("redis-url: %w", err)
		}
	}
	if err = c.openBus(env.ctx); err != nil {
		return c, err
	}
	if err = c.openEvents(env.ctx); err != nil {
		return c, err
	}
	c.jobs = jobs.New(c.db, c.bus, c.now, logger)
	c.metrics.WatchDB(c.db)
	c.metrics.WatchWork(c.events, c.jobs)
	return c, nil
}

// openDatabase opens the configured database. Its error is one line.
func openDatabase(ctx context.Context, cfg *config.Config, connections int) (*sqlkit.DB, error) {
	db, err := sqlkit.Open(ctx, cfg.DatabaseURL(), connections)
	if err != nil {
		why := strings.Join(strings.Fields(err.Error()), " ")
		if sqlkit.IsFull(err) {
			why = "there is no room left for the database: " + why
		}
		return nil, errors.New("database-url: " + why)
	}
	return db, nil
}

// openDatabase opens the database. An embedded one is brought up to date; a shared one must be current already.
func (c *core) openDatabase(ctx context.Context) (err error) {
	if c.db, err = openDatabase(ctx, c.cfg, c.cfg.DBConnections); err != nil {
		return err
	}
	if !c.cfg.Embedded() {
		return migrate.Check(ctx, c.db)
	}
	applied, err := migrate.Up(ctx, c.db)
	if applied > 0 {
		c.logger.InfoContext(ctx, "schema migrated", "migrations", applied)
	}
	return err
}

func (c *core) openKeys(ctx context.Context) error {
	master, created, err := secret.LoadOrCreate(c.data.path, c.cfg.MasterKey.Reveal(), c.mayMakeMasterKey(ctx))
	if err != nil {
		return err
	}
	if created {
		c.logger.InfoContext(ctx, "master key made; keep a copy in a safe place, nothing sealed can be read without it", "file", c.data.file(secret.FileName))
	}
	key := master.DeriveKey(peer.KeyPurpose)
	c.peers = peer.NewClient(key, c.now)
	c.questions = peer.NewServer(c.mux, key, c.now, c.logger)
	if c.keys, err = secret.NewKeyring(c.db, master, c.now); err != nil {
		return err
	}
	return c.keys.Check(ctx)
}

// mayMakeMasterKey reports whether a missing master key may be made: on an embedded database that holds nothing sealed yet.
func (c *core) mayMakeMasterKey(ctx context.Context) bool {
	if !c.cfg.Embedded() {
		return false
	}
	sealed, err := c.db.Handle().Read().NewSelect().Table("tenant_keys").Count(ctx)
	return err == nil && sealed == 0
}

// close closes what openCore opened. It may be called at any point of it.
func (c *core) close() error {
	var errs []error
	if c.peers != nil {
		c.peers.Close()
	}
	if c.devices != nil {
		c.devices.Close()
	}
	if c.network != nil {
		errs = append(errs, c.network.close())
	}
	if c.redis != nil {
		errs = append(errs, c.redis.Close())
	}
	for _, db := range []*sqlkit.DB{c.aside, c.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if c.data != nil {
		errs = append(errs, c.data.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
