package whatsapp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/lease"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/peer"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/leased"
	"turnero/internal/whatsapp/sqlstore"
)

// shortTTL makes takeovers quick. Holding on by the database has the times of the real one.
const shortTTL = time.Second

// cluster is several processes on one database, with one set of locks.
type cluster struct {
	t      *testing.T
	db     *sqlkit.DB
	locks  lease.Locks
	wakes  *bus.Memory
	tenant id.Tenant
	admin  id.Principal
	refs   []whatsapp.Ref
}

// process is one of them.
type process struct {
	*cluster
	self   lease.Owner
	engine *clusterEngine
	store  *cuttableStore
	locks  *cuttableLocks
	svc    *whatsapp.Service
	stop   func()
}

// cuttableLocks are locks that a process may be cut off from.
type cuttableLocks struct {
	lease.Locks
	isCut atomic.Bool
}

func (l *cuttableLocks) err() error {
	if l.isCut.Load() {
		return lease.ErrUnavailable
	}
	return nil
}

func (l *cuttableLocks) Take(ctx context.Context, self lease.Owner, seq int64, keys []string) ([]bool, error) {
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.Locks.Take(ctx, self, seq, keys)
}

func (l *cuttableLocks) Renew(ctx context.Context, self lease.Owner, seq int64, keys []string) ([]bool, error) {
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.Locks.Renew(ctx, self, seq, keys)
}

func (l *cuttableLocks) Release(ctx context.Context, self lease.Owner, seq int64, keys []string) error {
	if err := l.err(); err != nil {
		return err
	}
	return l.Locks.Release(ctx, self, seq, keys)
}

func (l *cuttableLocks) List(ctx context.Context, prefix string) (map[string]lease.Owner, error) {
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.Locks.List(ctx, prefix)
}

// cuttableStore is a database whose holds may fail.
type cuttableStore struct {
	*sqlstore.Store
	isCut atomic.Bool
}

func (s *cuttableStore) HoldOn(ctx context.Context, process string, d time.Duration) (bool, error) {
	if s.isCut.Load() {
		return false, errors.New("no database")
	}
	return s.Store.HoldOn(ctx, process, d)
}

// clusterEngine remembers which lines are open, and connects each at once.
type clusterEngine struct {
	*fakeEngine
	gate  chan struct{} // not nil: lines are opened once it is closed
	mu    sync.Mutex
	lines map[whatsapp.Ref][]*fakeLine
	terms map[whatsapp.Ref]whatsapp.Term
}

func (e *clusterEngine) Open(ctx context.Context, t whatsapp.Term, sink whatsapp.Sink) (whatsapp.Line, error) {
	if e.gate != nil {
		select {
		case <-e.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	line, err := e.fakeEngine.Open(ctx, t, sink)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.lines[t.Ref] = append(e.lines[t.Ref], line.(*fakeLine))
	e.terms[t.Ref] = t
	e.mu.Unlock()
	go sink.Changed(ctx, whatsapp.LinkChange{State: whatsapp.LinkConnected})
	return line, nil
}

// open lists the sessions with a line that is open and may write.
func (e *clusterEngine) open() []whatsapp.Ref {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []whatsapp.Ref
	for ref, lines := range e.lines {
		if last := lines[len(lines)-1]; !last.closed() && last.ctx.Err() == nil {
			out = append(out, ref)
		}
	}
	return out
}

func (e *clusterEngine) line(ref whatsapp.Ref) *fakeLine {
	e.mu.Lock()
	defer e.mu.Unlock()
	if lines := e.lines[ref]; len(lines) > 0 {
		return lines[len(lines)-1]
	}
	return nil
}

func (e *clusterEngine) term(ref whatsapp.Ref) whatsapp.Term {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.terms[ref]
}

// newCluster makes an installation with linked sessions that nobody carries yet.
func newCluster(t *testing.T, sessions int, ttl time.Duration) *cluster {
	t.Helper()
	tenant := id.NewTenant()
	c := &cluster{t: t, db: sqltest.Fresh(t, "sqlite"), locks: lease.NewMemory(ttl, lease.SinceBoot), wakes: bus.NewMemory(), tenant: tenant,
		admin: id.Principal{Tenant: tenant, User: id.NewUser(), Role: id.Admin}}
	store := sqlstore.New(c.db, outbox.New(c.db, c.wakes, time.Now, slog.New(slog.DiscardHandler)))
	for i := range sessions {
		ref := whatsapp.Ref{Tenant: tenant, Session: id.NewSession()}
		_, err := store.AddSession(t.Context(), whatsapp.Session{Ref: ref, Name: fmt.Sprint(i), Status: whatsapp.StatusConnected, IsLinked: true,
			Identity: whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: number(fmt.Sprintf("54911%08d", i))}}, CreatedAt: time.Now()})
		require.NoError(t, err)
		c.refs = append(c.refs, ref)
	}
	return c
}

// start starts one more process.
func (c *cluster) start() *process { return c.startGated(nil) }

// startGated starts one more process, which opens lines once the gate is open.
func (c *cluster) startGated(gate chan struct{}) *process {
	c.t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	p := &process{cluster: c, locks: &cuttableLocks{Locks: c.locks},
		engine: &clusterEngine{gate: gate, fakeEngine: newFakeEngine(), lines: map[whatsapp.Ref][]*fakeLine{}, terms: map[whatsapp.Ref]whatsapp.Term{}},
		store:  &cuttableStore{Store: sqlstore.New(c.db, outbox.New(c.db, c.wakes, time.Now, quiet))}}
	key := []byte(strings.Repeat("k", 32))
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	p.self = lease.Owner{ID: id.NewEvent().String(), Address: server.Listener.Addr().String()}
	ttl := c.locks.TTL()
	holder := lease.New(p.locks, p.self, lease.Options{Every: ttl / 4, Margin: ttl / 6})
	client := peer.NewClient(key, time.Now)
	processes := leased.New(leased.Options{Holder: holder, Self: p.self, Bus: c.wakes, Client: client, Hold: p.store, TTL: ttl, Logger: quiet})
	p.svc = whatsapp.New(whatsapp.Deps{Store: p.store, Engine: p.engine, Claims: processes, Peers: processes, Users: fakeUsers{}, ParsePhone: parsePhone, FoldPhone: foldPhone,
		Now: time.Now, Logger: quiet})
	leased.Serve(peer.NewServer(mux, key, time.Now, quiet), p.svc.HandleErrand)
	var parts sync.WaitGroup
	manager, endManager := context.WithCancel(c.t.Context())
	rest, endRest := context.WithCancel(c.t.Context())
	var managing sync.WaitGroup
	managing.Go(func() { _ = p.svc.Manager().Run(manager) })
	parts.Go(func() { _ = holder.Run(rest) })
	parts.Go(func() { _ = processes.Run(rest, p.svc.Manager().Wake) })
	p.stop = sync.OnceFunc(func() {
		endManager()
		managing.Wait()
		endRest()
		parts.Wait()
		client.Close()
		server.Close()
	})
	c.t.Cleanup(p.stop)
	return p
}

// carried waits until the processes carry so many sessions, each session by one.
func carried(t *testing.T, most time.Duration, processes []*process, want ...int) {
	t.Helper()
	var got []int
	require.Eventually(t, func() bool {
		got = got[:0]
		seen := map[whatsapp.Ref]bool{}
		total := 0
		for _, p := range processes {
			open := p.engine.open()
			got = append(got, len(open))
			total += len(open)
			for _, ref := range open {
				seen[ref] = true
			}
		}
		return fmt.Sprint(got) == fmt.Sprint(want) && len(seen) == total
	}, most, 5*time.Millisecond, "want %v", want)
}

func TestProcessesShareTheSessionsOut(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 9, shortTTL)
	a := c.start()
	carried(t, 10*time.Second, []*process{a}, 9)
	b, d := c.start(), c.start()
	carried(t, 20*time.Second, []*process{a, b, d}, 3, 3, 3)

	atB := b.engine.open()
	began := time.Now()
	b.stop()
	for _, ref := range atB {
		require.True(t, b.engine.line(ref).closed())
	}
	require.Eventually(t, func() bool { return len(a.engine.open())+len(d.engine.open()) == 9 }, 5*time.Second, 2*time.Millisecond)
	require.Less(t, time.Since(began), shortTTL, "nobody waited for the locks to run out")
	for _, ref := range atB {
		owner := a
		if d.engine.line(ref) != nil && d.engine.term(ref).Fence > a.engine.term(ref).Fence {
			owner = d
		}
		require.Greater(t, owner.engine.term(ref).Fence, b.engine.term(ref).Fence)
	}
}

func TestWhoIsCutOffFromLocksAndDatabaseStopsBeforeAnotherBegins(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 6, shortTTL)
	a := c.start()
	carried(t, 10*time.Second, []*process{a}, 6)
	b := c.start()
	carried(t, 20*time.Second, []*process{a, b}, 3, 3)
	a.locks.isCut.Store(true)
	a.store.isCut.Store(true)
	for len(b.engine.open()) < 6 {
		for _, ref := range b.engine.open() {
			if line := a.engine.line(ref); line != nil && line.ctx.Err() == nil && a.engine.term(ref).Fence < b.engine.term(ref).Fence {
				require.Error(t, line.sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "late")), "the older owner writes nothing")
			}
		}
		time.Sleep(time.Millisecond)
	}
	require.Empty(t, a.engine.open())
	a.locks.isCut.Store(false)
	a.store.isCut.Store(false)
	carried(t, 20*time.Second, []*process{a, b}, 3, 3)
}

func TestWhoIsSlowTakesLittle(t *testing.T) {
	t.Parallel()
	const sessions, most = 200, 128
	c := newCluster(t, sessions, lease.TTL)
	locked := func() int {
		keys, err := c.locks.List(t.Context(), "s/")
		require.NoError(t, err)
		return len(keys)
	}
	gate := make(chan struct{})
	slow := c.startGated(gate)
	require.Eventually(t, func() bool { return locked() == most }, 20*time.Second, 5*time.Millisecond)
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		require.LessOrEqual(t, locked(), most)
	}
	close(gate)
	carried(t, 30*time.Second, []*process{slow}, sessions)
}

// Whoever is asked to link a line is about to claim it. Another process takes it for one whose owner has died, and stops it, only when nobody comes.
func TestALineThatSomebodyHasJustStartedIsLeftAloneAtFirst(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1, lease.TTL)
	begun := whatsapp.Session{Ref: whatsapp.Ref{Tenant: c.tenant, Session: id.NewSession()}, Name: "nueva", Status: whatsapp.StatusConnecting, Since: time.Now(), CreatedAt: time.Now()}
	store := sqlstore.New(c.db, outbox.New(c.db, c.wakes, time.Now, slog.New(slog.DiscardHandler)))
	_, err := store.AddSession(t.Context(), begun)
	require.NoError(t, err)
	p := c.start()
	carried(t, 10*time.Second, []*process{p}, 1)
	require.Equal(t, c.refs, p.engine.open())
	require.Eventually(t, func() bool { return len(p.engine.open()) == 2 }, 30*time.Second, 20*time.Millisecond, "nobody came")
	require.GreaterOrEqual(t, time.Since(begun.Since), 3*time.Second, "somebody may still have come")
}

func TestWithoutTheLocksTheDatabaseKeepsTheSessions(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 4, lease.TTL)
	a := c.start()
	carried(t, 10*time.Second, []*process{a}, 4)
	b := c.start()
	carried(t, 20*time.Second, []*process{a, b}, 2, 2)
	kept := a.engine.open()
	before := map[whatsapp.Ref]*fakeLine{}
	for _, ref := range kept {
		before[ref] = a.engine.line(ref)
	}
	a.locks.isCut.Store(true)
	// Its locks run out, and the other process sees orphans; the database says that they are none.
	require.Eventually(t, func() bool {
		locked, err := c.locks.List(t.Context(), "s/")
		return err == nil && len(locked) == 2
	}, 10*time.Second, 10*time.Millisecond, "the locks of who is cut off run out")
	for end := time.Now().Add(lease.TTL); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		require.Len(t, a.engine.open(), 2, "it goes on")
		require.Len(t, b.engine.open(), 2, "nobody else begins")
	}
	require.NoError(t, before[kept[0]].sink.Received(t.Context(), text("A", whatsapp.ContactIDs{LID: lid("1")}, "meanwhile")))
	a.locks.isCut.Store(false)
	require.Eventually(t, func() bool {
		locked, err := c.locks.List(t.Context(), "s/")
		held, _ := a.store.IsHolding(t.Context(), a.self.ID)
		return err == nil && len(locked) == 4 && !held
	}, 10*time.Second, 10*time.Millisecond, "the locks are back, and the hold is over")
	for ref, line := range before {
		require.Same(t, line, a.engine.line(ref), "the line was never closed")
		require.False(t, line.closed())
	}
}

func TestAnyProcessAnswersForEverySession(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2, lease.TTL)
	a := c.start()
	carried(t, 10*time.Second, []*process{a}, 2)
	b := c.start()
	carried(t, 20*time.Second, []*process{a, b}, 1, 1)
	ctx := t.Context()
	eventually(t, "all are connected", func() bool {
		return a.svc.Manager().Count()[whatsapp.StatusConnected]+b.svc.Manager().Count()[whatsapp.StatusConnected] == 2
	})
	for _, ref := range c.refs {
		for _, p := range []*process{a, b} {
			check, err := p.svc.CheckContact(ctx, c.admin, ref.Session, "+5491122334455")
			require.NoError(t, err)
			require.True(t, check.IsOn)
			require.Equal(t, lid("77"), check.IDs.LID)
			_, err = p.svc.PairCode(ctx, c.admin, ref.Session, "+5491122334455")
			require.True(t, fault.HasReason(err, "already_linked"), err)
		}
	}

	theirs := b.engine.open()[0]
	m, err := a.svc.Queue(ctx, c.admin, whatsapp.SendCommand{Session: theirs.Session, Chat: "5491155555555", Text: "hola", Wait: 5 * time.Second})
	require.NoError(t, err)
	require.Equal(t, whatsapp.MessageSent, m.Status)
	require.Equal(t, []string{"hola"}, b.engine.line(theirs).texts())

	old := b.engine.line(theirs)
	_, err = a.svc.Restart(ctx, c.admin, theirs.Session)
	require.NoError(t, err)
	eventually(t, "the line is opened again where it was", func() bool { return old.closed() && b.engine.line(theirs) != old && len(b.engine.open()) == 1 })

	out, err := a.svc.Logout(ctx, c.admin, theirs.Session)
	require.NoError(t, err)
	require.Equal(t, whatsapp.StatusLoggedOut, out.Status)
	require.False(t, out.IsLinked)
	require.Equal(t, 1, b.engine.line(theirs).loggedOut)
	_, err = a.svc.Init(ctx, c.admin, theirs.Session)
	require.NoError(t, err)
	eventually(t, "it is opened once, somewhere", func() bool { return len(a.engine.open())+len(b.engine.open()) == 2 })
}

func TestAMessageWhoseWakeUpGotLostIsSent(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2, lease.TTL)
	a := c.start()
	carried(t, 10*time.Second, []*process{a}, 2)
	b := c.start()
	carried(t, 20*time.Second, []*process{a, b}, 1, 1)
	theirs := b.engine.open()[0]
	// As a process leaves it that is killed right after its commit.
	silent := whatsapp.New(whatsapp.Deps{Store: a.store, Engine: a.engine, Claims: mute{}, Peers: mute{}, Users: fakeUsers{}, ParsePhone: parsePhone, FoldPhone: foldPhone,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	_, err := silent.Queue(t.Context(), c.admin, whatsapp.SendCommand{Session: theirs.Session, Chat: "5491155555555", Text: "hola"})
	require.NoError(t, err)
	eventually(t, "its owner finds it", func() bool { return len(b.engine.line(theirs).texts()) == 1 })
}

// mute reaches nobody.
type mute struct{ whatsapp.Claims }

func (mute) Ask(context.Context, whatsapp.Process, whatsapp.Errand) (whatsapp.Answer, error) {
	return whatsapp.Answer{}, errors.New("mute")
}
func (mute) Wake(whatsapp.Ref)          {}
func (mute) Announce()                  {}
func (mute) Announced() <-chan struct{} { return nil }
