package limit

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"turnero/internal/platform/redisconn"
)

const (
	askLimit   = 250 * time.Millisecond // for one question; who waits is a request
	probeEvery = time.Second            // while the server is lost, one request in this time tries it
	debtChunk  = 500                    // keys whose debts are told at once
)

// RedisOptions are what a Redis limiter needs beside its rate.
type RedisOptions struct {
	// Instances tells how many processes share the limit at present. It is asked while the server is lost, to find this
	// process's share, so it must not ask the server; nil means one.
	Instances func() int
	Now       func() time.Time // time.Now
	Logger    *slog.Logger
}

// Redis is the Limiter of several processes. Allow answers even when the server does not, and then a little late at most
// every 250 ms.
type Redis struct {
	client     *redis.Client
	prefix     string
	rate       Rate
	o          RedisOptions
	serverTime func() time.Time // nil: the server's own

	mu        sync.Mutex
	keys      table[mirror]
	lost      bool
	outage    int // how often the server was lost
	nextProbe time.Time
}

var _ Limiter = (*Redis)(nil)

// mirror is what this process knows of a key.
type mirror struct {
	// The last level that the server told, and its time in microseconds. Refilled since, it is more than the true level can
	// be, whatever others took: it keeps a limit in force when the server has lost its data.
	level float64
	at    int64
	heard time.Time // the same moment by the process's clock

	own     bucket // in force during the outage
	outage  int
	granted float64 // given out from own, and not yet told
}

// NewRedis makes the Limiter that all processes share which give the same name (and the same rate).
func NewRedis(conn *redisconn.Conn, name string, rate Rate, o RedisOptions) *Redis {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Instances == nil {
		o.Instances = func() int { return 1 }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Redis{client: conn.Client(), prefix: "turnero:limit:" + name + ":", rate: rate, o: o, keys: newTable[mirror](o.Now())}
}

// bucketScript reads a bucket and brings it up to date. The clock of the caller is used by tests only.
const bucketScript = `
local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000000 + clock[2]
end
local function load(key)
  local v = redis.call('GET', key)
  if not v then return burst end
  local level, at = string.match(v, '^(%S+) (%S+)$')
  return math.min(burst, tonumber(level) + math.max(0, now - tonumber(at)) * rate)
end
local function save(key, level)
  local full = math.ceil((burst - level) / rate / 1000) + 1000
  redis.call('SET', key, string.format('%.17g %d', level, now), 'PX', string.format('%d', full))
end
`

// A token that lacks a millionth counts: whoever waited as long as told finds one in spite of rounding. A claim from the
// future is one from before the clock was set back.
var allowScript = redis.NewScript(bucketScript + `
local debt, claim, at = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local level = load(KEYS[1])
if at > 0 and at < now + 1000000 then level = math.min(level, claim + math.max(0, now - at) * rate) end
level = level - debt
local ok, retry = 0, 0
if level >= 1 - 1e-6 then
  ok, level = 1, level - 1
else
  retry = math.ceil((1 - level) / rate)
end
save(KEYS[1], level)
return {ok, string.format('%d', retry), string.format('%.17g', level), string.format('%d', now)}
`)

var debtScript = redis.NewScript(bucketScript + `
for i, key in ipairs(KEYS) do save(key, load(key) - tonumber(ARGV[3 + i])) end
return 0
`)

// Allow implements Limiter. The only error is that of a ctx that has ended.
func (r *Redis) Allow(ctx context.Context, key string) (bool, time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return false, 0, err
	}
	if r.answers(ctx) {
		ok, retryAfter, err := r.ask(ctx, key)
		if err == nil {
			return ok, retryAfter, nil
		}
		if over := ended(ctx); over != nil {
			return false, 0, over // the caller's time was up, which says nothing of the server
		}
		r.lose(ctx, err)
	}
	ok, retryAfter := r.own(key)
	return ok, retryAfter, nil
}

// ended is ctx.Err, also in the moment between the deadline, at which a connection gives up by itself, and the end of ctx.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// answers reports whether the server is worth asking. While it is lost, it tries it now and then.
func (r *Redis) answers(ctx context.Context) bool {
	r.mu.Lock()
	if !r.lost {
		r.mu.Unlock()
		return true
	}
	now := r.o.Now()
	tries := !now.Before(r.nextProbe)
	if tries {
		r.nextProbe = now.Add(probeEvery)
	}
	r.mu.Unlock()
	if !tries || r.tellDebts(ctx) != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		r.lost = false
		r.o.Logger.InfoContext(ctx, "limits are shared again")
	}
	return true
}

func (r *Redis) lose(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		return
	}
	r.lost = true
	r.outage++
	r.nextProbe = r.o.Now().Add(probeEvery)
	r.o.Logger.WarnContext(ctx, "limits are not shared", "error", err.Error())
}

// ask takes a token from the bucket that all share.
func (r *Redis) ask(ctx context.Context, key string) (bool, time.Duration, error) {
	r.mu.Lock()
	m := r.mirror(key)
	debt, level, at := m.granted, m.level, m.at
	m.granted = 0
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	args := append(r.args(), plain(debt), plain(level), at)
	answer, err := allowScript.Run(ctx, r.client, []string{r.prefix + key}, args...).Slice()
	var told struct {
		ok    bool
		retry time.Duration
		level float64
		at    int64
	}
	if err == nil && len(answer) == 4 {
		told.ok = answer[0] == int64(1)
		micros := number(answer[1])
		told.retry, told.level, told.at = time.Duration(micros)*time.Microsecond, number(answer[2]), int64(number(answer[3]))
	} else if err == nil {
		err = fmt.Errorf("limit: unexpected answer %v", answer)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m = r.mirror(key)
	if err != nil {
		m.granted += debt
		return false, 0, err
	}
	if told.at >= m.at || m.at-told.at > time.Second.Microseconds() { // not an answer that was overtaken
		m.level, m.at, m.heard = told.level, told.at, r.o.Now()
	}
	return told.ok, told.retry, nil
}

// own takes a token from this process's own bucket. It holds the process's share of what the shared bucket could hold at most,
// and one token more than that: the one that it begins with, of which nobody knows whether it is there.
func (r *Redis) own(key string) (ok bool, retryAfter time.Duration) {
	share := float64(max(1, r.o.Instances()))
	now := r.o.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.mirror(key)
	if m.outage != r.outage {
		m.outage, m.own = r.outage, bucket{tokens: 1, at: now}
	}
	ok, retryAfter = m.own.take(now, r.rate.perSecond()/share, float64(r.rate.Burst)/share+1)
	if ok {
		m.granted++
	}
	return ok, retryAfter
}

// tellDebts takes what was given out here during the outage off the shared buckets, but no more than is missing from the
// process's own bucket by now: the rest has been refilled, as it would have been in the shared one.
func (r *Redis) tellDebts(ctx context.Context) error {
	keys, debts := r.takeDebts()
	for begin := 0; begin == 0 || begin < len(keys); begin += debtChunk {
		end := min(begin+debtChunk, len(keys))
		if err := r.tell(ctx, keys[begin:end], debts[begin:end]); err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			for i, key := range keys[begin:] {
				r.mirror(key).granted += debts[begin+i]
			}
			return err
		}
	}
	return nil
}

func (r *Redis) takeDebts() (keys []string, debts []float64) {
	share := float64(max(1, r.o.Instances()))
	full := float64(r.rate.Burst)/share + 1
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Now()
	for key, m := range r.keys.entries {
		if m.granted == 0 {
			continue
		}
		missing := full - m.own.level(now, r.rate.perSecond()/share, full)
		if debt := min(m.granted, missing); debt > 0 {
			keys, debts = append(keys, key), append(debts, debt)
		}
		m.granted = 0
	}
	return keys, debts
}

// tell sends a chunk of debts; without any it only asks whether the server is there.
func (r *Redis) tell(ctx context.Context, keys []string, debts []float64) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if len(keys) == 0 {
		return r.client.Ping(ctx).Err()
	}
	args, names := r.args(), make([]string, len(keys))
	for i, key := range keys {
		names[i] = r.prefix + key
		args = append(args, plain(debts[i]))
	}
	return debtScript.Run(ctx, r.client, names, args...).Err()
}

// args are the rate per microsecond, the burst and the time of tests.
func (r *Redis) args() []any {
	now := ""
	if r.serverTime != nil {
		now = strconv.FormatInt(r.serverTime().UnixMicro(), 10)
	}
	return []any{plain(r.rate.perSecond() / 1e6), r.rate.Burst, now}
}

// mirror gives what is known of a key. The caller holds mu.
func (r *Redis) mirror(key string) *mirror {
	now := r.o.Now()
	r.keys.sweep(now, func(m *mirror) bool {
		told := bucket{tokens: m.level, at: m.heard}
		return m.granted == 0 && !(r.lost && m.outage == r.outage) && told.level(now, r.rate.perSecond(), float64(r.rate.Burst)) >= float64(r.rate.Burst)
	})
	return r.keys.of(key, func() *mirror { return &mirror{} })
}

// plain writes a number with all its digits.
func plain(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

func number(answer any) float64 {
	text, _ := answer.(string)
	n, _ := strconv.ParseFloat(text, 64)
	return n
}
