package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"turnero/internal/fault"
	"turnero/internal/platform/httpkit"
)

const (
	dialTimeout = time.Second
	idleTimeout = time.Minute // less than the server keeps a silent connection
	idlePerHost = 64
	// callTimeout bounds a call whose context has no deadline.
	callTimeout = 30 * time.Second
	// retryAfter is when to come back after a process did not answer.
	retryAfter = 2 * time.Second
	// reasonSilent is the reason of the fault that a process which does not answer is.
	reasonSilent = "target_unavailable"
)

// ErrNotSent marks the errors of calls that the other side has certainly not begun to handle.
var ErrNotSent = errors.New("the question was not handled")

// Client asks other processes. It is safe for concurrent use; one per process is enough.
type Client struct {
	http   *http.Client
	tokens minter
}

// NewClient makes a client whose tokens are signed with the key (see KeyPurpose).
func NewClient(key []byte, now func() time.Time) *Client {
	return &Client{tokens: minter{key: key, now: now}, http: &http.Client{
		// A token must not be carried to wherever an answer points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               nil, // processes of one installation reach each other directly
			DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
			MaxIdleConns:        0,
			MaxIdleConnsPerHost: idlePerHost,
			IdleConnTimeout:     idleTimeout,
			DisableCompression:  true,
		}}}
}

// Close gives the idle connections free.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call asks the process at the address ("http://host:port", or "host:port") the question of the path and reads the answer
// into out (nil: not wanted). It waits as long as ctx allows, 30 s when that has no deadline. The error is the other side's
// fault, or Unavailable when it does not answer; see ErrNotSent.
func (c *Client) Call(ctx context.Context, address, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode question %s: %w", path, err)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	answer, err := c.post(ctx, address, path, body)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err = json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", path, err)
	}
	return nil
}

// post sends the body and gives that of a good answer.
func (c *Client) post(ctx context.Context, address, path string, body []byte) ([]byte, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	// Headers are written in one piece after the connection is there: without them nothing can have been handled.
	var left atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, strings.TrimSuffix(address, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	token, err := c.tokens.token()
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", "application/json")
	if requestID := httpkit.RequestID(ctx); requestID != "" {
		req.Header.Set(requestIDHeader, requestID)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, lost(ctx, path, err, left.Load())
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, lost(ctx, path, err, true)
	case len(answer) > maxBody:
		return nil, fmt.Errorf("the answer of %s is larger than %d bytes", path, maxBody)
	case resp.StatusCode == http.StatusOK && resp.Header.Get(answeredHeader) != "":
		return answer, nil
	}
	return nil, told(resp, answer)
}

// told is the error of an answer that is not good.
func told(resp *http.Response, answer []byte) error {
	f := httpkit.ReadProblem(resp.StatusCode, resp.Header, answer)
	switch {
	case resp.Header.Get(answeredHeader) != "":
		return f
	case f.Reason == refused:
		// To whoever asked us this is no question of credentials.
		return unsent{fault.New(fault.Unavailable, refused, "a service of this installation does not trust this one: their master keys or clocks differ").
			WithRetryAfter(retryAfter).WithCause(f)}
	case resp.StatusCode < http.StatusInternalServerError:
		return unsent{unavailable(f)} // another version, or another program
	}
	return unavailable(f)
}

// lost is the error of a question without an answer.
func lost(ctx context.Context, path string, err error, left bool) error {
	if over := ctx.Err(); over != nil {
		err = fmt.Errorf("ask %s: %w", path, over)
	} else {
		err = unavailable(err)
	}
	if left {
		return err
	}
	return unsent{err}
}

func unavailable(cause error) error {
	return fault.New(fault.Unavailable, reasonSilent, "the service behind this operation does not answer; try again").WithRetryAfter(retryAfter).WithCause(cause)
}

// unsent is an error that is ErrNotSent besides.
type unsent struct{ error }

func (u unsent) Unwrap() error        { return u.error }
func (u unsent) Is(target error) bool { return target == ErrNotSent }
