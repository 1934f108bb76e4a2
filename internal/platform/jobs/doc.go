// Package jobs is the deferred work of an installation, kept in one table of its database.
//
// A Store enqueues a job in the transaction that decides it. Workers claim due jobs under a lease that they keep renewing,
// run the handler of the job's kind, and delete the row when it returns nil; an error puts it back with a growing delay, and
// after its last attempt it stays as a dead job, to be listed and run again. A crashed worker's jobs are claimed anew when
// their lease runs out. A handler may see a job twice (a crash after its effect, before the row is gone), so its effect must
// be idempotent, or complete the job in its own transaction with Run.CompleteIn.
//
// Jobs with the same order key run one after another, in the order of their run time. A job that is due behind an unfinished
// one of its key is set aside as "waiting", so that looking for work never walks over a backlog that cannot run; whoever
// finishes a job of that key, after its commit, makes the next one ready again.
package jobs
