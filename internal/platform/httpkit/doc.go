// Package httpkit is the shape of every REST operation: who may call it, how its input is checked, how a fault becomes an
// RFC 9457 problem document, and how the OpenAPI document comes from the same Go types.
//
// A module's httpapi registers each operation with Handle, naming its roles; an operation without roles (or the word
// Public) makes Check fail, and with it the start of the process. The caller's Principal, which holds the one tenant that
// the request is about, is settled here, once, from the verified credentials; handlers get it as an argument.
package httpkit
