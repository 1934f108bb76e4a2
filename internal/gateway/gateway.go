package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rs/cors"

	"turnero/internal/fault"
	"turnero/internal/platform/httpkit"
)

// Limiter says whether one more request of the key fits its rate.
type Limiter interface {
	Allow(ctx context.Context, key string) (ok bool, retryAfter time.Duration, err error)
}

// Options configures the edge.
type Options struct {
	Logger      *slog.Logger
	CORSOrigins []string // origins whose pages may call the API
	TrustProxy  bool     // take the caller's address from X-Forwarded-For
	PerAddress  Limiter  // requests of one address under /api
	// PassedOn reports whether a gateway of the installation sent the request. Its word about the caller's address is taken,
	// and it has counted the request already. May be nil: every request comes from outside.
	PassedOn       func(r *http.Request) bool
	RequestTimeout time.Duration // of one request; streams are exempt
	Now            func() time.Time
	Metrics        func(http.Handler) http.Handler // counts requests; may be nil
}

// Handler puts the edge in front of next.
func Handler(o Options, next http.Handler) http.Handler {
	h := limitAddress(o, next)
	h = limitTime(o.RequestTimeout, h)
	h = allowOrigins(o.CORSOrigins, h)
	h = secure(h)
	h = recoverPanics(o.Logger, h)
	if o.Metrics != nil {
		h = o.Metrics(h)
	}
	h = logRequests(o, h)
	return identify(o, h)
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// identify gives the request its ID (the caller's own when it is well-formed) and settles the caller's address.
func identify(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requestID := r.Header.Get("X-Request-ID")
		if !requestIDForm.MatchString(requestID) {
			requestID = uuid.Must(uuid.NewV7()).String()
		}
		w.Header().Set("X-Request-ID", requestID)
		passedOn := o.PassedOn != nil && o.PassedOn(r)
		ctx := httpkit.WithRequestID(r.Context(), requestID)
		ctx = httpkit.WithClientAddress(ctx, callerAddress(r, o.TrustProxy || passedOn))
		ctx = context.WithValue(ctx, passedOnKey{}, passedOn)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type passedOnKey struct{}

func callerAddress(r *http.Request, trustProxy bool) string {
	if trustProxy {
		// The last entry is the one that our own proxy added; those before it are whatever the caller wrote.
		parts := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if ip := net.ParseIP(strings.TrimSpace(parts[len(parts)-1])); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func logRequests(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := o.Now()
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		level := slog.LevelDebug
		if rec.status >= http.StatusInternalServerError && rec.status != http.StatusServiceUnavailable {
			level = slog.LevelWarn
		}
		o.Logger.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status", rec.status,
			"duration_ms", o.Now().Sub(start).Milliseconds(), "request_id", httpkit.RequestID(r.Context()))
	})
}

// recorder remembers the status; Unwrap lets http.ResponseController reach what it wraps.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func recoverPanics(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http's own way to drop a connection
			}
			logger.ErrorContext(r.Context(), "request panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()), "request_id", httpkit.RequestID(r.Context()))
			httpkit.WriteProblem(w, r, fault.New(fault.Internal, "internal", "something went wrong on our side"))
		}()
		next.ServeHTTP(w, r)
	})
}

// secure sets the headers that keep a browser from being used against us.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

func allowOrigins(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next // browsers then refuse other origins by themselves
	}
	return cors.New(cors.Options{AllowedOrigins: origins, AllowedMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Prefer", "X-API-Key", "X-Request-ID"},
		ExposedHeaders: []string{"Retry-After", "X-Request-ID"}, MaxAge: 600}).Handler(next)
}

// IsStream reports whether a path is one whose answers go on for as long as the caller listens.
func IsStream(path string) bool {
	return path == "/api/events" || strings.HasSuffix(path, "/events") && strings.HasPrefix(path, "/sim/") || strings.HasPrefix(path, "/ws/")
}

func limitTime(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsStream(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func limitAddress(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if passedOn, _ := r.Context().Value(passedOnKey{}).(bool); passedOn || !strings.HasPrefix(r.URL.Path, "/api/") || o.PerAddress == nil {
			next.ServeHTTP(w, r)
			return
		}
		ok, retryAfter, err := o.PerAddress.Allow(r.Context(), httpkit.ClientAddress(r.Context()))
		if err != nil {
			o.Logger.WarnContext(r.Context(), "rate limiter does not answer", "error", err.Error())
			ok = true // a broken limiter must not close the door
		}
		if !ok {
			httpkit.WriteProblem(w, r, TooManyRequests(retryAfter))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// TooManyRequests is the fault of whoever is over a rate.
func TooManyRequests(retryAfter time.Duration) error {
	return fault.New(fault.TooMany, "rate_limited", "too many requests; try again later").WithRetryAfter(max(retryAfter, time.Second))
}
