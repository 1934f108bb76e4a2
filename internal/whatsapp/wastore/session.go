package wastore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.mau.fi/whatsmeow/store"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// session is what one device, as Load gave it, reads and writes through.
type session struct {
	store       *Store
	term        whatsapp.Term
	keys        *secret.TenantKey
	pairs       *atomic.Int64 // counts the changes of the tenant's pairs of addresses
	tenantText  string
	sessionText string
	preKeys     sync.Mutex // one call makes pre-keys at a time

	mu        sync.Mutex
	pending   []*writes // being committed, oldest first
	cache     cache
	commits   uint64 // how often the cache has taken something over
	pairsSeen int64
	failed    error // something was not stored: nothing in memory can be relied on
}

var (
	_ store.AllStores       = (*session)(nil)
	_ store.DeviceContainer = (*session)(nil)
)

// writes is a set of rows to put, or, where nil, to delete.
type writes struct {
	rows map[key]*row
	do   func(ctx context.Context, h sqlkit.Handle) error // before the rows; nil: nothing
	done chan struct{}                                    // closed with err set
	err  error
}

func newWrites() *writes { return &writes{rows: map[key]*row{}, done: make(chan struct{})} }

// put adds a row. Of a table that keeps its first rows, a later one does not count.
func (w *writes) put(k key, r *row) {
	if k.table == tSecret && r != nil && w.rows[k] != nil {
		return
	}
	w.rows[k] = r
}

// txnKey is under which a context carries the writes of a transaction.
type txnKey struct{}

type txn struct {
	session *session
	writes  *writes
}

// txnOf gives the writes of the transaction that a call belongs to, nil when there is none.
func (s *session) txnOf(ctx context.Context) *writes {
	if t, ok := ctx.Value(txnKey{}).(*txn); ok && t.session == s {
		return t.writes
	}
	return nil
}

// DoDecryptionTxn implements store.EventBuffer: what fn writes is seen by what fn reads, and stored all together when it returns nil.
// No connection of the database is held meanwhile.
func (s *session) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	if s.txnOf(ctx) != nil {
		return fn(ctx)
	}
	w := newWrites()
	if err := fn(context.WithValue(ctx, txnKey{}, &txn{s, w})); err != nil {
		return err
	}
	return s.commit(ctx, w, durable)
}

// urgency says what a call waits for.
type urgency bool

const (
	durable urgency = true  // until its writes are stored
	lazy    urgency = false // for nothing: they go along with the next group
)

// change makes writes, as part of the call's transaction or as a set of their own.
func (s *session) change(ctx context.Context, u urgency, fn func(w *writes)) error {
	if w := s.txnOf(ctx); w != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		fn(w)
		return s.failed
	}
	w := newWrites()
	fn(w)
	return s.commit(ctx, w, u)
}

// put is change of one row.
func (s *session) put(ctx context.Context, u urgency, k key, r *row) error {
	return s.change(ctx, u, func(w *writes) { w.put(k, r) })
}

// mostPending bounds the sets of rows of one session that nobody waits for.
const mostPending = 32

// commit hands a set of rows to the committer and, unless it is lazy, waits until it is stored.
func (s *session) commit(ctx context.Context, w *writes, u urgency) error {
	if len(w.rows) == 0 && w.do == nil {
		return s.broken()
	}
	member := &groupcommit.Member{Fence: s.fence(), Do: w.do, IsLazy: u == lazy, Rows: make([]groupcommit.Row, 0, len(w.rows))}
	for k, r := range w.rows {
		if !tables[k.table].isVirtual {
			member.Rows = append(member.Rows, s.sealed(k, r))
		}
	}
	member.Done = func(err error) { s.settle(w, err) }
	waitFor := w
	s.mu.Lock()
	if s.failed != nil {
		defer s.mu.Unlock()
		return s.failed
	}
	s.pending = append(s.pending, w)
	if u == lazy {
		waitFor = nil
		if len(s.pending) > mostPending {
			waitFor = s.pending[0]
		}
	}
	s.store.committer.Enqueue(member) // under the lock: the order of the sets is the order in which they are stored
	s.mu.Unlock()
	if waitFor == nil {
		return nil
	}
	if u == lazy {
		s.store.committer.Flush()
	}
	return waitFor.wait(ctx)
}

func (w *writes) wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *session) fence() groupcommit.Fence {
	return groupcommit.Fence{Tenant: s.tenantText, ID: s.sessionText, Value: s.term.Fence}
}

// settle takes note of how the commit of a set of rows went. Sets are settled in the order in which they were handed over.
func (s *session) settle(w *writes, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.pending {
		if p == w {
			s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
			break
		}
	}
	w.err = err
	if err != nil && s.failed == nil {
		s.failed = fmt.Errorf("wastore: %w", err)
	}
	if err == nil {
		s.adopt(w)
	}
	close(w.done)
}

// adopt brings the cache to what was committed.
func (s *session) adopt(w *writes) {
	s.commits++
	hasPairs := false
	for k, r := range w.rows {
		t := tables[k.table]
		hasPairs = hasPairs || t.isShared
		if t.isCached && (r != nil || t.absences) && !isSpent(k, r) {
			s.cache.put(k, r)
		} else {
			s.cache.drop(k)
		}
	}
	if hasPairs { // other sessions of the tenant may hold what was replaced
		s.pairs.Add(1)
	}
}

// isSpent reports whether nobody will ask for a row again soon: a buffered event that was handled.
func isSpent(k key, r *row) bool { return k.table == tBuffer && r != nil && len(r.data) == 0 }

func (s *session) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// known looks for a row in memory; ok is false when only the database can tell. The caller holds s.mu.
func (s *session) known(ctx context.Context, k key) (r *row, ok bool) {
	if w := s.txnOf(ctx); w != nil {
		if r, ok = w.rows[k]; ok {
			return r, true
		}
	}
	for i := len(s.pending) - 1; i >= 0; i-- {
		if r, ok = s.pending[i].rows[k]; ok {
			return r, true
		}
	}
	if seen := s.pairs.Load(); tables[k.table].isShared && seen != s.pairsSeen {
		s.cache.dropTable(tLID)
		s.cache.dropTable(tPN)
		s.pairsSeen = seen
	}
	return s.cache.get(k)
}

// moment marks a point in time, for what is read from the database after it.
type moment struct {
	commits uint64
	pairs   int64
}

// keep puts what was read since a moment into the cache, unless something was committed meanwhile: it may be older than that. The caller
// holds s.mu.
func (s *session) keep(k key, r *row, since moment) {
	t := tables[k.table]
	isFresh := since.commits == s.commits && (!t.isShared || since.pairs == s.pairs.Load() && since.pairs == s.pairsSeen)
	if t.isCached && isFresh && (r != nil || t.absences) && !isSpent(k, r) {
		s.cache.put(k, r)
	}
}

// find gives a row as this call must see it, nil when there is none. Nobody may change it.
func (s *session) find(ctx context.Context, k key) (*row, error) {
	s.mu.Lock()
	if s.failed != nil {
		defer s.mu.Unlock()
		return nil, s.failed
	}
	r, ok := s.known(ctx, k)
	since := moment{s.commits, s.pairs.Load()}
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	r, err := s.read(ctx, k)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(k, r, since)
	return r, nil
}

// findMany is find for several rows of one table whose key is one text. Absent ones are nil.
func (s *session) findMany(ctx context.Context, id tableID, keys []key) (map[key]*row, error) {
	out := make(map[key]*row, len(keys))
	var missing []key
	s.mu.Lock()
	if s.failed != nil {
		defer s.mu.Unlock()
		return nil, s.failed
	}
	for _, k := range keys {
		if _, isSeen := out[k]; isSeen {
			continue
		}
		r, ok := s.known(ctx, k)
		out[k] = r
		if !ok {
			missing = append(missing, k)
		}
	}
	since := moment{s.commits, s.pairs.Load()}
	s.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	list, err := s.readMany(ctx, id, missing)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		if seen := out[f.key]; id != tPN || seen == nil || f.row.ints[0] > seen.ints[0] {
			out[f.key] = f.row
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range missing {
		s.keep(k, out[k], since)
	}
	return out, nil
}

// drain waits until everything is stored that was handed over so far.
func (s *session) drain(ctx context.Context) error {
	s.mu.Lock()
	if s.failed != nil || len(s.pending) == 0 {
		defer s.mu.Unlock()
		return s.failed
	}
	last := s.pending[len(s.pending)-1]
	s.mu.Unlock()
	s.store.committer.Flush()
	return last.wait(ctx)
}

// search gives the rows of a table that meet a condition, which is given to the database and, for what this call has written, as a function.
func (s *session) search(ctx context.Context, id tableID, isMatch func(k key, r *row) bool, condition string, args ...any) ([]found, error) {
	if err := s.drain(ctx); err != nil {
		return nil, err
	}
	list, err := s.query(ctx, id, condition, args...)
	if err != nil {
		return nil, err
	}
	w := s.txnOf(ctx)
	if w == nil {
		return list, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := list[:0:0]
	for _, f := range list {
		if _, isChanged := w.rows[f.key]; !isChanged {
			out = append(out, f)
		}
	}
	for k, r := range w.rows {
		if k.table == id && r != nil && isMatch(k, r) {
			out = append(out, found{k, r})
		}
	}
	return out, nil
}

// isOwn reports whether the call's own transaction has changed rows of a table.
func (s *session) isOwn(ctx context.Context, id tableID) bool {
	w := s.txnOf(ctx)
	if w == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range w.rows {
		if k.table == id {
			return true
		}
	}
	return false
}
