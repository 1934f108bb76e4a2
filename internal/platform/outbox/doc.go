// Package outbox is the event log of an installation.
//
// A Store appends an event in the transaction of the change it reports. The relay, of which one works at a time, numbers the
// appended events after their commit, in the order in which they were written; so whoever reads the log by number never
// misses one that was committed late. Consumers read by number: each event at least once, those of one order key one after
// another. An event that a consumer fails on five times is parked and listed, and the events behind it go on.
//
// A consumer's work is in parts, by order key, each with a checkpoint of its own (part.go). The processes that are alive share
// the parts evenly: one that comes gets its share, one that stops hands its parts over, those of one that went silent go to
// the others (keeper.go, share.go). In each process one reader goes through the log for all parts that it has, and remembers
// what it read last (reader.go, tail.go), so that an event comes from the database once for all of them, and in the process that
// numbered it not at all.
//
// Who has what stands in outbox_consumers. Everything written for a part checks in the same transaction that it is still held,
// so a process that was thought dead changes nothing when it wakes up.
package outbox
