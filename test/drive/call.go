package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Caller calls JSON APIs.
type Caller struct{ http.Client }

// Refused is an answer with a status above 299.
type Refused struct {
	Method, URL string
	Status      int
	Body        string
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("%s %s: %d %s", r.Method, r.URL, r.Status, r.Body)
}

// Call makes a request with the body as JSON (nil: none) and reads the JSON answer into out (nil: not wanted). More headers
// follow as name, value. A status above 299 is a *Refused.
func (c *Caller) Call(ctx context.Context, method, url string, body, out any, headers ...string) error {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return &Refused{method, url, resp.StatusCode, string(raw)}
	}
	if out != nil {
		return json.Unmarshal(raw, out)
	}
	return nil
}

// InParallel does the things 0 to n-1, so many at a time. After an error it begins no more; it gives the first.
func InParallel(n, atOnce int, do func(i int) error) error {
	var next atomic.Int64
	var workers errgroup.Group
	var hasFailed atomic.Bool
	for range min(n, atOnce) {
		workers.Go(func() error {
			for !hasFailed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					break
				}
				if err := do(i); err != nil {
					hasFailed.Store(true)
					return err
				}
			}
			return nil
		})
	}
	return workers.Wait()
}
