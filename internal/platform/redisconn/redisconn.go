package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Timeout bounds each step of a call: connecting, waiting for a free connection, writing and reading.
const Timeout = 500 * time.Millisecond

const (
	poolSize = 16
	oldest   = 6 // the first major version whose scripts may read the clock and write, and that has ACLs
)

// The library prints connection errors to stderr. The same errors are returned to callers, who log them once.
func init() { logging.Disable() }

// Conn is the connection pool of a process. It is safe for concurrent use.
type Conn struct {
	client *redis.Client
	addr   string
}

// Open connects to the server that the URL names (redis://[user:password@]host[:port][/database], or rediss:// for TLS 1.2 or
// later with the certificate checked) and makes sure that it can serve. Errors never hold the URL, since that may hold a password.
func Open(ctx context.Context, rawURL string) (*Conn, error) {
	opts, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	c := &Conn{client: redis.NewClient(opts), addr: opts.Addr}
	if err = c.suits(ctx); err != nil {
		_ = c.client.Close()
		if opts.Password != "" && strings.Contains(err.Error(), opts.Password) {
			return nil, fmt.Errorf("what answers at %s is no Redis: it repeats what it is told", c.addr)
		}
		return nil, err
	}
	return c, nil
}

func parse(rawURL string) (*redis.Options, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		// The reason may quote a piece of the password: one with special characters is the usual cause.
		return nil, errors.New("redis: the URL cannot be read; special characters in a password must be percent-encoded")
	case u.Scheme != "redis" && u.Scheme != "rediss":
		return nil, errors.New("redis: the URL must begin with redis:// or rediss://")
	case u.Hostname() == "":
		return nil, errors.New("redis: the URL names no host, as in redis://127.0.0.1:6379/0")
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if _, err = strconv.Atoi(db); err != nil {
			return nil, errors.New("redis: what follows the address in the URL must be a database number, as in redis://127.0.0.1:6379/0")
		}
	}
	opts, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, errors.New("redis: an option behind the ? of the URL is unknown or has a wrong value")
	}
	bound(opts)
	return opts, nil
}

// bound sets what this project needs whatever the URL says.
func bound(o *redis.Options) {
	o.Protocol = 2 // nothing here needs pushes
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = Timeout, Timeout, Timeout, Timeout
	o.ContextTimeoutEnabled = true
	o.MaxRetries, o.DialerRetries = -1, 1
	o.PoolSize, o.PipelinePoolSize = poolSize, -1 // batches are few and use the same connections
	o.MinIdleConns, o.ConnMaxIdleTime = 1, 5*time.Minute
}

// suits asks the server what it is.
func (c *Conn) suits(ctx context.Context) error {
	if err := c.client.Ping(ctx).Err(); err != nil {
		return c.explain(err)
	}
	info, err := c.client.Info(ctx).Result()
	if err != nil {
		if refused := redis.Error(nil); errors.As(err, &refused) {
			return nil // an account without INFO is fine: it answered
		}
		return c.wrap(err)
	}
	version, role := field(info, "redis_version"), field(info, "role")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldest {
		return fmt.Errorf("redis at %s is version %s; at least %d is needed", c.addr, version, oldest)
	}
	if role == "slave" {
		return fmt.Errorf("redis at %s is a read-only replica; give the address of its primary", c.addr)
	}
	return nil
}

// explain says what an operator can do about a server that did not take the first call.
func (c *Conn) explain(err error) error {
	refused := redis.Error(nil)
	var network net.Error
	var plain tls.RecordHeaderError
	switch text := err.Error(); {
	case strings.Contains(text, "WRONGPASS"):
		return fmt.Errorf("redis at %s refuses the user name or the password of the URL: %w", c.addr, err)
	case strings.Contains(text, "NOAUTH"):
		return fmt.Errorf("redis at %s wants a password, as in redis://:PASSWORD@HOST:PORT: %w", c.addr, err)
	case errors.As(err, &plain):
		return fmt.Errorf("redis at %s speaks no TLS: begin the URL with redis://: %w", c.addr, err)
	case errors.As(err, &refused), isCertificate(err):
		return c.wrap(err)
	case errors.As(err, &network):
		return fmt.Errorf("no Redis answers at %s: %w", c.addr, err)
	}
	return fmt.Errorf("what answers at %s is no Redis, or wants TLS (rediss://): %w", c.addr, err)
}

func isCertificate(err error) bool {
	var untrusted *tls.CertificateVerificationError
	return errors.As(err, &untrusted)
}

func field(info, name string) string {
	for line := range strings.SplitSeq(info, "\r\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	return ""
}

// Check asks whether the server answers and can serve (one that is loading its data cannot). It takes at most a few times
// Timeout, usually a fraction of a millisecond.
func (c *Conn) Check(ctx context.Context) error {
	if err := c.client.Ping(ctx).Err(); err != nil {
		return c.wrap(err)
	}
	return nil
}

// Now reads the server's own clock.
func (c *Conn) Now(ctx context.Context) (time.Time, error) {
	at, err := c.client.Time(ctx).Result()
	if err != nil {
		return time.Time{}, c.wrap(err)
	}
	return at, nil
}

func (c *Conn) wrap(err error) error { return fmt.Errorf("redis at %s: %w", c.addr, err) }

// Client gives the pool itself, for the packages of the platform that speak to Redis.
func (c *Conn) Client() *redis.Client { return c.client }

// Addr is the host and port of the server.
func (c *Conn) Addr() string { return c.addr }

// Close ends all connections. Calls under way fail.
func (c *Conn) Close() error { return c.client.Close() }
