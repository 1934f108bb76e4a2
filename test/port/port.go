// Package port finds ports for the servers that tests and measurements start.
package port

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The ports are below those that Linux gives to connections and to whoever listens on any port (net.ipv4.ip_local_port_range begins at 32768), so that nobody
// gets a server's port before it listens or while it is restarted.
const (
	first = 20000
	last  = 31999
)

var given sync.Map

// Free gives a loopback port at which nobody listens. A process is given each once.
func Free() (int, error) {
	for range 1000 {
		n := first + rand.N(last-first+1)
		if _, isGiven := given.LoadOrStore(n, true); isGiven {
			continue
		}
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n)); err == nil {
			return n, l.Close()
		}
	}
	return 0, errors.New("no free port")
}
