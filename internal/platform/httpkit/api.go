package httpkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// Authenticate turns the credentials of a request into the principal it acts as. It returns a fault (Unauthenticated, …)
// when there are none or they do not hold.
type Authenticate func(ctx context.Context, r *http.Request) (id.Principal, error)

// Op describes one operation: where it is, who may call it, and what the OpenAPI document says of it.
type Op struct {
	ID          string    // operationId: "book-appointment"
	Method      string    // http.MethodPost …
	Path        string    // "/api/appointments/{id}"
	Summary     string    // one line
	Description string    // optional, Markdown
	Tag         string    // the group in the document
	Roles       []id.Role // who may call; required unless Public
	Public      bool      // nobody needs to log in
	Scope       string    // what an API key must have been given: "appointments:write"; "" = API keys may not call
	Status      int       // of success; 0 = 200, or 204 for an output without body
	MaxBody     int64     // bytes; 0 = 1 MiB
	Timeout     time.Duration
	Errors      []int // statuses besides the usual ones, for the document
}

// API collects the operations of one process.
type API struct {
	mux    *http.ServeMux
	huma   huma.API
	auth   Authenticate
	logger *slog.Logger
	ops    []Op
	known  map[string]Op // by pattern of the mux
	errs   []error
}

// New makes an API whose operations are served by mux. auth settles who calls; it may be nil when only the document is wanted.
func New(mux *http.ServeMux, title, version string, auth Authenticate, logger *slog.Logger) *API {
	cfg := huma.DefaultConfig(title, version)
	cfg.CreateHooks = nil // no "$schema" members in answers
	cfg.DocsPath, cfg.OpenAPIPath, cfg.SchemasPath = "", "", ""
	cfg.RejectUnknownQueryParameters = true
	cfg.Formats = jsonFormats()
	cfg.Components = &huma.Components{
		Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
		SecuritySchemes: map[string]*huma.SecurityScheme{
			"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "access token of POST /api/auth/login"},
			"apiKey": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "key of a tenant's own systems (tk_…)"},
		},
	}
	installProblems()
	return &API{mux: mux, huma: humago.New(mux, cfg), auth: auth, logger: logger, known: map[string]Op{}}
}

// schemaName names a type's schema after its module and type, so that two modules may both have a "Settings".
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if _, rest, ok := strings.Cut(t.PkgPath(), "turnero/internal/"); ok && strings.HasSuffix(rest, "/httpapi") {
		module := strings.TrimSuffix(rest, "/httpapi")
		return strings.ToUpper(module[:1]) + module[1:] + name
	}
	return name
}

// Handle registers an operation. I and O are Huma input and output structs (path, query, header and Body fields). fn gets
// the caller; for a Public operation the principal is the zero value.
func Handle[I, O any](a *API, op Op, fn func(ctx context.Context, p id.Principal, in *I) (*O, error)) {
	a.register(op)
	huma.Register(a.huma, a.operation(op), func(ctx context.Context, in *I) (*O, error) {
		if op.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, op.Timeout)
			defer cancel()
		}
		out, err := fn(ctx, principalOf(ctx), in)
		if err != nil {
			return nil, a.toProblem(ctx, err)
		}
		return out, nil
	})
}

// Raw registers an operation that writes its own answer (a stream, a picture), with the same checks of the caller.
// It stands in the document without schemas.
func (a *API) Raw(op Op, h func(w http.ResponseWriter, r *http.Request, p id.Principal)) {
	a.register(op)
	o := a.operation(op)
	o.Responses = map[string]*huma.Response{"200": {Description: op.Summary}}
	for _, name := range pathParams(op.Path) {
		o.Parameters = append(o.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
	}
	a.huma.OpenAPI().AddOperation(&o)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		p, err := a.authorize(r.Context(), r, op)
		if err != nil {
			WriteProblem(w, r, a.toProblem(r.Context(), err))
			return
		}
		h(w, r, p)
	})
}

func pathParams(path string) []string {
	var out []string
	for _, part := range strings.Split(path, "/") {
		if strings.HasPrefix(part, "{") {
			out = append(out, strings.Trim(part, "{}."))
		}
	}
	return out
}

func (a *API) register(op Op) {
	if !op.Public && len(op.Roles) == 0 {
		a.errs = append(a.errs, fmt.Errorf("operation %s %s declares no role", op.Method, op.Path))
	}
	if op.ID == "" {
		a.errs = append(a.errs, fmt.Errorf("operation %s %s has no ID", op.Method, op.Path))
	}
	a.ops = append(a.ops, op)
	a.known[op.Method+" "+op.Path] = op
}

func (a *API) operation(op Op) huma.Operation {
	o := huma.Operation{OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description,
		Tags: []string{op.Tag}, DefaultStatus: op.Status, MaxBodyBytes: op.MaxBody, BodyReadTimeout: 15 * time.Second, Errors: op.Errors,
		Extensions: map[string]any{"x-roles": roleNames(op)}}
	if !op.Public {
		o.Security = []map[string][]string{{"bearer": {}}}
		if op.Scope != "" {
			o.Security = append(o.Security, map[string][]string{"apiKey": {}})
			o.Extensions["x-scope"] = op.Scope
		}
		o.Errors = append(o.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	o.Errors = append(o.Errors, http.StatusTooManyRequests)
	o.Middlewares = huma.Middlewares{func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		if ClientAddress(hc.Context()) == "" {
			hc = huma.WithValue(hc, clientAddressKey{}, addressOf(r))
		}
		p, err := a.authorize(hc.Context(), r, op)
		if err != nil {
			WriteProblem(w, r, a.toProblem(hc.Context(), err))
			return
		}
		next(huma.WithValue(hc, principalKey{}, p))
	}}
	return o
}

func roleNames(op Op) []string {
	if op.Public {
		return []string{"public"}
	}
	out := make([]string, len(op.Roles))
	for i, r := range op.Roles {
		out[i] = string(r)
	}
	return out
}

type principalKey struct{}

func principalOf(ctx context.Context) id.Principal {
	p, _ := ctx.Value(principalKey{}).(id.Principal)
	return p
}

// authorize is the one place where a request gets its principal, and with it its tenant.
func (a *API) authorize(ctx context.Context, r *http.Request, op Op) (id.Principal, error) {
	if op.Public {
		return id.Principal{}, nil
	}
	if a.auth == nil {
		return id.Principal{}, errors.New("no way to authenticate is configured")
	}
	p, err := a.auth(ctx, r)
	if err != nil {
		return id.Principal{}, err
	}
	if !slices.Contains(op.Roles, p.Role) {
		return id.Principal{}, fault.New(fault.Forbidden, "role_not_allowed", "your role may not do this")
	}
	if p.Role != id.SuperAdmin && p.Tenant.IsZero() {
		return id.Principal{}, fault.New(fault.Unauthenticated, "no_tenant", "these credentials belong to no business")
	}
	if p.APIKey.IsZero() {
		return p, nil
	}
	if op.Scope == "" {
		return id.Principal{}, fault.New(fault.Forbidden, "not_for_api_keys", "only people who log in may do this, not API keys")
	}
	if !slices.Contains(p.Scopes, op.Scope) {
		return id.Principal{}, fault.New(fault.Forbidden, "scope_missing", "this API key was not given what the operation needs").WithDetail("scope", op.Scope)
	}
	return p, nil
}

// methods are those that operations may have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// NoSuchOperation answers a request that no operation takes: 405 with the methods that there are when the path is right
// (RFC 9110 section 15.5.6), else 404. The mux must lead to it by a pattern without method.
func (a *API) NoSuchOperation(w http.ResponseWriter, r *http.Request) {
	_, own := a.mux.Handler(r)
	var allowed []string
	for _, method := range methods {
		probe := *r
		probe.Method = method
		if _, pattern := a.mux.Handler(&probe); pattern != own {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		WriteProblem(w, r, fault.New(fault.NotFound, "no_such_operation", "there is no operation "+r.Method+" "+r.URL.Path))
		return
	}
	allow := strings.Join(allowed, ", ")
	p := newLibraryProblem(http.StatusMethodNotAllowed, "this path takes "+allow)
	p.headers = http.Header{"Allow": {allow}}
	WriteProblem(w, r, p)
}

// Check returns an error that lists every operation which was registered wrongly; a process with such an API must not start.
func (a *API) Check() error { return errors.Join(a.errs...) }

// OperationOf finds the operation that would take the request; ok is false when none would.
func (a *API) OperationOf(r *http.Request) (op Op, ok bool) {
	_, pattern := a.mux.Handler(r)
	op, ok = a.known[pattern]
	return op, ok
}

// Operations lists what was registered, in order.
func (a *API) Operations() []Op { return slices.Clone(a.ops) }

// OpenAPI gives the document, to be served or written.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }
