// Package config is the one struct from which the flags, the TURNERO_… environment variables, the keys of the YAML file,
// the help text and the reference of the configuration come.
//
// A flag wins over the environment, the environment over the file, the file over the default. A key that is not known, in
// the file or as a flag, is an error.
package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"turnero/internal/platform/sqlkit"
)

// Networks that a process may be on.
const (
	NetworkWhatsApp = "whatsapp" // the real one
	NetworkSim      = "sim"      // the local one of package wasim
)

// Secret is text that is never shown: not in logs, not by `turnero config`.
type Secret string

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "********"
}

// MarshalText hides the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal gives the text.
func (s Secret) Reveal() string { return string(s) }

// Config is everything that can be configured. Field tags are read by kong; the flag's name is also the key in the YAML file.
type Config struct {
	Target    []string `help:"Services that this process runs: all, or any set of gateway, auth, tenants, appointments, whatsapp, notifications." default:"all" sep:","`
	Route     []string `help:"Where other processes run services, as TARGET=URL; several of one target are taken in turn. Default: http://127.0.0.1 at the port of each." sep:"," placeholder:"TARGET=URL"`
	Listen    string   `help:"Address of the HTTP server. Default: :8080, of sim 127.0.0.1:8090, of one service other than the gateway 127.0.0.1 at its port (3001 to 3005)." placeholder:"HOST:PORT"`
	Data      string   `help:"Folder of this process's files: embedded database, keys, media." default:"data" type:"path" placeholder:"DIR"`
	Database  Secret   `name:"database-url" help:"Database: sqlite:FILE, postgres://…, mysql://…. Default: a SQLite file in the data folder." placeholder:"URL"`
	Redis     Secret   `name:"redis-url" help:"Redis that all processes of the installation share; without it one process does all the work." placeholder:"URL"`
	Advertise string   `help:"Address under which the other processes of the installation reach this one. Default: that of listen." placeholder:"HOST:PORT"`
	Network   string   `help:"WhatsApp network: whatsapp (the real one) or sim (a local one with simulated phones)." enum:"whatsapp,sim" default:"whatsapp"`
	SimURL    string   `name:"sim-url" help:"With the sim network: address of a running 'turnero sim'. Default: one inside this process." placeholder:"URL"`
	SimSeed   string   `name:"sim-seed" help:"With the sim network: the word from which its root key is made." default:"turnero"`
	Demo      bool     `help:"Begin with a demonstration business, its logins and simulated phones. Implies the sim network."`

	MasterKey Secret `name:"master-key" help:"Key that protects the keys at rest: 32 bytes in base64 or hex. Default: the file master.key in the data folder, made on the first run with SQLite." placeholder:"KEY"`

	DebugListen string `name:"debug-listen" help:"Address for profiles (pprof) and forced collections, for operators only: keep it on loopback." placeholder:"HOST:PORT"`

	PublicURL   string   `name:"public-url" help:"Address under which people reach this installation." placeholder:"URL"`
	CORSOrigins []string `name:"cors-origins" help:"Web origins that may call the API from a browser." sep:"," placeholder:"ORIGIN"`
	TrustProxy  bool     `name:"trust-proxy" help:"Take the caller's address from X-Forwarded-For: only behind a proxy that sets it."`

	RateTenant  int `name:"rate-tenant" help:"API requests per second that one tenant may make, on average." default:"200"`
	RateAddress int `name:"rate-address" help:"API requests per second that one address may make, on average." default:"100"`

	DBConnections   int           `name:"db-connections" help:"Most connections to the database." default:"16"`
	RequestTimeout  time.Duration `name:"request-timeout" help:"Longest time for one API request." default:"60s"`
	ShutdownTimeout time.Duration `name:"shutdown-timeout" help:"Longest time to finish what is under way when stopping." default:"20s"`
	LogLevel        string        `name:"log-level" help:"What to log: debug, info, warn, error." enum:"debug,info,warn,error" default:"info"`
	LogFormat       string        `name:"log-format" help:"Form of log lines: text or json." enum:"text,json" default:"text"`
}

// DatabaseURL gives the URL of the database, the embedded one by default.
func (c *Config) DatabaseURL() string {
	if c.Database != "" {
		return c.Database.Reveal()
	}
	return "sqlite:" + filepath.Join(c.Data, "turnero.db")
}

// DatabaseFile gives the file of an embedded database.
func (c *Config) DatabaseFile() string { return sqlkit.SQLiteFile(c.DatabaseURL()) }

// Embedded reports whether the process keeps its database to itself: SQLite.
func (c *Config) Embedded() bool {
	d, err := sqlkit.DialectOf(c.DatabaseURL())
	return err == nil && d == sqlkit.SQLite
}

// Validate checks what can be checked without touching anything, and fills in what follows from the rest. Its error names
// every key that is wrong. kong calls it at the end of parsing.
func (c *Config) Validate() error {
	var wrong []string
	say := func(key, rule string) { wrong = append(wrong, fmt.Sprintf("%s: %s", key, rule)) }
	if c.Demo {
		c.Network = NetworkSim
	}
	if _, err := sqlkit.DialectOf(c.DatabaseURL()); err != nil {
		say("database-url", err.Error())
	}
	if _, _, err := net.SplitHostPort(c.Listen); c.Listen != "" && err != nil {
		say("listen", "must be HOST:PORT, as in 127.0.0.1:8080 or :8080")
	}
	c.validateTargets(say)
	if c.Data == "" {
		say("data", "must name a folder")
	}
	for _, origin := range c.CORSOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			say("cors-origins", fmt.Sprintf("%q is not an origin, as in https://example.com", origin))
		}
	}
	for key, u := range map[string]string{"public-url": c.PublicURL, "sim-url": c.SimURL} {
		if p, err := url.Parse(u); u != "" && (err != nil || p.Host == "") {
			say(key, "must be a URL, as in http://127.0.0.1:8090")
		}
	}
	for key, n := range map[string]int{"rate-tenant": c.RateTenant, "rate-address": c.RateAddress, "db-connections": c.DBConnections} {
		if n < 1 {
			say(key, "must be at least 1")
		}
	}
	for key, d := range map[string]time.Duration{"request-timeout": c.RequestTimeout, "shutdown-timeout": c.ShutdownTimeout} {
		if d < time.Second {
			say(key, "must be at least 1s")
		}
	}
	if c.Demo && c.SimURL != "" {
		say("sim-url", "goes without demo, whose phones are inside the process")
	}
	if _, _, err := net.SplitHostPort(c.Advertise); c.Advertise != "" && err != nil {
		say("advertise", "must be HOST:PORT, as in 10.0.0.7:8080")
	}
	if c.Redis != "" {
		c.validateShared(say)
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("configuration: %s", strings.Join(wrong, "; "))
}

// AllTargets stands for every service.
const AllTargets = "all"

// Targets are the services that a process can run.
var Targets = []string{"gateway", "auth", "tenants", "appointments", "whatsapp", "notifications"}

// Runs reports whether the process runs the service.
func (c *Config) Runs(target string) bool {
	return slices.Contains(c.Target, AllTargets) || slices.Contains(c.Target, target)
}

// validateTargets checks which services run where.
func (c *Config) validateTargets(say func(key, rule string)) {
	for _, target := range c.Target {
		if target == AllTargets && len(c.Target) > 1 || target != AllTargets && !slices.Contains(Targets, target) {
			say("target", fmt.Sprintf("must be all, or any of %s", strings.Join(Targets, ", ")))
			return
		}
	}
	if _, err := c.Routes(); err != nil {
		say("route", err.Error())
	}
	if slices.Equal(c.Target, []string{AllTargets}) {
		return
	}
	if c.Embedded() {
		say("database-url", "must name a PostgreSQL or MySQL database when services run in processes of their own")
	}
	if c.Redis == "" {
		say("redis-url", "must name the Redis that all processes share when services run in processes of their own")
	}
	if c.Demo {
		say("demo", "runs all services in one process")
	}
	if len(c.Target) > 1 && !c.Runs("gateway") && c.Listen == "" {
		say("listen", "must be given for a process that runs several services")
	}
}

// Routes gives the addresses of the services that route names, in order.
func (c *Config) Routes() (map[string][]string, error) {
	out := map[string][]string{}
	for _, entry := range c.Route {
		target, address, ok := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		switch {
		case !ok || !slices.Contains(Targets, target) || target == "gateway":
			return nil, fmt.Errorf("%q must be TARGET=URL with one of %s", entry, strings.Join(Targets[1:], ", "))
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
			return nil, fmt.Errorf("%q must hold a URL of scheme, host and port, as in %s=http://10.0.0.7:3004", entry, target)
		}
		out[target] = append(out[target], u.Scheme+"://"+u.Host)
	}
	return out, nil
}

// validateShared checks what must hold when several processes share the work.
func (c *Config) validateShared(say func(key, rule string)) {
	if c.Embedded() {
		say("redis-url", "processes can share the work on PostgreSQL or MySQL only: set database-url, or leave redis-url out")
	}
	if c.Demo {
		say("demo", "is one process by itself: leave redis-url out")
	} else if c.Network == NetworkSim && c.SimURL == "" && c.Runs("whatsapp") {
		say("sim-url", "must name a running 'turnero sim' that all processes of the installation share")
	}
}

// Effective gives every key with its value in force, secrets hidden, in the form of the YAML file.
func (c *Config) Effective() map[string]any {
	out := map[string]any{}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch value := v.Field(i).Interface().(type) {
		case Secret:
			out[flagName(field)] = value.String()
		case time.Duration:
			out[flagName(field)] = value.String()
		default:
			out[flagName(field)] = value
		}
	}
	return out
}

func flagName(f reflect.StructField) string {
	if name := f.Tag.Get("name"); name != "" {
		return name
	}
	return strings.ToLower(f.Name)
}
