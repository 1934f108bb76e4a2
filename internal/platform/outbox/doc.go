// Package outbox is the event log of an installation.
//
// A Store appends an event in the transaction of the change it reports. The relay, of which one works at a time, numbers the
// appended events after their commit, in the order in which they were written; so whoever reads the log by number never
// misses one that was committed late. Consumers read by number from a checkpoint of their own: each event at least once,
// those of one order key one after another. An event that a consumer fails on five times is parked and listed, and the
// events behind it go on.
//
// Which process is the relay, and which works for a consumer, stands in the rows of outbox_consumers: a row is taken for a
// short while and kept by renewing (keeper.go). Everything written under such a row checks in the same transaction that it
// is still held, so a process that was thought dead changes nothing when it wakes up.
package outbox
