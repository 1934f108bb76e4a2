package wasim

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver behind the store
)

const (
	storeFile = "wasim.db"
	// pendingLimit is how many changes may wait for their commit before those who bring more have to wait as well.
	pendingLimit = 100_000
)

// archive keeps the network's state as keys and values in one SQLite file. Changes are grouped: a group closes when the commit
// before it ends, never on a timer. A commit is handed to the operating system but not flushed to the disk, which survives a
// kill of the process (not a loss of power).
//
// Changes are applied in the order of the calls to apply, so callers call it while they hold the lock that guards what they
// changed. A nil archive keeps nothing and is always up to date: a network in memory.
type archive struct {
	db     *sql.DB
	onFail func(error)

	mu      sync.Mutex
	pending []change
	newest  uint64 // generation of the group being collected
	kept    uint64 // newest generation that is committed
	failed  error
	more    *sync.Cond // signalled when pending fills and on close
	done    *sync.Cond // signalled when a group is committed, or never will be
	closed  bool

	ended chan struct{}
}

// change puts a value under a key, or deletes the key when value is nil.
type change struct {
	key   string
	value []byte
}

// changes collects what one step changes, to be applied at once. The zero value is ready.
type changes []change

func (c *changes) put(key string, value []byte) { *c = append(*c, change{key, value}) }
func (c *changes) del(key string)               { *c = append(*c, change{key: key}) }

// openArchive opens or makes the store in a folder. A folder in use by another process is refused.
func openArchive(ctx context.Context, dir string, onFail func(error)) (*archive, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open wasim folder: %w", err)
	}
	dsn := "file:" + filepath.Join(dir, storeFile) + "?_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(OFF)&_pragma=busy_timeout(200)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open wasim store: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS kv (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID`); err != nil {
		_ = db.Close() // the first error counts
		if strings.Contains(err.Error(), "locked") || strings.Contains(err.Error(), "busy") {
			return nil, fmt.Errorf("open wasim store: %s is in use by another process", dir)
		}
		return nil, fmt.Errorf("open wasim store: %w", err)
	}
	s := &archive{db: db, onFail: onFail, newest: 1, ended: make(chan struct{})}
	s.more, s.done = sync.NewCond(&s.mu), sync.NewCond(&s.mu)
	go s.run()
	return s, nil
}

// load calls visit with every key and value, in the order of the keys.
func (s *archive) load(ctx context.Context, visit func(key string, value []byte) error) error {
	rows, err := s.db.QueryContext(ctx, `SELECT k, v FROM kv ORDER BY k`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var value []byte
		if err = rows.Scan(&key, &value); err != nil {
			return err
		}
		if err = visit(key, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return rows.Err()
}

// apply takes over changes and returns the generation with which they are kept.
func (s *archive) apply(c changes) uint64 {
	if s == nil {
		return 0
	}
	if len(c) == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) > pendingLimit && s.failed == nil && !s.closed {
		s.done.Wait()
	}
	if s.closed || s.failed != nil {
		return s.newest // whoever waits for it is told
	}
	s.pending = append(s.pending, c...)
	s.more.Signal()
	return s.newest
}

// isKept says whether a generation has been committed.
func (s *archive) isKept(generation uint64) bool {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept >= generation
}

// wait blocks until a generation is committed. An error means that the store has failed for good.
func (s *archive) wait(generation uint64) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.kept < generation && s.failed == nil && !s.closed {
		s.done.Wait()
	}
	if s.kept >= generation {
		return nil
	}
	if s.failed != nil {
		return s.failed
	}
	return errClosed
}

func (s *archive) run() {
	defer close(s.ended)
	for {
		s.mu.Lock()
		for len(s.pending) == 0 && !s.closed {
			s.more.Wait()
		}
		group, generation := s.pending, s.newest
		s.pending = nil
		s.newest++
		isLast := s.closed
		s.mu.Unlock()
		err := s.commit(group)
		s.mu.Lock()
		if err != nil && s.failed == nil {
			s.failed = fmt.Errorf("wasim store: %w", err)
			s.onFail(s.failed)
		}
		if s.failed == nil {
			s.kept = generation
		}
		s.done.Broadcast()
		s.mu.Unlock()
		if isLast {
			return
		}
	}
}

// commit writes one group in one transaction; of several values for a key only the last is written.
func (s *archive) commit(group []change) error {
	if len(group) == 0 {
		return nil
	}
	last := make(map[string]int, len(group))
	for i, c := range group {
		last[c.key] = i
	}
	ctx := context.Background() // a group belongs to nobody who could give it up
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	put, err := tx.PrepareContext(ctx, `INSERT INTO kv (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v`)
	if err != nil {
		return err
	}
	defer func() { _ = put.Close() }() // it goes with the transaction
	del, err := tx.PrepareContext(ctx, `DELETE FROM kv WHERE k = ?`)
	if err != nil {
		return err
	}
	defer func() { _ = del.Close() }()
	for i, c := range group {
		if last[c.key] != i {
			continue
		}
		if c.value == nil {
			_, err = del.ExecContext(ctx, c.key)
		} else {
			_, err = put.ExecContext(ctx, c.key, c.value)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// close writes what is pending and closes the file.
func (s *archive) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.more.Signal()
	s.done.Broadcast()
	s.mu.Unlock()
	<-s.ended
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	return errors.Join(failed, s.db.Close())
}
