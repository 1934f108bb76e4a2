package outbox

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"turnero/internal/platform/bus"
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
	drainGrace = 5 * time.Second // for calls under way when the process stops or hands a part over
	keepPause  = 750 * time.Millisecond
)

// errLost means that another process holds the row now.
var errLost = errors.New("another process has taken over")

type cursor struct {
	bun.BaseModel `bun:"table:outbox_consumers"`
	Name          string `bun:"name,pk"`
	Part          int64  `bun:"part,pk"`
	Seq           int64  `bun:"seq"`
	Holder        string `bun:"holder"` // the member that works on it; free when there is no such member
	UpdatedAt     int64  `bun:"updated_at"`
}

// duty is what this process does when it holds a post. run works until ctx ends; what it has begun by then it may finish
// under work. It tells by itself of errors other than errLost, after which it is begun again.
type duty struct {
	post post
	run  func(ctx, work context.Context, holder string) error

	ended      chan struct{}      // nil while the duty is not run here
	stopTaking context.CancelFunc // ends ctx
	stop       context.CancelFunc // ends both
	lost       bool               // told to stop because somebody else may have it
	leaving    time.Time          // when it was told to finish and hand over
}

func (d *duty) isRunning() bool { return d.ended != nil }

func (d *duty) isStaying() bool { return d.isRunning() && d.leaving.IsZero() }

// keeper holds this process's membership, takes its share of the posts and gives up what is more than that.
type keeper struct {
	log       *Log
	duties    []*duty   // those of one consumer stand together
	holder    string    // our name; "" while we are no member
	wasMember bool      // at some time
	isBuried  bool      // others have ended our membership: as soon as all work has ended, we come back under a new name
	renewed   time.Time // start of the last renewal that succeeded (monotonic)
	changed   chan struct{}
}

func (k *keeper) lease() time.Duration {
	if k.log.db.Dialect() == sqlkit.SQLite {
		return time.Hour // one process: nobody waits for it, and an idle laptop's disk can sleep
	}
	return k.log.opts.Lease
}

// limited bounds the statements of the keeper, so that renewing what is held never waits long for a slow database.
func (k *keeper) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(2*time.Second, k.lease()/4))
}

func (k *keeper) keep(ctx context.Context) error {
	work, cancel := lifecycle.Linger(ctx, drainGrace)
	defer cancel()
	k.changed = make(chan struct{}, 1)
	woken, quiet := k.log.bus.Subscribe(bus.TopicDuties)
	defer quiet()
	tick := time.NewTicker(min(k.lease()/4, keepPause))
	defer tick.Stop()
	for {
		k.pass(ctx, work)
		select {
		case <-ctx.Done():
			k.leaveAll(ctx, tick.C)
			return nil
		case <-tick.C:
		case <-woken:
		case <-k.changed:
		}
	}
}

// pass brings what runs here in line with what should.
func (k *keeper) pass(ctx, work context.Context) {
	k.reap(ctx)
	err := k.renew(ctx)
	k.log.told.Tell(ctx, "outbox membership not renewed", err)
	if err != nil {
		return
	}
	if k.holder == "" || k.log.db.Dialect() == sqlkit.SQLite && !slices.ContainsFunc(k.duties, func(d *duty) bool { return !d.isStaying() }) {
		return
	}
	s, err := k.current(ctx)
	k.log.told.Tell(ctx, "outbox duties not looked at", err)
	if err != nil {
		return
	}
	if s.members[k.holder] == nil {
		k.loseAll(ctx)
		k.isBuried = true
		return
	}
	k.log.told.Tell(ctx, "outbox duties not taken", k.adjust(ctx, work, s))
}

func (k *keeper) warn(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		k.log.logger.WarnContext(ctx, what, "error", err.Error())
	}
}

// reap settles the duties that have ended. What was left is free for others.
func (k *keeper) reap(ctx context.Context) {
	var left []post
	for _, d := range k.duties {
		if !d.isRunning() {
			continue
		}
		if !d.leaving.IsZero() && time.Since(d.leaving) > drainGrace {
			d.stop()
		}
		select {
		case <-d.ended:
		default:
			continue
		}
		d.stop()
		if !d.leaving.IsZero() && !d.lost {
			left = append(left, d.post)
		}
		*d = duty{post: d.post, run: d.run}
	}
	if len(left) == 0 {
		return
	}
	if err := k.handOver(ctx, left); err != nil {
		k.warn(ctx, "outbox duties not handed over", err)
	}
}

func (k *keeper) handOver(ctx context.Context, left []post) error {
	ctx, cancel := k.limited(ctx)
	defer cancel()
	err := k.giveUp(ctx, left)
	k.log.bus.Wake(bus.TopicDuties)
	return err
}

// renew prolongs the membership, or begins one. When that cannot be done in time, or others have ended it, all work is
// stopped before somebody else may begin it.
func (k *keeper) renew(ctx context.Context) error {
	if k.isBuried {
		if slices.ContainsFunc(k.duties, (*duty).isRunning) {
			return nil
		}
		k.isBuried, k.holder = false, ""
	}
	if k.holder != "" && time.Since(k.renewed) < k.lease()/5 {
		return nil
	}
	start := time.Now()
	ctx, cancel := k.limited(ctx)
	defer cancel()
	if k.holder == "" {
		if err := k.register(ctx); err != nil {
			return err
		}
		k.renewed = start
		k.log.bus.Wake(bus.TopicDuties) // the others make room
		return nil
	}
	isMember, err := k.extend(ctx, k.log.db.Handle())
	switch {
	case err != nil:
		if time.Since(k.renewed) > k.lease()*3/4 {
			k.loseAll(ctx)
		}
		return err
	case !isMember:
		k.loseAll(ctx)
		k.isBuried = true
	default:
		k.renewed = start
	}
	return nil
}

func (k *keeper) loseAll(ctx context.Context) {
	n := 0
	for _, d := range k.duties {
		if d.lose() {
			n++
		}
	}
	if n > 0 {
		k.log.logger.WarnContext(ctx, "outbox duties lost", "count", n)
	}
}

func (k *keeper) lose(ctx context.Context, d *duty) {
	if d.lose() {
		k.log.logger.WarnContext(ctx, "outbox duty lost", "duty", d.post.name, "part", d.post.part)
	}
}

// lose stops the duty at once; it reports whether it ran.
func (d *duty) lose() bool {
	if !d.isRunning() || d.lost {
		return false
	}
	d.lost = true
	d.stop()
	return true
}

// current reads who does what, after ending the memberships of those that went silent.
func (k *keeper) current(ctx context.Context) (*state, error) {
	ctx, cancel := k.limited(ctx)
	defer cancel()
	s, err := k.look(ctx)
	if err != nil || len(s.expired) == 0 {
		return s, err
	}
	if err = k.bury(ctx, s.expired); err != nil {
		return nil, err
	}
	return k.look(ctx)
}

// adjust begins, takes and leaves duties until this process has its share.
func (k *keeper) adjust(ctx, work context.Context, s *state) error {
	var wanted, surplus []post
	for rest := k.duties; len(rest) > 0; {
		name, size, have := rest[0].post.name, parts, 0
		quota := s.quota(name, k.holder)
		if name == relayRow { // which stays where it is
			size, quota = 1, 1
		}
		group := rest[:size]
		rest = rest[size:]
		for _, d := range group {
			isMine := s.holders[d.post] == k.holder
			switch {
			case d.isRunning() && !isMine:
				k.lose(ctx, d)
			case d.isStaying() && have < quota:
				have++
			case d.isStaying():
				d.leaving = time.Now()
				d.stopTaking()
			case isMine && !d.isRunning() && have < quota:
				have++
				k.start(ctx, work, d)
			case isMine && !d.isRunning():
				surplus = append(surplus, d.post)
			}
		}
		wanted = append(wanted, k.choose(s, group, quota-have)...)
	}
	if len(surplus) > 0 {
		if err := k.handOver(ctx, surplus); err != nil {
			return err
		}
	}
	return k.takeAll(ctx, work, s, wanted)
}

// choose picks free posts of one consumer; processes that look at the same moment pick different ones, as far as they can.
func (k *keeper) choose(s *state, group []*duty, room int) []post {
	h := fnv.New32a()
	_, _ = h.Write([]byte(k.holder))
	first := int(h.Sum32() % uint32(len(group)))
	var out []post
	for i := range group {
		d := group[(first+i)%len(group)]
		if len(out) < room && !d.isRunning() && s.isFree(d.post) {
			out = append(out, d.post)
		}
	}
	return out
}

func (k *keeper) takeAll(ctx, work context.Context, s *state, wanted []post) error {
	if len(wanted) == 0 || ctx.Err() != nil {
		return nil
	}
	limited, cancel := k.limited(ctx)
	defer cancel()
	won, err := k.take(limited, s, wanted)
	if err != nil {
		return err
	}
	for _, d := range k.duties {
		if slices.Contains(won, d.post) {
			k.start(ctx, work, d)
		}
	}
	return nil
}

func (k *keeper) start(ctx, work context.Context, d *duty) {
	ctx, d.stopTaking = context.WithCancel(ctx)
	work, stopWork := context.WithCancel(work)
	d.stop = func() { d.stopTaking(); stopWork() }
	ended, holder := make(chan struct{}), k.holder
	d.ended = ended
	go func() {
		if err := d.run(ctx, work, holder); errors.Is(err, errLost) && ctx.Err() == nil {
			k.log.logger.WarnContext(ctx, "outbox duty ended", "duty", d.post.name, "part", d.post.part, "error", err.Error())
		}
		close(ended)
		if ctx.Err() != nil {
			select {
			case k.changed <- struct{}{}:
			default:
			}
		}
	}()
}

// leaveAll hands over one duty after the other as they end, and then the membership.
func (k *keeper) leaveAll(ctx context.Context, tick <-chan time.Time) {
	ctx = context.WithoutCancel(ctx)
	if k.holder == "" {
		return
	}
	if err := k.withdraw(ctx); err != nil {
		k.warn(ctx, "outbox membership not withdrawn", err)
	}
	for _, d := range k.duties {
		if d.isStaying() {
			d.leaving = time.Now()
		}
	}
	for {
		k.reap(ctx)
		if !slices.ContainsFunc(k.duties, (*duty).isRunning) {
			break
		}
		k.log.told.Tell(ctx, "outbox membership not renewed", k.renew(ctx))
		select {
		case <-k.changed:
		case <-tick:
		}
	}
	if err := k.resign(ctx); err != nil {
		k.warn(ctx, "outbox membership not ended", err)
	}
	k.log.bus.Wake(bus.TopicDuties)
}
