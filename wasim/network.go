package wasim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// sweepInterval is how often connections and codes are looked at for having been idle or open for too long.
const sweepInterval = 15 * time.Second

// Network is a WhatsApp network with its phones. All methods may be called at the same time.
type Network struct {
	options   Options
	log       *slog.Logger
	now       func() time.Time
	secret    [32]byte
	authority *authority
	store     *archive
	stats     counters
	frames    *frameLog
	faults    *faultTable
	loads     *loads
	media     *mediaStore
	pairings  *pairings
	pipes     *pipeListener
	server    *http.Server
	client    *http.Client
	connIDs   atomic.Uint64
	kept      atomic.Int64 // messages that all phones keep

	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	quiet   chan struct{}  // closed when nothing is left that makes entries of the frame log
	writers sync.WaitGroup // what writes them
	closed  sync.Once
	ending  error

	mu       sync.RWMutex
	isClosed bool
	accounts map[string]*account
	byLID    map[string]*account
	groups   map[string]*group
	conns    map[*conn]struct{}
}

// New makes a network. With Options.Dir it goes on where the folder's last network ended. ctx bounds the start only.
func New(ctx context.Context, o Options) (*Network, error) {
	o = o.withDefaults()
	secret := networkSecret(o.Seed)
	authority, err := newAuthority(secret)
	if err != nil {
		return nil, fmt.Errorf("make wasim network: %w", err)
	}
	n := &Network{options: o, log: o.Logger, now: o.Now, secret: secret, authority: authority,
		accounts: map[string]*account{}, byLID: map[string]*account{}, groups: map[string]*group{}, conns: map[*conn]struct{}{}}
	n.quiet = make(chan struct{})
	n.ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	n.stats.started, n.stats.faults = o.Now(), newFaultCounters()
	n.frames = newFrameLog(n)
	n.faults = newFaultTable(n)
	n.loads = &loads{net: n}
	n.pairings = newPairings(n)
	n.media = newMediaStore(o.Dir)
	if o.Dir != "" {
		if n.store, err = openArchive(ctx, o.Dir, func(err error) { n.log.Error("store failed, nothing is accepted any more", "error", err) }); err != nil {
			n.cancel()
			return nil, err
		}
		if err = n.restore(ctx); err != nil {
			n.cancel()
			return nil, errors.Join(fmt.Errorf("restore wasim network: %w", err), n.store.close())
		}
	}
	n.listenInProcess()
	n.wg.Go(n.sweep)
	if o.FrameLog != nil {
		n.writers.Go(func() { n.frames.keepFlushed(n.quiet) })
	}
	return n, nil
}

// Close stops accepting, closes all connections and writes what is still to be kept. Calling it again does nothing.
func (n *Network) Close() error {
	n.closed.Do(func() {
		n.mu.Lock()
		n.isClosed = true
		open := make([]*conn, 0, len(n.conns))
		for c := range n.conns {
			open = append(open, c)
		}
		n.mu.Unlock()
		n.cancel()
		for _, c := range open {
			c.cut()
		}
		n.client.CloseIdleConnections()
		n.ending = errors.Join(n.server.Close(), n.pipes.Close())
		n.closeWatchers()
		n.wg.Wait()
		close(n.quiet)
		n.writers.Wait()
		n.frames.flush()
		n.ending = errors.Join(n.ending, n.store.close())
	})
	return n.ending
}

// RootKey is the Noise root that clients of this network must trust. For whatsmeow it goes into whatsmeow.WACertPubKey.
func (n *Network) RootKey() [32]byte { return n.authority.root }

// register admits a connection unless the network is closing.
func (n *Network) register(c *conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isClosed {
		return false
	}
	n.conns[c] = struct{}{}
	n.stats.Connections.Add(1)
	return true
}

func (n *Network) unregister(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
	n.stats.Connections.Add(-1)
}

// enter counts a goroutine that Close has to wait for, unless the network is closing. The goroutine calls n.wg.Done.
func (n *Network) enter() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.isClosed {
		return false
	}
	n.wg.Add(1)
	return true
}

// connections returns the open connections of a number, or all of them when it is empty.
func (n *Network) connections(number string) []*conn {
	n.mu.RLock()
	defer n.mu.RUnlock()
	list := make([]*conn, 0, len(n.conns))
	for c := range n.conns {
		if number == "" || c.number() == number {
			list = append(list, c)
		}
	}
	return list
}

// find returns the account of a number that the network knows, or nil.
func (n *Network) find(number string) *account {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.accounts[number]
}

// account returns the account of a number and makes it when there is none.
func (n *Network) account(number string) *account {
	if a := n.find(number); a != nil {
		return a
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a := n.accounts[number]; a != nil {
		return a
	}
	lid := n.lidFor(number)
	for n.byLID[lid] != nil {
		lid = n.lidFor(number + lid)
	}
	a := n.newAccount(number, lid)
	a.isAbsent = strings.HasPrefix(number, absentPrefix)
	n.accounts[number], n.byLID[lid] = a, a
	var c changes
	a.save(&c)
	n.store.apply(c)
	return a
}

// lookup returns the WhatsApp account that an address leads to, nil when there is none. Phone numbers get their account on
// demand, LIDs only exist once their number does.
func (n *Network) lookup(jid types.JID) *account {
	var a *account
	switch jid.Server {
	case types.HiddenUserServer:
		n.mu.RLock()
		a = n.byLID[jid.User]
		n.mu.RUnlock()
	case types.DefaultUserServer, types.LegacyUserServer:
		number, err := parseNumber("number", jid.User)
		if err != nil {
			return nil
		}
		if a = n.find(number); a == nil && !strings.HasPrefix(number, absentPrefix) {
			a = n.known(number)
		}
	}
	if a == nil || a.absent() {
		return nil
	}
	return a
}

// known returns the account of a number, of another way to write it, or a new one.
func (n *Network) known(number string) *account {
	if a := n.find(number); a != nil {
		return a
	}
	for _, other := range alternatives(number) {
		if a := n.find(other); a != nil {
			return a
		}
	}
	return n.account(number)
}

func (a *account) absent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.isAbsent
}

// newID makes a message ID as phones do.
func (n *Network) newID() string { return "3A" + randomHex(9) }

// newStanzaID makes the ID of a notification.
func (n *Network) newStanzaID() string { return randomHex(8) }

func randomHex(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return strings.ToUpper(hex.EncodeToString(b))
}

// sweep ends connections on which nothing has arrived for long and codes that nobody has scanned.
func (n *Network) sweep() {
	t := time.NewTicker(sweepInterval)
	defer t.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-t.C:
		}
		limit := time.Now().Add(-idleLimit).UnixNano()
		for _, c := range n.connections("") {
			if c.lastRead.Load() < limit {
				n.log.Info("idle connection closed", "conn", c.id)
				c.cut()
			}
		}
		n.pairings.expire()
	}
}
