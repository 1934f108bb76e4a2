// Command bench measures the product and, in the same run on the same machine, the bare WhatsApp client library that it is
// built on: what a session costs in memory, and how many messages a second go out and come in. Only the ratios mean
// something; the absolute figures are those of the machine and of whatever else it was doing.
//
// Every side runs in a process of its own against a local WhatsApp network in another. The load is the same: one contact per
// session, short texts, 32 callers. Memory is the resident set after a forced collection, less that of the process before
// its first session.
package main
