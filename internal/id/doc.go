// Package id holds the types by which things are told apart: one distinct type per kind of thing, so that a chat's ID can
// never be passed where a user's is wanted, and the Principal that a request acts as.
//
// Text becomes an ID by parsing at the edge and nowhere else; from there on the type carries the proof.
package id
