// Package cluster keeps processes that do not share their locks off one database.
//
// Processes that name the same Redis are one cluster: they agree on who does what there. A process without Redis is a cluster
// of itself. One row of the database says which cluster serves it, and until when; every process of that cluster keeps
// moving the end. A process of another one, started with a wrong address or by mistake, finds the row taken and does not begin.
//
// The same row holds the installation's ID, after which everything it keeps in Redis is named: several installations may
// share a server.
package cluster
