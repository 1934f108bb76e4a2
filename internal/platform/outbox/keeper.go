package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// Rows of outbox_consumers that are not consumers: the relay, whose seq is the last number given, and the mark of Trim.
const (
	relayRow = "~relay"
	trimRow  = "~trimmed"
)

const (
	drainGrace = 5 * time.Second // for calls under way when the process stops
	takePause  = 750 * time.Millisecond
)

// errLost means that another process holds the row now.
var errLost = errors.New("another process has taken over")

type cursor struct {
	bun.BaseModel `bun:"table:outbox_consumers"`
	Name          string `bun:"name,pk"`
	Seq           int64  `bun:"seq"`
	Holder        string `bun:"holder"`
	HeldUntil     int64  `bun:"held_until"` // by the database's clock
	UpdatedAt     int64  `bun:"updated_at"`
}

// duty is one thing that at most one process does at a time. run works until ctx ends; what it has begun by then it may
// finish under work.
type duty struct {
	name  string
	run   func(ctx, work context.Context) error
	tried bool
	lost  bool               // told to stop because somebody else may have it
	stop  context.CancelFunc // nil while the duty is not run here
	ended chan struct{}
}

// keeper takes the rows of its duties, runs what it holds and keeps holding it.
type keeper struct {
	log     *Log
	duties  []*duty
	renewed time.Time // start of the last renewal that succeeded (monotonic)
}

func (k *keeper) lease() time.Duration {
	if k.log.db.Dialect() == sqlkit.SQLite {
		return time.Hour // one process: nobody waits for it, and an idle laptop's disk can sleep
	}
	return k.log.opts.Lease
}

// callLimit is the time that one statement of the keeper may take.
func (k *keeper) callLimit() time.Duration { return min(2*time.Second, k.lease()/4) }

func (k *keeper) keep(ctx context.Context) error {
	work, cancel := lifecycle.Linger(ctx, drainGrace)
	defer cancel()
	k.renewed = time.Now()
	defer k.release(ctx)
	tick := time.NewTicker(min(k.lease()/4, takePause))
	defer tick.Stop()
	for {
		k.reap()
		k.renew(ctx)
		k.take(ctx, work)
		select {
		case <-ctx.Done():
			k.stopAll()
			return nil
		case <-tick.C:
		}
	}
}

// reap forgets the duties that ended by themselves, so that they are taken again.
func (k *keeper) reap() {
	for _, d := range k.duties {
		if d.stop == nil {
			continue
		}
		select {
		case <-d.ended:
			d.stop()
			d.stop, d.lost = nil, false
		default:
		}
	}
}

// renew moves the end of what is held. When that cannot be done in time, or a row was lost, the work on it is stopped
// before somebody else may begin.
func (k *keeper) renew(ctx context.Context) {
	if !slices.ContainsFunc(k.duties, func(d *duty) bool { return d.stop != nil }) {
		k.renewed = time.Now()
		return
	}
	if time.Since(k.renewed) < k.lease()/4 {
		return
	}
	start := time.Now()
	held, err := k.extend(ctx)
	if err == nil {
		k.renewed = start
	} else if ctx.Err() == nil {
		k.log.logger.WarnContext(ctx, "outbox lease not renewed", "error", err.Error())
	}
	for _, d := range k.duties {
		lost := err == nil && !slices.Contains(held, d.name) || err != nil && time.Since(k.renewed) > k.lease()*3/4
		if d.stop != nil && lost && !d.lost {
			k.log.logger.WarnContext(ctx, "outbox duty lost", "duty", d.name)
			d.lost = true
			d.stop()
		}
	}
}

func (k *keeper) extend(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, k.callLimit())
	defer cancel()
	h := k.log.db.Handle()
	_, err := h.Write().NewUpdate().Model((*cursor)(nil)).Set("held_until = ? + ?", h.Clock(), k.lease().Microseconds()).
		Where("holder = ?", k.log.holder).Exec(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	err = h.Write().NewSelect().Model((*cursor)(nil)).Column("name").Where("holder = ?", k.log.holder).Scan(ctx, &names)
	return names, err
}

// take tries for what nobody holds. On SQLite the first try takes the row from whoever has it: an embedded database has one
// process, and its predecessor is gone.
func (k *keeper) take(ctx, work context.Context) {
	for _, d := range k.duties {
		if d.stop != nil || ctx.Err() != nil {
			continue
		}
		won, err := k.win(ctx, d)
		if err != nil {
			if ctx.Err() == nil {
				k.log.logger.WarnContext(ctx, "outbox duty not taken", "duty", d.name, "error", err.Error())
			}
			return // renewing what is held must not wait for a database that is slow
		}
		d.tried = true
		if won {
			k.start(ctx, work, d)
		}
	}
}

func (k *keeper) win(ctx context.Context, d *duty) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, k.callLimit())
	defer cancel()
	h := k.log.db.Handle()
	if !d.tried {
		if _, err := h.InsertIfAbsent(ctx, &cursor{Name: d.name, UpdatedAt: sqlkit.Micros(k.log.now())}); err != nil {
			return false, err
		}
	}
	won := false
	err := h.InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		sel := h.Write().NewSelect().Model((*cursor)(nil)).Column("name").Where("name = ?", d.name)
		if d.tried || h.Dialect() != sqlkit.SQLite {
			sel = sel.Where("holder IN ('', ?) OR held_until < ?", k.log.holder, h.Clock())
		}
		// A row that is locked is in use by whoever was thought gone: waiting for it would hold up the other duties.
		var free []string
		if err := h.ForUpdateSkipLocked(sel).Scan(ctx, &free); err != nil || len(free) == 0 {
			won = false
			return err
		}
		won = true
		_, err := h.Write().NewUpdate().Model((*cursor)(nil)).Set("holder = ?", k.log.holder).
			Set("held_until = ? + ?", h.Clock(), k.lease().Microseconds()).Where("name = ?", d.name).Exec(ctx)
		return err
	})
	return won && err == nil, err
}

func (k *keeper) start(ctx, work context.Context, d *duty) {
	ctx, stopTaking := context.WithCancel(ctx)
	work, stopWork := context.WithCancel(work)
	d.stop = func() { stopTaking(); stopWork() }
	ended := make(chan struct{})
	d.ended = ended
	go func() {
		defer close(ended)
		if err := d.run(ctx, work); err != nil && ctx.Err() == nil {
			k.log.logger.WarnContext(ctx, "outbox duty ended", "duty", d.name, "error", err.Error())
		}
	}()
}

// stopAll waits for the duties, whose context has ended.
func (k *keeper) stopAll() {
	for _, d := range k.duties {
		if d.stop != nil {
			<-d.ended
			d.stop()
			d.stop = nil
		}
	}
}

// release lets others take over at once.
func (k *keeper) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, err := k.log.db.Handle().Write().NewUpdate().Model((*cursor)(nil)).Set("holder = ''").Set("held_until = 0").
		Where("holder = ?", k.log.holder).Exec(ctx)
	if err != nil {
		k.log.logger.WarnContext(ctx, "outbox duties not released", "error", err.Error())
	}
}
