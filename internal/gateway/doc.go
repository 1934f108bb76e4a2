// Package gateway is the public edge of an installation: what happens to a request before an operation of a module sees it
// (an ID, limits of size, time and rate, security headers, the origins that may call), the documentation of the API, the
// live stream of events, and the answers by which an operator knows that a process is alive and ready.
package gateway
