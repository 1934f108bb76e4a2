package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit/sqltest"
)

// zone is that of the demonstration's business.
func zone(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("America/Argentina/Buenos_Aires")
	require.NoError(t, err)
	return loc
}

// clock is a time of day as the bot writes it.
var clock = regexp.MustCompile(`\d\d:\d\d`)

type appointment struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Status   string    `json:"status"`
	Customer struct {
		Name string `json:"name"`
	} `json:"customer"`
}

func (c *caller) appointments() []appointment {
	c.p.t.Helper()
	var out struct {
		Items []appointment `json:"items"`
	}
	c.must(http.StatusOK, "GET", "/api/appointments?limit=200", nil, &out)
	return out.Items
}

func (c *caller) active() []appointment {
	c.p.t.Helper()
	var out []appointment
	for _, a := range c.appointments() {
		if a.Status == "booked" || a.Status == "confirmed" {
			out = append(out, a)
		}
	}
	return out
}

// firstService gives the ID and name of a service of the business.
func (c *caller) firstService() (string, string) {
	c.p.t.Helper()
	item := c.get("/api/services")["items"].([]any)[0].(object)
	return item["id"].(string), item["name"].(string)
}

// slots lists the free starts of a service in a span.
func (c *caller) slots(service string, from, to time.Time) []time.Time {
	c.p.t.Helper()
	q := url.Values{"service": {service}, "from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	var out struct {
		Slots []struct {
			Start time.Time `json:"start"`
		} `json:"slots"`
	}
	c.must(http.StatusOK, "GET", "/api/availability?"+q.Encode(), nil, &out)
	var starts []time.Time
	for _, s := range out.Slots {
		starts = append(starts, s.Start)
	}
	return starts
}

// nextAfternoon finds a free afternoon slot at least a day ahead, on the hour.
func nextAfternoon(t *testing.T, admin *caller, service string) time.Time {
	t.Helper()
	now := time.Now().In(zone(t))
	for _, s := range admin.slots(service, now.Add(24*time.Hour), now.Add(8*24*time.Hour)) {
		if local := s.In(zone(t)); local.Hour() >= 14 && local.Hour() <= 16 && local.Minute() == 0 {
			return local
		}
	}
	t.Fatal("the demonstration has no free afternoon")
	return time.Time{}
}

// phrase says a day and an hour as a customer would.
func phrase(at time.Time) string {
	return fmt.Sprintf("el %d/%d a las %d", at.Day(), at.Month(), at.Hour())
}

// bookByChat talks to the bot until it has booked the slot; it returns what the bot said last.
func bookByChat(t *testing.T, customer *phone, business, service string, at time.Time) string {
	t.Helper()
	answer := customer.ask(business, "hola, quiero un turno de "+service+" "+phrase(at))
	require.Contains(t, answer, at.Format("15:04"), "the summary names the time")
	return customer.ask(business, "sí")
}

func TestFromNothingToABookedAppointmentAndBackOnEveryDatabase(t *testing.T) {
	t.Parallel()
	for _, database := range sqltest.Databases {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			fromNothingAndBack(t, startDemoOn(t, database))
		})
	}
}

func fromNothingAndBack(t *testing.T, p *process) {
	admin := p.as(p.Demo.Tenant.Admin)
	business := p.phone(p.Demo.Tenant.Phone)
	customer := p.phone(p.Demo.Customers[0].Number)
	link(t, admin, business)
	service, name := admin.firstService()

	// The customer asks loosely, gets concrete times, picks the first and confirms.
	answer := customer.ask(p.Demo.Tenant.Phone, "hola, quiero un turno mañana a la tarde")
	if !clock.MatchString(answer) { // the business has several services: it asks which
		answer = customer.ask(p.Demo.Tenant.Phone, "1")
	}
	require.GreaterOrEqual(t, len(clock.FindAllString(answer, -1)), 3, "three concrete times: %s", answer)
	summary := customer.ask(p.Demo.Tenant.Phone, "1")
	require.Regexp(t, clock, summary)
	booked := customer.ask(p.Demo.Tenant.Phone, "sí")
	require.Contains(t, strings.ToLower(booked), "cancelar", "it says how to cancel")
	require.Len(t, admin.active(), 1)
	require.Equal(t, p.Demo.Customers[0].Name, admin.active()[0].Customer.Name)
	employee := p.as(p.Demo.Tenant.Employee)
	require.Len(t, employee.active(), 1, "the staff sees it")

	// One of the staff is taken then; the customer cancels by message and the slot is free again.
	start := admin.active()[0].Start
	free := len(admin.slots(service, start, start.Add(time.Minute)))
	answer = customer.ask(p.Demo.Tenant.Phone, "cancelar")
	require.NotEmpty(t, answer)
	customer.ask(p.Demo.Tenant.Phone, "sí")
	eventually(t, "the appointment is cancelled", func() bool { return len(admin.active()) == 0 })
	require.Len(t, admin.slots(service, start, start.Add(time.Minute)), free+1)

	// The reminder of another appointment arrives: its offset is set so that it falls due within a minute.
	at := nextAfternoon(t, admin, service)
	offset := int(time.Until(at) / time.Minute)
	admin.must(http.StatusOK, "PATCH", "/api/settings", object{"reminderOffsets": []int{offset}}, nil)
	bookByChat(t, customer, p.Demo.Tenant.Phone, name, at)
	before := len(customer.inbox())
	eventuallyWithin(t, 75*time.Second, "the reminder", func() bool { return len(customer.inbox()) > before })
	require.Contains(t, customer.inbox()[before].Text, at.Format("15:04"))
	decryptFree(t, p)
}

// decryptFree checks that the network saw no frame that it could not decrypt and no counter used twice.
func decryptFree(t *testing.T, p *process) {
	t.Helper()
	var stats object
	p.anybody().must(http.StatusOK, "GET", "/sim/stats", nil, &stats)
	for _, name := range []string{"decryptErrors", "ratchetReuse"} {
		require.Contains(t, stats, name)
		require.EqualValues(t, 0, stats[name], name)
	}
}

func TestAKillInTheMiddleLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, database := range sqltest.Databases {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			killInTheMiddle(t, startDemoOn(t, database))
		})
	}
}

func killInTheMiddle(t *testing.T, p *process) {
	admin := p.as(p.Demo.Tenant.Admin)
	link(t, admin, p.phone(p.Demo.Tenant.Phone))
	service, name := admin.firstService()
	unread := func() int { return int(admin.get("/api/chats")["items"].([]any)[0].(object)["unread"].(float64)) }
	for i, reached := range []func(already, unreadBefore int) bool{ // the points of the way at which the power goes
		func(int, int) bool { return true },                                // the message may still be at WhatsApp
		func(_, unreadBefore int) bool { return unread() > unreadBefore },  // it is stored
		func(already, _ int) bool { return len(admin.active()) > already }, // it is booked, the answer is on its way
	} {
		customer := p.phone(p.Demo.Customers[i%len(p.Demo.Customers)].Number)
		already := len(admin.active())
		at := nextAfternoon(t, admin, service)
		require.Contains(t, customer.ask(p.Demo.Tenant.Phone, "hola, quiero un turno de "+name+" "+phrase(at)), at.Format("15:04"))
		before := len(customer.inbox())
		unreadBefore := unread()
		customer.write(p.Demo.Tenant.Phone, "sí")
		eventually(t, "the point of the way", func() bool { return reached(already, unreadBefore) })
		p.restart()
		admin = p.as(p.Demo.Tenant.Admin)
		// On a server database a killed process's leases have to run out first.
		eventuallyWithin(t, time.Minute, "the appointment exists after the kill", func() bool { return len(admin.active()) > already })
		eventuallyWithin(t, time.Minute, "the confirmation arrives", func() bool { return len(customer.inbox()) > before })
		eventually(t, "the line is back", func() bool { return admin.get("/api/whatsapp/status")["status"] == "connected" })
		require.Contains(t, strings.ToLower(customer.ask(p.Demo.Tenant.Phone, "mis turnos")), at.Format("15:04"))
		require.Len(t, admin.active(), already+1, "booked once")
		require.Len(t, customer.inbox(), before+2, "answered once")
	}
	decryptFree(t, p)
}

func TestTwoBusinessesAtOnceDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	super := p.as(p.Demo.SuperAdmin)
	var made struct {
		ID string `json:"id"`
	}
	second := login{Email: "duena@otra.example", Password: "una clave bien larga"}
	super.must(http.StatusCreated, "POST", "/api/tenants", object{"name": "Otra Peluquería", "zone": "America/Argentina/Buenos_Aires", "language": "es",
		"admin": object{"email": second.Email, "name": "Dueña", "password": second.Password}}, &made)
	const otherNumber = "5491155550099"
	p.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": otherNumber, "name": "Otra Peluquería"}, nil)

	one, two := p.as(p.Demo.Tenant.Admin), p.as(second)
	setUpShop(t, two)
	link(t, one, p.phone(p.Demo.Tenant.Phone))
	link(t, two, p.phone(otherNumber))

	service, name := one.firstService()
	at := nextAfternoon(t, one, service)
	customer := p.phone(p.Demo.Customers[0].Number)
	bookByChat(t, customer, p.Demo.Tenant.Phone, name, at)
	require.Len(t, one.active(), 1)
	require.Empty(t, two.active())

	bookByChat(t, customer, otherNumber, "consulta", at)
	require.Len(t, two.active(), 1)
	require.Len(t, one.active(), 1)

	mine := one.active()[0].ID
	status, _, raw := two.do("GET", "/api/appointments/"+mine, nil)
	require.Equal(t, http.StatusNotFound, status, "%s", raw)
	var chats struct {
		Items []object `json:"items"`
	}
	one.must(http.StatusOK, "GET", "/api/chats", nil, &chats)
	require.Len(t, chats.Items, 1)
	status, _, _ = two.do("GET", "/api/chats/"+chats.Items[0]["id"].(string), nil)
	require.Equal(t, http.StatusNotFound, status)

	// Suspending the second stops its log-in, its line and nothing else.
	super.must(http.StatusOK, "POST", "/api/tenants/"+made.ID+"/suspend", nil, nil)
	status, _, _ = two.do("GET", "/api/appointments", nil)
	require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status)
	require.Equal(t, "connected", one.get("/api/whatsapp/status")["status"])
}

// setUpShop gives a business one service and one person who performs it every day.
func setUpShop(t *testing.T, admin *caller) {
	t.Helper()
	var service struct {
		ID string `json:"id"`
	}
	admin.must(http.StatusCreated, "POST", "/api/services", object{"name": "Consulta", "duration": 30, "price": object{"amount": 100000, "currency": "ARS"}}, &service)
	hours := []object{}
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		hours = append(hours, object{"weekday": day, "from": "09:00", "to": "18:00"})
	}
	admin.must(http.StatusCreated, "POST", "/api/staff", object{"name": "Sol", "services": []string{service.ID}, "hours": hours}, nil)
}

func TestASecondProcessOnTheFolderRefuses(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	out, code := runBinary(t, "serve", "--data", p.data, "--listen", "127.0.0.1:0")
	require.NotZero(t, code)
	require.Contains(t, out, "in use by another turnero process")
	out, code = runBinary(t, "serve", "--data", t.TempDir(), "--database-url", "sqlite:"+p.data+"/turnero.db", "--listen", "127.0.0.1:0")
	require.NotZero(t, code, "nor with another folder on its database")
	require.Contains(t, out, "in use by another turnero process")
}

func TestASecondProcessOnAServersDatabaseRefuses(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres", "mariadb"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			p := startDemoOn(t, database)
			out, code := runBinary(t, append([]string{"serve", "--network", "sim", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, p.flags...)...)
			require.NotZero(t, code)
			require.Contains(t, out, "another turnero process serves this database")
		})
	}
}

func TestTheFolderKeepsItsSecretsToItself(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	for _, name := range []string{"demo.json", "master.key", "turnero.db"} {
		info, err := os.Stat(p.data + "/" + name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	key, err := os.ReadFile(p.data + "/master.key")
	require.NoError(t, err)
	eventually(t, "the passwords are said", func() bool { return strings.Contains(p.daemon.logs.String(), p.Demo.Tenant.Employee.Password) })
	logs := p.daemon.logs.String()
	require.NotContains(t, logs, strings.TrimSpace(string(key)))
	require.Equal(t, 1, strings.Count(logs, p.Demo.Tenant.Employee.Password), "said once")
	p.restart()
	require.NotContains(t, strings.TrimPrefix(p.daemon.logs.String(), logs), p.Demo.Tenant.Employee.Password, "and never again")
	raw, err := json.Marshal(p.Demo)
	require.NoError(t, err)
	require.NotEmpty(t, raw)
}
