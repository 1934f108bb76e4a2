package wasim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// answerTimeout is how long a client of the control API or of the media server may take to read a part of an answer.
const answerTimeout = 30 * time.Second

// Error is what the control API answers with when it refuses: why, and which field of the request is to blame.
type Error struct {
	Code    string // stable, in lower case: invalid, not_found, code_used, code_expired, …
	Status  int    // HTTP status
	Field   string // path of the field in the request, empty when none is to blame
	Message string // one sentence for people
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Is reports whether two errors have the same code, so that errors.Is works with the errors below.
func (e *Error) Is(target error) bool {
	other := new(Error)
	return errors.As(target, &other) && other.Code == e.Code
}

// Errors of the control API, to be compared with errors.Is.
var (
	ErrInvalid     = &Error{Code: "invalid", Status: http.StatusUnprocessableEntity, Message: "the request is not valid"}
	ErrNotFound    = &Error{Code: "not_found", Status: http.StatusNotFound, Message: "there is no such thing"}
	ErrNoWhatsApp  = &Error{Code: "not_on_whatsapp", Status: http.StatusUnprocessableEntity, Message: "the number has no WhatsApp account"}
	ErrCodeUnknown = &Error{Code: "code_unknown", Status: http.StatusUnprocessableEntity, Message: "the network did not issue this code"}
	ErrCodeUsed    = &Error{Code: "code_used", Status: http.StatusConflict, Message: "this code has been used"}
	ErrCodeExpired = &Error{Code: "code_expired", Status: http.StatusGone, Message: "this code has expired"}
	ErrIDTaken     = &Error{Code: "id_taken", Status: http.StatusConflict, Message: "another message has this ID"}
	ErrTooMany     = &Error{Code: "too_many", Status: http.StatusTooManyRequests, Message: "there are too many already"}
	ErrNotLinked   = &Error{Code: "not_linked", Status: http.StatusConflict, Message: "the device did not complete the link"}
	ErrClosed      = &Error{Code: "closed", Status: http.StatusServiceUnavailable, Message: "the network is closed"}
)

var errClosed error = ErrClosed

// because returns a copy of e that says more.
func (e *Error) because(field, format string, args ...any) *Error {
	return &Error{Code: e.Code, Status: e.Status, Field: field, Message: fmt.Sprintf(format, args...)}
}

func invalid(field, message string) error { return ErrInvalid.because(field, "%s", message) }

// readJSON reads a request's body strictly. An empty body leaves the target as it is.
func readJSON(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	var badType *json.UnmarshalTypeError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &badType):
		return invalid(badType.Field, fmt.Sprintf("must be a %s, not a %s", badType.Type, badType.Value))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return invalid(strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`), "there is no such field")
	}
	return invalid("", "the body is not valid JSON: "+err.Error())
}

func writeJSON(w http.ResponseWriter, status int, kind string, answer any) {
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", kind)
	writeInTime(w, func() {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer) // the client has gone
	})
}

// writeInTime writes and flushes an answer before a deadline, so that a client that does not read holds nothing up. The
// connection is left without a deadline, for whoever answers on it next.
func writeInTime(w http.ResponseWriter, write func()) {
	stream := http.NewResponseController(w)
	// Not every writer has deadlines: a recorder has none, and is never slow.
	_ = stream.SetWriteDeadline(time.Now().Add(answerTimeout))
	defer func() { _ = stream.SetWriteDeadline(time.Time{}) }()
	write()
	_ = stream.Flush()
}

// problem is an error as RFC 9457 has it, with the field that is to blame.
type problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Code   string         `json:"code"`
	Errors []problemField `json:"errors,omitempty"`
}

type problemField struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

func writeProblem(w http.ResponseWriter, err error) {
	e := &Error{Code: "internal", Status: http.StatusInternalServerError, Message: err.Error()}
	errors.As(err, &e)
	p := problem{Type: "about:blank", Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Error(), Code: e.Code}
	if e.Field != "" {
		p.Errors = []problemField{{e.Field, e.Message}}
	}
	writeJSON(w, e.Status, "application/problem+json", p)
}
