package httpkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"turnero/internal/fault"
	"turnero/internal/platform/sqlkit"
)

// Problem is the body of every error answer: a problem document (RFC 9457, application/problem+json).
type Problem struct {
	Type      string         `json:"type" doc:"a URI that names the sort of problem" example:"about:blank"`
	Title     string         `json:"title" doc:"the status in words" example:"Conflict"`
	Status    int            `json:"status" doc:"the HTTP status" example:"409"`
	Code      string         `json:"code" doc:"what programs compare" example:"slot_taken"`
	Detail    string         `json:"detail" doc:"what people read"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"the rules that the input breaks"`
	RequestID string         `json:"requestId,omitempty" doc:"to be quoted when asking for help"`

	headers http.Header
	extra   map[string]any
}

// ProblemField is one broken rule.
type ProblemField struct {
	Field string `json:"field" doc:"path of the field as the caller wrote it" example:"hours[2].from"`
	Rule  string `json:"rule" doc:"the rule in words" example:"must be before to"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// MarshalJSON writes the members and, beside them, the extension members (RFC 9457 section 3.2).
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	raw, err := json.Marshal((*plain)(p))
	if err != nil || len(p.extra) == 0 {
		return raw, err
	}
	extra, err := json.Marshal(extensions(p.extra))
	if err != nil {
		return nil, err
	}
	return append(append(raw[:len(raw)-1], ','), extra[1:]...), nil
}

// reserved are the members that a problem document has of its own; an extension of the same name would hide them.
var reserved = []string{"type", "title", "status", "detail", "instance", "code", "errors", "requestId"}

// extensions gives the extension members under names that are free: one that is not gets an underscore in front.
func extensions(details map[string]any) map[string]any {
	out := make(map[string]any, len(details))
	for name, value := range details {
		if slices.Contains(reserved, name) {
			name = "_" + name
		}
		out[name] = value
	}
	return out
}

// statusOf is the one place where a code becomes an HTTP status.
var statusOf = map[fault.Code]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
}

// ProblemOf gives the problem document of an error. What is not a fault tells nothing of its inside.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	f, ok := fault.As(err)
	if !ok {
		f = faultOf(err)
	}
	status, ok := statusOf[f.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	p = &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Reason, Detail: f.Message, extra: f.Details, headers: http.Header{}}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{field.Name, field.Rule})
	}
	if f.RetryAfter > 0 {
		p.headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if status == http.StatusUnauthorized {
		p.headers.Set("WWW-Authenticate", `Bearer realm="turnero"`)
	}
	return p
}

// When callers should come back after what may pass by itself, and after what an operator has to end.
const (
	retrySoon  = 2 * time.Second
	retryLater = 30 * time.Second
)

// faultOf gives what a caller is told of an error that is no fault: whether trying again may help, and nothing of its inside.
func faultOf(err error) *fault.Error {
	switch {
	case sqlkit.IsFull(err):
		return fault.New(fault.Unavailable, "storage_full", "there is no room left to store this, so nothing was changed; try again later").WithRetryAfter(retryLater)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "timeout", "this took too long; try again").WithRetryAfter(retrySoon)
	case sqlkit.IsUnreachable(err):
		return DatabaseAway()
	}
	return fault.New(fault.Internal, "internal", "something went wrong on our side")
}

// DatabaseAway is the fault of a request that finds no database. What it was to change may be stored, if the database went away meanwhile.
func DatabaseAway() *fault.Error {
	return fault.New(fault.Unavailable, "database_unavailable", "the database does not answer at the moment; try again, with the same Idempotency-Key where there is one").WithRetryAfter(retrySoon)
}

// WriteProblem answers with the problem document of an error.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := *ProblemOf(err)
	p.RequestID = RequestID(r.Context())
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(&p)
}

func (a *API) toProblem(ctx context.Context, err error) error {
	if ended, ok := fault.As(context.Cause(ctx)); ok && errors.Is(err, context.Canceled) {
		err = ended // we gave the request up, not its caller
	}
	p := *ProblemOf(err)
	p.RequestID = RequestID(ctx)
	if p.Status >= http.StatusInternalServerError && !fault.Is(err, fault.Unavailable) && !errors.Is(err, context.Canceled) {
		a.logger.ErrorContext(ctx, "request failed", "error", err.Error(), "request_id", p.RequestID)
	}
	return &p
}

var installOnce sync.Once

// installProblems has Huma's own errors (validation, malformed bodies) take the same form, and a field in other letter case
// be one that is not known. The settings are the library's, one per process.
func installProblems() {
	installOnce.Do(func() {
		huma.ValidateStrictCasing = true
		huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
			p := newLibraryProblem(status, msg, errs...)
			if hc != nil {
				p.RequestID = RequestID(hc.Context())
			}
			return p
		}
		huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
			return newLibraryProblem(status, msg, errs...)
		}
	})
}

func newLibraryProblem(status int, msg string, errs ...error) *Problem {
	code := map[int]string{http.StatusUnprocessableEntity: "invalid_input", http.StatusBadRequest: "malformed", http.StatusRequestEntityTooLarge: "too_large",
		http.StatusUnsupportedMediaType: "unsupported_media_type", http.StatusNotAcceptable: "not_acceptable"}[status]
	if code == "" {
		code = strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: msg}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			p.Errors = append(p.Errors, problemField(d))
		} else if err != nil {
			p.Errors = append(p.Errors, ProblemField{"body", err.Error()})
		}
	}
	if len(p.Errors) == 1 {
		p.Detail = fmt.Sprintf("%s: %s", p.Errors[0].Field, p.Errors[0].Rule)
	}
	return p
}

// problemField names the field of one of the library's complaints. A property that is missing is reported of what it is
// missing in; the caller wants to know which.
func problemField(d *huma.ErrorDetail) ProblemField {
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	missing, begins := strings.CutPrefix(d.Message, before)
	missing, ends := strings.CutSuffix(missing, after)
	if begins && ends {
		return ProblemField{fieldName(d.Location + "." + missing), "is required"}
	}
	if d.Location == "body" {
		if field, value, ok := strings.Cut(d.Message, misfit); ok {
			return ProblemField{field, "cannot be " + value}
		}
	}
	return ProblemField{fieldName(d.Location), d.Message}
}

// fieldName turns "body.hours[2].from" or "query.limit" into the name as the caller wrote it.
func fieldName(location string) string {
	for _, prefix := range []string{"body.", "query.", "path.", "header."} {
		if rest, ok := strings.CutPrefix(location, prefix); ok {
			return rest
		}
	}
	return location
}
