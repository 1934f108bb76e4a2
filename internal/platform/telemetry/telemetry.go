// Package telemetry is what an operator sees of a process: structured logs and Prometheus metrics. Neither ever carries a
// message's text, a token, a phone number or a tenant's ID as a label.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"turnero/internal/platform/httpkit"
)

// NewLogger makes a logger that writes lines of the form ("text" or "json") from the level ("debug", "info", "warn",
// "error") upwards. A line logged with the context of a request carries its ID.
func NewLogger(w io.Writer, form, level string) *slog.Logger {
	var from slog.Level
	_ = from.UnmarshalText([]byte(level)) // an unknown word leaves it at info; the configuration has checked it
	options := &slog.HandlerOptions{Level: from}
	if form == "json" {
		return slog.New(withRequestID{slog.NewJSONHandler(w, options)})
	}
	return slog.New(withRequestID{slog.NewTextHandler(w, options)})
}

type withRequestID struct{ slog.Handler }

func (h withRequestID) Handle(ctx context.Context, r slog.Record) error {
	if requestID := httpkit.RequestID(ctx); requestID != "" {
		r.AddAttrs(slog.String("request_id", requestID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withRequestID) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withRequestID{h.Handler.WithAttrs(attrs)}
}

func (h withRequestID) WithGroup(name string) slog.Handler {
	return withRequestID{h.Handler.WithGroup(name)}
}

// Metrics is a process's registry of metrics.
type Metrics struct {
	*prometheus.Registry
	requests *prometheus.HistogramVec
}

// NewMetrics makes a registry that already has the Go runtime's and the process's own metrics.
func NewMetrics() *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "turnero_http_request_duration_seconds", Help: "Time to answer a request, by method, route and class of status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"method", "route", "status"})}
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.requests)
	return m
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{})
}

// CountRequests measures the requests that pass to next. The route is the pattern that matched, never the path itself: a
// path holds IDs and would make a new series each.
func (m *Metrics) CountRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		// The mux writes the pattern into the request that it gets, which inner handlers may have replaced by a copy:
		// the holder travels in the context instead.
		holder := &routeHolder{}
		next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), routeKey{}, holder)))
		route := holder.route
		if route == "" {
			route = "unmatched"
		}
		m.requests.WithLabelValues(methodLabel(r.Method), route, strconv.Itoa(seen.status/100)+"xx").Observe(time.Since(start).Seconds())
	})
}

// methodLabel keeps made-up methods from making a series each.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

type routeKey struct{}

type routeHolder struct{ route string }

// NoteRoute has CountRequests know the pattern that mux matched; put it directly around the mux.
func NoteRoute(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		if _, path, ok := strings.Cut(pattern, " "); ok {
			pattern = path
		}
		SetRoute(r.Context(), pattern)
		mux.ServeHTTP(w, r)
	})
}

// SetRoute tells CountRequests the pattern of the path of a request that no mux here takes.
func SetRoute(ctx context.Context, pattern string) {
	if holder, ok := ctx.Value(routeKey{}).(*routeHolder); ok {
		holder.route = pattern
	}
}

type statusRecorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader implements http.ResponseWriter.
func (s *statusRecorder) WriteHeader(status int) {
	if !s.wrote {
		s.status, s.wrote = status, true
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Gauge registers a value that is read whenever the metrics are asked for.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}
