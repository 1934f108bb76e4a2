package port_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/test/port"
)

func TestAPortIsFreeAndGivenOnce(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 50 {
		n, err := port.Free()
		require.NoError(t, err)
		require.False(t, seen[n])
		require.Less(t, n, 32768, "Linux gives those above to anybody")
		seen[n] = true
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n))
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
}
