package main

import (
	"net/http"
	"time"

	"turnero/test/drive"
)

// patience is how long a caller of the API waits for one answer before it asks another process.
const patience = 5 * time.Second

// web is what callers use. Connections to a process that was killed are simply made again.
var web = &drive.Caller{Client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second}}}

// isFinal reports whether asking again cannot help.
func isFinal(r *drive.Refused) bool {
	return r.Status < 500 && r.Status != http.StatusTooManyRequests
}
