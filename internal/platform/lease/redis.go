package lease

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"turnero/internal/platform/redisconn"
)

// chunk is how many keys one script handles: Redis does nothing else meanwhile, for a millisecond or so.
const chunk = 500

// Redis is the Locks of several processes. All locks of one name stand in one hash with fields of two kinds: "k:" and a key
// holds "<end in ms> <owner> <seq> <address>"; born and seen tell when the table came to be and when any process was last heard of.
// They live and die together, so a lost table is always recognised as one. All times are the server's.
type Redis struct {
	client *redis.Client
	table  string
	ttl    time.Duration
}

var _ Locks = (*Redis)(nil)

// NewRedis makes Locks that all processes share which give the same name. ttl is TTL outside of tests, and the same for all.
func NewRedis(conn *redisconn.Conn, name string, ttl time.Duration) *Redis {
	// Who calls bounds each call; the connection's own bound is shorter than a busy machine may need.
	return &Redis{client: conn.Client().WithTimeout(callLimit), table: "turnero:lease:" + name, ttl: ttl}
}

// prologue reads the clock and locks. A lock stands while its end is ahead, but not absurdly far: the clock may be turned back.
const prologue = `
local tab, ttl, me = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function ms(n) return string.format('%d', n) end
local function read(v)
  if not v then return nil, false, 0 end
  local til, id, seq = string.match(v, '^(%d+) (%S*) (%d+)')
  til = tonumber(til)
  return id, til > now and til <= now + 3 * ttl, tonumber(seq)
end
`

// hold takes or renews. The table begins a new age, of which the first TTL is left to the owners, when it is new, when nobody
// was heard of for a TTL, or when the clock was turned back. The script is sent whole: a restarted server knows none, and
// this way a batch needs no second round.
const hold = prologue + `
local call, renewing = tonumber(ARGV[3]), ARGV[5] == 'renew'
local age = redis.call('HMGET', tab, 'born', 'seen')
local born, seen = tonumber(age[1] or now), tonumber(age[2] or now)
if not age[1] or born > now + ttl or seen > now + ttl or now - seen > ttl then
  born = now
  redis.call('HSET', tab, 'born', ms(now))
  redis.call('HDEL', tab, 'seen')
end
local settling = now - born < ttl
local out = {}
for i = 6, #ARGV do
  local field = 'k:' .. ARGV[i]
  local id, stands, seq = read(redis.call('HGET', tab, field))
  local ok = id == me
  if not ok and renewing then ok = not id end
  if not ok and not renewing then ok = not stands and not settling end
  if ok then
    if id ~= me or seq < call then seq = call end
    redis.call('HSET', tab, field, ms(now + ttl) .. ' ' .. me .. ' ' .. ms(seq) .. ' ' .. ARGV[4])
  end
  out[i - 5] = ok and 1 or 0
end
redis.call('HSET', tab, 'seen', ms(now))
return out
`

const release = prologue + `
for i = 4, #ARGV do
  local field = 'k:' .. ARGV[i]
  local id, _, seq = read(redis.call('HGET', tab, field))
  if id == me and seq < tonumber(ARGV[3]) then redis.call('HDEL', tab, field) end
end
return 0
`

const owners = prologue + `
local out = {}
for i = 3, #ARGV do
  local v = redis.call('HGET', tab, 'k:' .. ARGV[i])
  local _, stands = read(v)
  out[i - 2] = stands and v or ''
end
return out
`

// list gives keys and values in turn, and forgets locks that ended a minute ago.
const list = prologue + `
local out, all = {}, redis.call('HGETALL', tab)
for i = 1, #all, 2 do
  local field = all[i]
  if string.sub(field, 1, 2) == 'k:' then
    local _, stands = read(all[i + 1])
    if stands then
      local key = string.sub(field, 3)
      if string.sub(key, 1, #ARGV[3]) == ARGV[3] then
        out[#out + 1] = key
        out[#out + 1] = all[i + 1]
      end
    elseif tonumber(string.match(all[i + 1], '^%d+')) < now - 60000 then
      redis.call('HDEL', tab, field)
    end
  end
end
return out
`

// TTL implements Locks.
func (r *Redis) TTL() time.Duration { return r.ttl }

// Take implements Locks.
func (r *Redis) Take(ctx context.Context, self Owner, seq int64, keys []string) ([]bool, error) {
	return r.hold(ctx, self, seq, "take", keys)
}

// Renew implements Locks. Without keys it asks all the same, so that a lost table is noticed by whoever owns nothing.
func (r *Redis) Renew(ctx context.Context, self Owner, seq int64, keys []string) ([]bool, error) {
	return r.hold(ctx, self, seq, "renew", keys)
}

func (r *Redis) hold(ctx context.Context, self Owner, seq int64, how string, keys []string) ([]bool, error) {
	answers, err := r.batch(ctx, hold, keys, name(self), strconv.FormatInt(seq, 10), self.Address, how)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(keys))
	for i, a := range answers {
		out[i] = a == int64(1)
	}
	return out, nil
}

// Release implements Locks.
func (r *Redis) Release(ctx context.Context, self Owner, seq int64, keys []string) error {
	_, err := r.batch(ctx, release, keys, name(self), strconv.FormatInt(seq, 10))
	return err
}

// Leave implements Locks: the silence that follows means nothing. Others who are there are heard of soon enough.
func (r *Redis) Leave(ctx context.Context, _ Owner) error {
	if err := r.client.HDel(ctx, r.table, "seen").Err(); err != nil {
		return unavailable(err)
	}
	return nil
}

// Owners implements Locks.
func (r *Redis) Owners(ctx context.Context, keys []string) (map[string]Owner, error) {
	answers, err := r.batch(ctx, owners, keys, "")
	if err != nil {
		return nil, err
	}
	out := make(map[string]Owner, len(keys))
	for i, a := range answers {
		if owner, ok := parse(a); ok {
			out[keys[i]] = owner
		}
	}
	return out, nil
}

// List implements Locks.
func (r *Redis) List(ctx context.Context, prefix string) (map[string]Owner, error) {
	answer, err := r.client.Eval(ctx, list, []string{r.table}, r.ttl.Milliseconds(), "", prefix).Slice()
	if err != nil {
		return nil, unavailable(err)
	}
	out := make(map[string]Owner, len(answer)/2)
	for i := 0; i+1 < len(answer); i += 2 {
		key, _ := answer[i].(string)
		if owner, ok := parse(answer[i+1]); ok {
			out[key] = owner
		}
	}
	return out, nil
}

// batch runs the script over all keys in one round trip and joins the answers.
func (r *Redis) batch(ctx context.Context, script string, keys []string, args ...string) ([]any, error) {
	pipe := r.client.Pipeline()
	var cmds []*redis.Cmd
	for begin := 0; begin == 0 || begin < len(keys); begin += chunk {
		part := keys[begin:min(begin+chunk, len(keys))]
		argv := make([]any, 0, 1+len(args)+len(part))
		argv = append(argv, r.ttl.Milliseconds())
		for _, a := range args {
			argv = append(argv, a)
		}
		for _, key := range part {
			argv = append(argv, key)
		}
		cmds = append(cmds, pipe.Eval(ctx, script, []string{r.table}, argv...))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable(err)
	}
	var out []any
	for _, cmd := range cmds {
		if answers, ok := cmd.Val().([]any); ok {
			out = append(out, answers...)
		}
	}
	return out, nil
}

// name is the owner's ID without spaces, which end it in the table.
func name(o Owner) string { return url.QueryEscape(o.ID) }

func parse(answer any) (Owner, bool) {
	text, _ := answer.(string)
	parts := strings.SplitN(text, " ", 4)
	if len(parts) < 4 {
		return Owner{}, false
	}
	id, err := url.QueryUnescape(parts[1])
	return Owner{ID: id, Address: parts[3]}, err == nil
}

// unavailable marks any error of a call: whatever Redis says instead of an answer, nothing is known about the locks.
func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
