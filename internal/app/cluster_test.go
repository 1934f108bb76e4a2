package app

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/config"
	"turnero/internal/platform/redisconn"
)

func TestOthersAreToldAnAddressThatLeadsHere(t *testing.T) {
	t.Parallel()
	everywhere, here := &net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 8080}
	open := func(addr net.Addr, cfg *config.Config, conn *redisconn.Conn) (string, error) {
		c := &core{cfg: cfg, redis: conn}
		err := c.openLocks(addr)
		return c.self.Address, err
	}
	address, err := open(everywhere, &config.Config{Target: []string{config.AllTargets}}, nil)
	require.NoError(t, err, "nobody else is there")
	require.Equal(t, "127.0.0.1:8080", address)
	address, err = open(here, &config.Config{Target: []string{config.AllTargets}}, nil)
	require.NoError(t, err)
	require.Equal(t, "10.0.0.7:8080", address)
	address, err = open(everywhere, &config.Config{Target: []string{config.AllTargets}, Advertise: "10.0.0.9:80"}, nil)
	require.NoError(t, err)
	require.Equal(t, "10.0.0.9:80", address)
	_, err = open(everywhere, &config.Config{Target: []string{config.AllTargets}}, &redisconn.Conn{})
	require.ErrorContains(t, err, "advertise:")
}
