package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments/httpapi"
	"turnero/internal/platform/httpkit"
)

func TestASlotThatIsListedIsBookedMovedAndCancelled(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	found := f.must(200, "GET", "/api/availability?service="+service+"&from=2026-03-25&to=2026-03-25", nil)
	slots := list(found, "slots")
	require.Len(t, slots, 18)
	require.Equal(t, object{"start": "2026-03-25T09:00:00-03:00", "end": "2026-03-25T09:30:00-03:00", "staff": object{"id": staff, "name": "Ana"}}, slots[0])
	require.Equal(t, "America/Argentina/Buenos_Aires", found["location"].(object)["zone"])

	status, a := f.call("employee", "POST", "/api/appointments", object{"service": service, "start": slots[2]["start"], "customer": object{"name": "Eva", "phone": "+5491122334455"}, "notes": "primera vez"})
	require.Equal(t, 201, status, "%v", a)
	require.Equal(t, "2026-03-25T10:00:00-03:00", a["start"])
	require.Equal(t, "2026-03-25T10:30:00-03:00", a["end"])
	require.Equal(t, "booked", a["status"])
	require.Equal(t, []any{object{"id": service, "name": "Corte"}}, a["services"])
	require.Equal(t, object{"id": staff, "name": "Ana"}, a["staff"])
	require.Equal(t, "+5491122334455", a["customer"].(object)["phone"])
	require.Equal(t, "America/Argentina/Buenos_Aires", a["location"].(object)["zone"])
	require.Equal(t, object{"amount": 1500000.0, "currency": "ARS"}, a["price"])
	require.Equal(t, f.callers["employee"].User.String(), a["bookedBy"])
	path := "/api/appointments/" + a["id"].(string)
	require.Equal(t, a, f.must(200, "GET", path, nil))
	require.Len(t, list(f.must(200, "GET", "/api/availability?service="+service+"&from=2026-03-25&to=2026-03-25", nil), "slots"), 17)

	moved := f.must(200, "PATCH", path, object{"start": "2026-03-25T15:00:00Z"})
	require.Equal(t, "2026-03-25T12:00:00-03:00", moved["start"])
	require.Equal(t, "confirmed", f.must(200, "POST", path+"/confirm", nil)["status"])
	gone := f.must(200, "POST", path+"/cancel", object{"reason": "enferma"})
	require.Equal(t, "enferma", gone["cancelled"].(object)["reason"])
	require.Equal(t, gone, f.must(200, "POST", path+"/cancel", nil), "again changes nothing")
	require.Len(t, list(f.must(200, "GET", "/api/availability?service="+service+"&from=2026-03-25&to=2026-03-25", nil), "slots"), 18)
	require.Equal(t, "status_not_allowed", f.must(409, "POST", path+"/complete", nil)["code"])
	require.Equal(t, "status_not_allowed", f.must(409, "PATCH", path, object{"start": "2026-03-25T16:00:00Z"})["code"])
}

func TestATakenSlotAnswersWithThreeOthers(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	body := object{"service": service, "staff": staff, "start": "2026-03-25T10:00", "customer": object{"name": "Eva"}}
	f.must(201, "POST", "/api/appointments", body)
	refused := f.must(409, "POST", "/api/appointments", body)
	require.Equal(t, "slot_taken", refused["code"])
	others := list(refused, "alternatives")
	require.Len(t, others, 3)
	require.Equal(t, "2026-03-25T09:00:00-03:00", others[0]["start"])
	for _, slot := range others {
		body["start"] = slot["start"]
		f.must(201, "POST", "/api/appointments", body)
	}
}

func TestARefusedTimeSaysWhyAndChangesNothing(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	f.must(200, "PATCH", "/api/staff/"+staff, object{"breaks": everyDay("13:00", "14:00")})
	f.must(201, "POST", "/api/closures", object{"firstDate": "2026-03-27", "reason": "feriado"})
	location := list(f.must(200, "GET", "/api/locations", nil), "items")[0]["id"].(string)
	f.must(200, "PATCH", "/api/locations/"+location, object{"notice": 120, "horizonDays": 30})
	idle := f.must(201, "POST", "/api/staff", object{"name": "Beto", "hours": everyDay("09:00", "18:00")})["id"].(string)
	for _, c := range []struct {
		start, staff, code string
		status             int
	}{
		{"2026-03-20T08:30:00-03:00", "", "past", 422},
		{"2020-01-01T10:00:00Z", "", "past", 422},
		{"2026-03-20T10:30:00-03:00", "", "notice", 422},
		{"2026-04-20T10:00:00-03:00", "", "horizon", 422},
		{"9999-12-31T10:00:00Z", "", "horizon", 422},
		{"2026-03-25T10:10:00-03:00", "", "off_grid", 422},
		{"2026-03-25T10:00:00.5-03:00", "", "off_grid", 422},
		{"2026-03-25T10:00:00-03:00", idle, "not_performed", 422},
		{"2026-03-25T08:00:00-03:00", "", "closed", 409},
		{"2026-03-25T18:00:00-03:00", "", "closed", 409},
		{"2026-03-25T13:00:00-03:00", "", "break", 409},
		{"2026-03-27T10:00:00-03:00", "", "closure", 409},
	} {
		body := object{"service": service, "start": c.start, "customer": object{"name": "Eva"}}
		if c.staff != "" {
			body["staff"] = c.staff
		}
		for _, path := range []string{"/api/appointments", "/api/holds"} {
			if path == "/api/holds" {
				delete(body, "customer")
			}
			got := f.must(c.status, "POST", path, body)
			require.Equal(t, c.code, got["code"], "%s at %s", path, c.start)
			require.Equal(t, map[bool]string{true: "staff", false: "start"}[c.staff != ""], list(got, "errors")[0]["field"])
			require.Len(t, list(got, "alternatives"), 3, "%s at %s", path, c.start)
		}
	}
	require.Empty(t, list(f.must(200, "GET", "/api/appointments", nil), "items"))
	require.Empty(t, list(f.must(200, "GET", "/api/customers", nil), "items"))
}

func TestATimeThatTheClocksSkipOrShowTwiceIsRefused(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	f.must(201, "POST", "/api/locations", object{"name": "Santiago", "zone": "America/Santiago", "horizonDays": 365})
	service := f.must(201, "POST", "/api/services", object{"name": "Guardia", "duration": 30})["id"].(string)
	f.must(201, "POST", "/api/staff", object{"name": "Ana", "services": []string{service}, "hours": everyDay("00:00", "24:00")})
	for start, want := range map[string]string{
		"2026-09-06T00:30":          "dst_gap",
		"2026-09-06T00:30:00-04:00": "dst_gap",
		"2026-09-06T00:30:00-03:00": "dst_gap",
		"2026-04-04T23:30":          "dst_overlap",
	} {
		got := f.must(422, "POST", "/api/appointments", object{"service": service, "start": start, "customer": object{"name": "Eva"}})
		require.Equal(t, want, got["code"], start)
		require.Equal(t, "start", list(got, "errors")[0]["field"])
	}
	for start, want := range map[string]string{
		"2026-09-06T04:30:00Z":      "2026-09-06T01:30:00-03:00", // an instant in UTC is an instant, whatever its digits
		"2026-09-06T02:00":          "2026-09-06T02:00:00-03:00",
		"2026-09-06T06:30:00+01:00": "2026-09-06T02:30:00-03:00",
		"2026-04-04T23:30:00-03:00": "2026-04-04T23:30:00-03:00",
		"2026-04-04T23:30:00-04:00": "2026-04-04T23:30:00-04:00",
	} {
		got := f.must(201, "POST", "/api/appointments", object{"service": service, "start": start, "customer": object{"name": "Eva"}})
		require.Equal(t, want, got["start"], start)
	}
	slots := list(f.must(200, "GET", "/api/availability?service="+service+"&from=2026-09-06&to=2026-09-06", nil), "slots")
	require.Equal(t, "2026-09-06T01:00:00-03:00", slots[0]["start"], "the day begins at one")
}

func TestTheSameKeyAnswersTheSame(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, _ := f.salon()
	body := object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{"name": "Eva"}}
	first := f.must(201, "POST", "/api/appointments", body, "Idempotency-Key", "k1")
	for range 20 {
		require.Equal(t, first, f.must(201, "POST", "/api/appointments", body, "Idempotency-Key", "k1"))
	}
	body["notes"] = "otra cosa"
	got := f.must(422, "POST", "/api/appointments", body, "Idempotency-Key", "k1")
	require.Equal(t, "idempotency_key_reused", got["code"])
	require.Equal(t, "Idempotency-Key", list(got, "errors")[0]["field"])
	require.Len(t, list(f.must(200, "GET", "/api/appointments", nil), "items"), 1)

	made := f.must(201, "POST", "/api/services", object{"name": "Color", "duration": 60}, "Idempotency-Key", "k1")
	require.Equal(t, made, f.must(201, "POST", "/api/services", object{"name": "Color", "duration": 60}, "Idempotency-Key", "k1"))
}

func TestAHoldIsBookedOrLetGo(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	hold := f.must(201, "POST", "/api/holds", object{"service": service, "start": "2026-03-25T10:00:00-03:00", "minutes": 3})
	require.Equal(t, "2026-03-25T10:00:00-03:00", hold["start"])
	require.Equal(t, today.Add(3*time.Minute).Format(time.RFC3339), hold["expiresAt"])
	require.Equal(t, staff, hold["staff"].(object)["id"])
	want := object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{"name": "Flor"}}
	require.Equal(t, "slot_taken", f.must(409, "POST", "/api/appointments", want)["code"])
	a := f.must(201, "POST", "/api/appointments", object{"hold": hold["id"], "customer": object{"name": "Eva"}})
	require.Equal(t, hold["start"], a["start"])

	other := f.must(201, "POST", "/api/holds", object{"service": service, "start": "2026-03-25T11:00:00-03:00"})
	code, _ := f.call("admin", "DELETE", "/api/holds/"+other["id"].(string), nil)
	require.Equal(t, 204, code)
	f.must(404, "DELETE", "/api/holds/"+other["id"].(string), nil)
	f.must(404, "POST", "/api/appointments", object{"hold": other["id"], "customer": object{"name": "Eva"}})
	require.Equal(t, "minutes", list(f.must(422, "POST", "/api/holds", object{"service": service, "start": "2026-03-25T11:00:00-03:00", "minutes": 60}), "errors")[0]["field"])
}

func TestTheAgendaIsListedPageByPage(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, staff := f.salon()
	for i := range 7 {
		start := fmt.Sprintf("2026-03-%02dT%02d:00:00-03:00", 25+i/4, 9+i%4)
		f.must(201, "POST", "/api/appointments", object{"service": service, "start": start, "customer": object{"name": fmt.Sprint("Cliente ", i)}})
	}
	starts := func(query string) (out []string, next string) {
		page := f.must(200, "GET", "/api/appointments?"+query, nil)
		for _, a := range list(page, "items") {
			out = append(out, strings.TrimPrefix(a["start"].(string), "2026-03-")[:5])
		}
		next, _ = page["nextCursor"].(string)
		return out, next
	}
	all, next := starts("limit=200")
	require.Equal(t, []string{"25T09", "25T10", "25T11", "25T12", "26T09", "26T10", "26T11"}, all)
	require.Empty(t, next)
	var paged []string
	for query := "limit=3"; ; {
		some, next := starts(query)
		paged = append(paged, some...)
		if next == "" {
			break
		}
		query = "limit=3&cursor=" + next
	}
	require.Equal(t, all, paged)
	day, _ := starts("from=2026-03-26&to=2026-03-26")
	require.Equal(t, all[4:], day, "dates are the location's, and included")
	hours, _ := starts("from=" + url.QueryEscape("2026-03-25T10:15:00-03:00") + "&to=" + url.QueryEscape("2026-03-25T12:00:00-03:00"))
	require.Equal(t, []string{"25T10", "25T11"}, hours)
	none, _ := starts("status=cancelled,no_show")
	require.Empty(t, none)
	his, _ := starts("staff=" + staff + "&status=booked")
	require.Len(t, his, 7)
	customers := f.must(200, "GET", "/api/customers?limit=5", nil)
	require.Len(t, list(customers, "items"), 5)
	require.Equal(t, "Cliente 6", list(customers, "items")[0]["name"])
	rest := f.must(200, "GET", "/api/customers?limit=5&cursor="+customers["nextCursor"].(string), nil)
	require.Len(t, list(rest, "items"), 2)
	one := list(rest, "items")[0]["id"].(string)
	require.Equal(t, one, f.must(200, "GET", "/api/customers/"+one, nil)["id"])
	mine, _ := starts("customer=" + one)
	require.Len(t, mine, 1)
	require.Len(t, list(f.must(200, "GET", "/api/customers?search=cliente%203", nil), "items"), 1)
}

func TestAClosureAndANewZoneAskAboutAppointments(t *testing.T) {
	t.Parallel()
	f := sqlite(t)
	service, _ := f.salon()
	a := f.must(201, "POST", "/api/appointments", object{"service": service, "start": "2026-03-25T10:00:00-03:00", "customer": object{"name": "Eva"}})
	holiday := object{"firstDate": "2026-03-25", "reason": "feriado"}
	asked := f.must(409, "POST", "/api/closures", holiday)
	require.Equal(t, "closure_has_appointments", asked["code"])
	require.Equal(t, []object{a}, list(asked, "appointments"))
	holiday["keepAppointments"] = true
	require.Equal(t, []object{a}, list(f.must(201, "POST", "/api/closures", holiday), "appointments"))
	require.Len(t, list(f.must(200, "GET", "/api/closures", nil), "items"), 1)

	place := "/api/locations/" + a["location"].(object)["id"].(string)
	require.Equal(t, "zone_has_appointments", f.must(409, "PATCH", place, object{"zone": "America/Bogota"})["code"])
	require.Equal(t, "America/Bogota", f.must(200, "PATCH", place, object{"zone": "America/Bogota", "keep": "instant"})["zone"])
	require.Equal(t, "2026-03-25T08:00:00-05:00", f.must(200, "GET", "/api/appointments/"+a["id"].(string), nil)["start"])
}

func TestTheDocumentNeedsNoService(t *testing.T) {
	t.Parallel()
	api := httpkit.New(http.NewServeMux(), "test", "1", nil, slog.New(slog.DiscardHandler))
	httpapi.Register(api, nil)
	require.NoError(t, api.Check())
	slot := api.OpenAPI().Components.Schemas.Map()["AppointmentsSlotBody"]
	require.NotNil(t, slot, "what is written without reflection stands in the document all the same")
	require.Contains(t, slot.Properties, "start")
}
