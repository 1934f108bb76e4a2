package live

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"turnero/internal/platform/outbox"
	"turnero/internal/platform/redisconn"
)

const (
	keptEntries = 512 // in the stream, more or less
	mostQueued  = 64  // batches that wait to be sent; what comes beyond is left to SQL
	blockFor    = time.Second
	readEntries = 64
	longPause   = 500 * time.Millisecond // between two tries without Redis
)

// Redis is the Fanout of several processes. What one of them publishes goes through a stream of Redis that is cut to some
// hundred entries; a process reads the stream only while somebody listens there. Listeners in the publishing process are
// told at once, whatever Redis does.
type Redis struct {
	*hub
	client *redis.Client
	stream string
	queue  chan []outbox.Record
	heard  atomic.Bool // the stream has brought something since SQL last had more than the window
	astray atomic.Bool // it has not: look for its end anew
}

var _ Fanout = (*Redis)(nil)

// NewRedis makes the Fanout that all processes share which give the same name.
func NewRedis(log Log, conn *redisconn.Conn, name string, logger *slog.Logger) *Redis {
	return &Redis{hub: newHub(log, logger), client: conn.Client(), stream: "turnero:events:" + name, queue: make(chan []outbox.Record, mostQueued)}
}

// Publish implements Fanout.
func (r *Redis) Publish(recs []outbox.Record) {
	r.add(recs)
	select {
	case r.queue <- recs:
	default:
	}
}

// Run implements Fanout.
func (r *Redis) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { r.send(ctx) })
	wg.Go(func() { r.receive(ctx) })
	r.run(ctx, func() {
		if !r.heard.Swap(false) {
			r.astray.Store(true)
		}
	})
	wg.Wait()
	return nil
}

// send puts batches into the stream, those that have gathered meanwhile in one round trip.
func (r *Redis) send(ctx context.Context) {
	failing := false
	for {
		var batch []outbox.Record
		select {
		case <-ctx.Done():
			return
		case batch = <-r.queue:
		}
		pipe := r.client.Pipeline()
		err := r.put(ctx, pipe, batch)
		for more := true; more && err == nil; {
			select {
			case batch = <-r.queue:
				err = r.put(ctx, pipe, batch)
			default:
				more = false
			}
		}
		if err == nil {
			_, err = pipe.Exec(ctx)
		}
		if err != nil && ctx.Err() == nil && !failing {
			r.logger.WarnContext(ctx, "new events not passed on to other processes, which read them later", "error", err.Error())
		}
		failing = err != nil
	}
}

func (r *Redis) put(ctx context.Context, pipe redis.Pipeliner, batch []outbox.Record) error {
	for _, part := range entries(batch) {
		fields, err := encode(part)
		if err != nil {
			return err
		}
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: r.stream, MaxLen: keptEntries, Approx: true, Values: fields})
	}
	return nil
}

// receive reads the stream while there are listeners.
func (r *Redis) receive(ctx context.Context) {
	position, failing := "", false
	for ctx.Err() == nil {
		if !r.isHeard() {
			position = ""
			select {
			case <-ctx.Done():
			case <-r.began:
			}
			continue
		}
		if r.astray.Swap(false) {
			position = ""
		}
		next, err := r.read(ctx, position)
		position = next
		if err == nil {
			failing = false
			continue
		}
		if ctx.Err() == nil && !failing {
			r.logger.WarnContext(ctx, "new events of other processes are read from the database only", "error", err.Error())
			failing = true
		}
		rest(ctx, longPause)
	}
}

// read adds what stands in the stream behind the position ("": at its end), waiting for it a while, and returns the next position.
func (r *Redis) read(ctx context.Context, position string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, blockFor+redisconn.Timeout)
	defer cancel()
	if position == "" {
		last, err := r.client.XRevRangeN(ctx, r.stream, "+", "-", 1).Result()
		if err != nil {
			return "", err
		}
		if position = "0-0"; len(last) > 0 {
			position = last[0].ID
		}
		r.call() // what was added before is not read from here
	}
	found, err := r.client.XRead(ctx, &redis.XReadArgs{Streams: []string{r.stream, position}, Count: readEntries, Block: blockFor}).Result()
	if errors.Is(err, redis.Nil) {
		return position, nil
	}
	if err != nil || len(found) == 0 {
		return position, err
	}
	r.heard.Store(true)
	for _, m := range found[0].Messages {
		position = m.ID
		last, _ := r.end()
		recs, err := decode(m.Values, last)
		if err != nil {
			return position, err
		}
		r.add(recs)
	}
	return position, nil
}

// rest waits about that long, not in step with other processes.
func rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause/2 + rand.N(pause/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
