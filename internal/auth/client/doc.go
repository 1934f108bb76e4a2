// Package client is auth for a process that runs other services.
//
// Serve registers the questions in a process that runs auth; Client asks them over platform/peer. Exchange turns the
// credentials of a caller into an internal token and its principal: from this process's copy (two seconds), from the copy
// that all processes share (ten seconds), or from auth. Verify reads a token by auth's published keys (KeySet, from
// /.well-known/jwks.json), asking nobody; only for an access token, whose person may have logged out, it does what Exchange
// does. Whoever takes a right away clears the shared copies first and then wakes the processes, whose Forget clears their
// own: a revoked key, a log-out or a suspension counts everywhere within milliseconds, within two seconds more when the
// wake-up is lost, and within fifteen when Redis could not be reached at that moment.
package client
