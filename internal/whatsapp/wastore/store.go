package wastore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow/store"
	waLog "go.mau.fi/whatsmeow/util/log"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// Keys opens tenants' data keys.
type Keys interface {
	TenantKey(ctx context.Context, tenant id.Tenant) (*secret.TenantKey, error)
}

// Options say how a store is opened.
type Options struct {
	// DB has the schema in place. Required.
	DB *sqlkit.DB
	// Keys seal what is secret. Required.
	Keys Keys
	// Network is the name of the network that the process talks to. Required.
	Network string
	// Committer stores the rows. Nil: one of the store's own.
	Committer *groupcommit.Committer
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger receives what happens to links. Required.
	Logger *slog.Logger
}

// Store keeps the devices of all sessions. All methods may be called at the same time.
type Store struct {
	db          *sqlkit.DB
	keys        Keys
	network     string
	committer   *groupcommit.Committer
	isCommitter bool // the committer is the store's own
	now         func() time.Time
	log         *slog.Logger
	lookups     *groupcommit.Reader[lookup, *row] // nil where there is no round trip to save

	mu    sync.Mutex
	pairs map[id.Tenant]*atomic.Int64
}

// Open opens the store of a database. The first call marks the database with the network; every later one must name the same.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.DB == nil || o.Keys == nil || o.Network == "" || o.Logger == nil {
		return nil, errors.New("wastore: a store needs a database, keys, a network and a logger")
	}
	s := &Store{db: o.DB, keys: o.Keys, network: o.Network, committer: o.Committer, now: o.Now, log: o.Logger, pairs: map[id.Tenant]*atomic.Int64{}}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.claim(ctx); err != nil {
		return nil, err
	}
	if o.DB.Dialect() == sqlkit.Postgres {
		s.lookups = groupcommit.NewReader(s.lookUp)
	}
	if s.committer == nil {
		s.committer, s.isCommitter = NewCommitter(o.DB), true
	}
	return s, nil
}

// NewCommitter makes a committer for what the owners of sessions write.
func NewCommitter(db *sqlkit.DB) *groupcommit.Committer {
	return groupcommit.New(db, groupcommit.Fences{Table: "whatsapp_sessions", Stale: whatsapp.ErrStaleFence})
}

// Committer gives what the rows are stored by, for others whose changes are to be stored together with them.
func (s *Store) Committer() *groupcommit.Committer { return s.committer }

// claim marks a new store with the network, and refuses one that has another mark.
func (s *Store) claim(ctx context.Context) error {
	return s.db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		ignore := map[sqlkit.Dialect]string{sqlkit.MySQL: "ON DUPLICATE KEY UPDATE name = name"}[h.Dialect()]
		if ignore == "" {
			ignore = "ON CONFLICT DO NOTHING"
		}
		if _, err := h.Write().NewRaw("INSERT INTO whatsapp_network (name, network) VALUES ('network', ?) "+ignore, s.network).Exec(ctx); err != nil {
			return fmt.Errorf("mark the device store: %w", err)
		}
		var made string
		if err := h.Write().NewRaw("SELECT network FROM whatsapp_network WHERE name = 'network'").Scan(ctx, &made); err != nil {
			return fmt.Errorf("read the device store's mark: %w", err)
		}
		if made != s.network {
			return wrongNetwork(made, s.network)
		}
		return nil
	})
}

// wrongNetwork is the error for keys that were made on another network: their links would be refused there, and be lost.
func wrongNetwork(made, wanted string) error {
	return fault.New(fault.Conflict, "wrong_network", "the WhatsApp keys in this store were made on the network "+made+
		" and cannot be used on "+wanted+"; use another data folder or database, or start with the network they belong to")
}

// Network tells for which network the store was made.
func (s *Store) Network() string { return s.network }

// Close stores what nobody waits for and closes the committer, if it is the store's own. No session may be in use.
func (s *Store) Close() {
	if s.isCommitter {
		s.committer.Close()
	}
}

// session makes what a device of a term reads and writes through.
func (s *Store) session(ctx context.Context, term whatsapp.Term) (*session, error) {
	keys, err := s.keys.TenantKey(ctx, term.Tenant)
	if err != nil {
		return nil, fmt.Errorf("open the tenant's key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pairs := s.pairs[term.Tenant]
	if pairs == nil {
		pairs = &atomic.Int64{}
		s.pairs[term.Tenant] = pairs
	}
	return &session{store: s, term: term, keys: keys, pairs: pairs, tenantText: term.Tenant.String(), sessionText: term.Session.String()}, nil
}

// Load gives the device of a session for a term: the linked one, or a new one that becomes the session's when it is saved for the first
// time. Each call gives a device of its own with everything as it is stored now, what an earlier one wrote without waiting included.
// whatsapp.ErrStaleFence when the term is over.
func (s *Store) Load(ctx context.Context, term whatsapp.Term) (*store.Device, error) {
	own, err := s.session(ctx, term)
	if err != nil {
		return nil, err
	}
	if err = s.committer.Submit(ctx, &groupcommit.Member{Fence: own.fence()}); err != nil {
		return nil, fmt.Errorf("begin with a session's keys: %w", err)
	}
	saved, err := own.find(ctx, key{table: tDevice})
	if err != nil {
		return nil, err
	}
	if saved == nil {
		return own.newDevice(), nil
	}
	return own.device(saved)
}

// Delete deletes the device of a session and everything that belongs to it. Deleting none is no error. whatsapp.ErrStaleFence when the
// term is over: somebody else may have linked the session anew.
func (s *Store) Delete(ctx context.Context, term whatsapp.Term) error {
	own, err := s.session(ctx, term)
	if err != nil {
		return err
	}
	return own.erase(ctx, newWrites())
}

// noLog is the log of devices: the engine has one of its own.
var noLog = waLog.Noop
