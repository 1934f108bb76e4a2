package httpkit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"

	"turnero/internal/fault"
)

type requestIDKey struct{}

// WithRequestID gives the context the ID by which one request is found in the logs of every process it passed.
func WithRequestID(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, requestID)
}

// RequestID gives the request's ID, "" outside of a request.
func RequestID(ctx context.Context) string {
	v, _ := ctx.Value(requestIDKey{}).(string)
	return v
}

type clientAddressKey struct{}

// WithClientAddress gives the context the network address of the caller, without port. Whoever knows which proxies to
// believe sets it before the operations run; where nobody did, it is the address of the connection.
func WithClientAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, clientAddressKey{}, address)
}

// ClientAddress gives the network address of the caller, "" outside of a request.
func ClientAddress(ctx context.Context) string {
	v, _ := ctx.Value(clientAddressKey{}).(string)
	return v
}

// addressOf gives the address of the connection, without port.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// PageInput holds the query parameters of a list; embed it in an input struct.
type PageInput struct {
	Cursor string `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"most items to return"`
}

// Page is the body of a list.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"nextCursor,omitempty" doc:"give it as ?cursor= for the next page; absent on the last"`
}

// EncodeCursor makes an opaque cursor of the position's values (any JSON value).
func EncodeCursor(position any) string {
	raw, err := json.Marshal(position)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeCursor reads a cursor into position; an empty cursor leaves it as it is. A cursor that we did not make is a fault naming the field.
func DecodeCursor(cursor string, position any) error {
	if cursor == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, position) != nil || EncodeCursor(position) != cursor {
		return fault.BadField("cursor", "must be the nextCursor of a page before")
	}
	return nil
}
