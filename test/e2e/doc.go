// Package e2e drives the real binary over HTTP, as its users do: the business owner, the staff, and customers on simulated
// phones. Every test starts a process of its own on an empty folder and a free port, and ends it.
package e2e
