package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// patience is how long a caller of the API waits for one answer before it asks another process.
const patience = 5 * time.Second

// web is what callers use. Connections to a process that was killed are simply made again.
var web = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second}}

// refused is an answer above 299.
type refused struct {
	Status int
	Body   string
}

func (r *refused) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Body) }

// isFinal reports whether asking again cannot help.
func (r *refused) isFinal() bool { return r.Status < 500 && r.Status != http.StatusTooManyRequests }

// call makes a request; out may be nil.
func call(ctx context.Context, method, url string, body, out any, headers ...string) error {
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
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return &refused{resp.StatusCode, string(raw)}
	}
	if out != nil {
		return json.Unmarshal(raw, out)
	}
	return nil
}

// inParallel does n things with the workers and gives the first error.
func inParallel(n, workers int, do func(i int) error) error {
	var next atomic.Int64
	results := make(chan error, workers)
	for range workers {
		go func() {
			var first error
			for first == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					break
				}
				first = do(i)
			}
			results <- first
		}()
	}
	var first error
	for range workers {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	return first
}
