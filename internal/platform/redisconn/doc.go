// Package redisconn opens the one connection pool that a process has to Redis.
//
// Open reads the URL, connects and refuses a server that cannot serve: one that does not answer, refuses the password, is a
// read-only replica or is too old. Check asks later, for readiness. Locks (platform/lease), wake-ups (platform/bus) and
// limits (platform/limit) are built on the pool and share it.
//
// Every call is bounded: nothing here waits longer than Timeout for a connection, for a write or for an answer, and nothing
// is tried twice behind the caller's back. Who calls knows best whether to repeat, to go on without Redis, or to give up.
// Nothing durable lives only in Redis, so losing it, emptied or for good, loses no data.
//
// One server is expected (or the address at which a managed service fails over); Redis Cluster is not supported. Redis
// should not evict keys: with maxmemory set, use the policy noeviction.
package redisconn
