// Package httpapi is the REST face of auth: logging in and out, people, API keys, the audit log and the public keys.
//
// Each file registers the operations of one noun. Handlers decode, call one method of auth.Service and encode; who the
// caller is and which tenant a request is about comes from httpkit.
package httpapi
