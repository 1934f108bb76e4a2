// Package outbox is the event log of an installation.
//
// A Store appends an event in the transaction of the change it reports. The relay, of which one runs at a time, numbers the
// appended events after their commit, in the order in which they were written; so whoever reads the log by number never
// misses one that was committed late. Consumers read by number from a checkpoint of their own: each event at least once,
// those of one order key one after another. An event that a consumer fails on five times is parked and listed, and the
// events behind it go on.
package outbox
