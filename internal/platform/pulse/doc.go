// Package pulse asks the database once a second, over a connection of its own, whether it is there and what time it is.
//
// A database that has said nothing for three seconds is away: requests that wait for it are given up and new ones refused at
// once (Guard), so that neither callers nor connections pile up behind it, and nobody is told of success that is not stored.
// With the first answer everything is let in again. The connection is apart from the pool, which may be busy while the
// database is well.
//
// Its clock is compared with the process's. Who owns what is settled by the database's clock alone, but tokens, reminders and
// the times of messages follow the process's: two that differ are told to the operator.
package pulse
