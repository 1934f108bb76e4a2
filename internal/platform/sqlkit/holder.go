package sqlkit

import (
	"crypto/rand"
	"fmt"
	"os"
)

// NewHolder names this process anew, for rows that say who holds them: host and process, for people, and a random part, so
// that no two names are ever the same.
func NewHolder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	if len(host) > 100 {
		host = host[:100]
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:12])
}
