package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Check is one thing that a process needs in order to be ready, or, optional, one without which it does its work less well.
type Check struct {
	Name     string
	Run      func(ctx context.Context) error
	Optional bool
}

// Health answers that the process is alive.
func Health(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": version})
	}
}

// Ready answers 200 when open says that the process takes requests and every check passes that is not optional, else 503.
// Either way it says what failed.
func Ready(open func() bool, checks []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		status, results := http.StatusOK, map[string]string{}
		if !open() {
			status, results["process"] = http.StatusServiceUnavailable, "starting or stopping"
		}
		errs := make([]error, len(checks))
		var asking sync.WaitGroup
		for i, c := range checks {
			asking.Go(func() { errs[i] = c.Run(ctx) })
		}
		asking.Wait()
		for i, c := range checks {
			results[c.Name] = "ok"
			if errs[i] == nil {
				continue
			}
			results[c.Name] = "failed"
			if !c.Optional {
				status = http.StatusServiceUnavailable
			}
		}
		writeJSON(w, status, map[string]any{"ready": status == http.StatusOK, "checks": results})
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
