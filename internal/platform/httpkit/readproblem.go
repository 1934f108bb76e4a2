package httpkit

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"turnero/internal/fault"
)

// ReadProblem turns an answer with an error status back into the fault that WriteProblem made it of: code, reason, message,
// fields, Retry-After and details (numbers among them are float64, as encoding/json reads them). An answer that is no
// problem document of ours becomes a fault by its status alone.
func ReadProblem(status int, headers http.Header, body []byte) *fault.Error {
	f := fault.New(codeOf(status), strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"), "answered with status "+strconv.Itoa(status))
	if seconds, err := strconv.Atoi(headers.Get("Retry-After")); err == nil && seconds > 0 {
		f.RetryAfter = time.Duration(seconds) * time.Second
	}
	var p Problem
	if !strings.HasPrefix(headers.Get("Content-Type"), "application/problem+json") || json.Unmarshal(body, &p) != nil || p.Code == "" {
		return f
	}
	f.Reason, f.Message = p.Code, p.Detail
	for _, e := range p.Errors {
		f.Fields = append(f.Fields, fault.Field{Name: e.Field, Rule: e.Rule})
	}
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return f
	}
	for name, value := range members {
		if slices.Contains(reserved, name) {
			continue
		}
		if free, ok := strings.CutPrefix(name, "_"); ok && slices.Contains(reserved, free) {
			name = free
		}
		_ = f.WithDetail(name, value)
	}
	return f
}

// codeOf is statusOf the other way round. A gateway's own 502 and 504 are like 503: somebody behind it is not there.
func codeOf(status int) fault.Code {
	for code, s := range statusOf {
		if s == status {
			return code
		}
	}
	switch {
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return fault.Unavailable
	case status < http.StatusInternalServerError:
		return fault.Invalid
	}
	return fault.Internal
}
