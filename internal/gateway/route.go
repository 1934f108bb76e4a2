package gateway

import (
	"net/http"
	"net/http/httputil"
	"net/url"
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

// Router sends each request to the target that serves it: to local when the process runs that target itself, else to the
// process that does. Paths without a route are local. The longest prefix wins.
type Router struct {
	routes  []Route
	local   http.Handler
	remotes map[string]http.Handler
}

// retryTarget is when to come back after a target did not answer.
const retryTarget = 2 * time.Second

// NewRouter makes a router. remotes holds the base address of every target that another process runs.
func NewRouter(routes []Route, local http.Handler, remotes map[string]*url.URL) *Router {
	r := &Router{routes: slices.Clone(routes), local: local, remotes: map[string]http.Handler{}}
	slices.SortFunc(r.routes, func(a, b Route) int { return len(b.Prefix) - len(a.Prefix) })
	for target, base := range remotes {
		r.remotes[target] = proxyTo(base)
	}
	return r
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	for _, route := range r.routes {
		rest, ok := strings.CutPrefix(req.URL.Path, route.Prefix)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if remote, ok := r.remotes[route.Target]; ok {
			remote.ServeHTTP(w, req)
			return
		}
		break
	}
	r.local.ServeHTTP(w, req)
}

// proxyTo passes requests on with the request's ID and the caller's address; streams are passed on as they come.
func proxyTo(base *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(base)
			p.Out.Host = p.In.Host
			p.Out.Header.Set("X-Request-ID", httpkit.RequestID(p.In.Context()))
			p.Out.Header.Set("X-Forwarded-For", httpkit.ClientAddress(p.In.Context()))
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			httpkit.WriteProblem(w, r, fault.New(fault.Unavailable, "target_unavailable", "the service behind this operation does not answer; try again").WithRetryAfter(retryTarget).WithCause(err))
		},
	}
}
