// Package servers starts the real servers that the tests need, on free loopback ports with throw-away data, and stops them:
// PostgreSQL, MariaDB and Redis from Debian's packages, which it installs when they are missing and it may (root).
//
// `go run ./test/servers/with -- COMMAND…` runs a command with the servers' addresses in its environment. An address that
// the environment already holds is used instead of starting a server.
package servers
