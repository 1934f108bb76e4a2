package cache

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"turnero/internal/platform/redisconn"
)

const (
	askLimit = 100 * time.Millisecond // for one question: who waits is a request
	restFor  = time.Second            // after a failure, during which the server is not asked
)

// Redis is the Cache of all processes that use one server. While the server does not answer, it is empty.
type Redis struct {
	client *redis.Client
	prefix string
	round  string // the key of the present stamp
	now    func() time.Time
	logger *slog.Logger

	mu   sync.Mutex
	rest time.Time // until when the server is not asked
	lost bool
}

var _ Cache = (*Redis)(nil)

// NewRedis makes the Cache that all processes share which give the same name.
func NewRedis(conn *redisconn.Conn, name string, now func() time.Time, logger *slog.Logger) *Redis {
	prefix := "turnero:cache:" + name + ":"
	return &Redis{client: conn.Client(), prefix: prefix + "e:", round: prefix + "round", now: now, logger: logger}
}

// A stamp is made at random when there is none: a server that was emptied must not come back to one that somebody holds.
var getScript = redis.NewScript(`
local round = redis.call('GET', KEYS[1])
if not round then
  round = ARGV[1]
  redis.call('SET', KEYS[1], round)
end
return {round, redis.call('GET', KEYS[2])}
`)

// What is kept goes with its stamp, and counts only while that is the present one.
var putScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1] .. '\n' .. ARGV[2], 'PX', ARGV[3])
return 1
`)

// Get implements Cache.
func (r *Redis) Get(ctx context.Context, key string) ([]byte, Stamp, bool) {
	if r.isResting() {
		return nil, "", false
	}
	asked, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	answer, err := getScript.Run(asked, r.client, []string{r.round, r.prefix + key}, rand.Text()).Slice()
	r.heard(ctx, err)
	if err != nil || len(answer) != 2 {
		return nil, "", false
	}
	round, _ := answer[0].(string)
	kept, ok := answer[1].(string)
	if mark := round + "\n"; ok && len(kept) >= len(mark) && kept[:len(mark)] == mark {
		return []byte(kept[len(mark):]), Stamp(round), true
	}
	return nil, Stamp(round), false
}

// Put implements Cache.
func (r *Redis) Put(ctx context.Context, key string, value []byte, ttl time.Duration, stamp Stamp) {
	if stamp == "" || r.isResting() {
		return
	}
	asked, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	r.heard(ctx, putScript.Run(asked, r.client, []string{r.round, r.prefix + key}, string(stamp), value, max(ttl.Milliseconds(), 1)).Err())
}

// Clear implements Cache.
func (r *Redis) Clear(ctx context.Context) error {
	err := r.client.Set(ctx, r.round, rand.Text(), 0).Err()
	r.heard(ctx, err)
	if err != nil {
		return fmt.Errorf("clear shared cache: %w", err)
	}
	return nil
}

func (r *Redis) isResting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now().Before(r.rest)
}

// heard notes whether the server answered, and logs when that changes. A caller that gave up says nothing of the server.
func (r *Redis) heard(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.rest = r.now().Add(restFor)
		if !r.lost {
			r.logger.WarnContext(ctx, "shared cache does not answer", "error", err.Error())
		}
	case r.lost:
		r.logger.InfoContext(ctx, "shared cache answers again")
	}
	r.lost = err != nil
}
