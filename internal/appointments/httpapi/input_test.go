package httpapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
)

func TestBadInputNamesTheFieldAndChangesNothing(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	location := list(f.must(200, "GET", "/api/locations", nil), "items")[0]["id"].(string)
	before := []object{f.must(200, "GET", "/api/services", nil), f.must(200, "GET", "/api/staff", nil), f.must(200, "GET", "/api/locations", nil), f.must(200, "GET", "/api/closures", nil)}
	long := strings.Repeat("a", 200)
	hours := func(parts ...string) object {
		var out []object
		for _, p := range parts {
			word := strings.Fields(p)
			out = append(out, object{"weekday": word[0], "from": word[1], "to": word[2]})
		}
		return object{"hours": out}
	}
	customer := object{"name": "Eva"}
	for _, c := range []struct {
		method, path string
		body         any
		field        string
	}{
		{"POST", "/api/services", object{"name": "Corte"}, "duration"},
		{"POST", "/api/services", object{"name": " ", "duration": 30}, "name"},
		{"POST", "/api/services", object{"name": long, "duration": 30}, "name"},
		{"POST", "/api/services", object{"name": "a\u0000b", "duration": 30}, "name"},
		{"POST", "/api/services", object{"name": "Corte", "duration": "30"}, "duration"},
		{"POST", "/api/services", object{"name": "Corte", "duration": 0}, "duration"},
		{"POST", "/api/services", object{"name": "Corte", "duration": -30}, "duration"},
		{"POST", "/api/services", object{"name": "Corte", "duration": 9223372036854775}, "duration"},
		{"POST", "/api/services", object{"name": "Corte", "duration": 30, "step": 4}, "step"},
		{"POST", "/api/services", object{"name": "Corte", "duration": 30, "bufferAfter": 721}, "bufferAfter"},
		{"POST", "/api/services", object{"name": "Corte", "duration": 30, "price": object{"amount": 1, "currency": "pesos"}}, "price.currency"},
		{"POST", "/api/services", object{"name": "Corte", "duration": 30, "colour": "red"}, "colour"},
		{"PATCH", "/api/services/" + service, object{"duration": 1441}, "duration"},
		{"PATCH", "/api/locations/" + location, object{"zone": "America/Atlantis"}, "zone"},
		{"PATCH", "/api/locations/" + location, object{"zone": "Local"}, "zone"},
		{"PATCH", "/api/locations/" + location, object{"zone": ""}, "zone"},
		{"PATCH", "/api/locations/" + location, object{"zone": "../../etc/passwd"}, "zone"},
		{"PATCH", "/api/locations/" + location, object{"horizonDays": 731}, "horizonDays"},
		{"PATCH", "/api/locations/" + location, object{"notice": -1}, "notice"},
		{"PATCH", "/api/locations/" + location, object{"keep": "both"}, "keep"},
		{"PATCH", "/api/staff/" + staff, hours("monday 09:00 13:00", "tuesday 09:00 13:00", "monday 12:00 18:00"), "hours[2].from"},
		{"PATCH", "/api/staff/" + staff, hours("saturday 22:00 30:00", "sunday 05:00 10:00"), "hours[1].from"},
		{"PATCH", "/api/staff/" + staff, hours("monday 18:00 09:00"), "hours[0].from"},
		{"PATCH", "/api/staff/" + staff, hours("monday 09:00 09:00"), "hours[0].from"},
		{"PATCH", "/api/staff/" + staff, hours("monday 24:00 26:00"), "hours[0].from"},
		{"PATCH", "/api/staff/" + staff, hours("monday 09:00 34:00"), "hours[0].to"},
		{"PATCH", "/api/staff/" + staff, hours("monday 9 18:00"), "hours[0].from"},
		{"PATCH", "/api/staff/" + staff, hours("monday 09:60 18:00"), "hours[0].from"},
		{"PATCH", "/api/staff/" + staff, hours("lunes 09:00 18:00"), "hours[0].weekday"},
		{"PATCH", "/api/staff/" + staff, object{"breaks": []object{{"weekday": "monday", "from": "14:00", "to": "13:00"}}}, "breaks[0].from"},
		{"PATCH", "/api/staff/" + staff, object{"services": []string{service, id.NewService().String()}}, "services[1]"},
		{"PATCH", "/api/staff/" + staff, object{"services": []string{service, service}}, "services[1]"},
		{"PATCH", "/api/staff/" + staff, object{"services": []string{"corte"}}, "services[0]"},
		{"POST", "/api/closures", object{"reason": "nada"}, "from"},
		{"POST", "/api/closures", object{"firstDate": "2026-02-29"}, "firstDate"},
		{"POST", "/api/closures", object{"firstDate": "2026-05-02", "lastDate": "2026-05-01"}, "lastDate"},
		{"POST", "/api/closures", object{"from": "2026-05-02T10:00:00Z", "to": "2026-05-02T10:00:00Z"}, "from"},
		{"POST", "/api/closures", object{"from": "2026-05-02T10:00:00Z"}, "from"},
		{"POST", "/api/closures", object{"from": "mañana", "to": "2026-05-02T10:00:00Z"}, "from"},
		{"POST", "/api/appointments", object{"service": service, "start": "mañana a las 10", "customer": customer}, "start"},
		{"POST", "/api/appointments", object{"service": service, "start": "2026-02-30T10:00:00Z", "customer": customer}, "start"},
		{"POST", "/api/appointments", object{"service": service, "customer": customer}, "start"},
		{"POST", "/api/appointments", object{"start": "2026-03-25T10:00:00-03:00", "customer": customer}, "service"},
		{"POST", "/api/appointments", object{"service": "corte", "start": "2026-03-25T10:00:00-03:00", "customer": customer}, "service"},
		{"POST", "/api/appointments", object{"service": service, "start": "2026-03-25T10:00:00-03:00"}, "customer"},
		{"POST", "/api/appointments", object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{}}, "customer.name"},
		{"POST", "/api/appointments", object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{"name": "Eva", "phone": "12"}}, "customer.phone"},
		{"POST", "/api/appointments", object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{"name": "Eva", "age": 7}}, "customer.age"},
		{"GET", "/api/availability?service=" + service + "&from=2026-03-25", nil, "to"},
		{"GET", "/api/availability?service=" + service + "&from=2026-03-25&to=2026-03-24", nil, "to"},
		{"GET", "/api/availability?service=" + service + "&from=2026-03-25&to=2026-05-26", nil, "to"},
		{"GET", "/api/availability?service=" + service + "&from=2026-03-25T00:00:00Z&to=2026-05-27T00:00:00Z", nil, "to"},
		{"GET", "/api/availability?service=" + service + "&from=2026-03-25T00:00:00Z&to=2026-03-26", nil, "to"},
		{"GET", "/api/availability?service=" + service + "&from=0001-01-01&to=9999-12-31", nil, "to"},
		{"GET", "/api/availability?service=" + service + "&from=hoy&to=mañana", nil, "from"},
		{"GET", "/api/availability?service=x&from=2026-03-25&to=2026-03-25", nil, "service"},
		{"GET", "/api/appointments?status=lost", nil, "status"},
		{"GET", "/api/appointments?cursor=zzz", nil, "cursor"},
		{"GET", "/api/appointments?from=2026-03-26&to=2026-03-25", nil, "to"},
		{"GET", "/api/appointments?colour=red", nil, "colour"},
	} {
		got := f.must(422, c.method, c.path, c.body)
		var fields []string
		for _, e := range list(got, "errors") {
			fields = append(fields, e["field"].(string)+" "+e["rule"].(string))
		}
		require.Contains(t, strings.Join(fields, "\n"), c.field, "%s %s %v", c.method, c.path, c.body)
	}
	after := []object{f.must(200, "GET", "/api/services", nil), f.must(200, "GET", "/api/staff", nil), f.must(200, "GET", "/api/locations", nil), f.must(200, "GET", "/api/closures", nil)}
	require.Equal(t, before, after)
	require.Empty(t, list(f.must(200, "GET", "/api/appointments", nil), "items"))
}

func TestHoursGoOutAsTheyCameIn(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	want := []any{object{"weekday": "saturday", "from": "22:00", "to": "26:00"}, object{"weekday": "monday", "from": "09:00", "to": "13:00"}}
	got := f.must(200, "PATCH", "/api/staff/"+staff, object{"hours": want, "name": "Ana María"})
	require.Equal(t, want, got["hours"])
	require.Equal(t, got, f.must(200, "GET", "/api/staff/"+staff, nil))
	require.Equal(t, []any{service}, got["services"], "what is not named stays")
	off := f.must(200, "PATCH", "/api/services/"+service, object{"active": false})
	require.Equal(t, false, off["active"])
	refused := f.must(422, "POST", "/api/appointments", object{"service": service, "start": "2026-03-23T10:00:00-03:00", "customer": object{"name": "Eva"}})
	require.Equal(t, "not_offered", refused["code"])
}

func TestAnotherBusinessFindsNothing(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	location := list(f.must(200, "GET", "/api/locations", nil), "items")[0]["id"].(string)
	a := f.must(201, "POST", "/api/appointments", object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{"name": "Eva"}})
	hold := f.must(201, "POST", "/api/holds", object{"service": service, "start": "2026-03-25T11:00:00-03:00"})
	closure := f.must(201, "POST", "/api/closures", object{"firstDate": "2026-05-01"})
	path := "/api/appointments/" + a["id"].(string)
	customer := a["customer"].(object)["id"].(string)
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/api/locations/" + location, nil}, {"PATCH", "/api/locations/" + location, object{"name": "mía"}},
		{"GET", "/api/services/" + service, nil}, {"PATCH", "/api/services/" + service, object{"name": "mío"}},
		{"GET", "/api/staff/" + staff, nil}, {"PATCH", "/api/staff/" + staff, object{"name": "mía"}},
		{"DELETE", "/api/closures/" + closure["id"].(string), nil}, {"DELETE", "/api/holds/" + hold["id"].(string), nil},
		{"GET", "/api/customers/" + customer, nil}, {"GET", path, nil}, {"PATCH", path, object{"notes": "mío"}}, {"POST", path + "/cancel", nil},
		{"POST", path + "/confirm", nil}, {"POST", path + "/complete", nil}, {"POST", path + "/no-show", nil},
		{"GET", "/api/availability?service=" + service + "&from=2026-03-25&to=2026-03-25", nil},
		{"POST", "/api/appointments", object{"service": service, "start": "2026-03-26T10:00:00-03:00", "customer": object{"name": "Eva"}}},
		{"POST", "/api/holds", object{"service": service, "start": "2026-03-26T10:00:00-03:00"}},
		{"POST", "/api/closures", object{"staff": staff, "firstDate": "2026-05-01"}},
		{"POST", "/api/closures", object{"location": location, "firstDate": "2026-05-01"}},
		{"POST", "/api/staff", object{"name": "Ana", "location": location}},
	} {
		status, theirs := f.call("stranger", c.method, c.path, c.body)
		require.Equal(t, 404, status, "%s %s: %v", c.method, c.path, theirs)
		require.Equal(t, "not_found", theirs["code"])
		if strings.Count(c.path, "/") > 2 && c.method != "PATCH" {
			nobodys := strings.NewReplacer(service, id.NewService().String(), staff, id.NewStaff().String(), a["id"].(string), id.NewAppointment().String(),
				location, id.NewLocation().String(), customer, id.NewCustomer().String(), hold["id"].(string), id.NewHold().String(), closure["id"].(string), id.NewClosure().String()).Replace(c.path)
			_, missing := f.call("stranger", c.method, nobodys, c.body)
			require.Equal(t, missing, theirs, "as one that does not exist")
		}
	}
	require.Equal(t, a, f.must(200, "GET", path, nil))
	for _, bad := range []string{strings.ToUpper(path), "/api/appointments/" + strings.ToUpper(a["id"].(string)), "/api/appointments/x"} {
		if strings.HasPrefix(bad, "/api/") {
			f.must(404, "GET", bad, nil)
		}
	}
	for _, everything := range []string{"/api/locations", "/api/services", "/api/staff", "/api/closures", "/api/customers", "/api/appointments"} {
		_, theirs := f.call("stranger", "GET", everything, nil)
		require.Empty(t, list(theirs, "items"), everything)
	}
}

func TestAnEmployeeKeepsTheAgendaAndNotTheSetUp(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	for _, path := range []string{"/api/locations", "/api/services", "/api/staff", "/api/closures", "/api/customers", "/api/appointments", "/api/services/" + service} {
		status, _ := f.call("employee", "GET", path, nil)
		require.Equal(t, 200, status, path)
		status, _ = f.call("customer", "GET", path, nil)
		require.Equal(t, 403, status, path)
		status, _ = f.call("nobody", "GET", path, nil)
		require.Equal(t, 401, status, path)
	}
	for _, op := range f.api.Operations() {
		writesSetUp := op.Scope == "setup:write"
		path := strings.ReplaceAll(op.Path, "{id}", staff)
		status, _ := f.call("employee", op.Method, path, object{})
		require.Equal(t, writesSetUp, status == 403, "%s %s: %d", op.Method, op.Path, status)
		require.NotEmpty(t, op.Scope)
		require.NotEmpty(t, op.Summary)
	}
}
