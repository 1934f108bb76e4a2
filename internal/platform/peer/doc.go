// Package peer is how one process of an installation asks another something and waits for the answer: JSON over HTTP/1.1
// on connections that are kept, under paths that begin with /internal/.
//
// The side that is asked makes a Server on its mux and registers each question with Handle; the side that asks has one
// Client and uses Call, or a Target where several processes could answer. Who asks shows a token that lives for a minute at
// most (a JWT, RFC 7519, signed with HS256 for the audience "peer") under a key that both derive from the installation's
// master key: there is nothing to configure and nothing to distribute. Nothing under /internal/ answers without such a
// token, not even that there is no such path, so the paths may be reachable from outside; the gateway never passes them on
// all the same.
//
// A fault of the other side arrives as the same fault: code, reason, fields, Retry-After, details. A process that cannot be
// reached is a fault too (Unavailable, "target_unavailable"). Where the question certainly was not handled, errors.Is(err,
// ErrNotSent) holds: it may be asked again, there or elsewhere, whatever it does. Otherwise the outcome is unknown.
package peer
