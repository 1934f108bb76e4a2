// Package jobs is the deferred work of an installation, kept in one table of its database.
//
// A Store enqueues a job in the transaction that decides it. Workers claim due jobs under a lease that they keep renewing,
// run the handler of the job's kind, and delete the row when it returns nil; an error puts it back with a growing delay, and
// after its last attempt it stays as a dead job, to be listed and run again. A crashed worker's jobs are claimed anew when
// their lease runs out. Jobs with the same order key run one after another. A handler may see a job twice (a crash after its
// effect, before the row is gone), so its effect must be idempotent.
package jobs
