package wasim

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

func TestInProcessConnectionsBehaveLikeOthers(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := newPipe()
		return a, b, func() {
			a.Close()
			b.Close()
		}, nil
	})
}
