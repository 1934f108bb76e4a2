package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/platform/httpkit"
)

// Route says which target serves the paths under a prefix.
type Route struct {
	Prefix string // "/api/chats": that path and everything below it
	Target string
}

// RouterOptions say where requests go. All but Noted are required when there are remotes.
type RouterOptions struct {
	Routes []Route
	Local  http.Handler
	// Remotes holds, for every target that other processes run, the addresses of those ("http://host:port").
	Remotes map[string][]string
	// Operation finds the operation that a request is for, also of targets that run elsewhere.
	Operation func(r *http.Request) (op httpkit.Op, ok bool)
	// Exchange turns the credentials of a request into a token that services believe.
	Exchange func(r *http.Request) (token string, err error)
	// Mark has a request show that it comes from a gateway of the installation; see Options.PassedOn.
	Mark func(h http.Header) error
	// Noted is told the path pattern of a request that is passed on.
	Noted  func(ctx context.Context, pattern string)
	Now    func() time.Time
	Logger *slog.Logger
}

// Router sends each request to the target that serves it: to Local when the process runs that target itself, else to a
// process that does. Paths without a route are local. The longest prefix wins.
//
// What callers show (an API key, an access token) goes no further than here: what is passed on carries an internal token
// instead. Only an operation that anybody may call gets the Authorization header as it came.
type Router struct {
	o       RouterOptions
	remotes map[string]http.Handler
}

// retryTarget is when to come back after a target did not answer.
const retryTarget = 2 * time.Second

// NewRouter makes a router.
func NewRouter(o RouterOptions) *Router {
	r := &Router{o: o, remotes: map[string]http.Handler{}}
	r.o.Routes = slices.Clone(o.Routes)
	slices.SortFunc(r.o.Routes, func(a, b Route) int { return len(b.Prefix) - len(a.Prefix) })
	for target, addresses := range o.Remotes {
		r.remotes[target] = r.proxyTo(addresses)
	}
	return r
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	for _, route := range r.o.Routes {
		rest, ok := strings.CutPrefix(req.URL.Path, route.Prefix)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if remote, ok := r.remotes[route.Target]; ok {
			r.passOn(w, req, remote)
			return
		}
		break
	}
	r.o.Local.ServeHTTP(w, req)
}

// credentialsKey is where the Authorization header that goes on travels.
type credentialsKey struct{}

func (r *Router) passOn(w http.ResponseWriter, req *http.Request, remote http.Handler) {
	credentials := ""
	if op, ok := r.o.Operation(req); ok {
		if r.o.Noted != nil {
			r.o.Noted(req.Context(), op.Path)
		}
		credentials = req.Header.Get("Authorization")
		if !op.Public {
			token, err := r.o.Exchange(req)
			if err != nil {
				httpkit.WriteProblem(w, req, err)
				return
			}
			credentials = "Bearer " + token
		}
	}
	remote.ServeHTTP(&once{w}, req.WithContext(context.WithValue(req.Context(), credentialsKey{}, credentials)))
}

// proxyTo passes requests on with the request's ID and the caller's address; streams are passed on as they come.
func (r *Router) proxyTo(addresses []string) http.Handler {
	return &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     newFleet(addresses, r.o.Now),
		ErrorLog:      slog.NewLogLogger(r.o.Logger.Handler(), slog.LevelDebug),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "target" // the fleet puts an address there
			p.Out.Host = p.In.Host
			h := p.Out.Header
			h.Del("X-API-Key")
			h.Del("Authorization")
			if credentials, _ := p.In.Context().Value(credentialsKey{}).(string); credentials != "" {
				h.Set("Authorization", credentials)
			}
			h.Set("X-Request-ID", httpkit.RequestID(p.In.Context()))
			h.Set("X-Forwarded-For", httpkit.ClientAddress(p.In.Context()))
			if err := r.o.Mark(h); err != nil {
				r.o.Logger.ErrorContext(p.In.Context(), "request passed on without mark", "error", err.Error())
			}
		},
		ErrorHandler: func(w http.ResponseWriter, req *http.Request, err error) {
			if over := req.Context().Err(); over != nil {
				err = over // the time of the request, or of its caller
			} else {
				err = fault.New(fault.Unavailable, "target_unavailable", "the service behind this operation does not answer; try again").WithRetryAfter(retryTarget).WithCause(err)
			}
			httpkit.WriteProblem(w, req, err)
		},
	}
}

// once writes headers that the edge and the service behind it have both set once, as the service set them.
type once struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (o *once) WriteHeader(status int) {
	for name, values := range o.Header() {
		if len(values) > 1 && name != "Set-Cookie" && name != "Vary" && name != "Link" && name != "Www-Authenticate" {
			o.Header()[name] = values[len(values)-1:]
		}
	}
	o.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (o *once) Unwrap() http.ResponseWriter { return o.ResponseWriter }
