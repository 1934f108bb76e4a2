// Package fault is the one error type that crosses package borders with a meaning: a code that says what sort of failure
// it is, a reason that programs can compare, and words for people.
//
// Adapters turn driver errors into faults at once; services make faults where a rule is broken; the HTTP edge turns a fault
// into an RFC 9457 problem document and everything that is not a fault into a plain internal error, which it logs.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code is the sort of failure. The HTTP edge maps each to one status.
type Code string

// The sorts of failure.
const (
	Invalid         Code = "invalid"         // the input breaks a rule; the fields say which
	Unauthenticated Code = "unauthenticated" // no or wrong credentials
	Forbidden       Code = "forbidden"       // known, and not allowed
	NotFound        Code = "not_found"       // does not exist, or belongs to somebody else
	Conflict        Code = "conflict"        // the present state does not allow it
	TooLarge        Code = "too_large"       // more bytes than accepted
	TooMany         Code = "too_many"        // over a limit; RetryAfter says when to come back
	Unavailable     Code = "unavailable"     // cannot be done now; may be possible later
	Internal        Code = "internal"        // our mistake
)

// Field is one broken rule of the input.
type Field struct {
	Name string // path of the field as the caller wrote it: "start", "hours[2].from"
	Rule string // the rule in words: "must be in the future"
}

// Error is a failure with a meaning. Its zero value is not useful; make it with New or a shorthand.
type Error struct {
	Code       Code
	Reason     string         // stable machine word in snake_case: "session_not_linked"
	Message    string         // for people, one sentence without secrets
	Fields     []Field        // broken rules, for Invalid
	RetryAfter time.Duration  // when above zero, when to try again
	Details    map[string]any // extension members of the problem document (RFC 9457 section 3.2)
	cause      error
}

// New makes a fault. reason is what programs compare, message what people read.
func New(code Code, reason, message string) *Error {
	return &Error{Code: code, Reason: reason, Message: message}
}

// NotFoundf makes the fault for a thing that does not exist or belongs to somebody else: the two look the same.
func NotFoundf(thing string) *Error {
	return &Error{Code: NotFound, Reason: "not_found", Message: "there is no such " + thing}
}

// BadField makes the fault for one broken rule.
func BadField(name, rule string) *Error {
	return &Error{Code: Invalid, Reason: "invalid_input", Message: fmt.Sprintf("%s %s", name, rule), Fields: []Field{{name, rule}}}
}

// BadFields makes the fault for several broken rules at once; nil when there are none.
func BadFields(fields ...Field) error {
	switch len(fields) {
	case 0:
		return nil
	case 1:
		return BadField(fields[0].Name, fields[0].Rule)
	}
	return &Error{Code: Invalid, Reason: "invalid_input", Message: fmt.Sprintf("%d fields break a rule", len(fields)), Fields: fields}
}

// WithRetryAfter says when trying again makes sense.
func (e *Error) WithRetryAfter(d time.Duration) *Error { e.RetryAfter = d; return e }

// WithDetail adds one extension member to the problem document.
func (e *Error) WithDetail(name string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[name] = value
	return e
}

// WithCause keeps the error that led here, for logs and errors.Is.
func (e *Error) WithCause(err error) *Error { e.cause = err; return e }

// Error gives reason, message and cause.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Reason, e.Message, e.cause)
	}
	return e.Reason + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// As finds the fault in an error chain; ok is false when there is none.
func As(err error) (*Error, bool) {
	var f *Error
	ok := errors.As(err, &f)
	return f, ok
}

// CodeOf gives the code of the fault in the chain: Internal for any other error, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if f, ok := As(err); ok {
		return f.Code
	}
	return Internal
}

// Is reports whether the error chain holds a fault of the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

// HasReason reports whether the error chain holds a fault with the reason.
func HasReason(err error, reason string) bool {
	f, ok := As(err)
	return ok && f.Reason == reason
}
