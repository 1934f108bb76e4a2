package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
)

// document is what the walk reads of the OpenAPI document.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID          string   `json:"operationId"`
	Roles       []string `json:"x-roles"`
	RequestBody *struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
	Parameters []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Required bool   `json:"required"`
		Schema   schema `json:"schema"`
	} `json:"parameters"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Format     string            `json:"format"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	Enum       []any             `json:"enum"`
	Examples   []any             `json:"examples"`
	Minimum    *float64          `json:"minimum"`
	MinLength  int               `json:"minLength"`
	MinItems   int               `json:"minItems"`
}

// example makes the smallest value that the schema takes.
func (d *document) example(s schema) any {
	if s.Ref != "" {
		return d.example(d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]])
	}
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind, _ := s.Type.(string)
	if list, ok := s.Type.([]any); ok {
		kind, _ = list[0].(string)
	}
	switch kind {
	case "object":
		out := object{}
		for _, name := range s.Required {
			out[name] = d.example(s.Properties[name])
		}
		return out
	case "array":
		if s.MinItems == 0 || s.Items == nil {
			return []any{}
		}
		return []any{d.example(*s.Items)}
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	}
	if s.Format == "date-time" {
		return time.Now().Add(48 * time.Hour).UTC().Truncate(time.Hour).Format(time.RFC3339)
	}
	return strings.Repeat("x", max(s.MinLength, 3))
}

// belongings are the IDs of things of one business, by the collection they are in.
type belongings map[string]string

// gather makes one thing of every kind in the demonstration's business and collects the IDs.
func gather(t *testing.T, p *process, admin *caller) belongings {
	t.Helper()
	out := belongings{}
	link(t, admin, p.phone(p.Demo.Tenant.Phone))
	first := func(path string) string {
		items := admin.get(path)["items"].([]any)
		require.NotEmpty(t, items, path)
		return items[0].(object)["id"].(string)
	}
	for _, collection := range []string{"services", "staff", "locations", "users"} {
		out[collection] = first("/api/" + collection)
	}
	service, _ := admin.firstService()
	at := nextAfternoon(t, admin, service)
	var made struct {
		ID string `json:"id"`
	}
	create := func(collection string, body object) {
		admin.must(http.StatusCreated, "POST", "/api/"+collection, body, &made)
		out[collection] = made.ID
	}
	create("appointments", object{"service": service, "start": at.Format(time.RFC3339), "customer": object{"name": "Ana", "phone": "+5491155551234"}})
	create("holds", object{"service": service, "start": at.Add(24 * time.Hour).Format(time.RFC3339)})
	create("closures", object{"firstDate": at.AddDate(0, 0, 20).Format(time.DateOnly), "reason": "feriado"})
	create("api-keys", object{"name": "caja", "scopes": []string{"appointments:read"}})
	out["customers"] = first("/api/customers")
	p.phone(p.Demo.Customers[0].Number).write(p.Demo.Tenant.Phone, "hola")
	eventually(t, "the chat exists", func() bool { return len(admin.get("/api/chats")["items"].([]any)) > 0 })
	out["chats"] = first("/api/chats")
	eventually(t, "the message is there", func() bool {
		return len(admin.get("/api/chats/" + out["chats"] + "/messages")["items"].([]any)) > 0
	})
	out["messages"] = first("/api/chats/" + out["chats"] + "/messages")
	out["sessions"] = admin.get("/api/whatsapp/status")["session"].(string)
	out["tenants"] = p.Demo.Tenant.ID
	return out
}

// stranger makes an ID of the same kind that nobody has.
func stranger(t *testing.T, known string) string {
	t.Helper()
	prefix, _, ok := strings.Cut(known, "_")
	require.True(t, ok, known)
	fresh := id.NewJob().String()
	return prefix + fresh[strings.Index(fresh, "_"):]
}

// fill puts IDs into a path: each parameter gets the one of the collection before it.
func (b belongings) fill(path string, pick func(string) string) (string, error) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		collection := parts[i-1]
		if part == "{userId}" {
			collection = "users"
		}
		known, ok := b[collection]
		if !ok {
			return "", fmt.Errorf("%s: the walk has no ID for %s after %q: add one to gather", path, part, collection)
		}
		parts[i] = pick(known)
	}
	return strings.Join(parts, "/"), nil
}

// Every route that takes an ID answers another business's as one that does not exist.
func TestEveryRouteAnswersForeignIDsAsUnknownOnes(t *testing.T) {
	t.Parallel()
	p := startDemo(t, "--rate-address", "10000", "--rate-tenant", "10000")
	theirs := gather(t, p, p.as(p.Demo.Tenant.Admin))
	intruder := login{Email: "otra@otra.example", Password: "una clave bien larga"}
	p.as(p.Demo.SuperAdmin).must(http.StatusCreated, "POST", "/api/tenants", object{"name": "Otra", "zone": "America/Argentina/Buenos_Aires", "language": "es",
		"admin": object{"email": intruder.Email, "name": "Otra", "password": intruder.Password}}, nil)
	me := p.as(intruder)
	var doc document
	me.must(http.StatusOK, "GET", "/openapi.json", nil, &doc)
	require.Greater(t, len(doc.Paths), 30)

	walked := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.ID == "" || !strings.Contains(path, "{") && !hasSession(op) {
				continue
			}
			foreign, err := theirs.fill(path, func(known string) string { return known })
			require.NoError(t, err)
			unknown, err := theirs.fill(path, func(known string) string { return stranger(t, known) })
			require.NoError(t, err)
			if hasSession(op) {
				foreign, unknown = foreign+"?session="+theirs["sessions"], unknown+"?session="+stranger(t, theirs["sessions"])
			}
			var body any
			if op.RequestBody != nil {
				body = doc.example(op.RequestBody.Content["application/json"].Schema)
			}
			query := requiredQuery(&doc, op, strings.Contains(foreign, "?"))
			status, _, raw := me.do(strings.ToUpper(method), foreign+query, body)
			likeStatus, _, likeRaw := me.do(strings.ToUpper(method), unknown+query, body)
			name := strings.ToUpper(method) + " " + path
			require.Equal(t, likeStatus, status, "%s: %s", name, raw)
			require.Equal(t, withoutRequestID(t, likeRaw), withoutRequestID(t, raw), name)
			want := []int{http.StatusNotFound}
			if !strings.Contains(strings.Join(op.Roles, " "), "tenant_admin") {
				want = []int{http.StatusForbidden}
			}
			require.Contains(t, want, status, "%s with %v: %s", name, body, raw)
			walked++
		}
	}
	require.Greater(t, walked, 25, "the walk went over the routes")
	t.Logf("walked %d operations", walked)

	// IDs in bodies and queries are no way in either.
	start := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Hour).Format(time.RFC3339)
	for _, body := range []object{
		{"service": theirs["services"], "start": start, "customer": object{"name": "Ana", "phone": "+5491155551234"}},
		{"service": theirs["services"], "staff": theirs["staff"], "start": start, "customer": object{"id": theirs["customers"]}},
	} {
		status, _, raw := me.do("POST", "/api/appointments", body)
		require.Contains(t, []int{http.StatusNotFound, http.StatusUnprocessableEntity}, status, "%s", raw)
	}
	status, _, raw := me.do("GET", "/api/availability?service="+theirs["services"]+"&from="+start+"&to="+start, nil)
	require.Contains(t, []int{http.StatusNotFound, http.StatusUnprocessableEntity}, status, "%s", raw)
	require.Len(t, p.as(p.Demo.Tenant.Admin).active(), 1, "nothing of theirs changed")
}

func hasSession(op operation) bool {
	for _, q := range op.Parameters {
		if q.In == "query" && q.Name == "session" {
			return true
		}
	}
	return false
}

func requiredQuery(doc *document, op operation, begun bool) string {
	var out strings.Builder
	for _, q := range op.Parameters {
		if q.In != "query" || !q.Required {
			continue
		}
		if begun {
			out.WriteByte('&')
		} else {
			out.WriteByte('?')
		}
		begun = true
		fmt.Fprintf(&out, "%s=%v", q.Name, doc.example(q.Schema))
	}
	return out.String()
}

func withoutRequestID(t *testing.T, raw []byte) object {
	t.Helper()
	var out object
	require.NoError(t, json.Unmarshal(raw, &out), "%s", raw)
	delete(out, "requestId")
	return out
}
