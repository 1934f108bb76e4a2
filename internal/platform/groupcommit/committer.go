package groupcommit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"turnero/internal/platform/sqlkit"
)

const (
	// mostMembers and mostRows bound one group, so that no transaction grows without limit. A member's function counts as doRows, its item as itemRows.
	mostMembers = 512
	mostRows    = 4096
	doRows      = 200
	itemRows    = 8
	// commitLimit bounds one group's transaction, repetitions after a deadlock included.
	commitLimit = 10 * time.Second
	// lazyRest is how long lazy members wait at most for somebody to go along with.
	lazyRest = 50 * time.Millisecond
)

// ErrClosed says that the committer takes no more members.
var ErrClosed = errors.New("groupcommit: closed")

// Fences says where the fences stand: a table with the key (tenant_id, id) and a column fence.
type Fences struct {
	Table string
	// Stale is the error of a member whose fence is no longer its owner's.
	Stale error
}

// Fence is the right of one owner to write.
type Fence struct {
	Tenant, ID string
	Value      int64
}

// Batch is a kind of work that is done for all members of a group that ask for it at once.
type Batch interface {
	// Run does, in the group's transaction and before any row is written, what the items ask for, in their order. It gives rows to be written
	// with those of the members, and for each item why it failed, nil when it did not; nothing of a failed item may be among the rows or written already. An
	// error ends the transaction. Run is called again when the transaction is repeated, perhaps with other items; it must have no other effect.
	Run(ctx context.Context, h sqlkit.Handle, items []any) (rows []Row, failed []error, err error)
}

// Member is what one owner wants stored.
type Member struct {
	// Fence under which the owner may write. Zero: the member needs none.
	Fence Fence
	// Batch does the work that Item asks for. Nil: nothing.
	Batch Batch
	Item  any
	// Do runs in the transaction before any row of the group is written, and again when the transaction is repeated; it must have no other effect.
	// Nil: nothing.
	Do   func(ctx context.Context, h sqlkit.Handle) error
	Rows []Row
	// IsLazy lets the member wait for one that is not, or for Flush, before a group is made for it. It waits for 50 ms at most.
	IsLazy bool
	// Done is told the outcome, once: nil when everything is committed, Fences.Stale, what the batch said of the item, or why it is not known to be stored. It must not block. Nil: nobody asks.
	Done func(err error)
}

// Committer commits members in groups. All methods may be called at the same time.
type Committer struct {
	db     *sqlkit.DB
	fences Fences
	texts  texts
	work   sync.WaitGroup

	mu        sync.Mutex
	queue     []*Member
	isUrgent  bool // somebody waits for what is in the queue
	isRunning bool
	isClosed  bool
	lazy      *time.Timer // set while only lazy members are in the queue; nil: not set
}

// New makes the committer of a database.
func New(db *sqlkit.DB, fences Fences) *Committer {
	return &Committer{db: db, fences: fences, texts: texts{dialect: db.Dialect()}}
}

// Enqueue hands a member over and returns at once. Members are committed in the order of these calls. After Close, Done gets ErrClosed.
func (c *Committer) Enqueue(m *Member) {
	c.mu.Lock()
	if c.isClosed {
		c.mu.Unlock()
		m.tell(ErrClosed)
		return
	}
	c.queue = append(c.queue, m)
	c.isUrgent = c.isUrgent || !m.IsLazy
	c.startLocked()
	c.mu.Unlock()
}

// Flush has what was handed over committed without further waiting.
func (c *Committer) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isUrgent = len(c.queue) > 0
	c.startLocked()
}

// startLocked begins to commit groups when somebody waits for one, and sees to it that lazy members do not wait for ever.
func (c *Committer) startLocked() {
	switch {
	case c.isRunning || len(c.queue) == 0:
	case c.isUrgent:
		c.stopTimerLocked()
		c.isRunning = true
		c.work.Go(c.run)
	case c.lazy == nil:
		c.lazy = time.AfterFunc(lazyRest, c.Flush)
	}
}

func (c *Committer) stopTimerLocked() {
	if c.lazy != nil {
		c.lazy.Stop()
		c.lazy = nil
	}
}

// Submit commits a member and returns its outcome. When ctx ends first the outcome is not known; Done, if there is one, is still told.
func (c *Committer) Submit(ctx context.Context, m *Member) error {
	outcome := make(chan error, 1)
	told := m.Done
	m.Done = func(err error) {
		if told != nil {
			told(err)
		}
		outcome <- err
	}
	c.Enqueue(m)
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting tells how many members wait for the group under way to end.
func (c *Committer) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// Close commits what was handed over and takes no more.
func (c *Committer) Close() {
	c.mu.Lock()
	c.isClosed = true
	c.isUrgent = len(c.queue) > 0
	c.startLocked()
	c.mu.Unlock()
	c.work.Wait()
}

// weight is what the member adds to a transaction, in rows.
func (m *Member) weight() int {
	n := len(m.Rows)
	if m.Do != nil {
		n += doRows
	}
	if m.Batch != nil {
		n += itemRows
	}
	return n
}

func (m *Member) tell(err error) {
	if m.Done != nil {
		m.Done(err)
	}
}

// run commits group after group until nobody waits for another.
func (c *Committer) run() {
	for {
		group := c.take()
		if group == nil {
			return
		}
		c.commit(group)
	}
}

// take closes the group that has filled meanwhile.
func (c *Committer) take() []*Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, rows := 0, 0
	for n < len(c.queue) && n < mostMembers && (n == 0 || rows+c.queue[n].weight() <= mostRows) {
		rows += c.queue[n].weight()
		n++
	}
	if n == 0 || !c.isUrgent {
		c.isRunning = false
		c.startLocked()
		return nil
	}
	group := c.queue[:n:n]
	c.queue = c.queue[n:]
	if len(c.queue) == 0 {
		c.queue, c.isUrgent = nil, false // the array is the group's
	}
	return group
}

// commit stores a group and tells its members. When the database refused something, each half is tried by itself, and so on: only the member that was
// meant fails.
func (c *Committer) commit(group []*Member) {
	outcomes, err := c.attempt(group)
	if err != nil && len(group) > 1 && isOnesFault(err) {
		c.commit(group[:len(group)/2])
		c.commit(group[len(group)/2:])
		return
	}
	for i, m := range group {
		if err != nil {
			m.tell(err)
			continue
		}
		m.tell(outcomes[i])
	}
}

// memberError is the error of a member's own function.
type memberError struct{ error }

// Unwrap gives the function's error.
func (e memberError) Unwrap() error { return e.error }

func isOnesFault(err error) bool {
	var own memberError
	return errors.As(err, &own) || sqlkit.IsRefused(err) && !sqlkit.IsUnreachable(err) && !sqlkit.IsFull(err)
}

// attempt runs one transaction. Without an error each member has its outcome: nil, or that its fence is stale.
func (c *Committer) attempt(group []*Member) (outcomes []error, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitLimit)
	defer cancel()
	return c.attemptOn(ctx, c.db.Keyed(), group)
}

// Alone commits a member in a transaction of its own, or, where h is one, as part of that, and returns its outcome.
func Alone(ctx context.Context, h sqlkit.Handle, fences Fences, m *Member) error {
	c := &Committer{fences: fences, texts: texts{dialect: h.Dialect()}}
	outcomes, err := c.attemptOn(ctx, h, []*Member{m})
	err = cmp.Or(err, outcomes[0])
	m.tell(err)
	return err
}

func (c *Committer) attemptOn(ctx context.Context, h sqlkit.Handle, group []*Member) (outcomes []error, err error) {
	outcomes = make([]error, len(group))
	err = h.InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		fences, err := c.lock(ctx, h, group)
		if err != nil {
			return err
		}
		for i, m := range group {
			outcomes[i] = nil
			if value, ok := fences[m.Fence.owner()]; m.Fence != (Fence{}) && (!ok || value != m.Fence.Value) {
				outcomes[i] = c.fences.Stale
				continue
			}
			if m.Do == nil {
				continue
			}
			if err = m.Do(ctx, h); err != nil {
				return memberError{err}
			}
		}
		rows, err := runBatches(ctx, h, group, outcomes)
		if err != nil {
			return err
		}
		return c.write(ctx, h, group, outcomes, rows)
	})
	if err != nil {
		return outcomes, fmt.Errorf("commit a group: %w", err)
	}
	return outcomes, nil
}

// runBatches has each batch do what the members without an error ask of it, and notes who failed.
func runBatches(ctx context.Context, h sqlkit.Handle, group []*Member, outcomes []error) ([]Row, error) {
	var all []Row
	var order []Batch
	members := map[Batch][]int{}
	for i, m := range group {
		if m.Batch == nil || outcomes[i] != nil {
			continue
		}
		if members[m.Batch] == nil {
			order = append(order, m.Batch)
		}
		members[m.Batch] = append(members[m.Batch], i)
	}
	for _, b := range order {
		items := make([]any, len(members[b]))
		for i, at := range members[b] {
			items[i] = group[at].Item
		}
		rows, failed, err := b.Run(ctx, h, items)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		for i, at := range members[b] {
			outcomes[at] = failed[i]
		}
	}
	return all, nil
}
