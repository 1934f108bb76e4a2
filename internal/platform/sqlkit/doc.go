// Package sqlkit opens the installation's database (SQLite, PostgreSQL, or MySQL/MariaDB) and gives the Stores what they
// need to behave alike on all three: transactions that are retried when the database asks for it, a handle that is either
// the database or one transaction of it, row locks, upserts, and one reading of driver errors.
//
// Conventions of every table: IDs are text with a binary collation; instants are whole microseconds since the Unix epoch in
// UTC (0 = none); documents are JSON text. So nothing depends on a driver's idea of time, zone or case.
//
// SQLite has one writing connection (transactions begin IMMEDIATE, commits are synced) and a pool of reading ones. On PostgreSQL
// statements of a Send travel together, with the BEGIN before the first of a transaction and the COMMIT behind the last.
package sqlkit
