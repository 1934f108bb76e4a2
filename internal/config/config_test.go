package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"turnero/internal/config"
)

type cli struct {
	File kong.ConfigFlag `name:"config"`
	config.Config
}

func parse(t *testing.T, args ...string) (*cli, error) {
	t.Helper()
	c := &cli{}
	p, err := kong.New(c, kong.DefaultEnvars("TURNERO"), kong.Configuration(config.ReadFile))
	require.NoError(t, err)
	_, err = p.Parse(args)
	return c, err
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return "--config=" + path
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	f := file(t, "listen: :1\nrate-tenant: 7\nlog-level: warn\ncors-origins: [https://a.example, https://b.example]\nrequest-timeout: 5s\n")
	t.Setenv("TURNERO_LISTEN", ":2")
	t.Setenv("TURNERO_LOG_LEVEL", "error")
	c, err := parse(t, f, "--log-level=debug")
	require.NoError(t, err)
	require.Equal(t, ":2", c.Listen)
	require.Equal(t, "debug", c.LogLevel)
	require.Equal(t, 7, c.RateTenant)
	require.Equal(t, []string{"https://a.example", "https://b.example"}, c.CORSOrigins)
	require.Equal(t, "5s", c.RequestTimeout.String())
	require.Equal(t, 100, c.RateAddress)
	require.NoError(t, c.Validate())
}

func TestUnknownKeysAreErrors(t *testing.T) {
	_, err := parse(t, file(t, "lissten: :1\n"))
	require.ErrorContains(t, err, "unknown key lissten")
	_, err = parse(t, "--lissten=:1")
	require.Error(t, err)
	_, err = parse(t, "--network=telegram")
	require.ErrorContains(t, err, "network")
}

func TestValidateNamesEveryWrongKey(t *testing.T) {
	_, err := parse(t, "--listen=8080", "--database-url=oracle://x", "--target=auht", "--cors-origins=example.com", "--rate-tenant=0", "--advertise=x", "--request-timeout=1ms")
	for _, key := range []string{"listen", "database-url", "target", "cors-origins", "rate-tenant", "advertise", "request-timeout"} {
		require.ErrorContains(t, err, key+":")
	}
}

func TestProcessesThatShareTheWorkShareTheRest(t *testing.T) {
	_, err := parse(t, "--redis-url=redis://127.0.0.1:1", "--network=sim")
	require.ErrorContains(t, err, "redis-url:")
	require.ErrorContains(t, err, "sim-url:")
	_, err = parse(t, "--redis-url=redis://127.0.0.1:1", "--database-url=postgres://h/d", "--demo")
	require.ErrorContains(t, err, "demo:")
	_, err = parse(t, "--redis-url=redis://127.0.0.1:1", "--database-url=mysql://h/d", "--network=sim", "--sim-url=http://127.0.0.1:8090")
	require.NoError(t, err)
}

func TestServicesInProcessesOfTheirOwnNeedWhatTheyShare(t *testing.T) {
	_, err := parse(t, "--target=whatsapp")
	require.ErrorContains(t, err, "database-url:")
	require.ErrorContains(t, err, "redis-url:")
	shared := []string{"--redis-url=redis://127.0.0.1:1", "--database-url=postgres://h/d"}
	for _, wrong := range []struct{ key, flag string }{
		{"target", "--target=all,auth"}, {"target", "--target=analytics,x"}, {"route", "--route=whatsapp"}, {"route", "--route=all=http://h:1"},
		{"route", "--route=whatsapp=h:1"}, {"route", "--route=whatsapp=http://h:1/path"}, {"listen", "--target=auth,tenants"},
	} {
		_, err = parse(t, append(shared, wrong.flag)...)
		require.ErrorContains(t, err, wrong.key+":", wrong.flag)
	}
	c, err := parse(t, append(shared, "--target=gateway,auth", "--route=whatsapp=http://10.0.0.1:3004,whatsapp=https://10.0.0.2:3004/", "--route=tenants=http://t:1", "--network=sim")...)
	require.NoError(t, err, "a process without whatsapp needs no phones")
	require.True(t, c.Runs("auth") && !c.Runs("whatsapp"))
	routes, err := c.Routes()
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"whatsapp": {"http://10.0.0.1:3004", "https://10.0.0.2:3004"}, "tenants": {"http://t:1"}}, routes)
	c, err = parse(t)
	require.NoError(t, err)
	require.True(t, c.Runs("whatsapp"))
}

func TestSecretsAreNeverShown(t *testing.T) {
	c, err := parse(t, "--database-url=postgres://u:hunter2@h/d", "--master-key=hunter2")
	require.NoError(t, err)
	require.Equal(t, "postgres://u:hunter2@h/d", c.DatabaseURL())
	for key, value := range c.Effective() {
		s, _ := value.(string)
		require.False(t, strings.Contains(s, "hunter2"), key)
	}
	require.False(t, c.Embedded())
	require.Equal(t, "********", c.Effective()["database-url"])
}

func TestEverythingHasADefaultThatIsValid(t *testing.T) {
	c, err := parse(t)
	require.NoError(t, err)
	require.NoError(t, c.Validate())
	require.True(t, c.Embedded())
	c.Demo = true
	require.NoError(t, c.Validate())
	require.Equal(t, config.NetworkSim, c.Network)
}
