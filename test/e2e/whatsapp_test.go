package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type message struct {
	ID         string `json:"id"`
	WhatsAppID string `json:"whatsappId"`
	Direction  string `json:"direction"`
	Text       string `json:"text"`
	Status     string `json:"status"`
	Reason     string `json:"reason"`
}

type chat struct {
	ID         string `json:"id"`
	WhatsAppID string `json:"whatsappId"`
	Kind       string `json:"kind"`
	Phone      string `json:"phone"`
	Mode       string `json:"mode"`
	Until      string `json:"personUntil"`
}

// chats lists the caller's chats of all kinds.
func (c *caller) chats() []chat {
	c.p.t.Helper()
	var out struct {
		Items []chat `json:"items"`
	}
	c.must(http.StatusOK, "GET", "/api/chats?limit=100&kind=direct,group,status,channel", nil, &out)
	return out.Items
}

// chatWith gives the chat with a number, the zero value when there is none.
func (c *caller) chatWith(number string) chat {
	c.p.t.Helper()
	for _, ch := range c.chats() {
		if ch.Phone == "+"+number {
			return ch
		}
	}
	return chat{}
}

// history lists the newest messages of a chat, oldest first.
func (c *caller) history(chat string) []message {
	c.p.t.Helper()
	var out struct {
		Items []message `json:"items"`
	}
	c.must(http.StatusOK, "GET", "/api/chats/"+url.PathEscape(chat)+"/messages?limit=100", nil, &out)
	items := make([]message, len(out.Items))
	for i, m := range out.Items {
		items[len(items)-1-i] = m
	}
	return items
}

// addPhone adds a simulated phone; addressing "lid" has it write by LID.
func (p *process) addPhone(number, name, addressing string) *phone {
	p.t.Helper()
	p.anybody().must(http.StatusCreated, "POST", "/sim/phones", object{"number": number, "name": name, "addressing": addressing}, nil)
	return p.phone(number)
}

func (p *process) fault(f object) {
	p.t.Helper()
	status, _, raw := p.anybody().do("POST", "/sim/faults", f)
	require.Less(p.t, status, 300, "%s", raw)
}

// connected waits until the line is.
func connected(t *testing.T, admin *caller) {
	t.Helper()
	eventuallyWithin(t, 40*time.Second, "the line connects", func() bool { return admin.get("/api/whatsapp/status")["status"] == "connected" })
}

// texts gives what the phone shows of the texts that begin with the prefix, in order.
func (ph *phone) texts(prefix string) []string {
	ph.p.t.Helper()
	var out []string
	for _, m := range ph.inbox() {
		if strings.HasPrefix(m.Text, prefix) {
			out = append(out, m.Text)
		}
	}
	return out
}

func TestALineIsLinkedUnlinkedAndLinkedAgain(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin := p.as(p.Demo.Tenant.Admin)
	business := p.phone(p.Demo.Tenant.Phone)
	notLinked := func(when string) {
		t.Helper()
		status, _, raw := admin.do("POST", "/api/chats/"+p.Demo.Customers[0].Number+"/messages", object{"text": "hola"})
		require.Equal(t, http.StatusServiceUnavailable, status, when)
		require.Contains(t, string(raw), "session_not_linked", when)
	}
	notLinked("before the first link")

	admin.must(http.StatusOK, "POST", "/api/whatsapp/init", nil, nil)
	var code struct {
		QR        string    `json:"qr"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
	eventually(t, "a QR", func() bool {
		status, _, _ := admin.do("GET", "/api/whatsapp/qr", nil, "Accept", "application/json")
		return status == http.StatusOK
	})
	admin.must(http.StatusOK, "GET", "/api/whatsapp/qr", nil, &code, "Accept", "application/json")
	require.True(t, code.ExpiresAt.After(time.Now()))
	_, header, png := admin.do("GET", "/api/whatsapp/qr", nil, "Accept", "image/png")
	require.Equal(t, "image/png", header.Get("Content-Type"))
	require.Equal(t, "\x89PNG", string(png[:4]))
	p.anybody().must(http.StatusOK, "POST", business.path("/scan"), object{"qr": code.QR}, nil)
	connected(t, admin)
	status, _, raw := p.anybody().do("POST", p.phone(p.Demo.Customers[0].Number).path("/scan"), object{"qr": code.QR})
	require.GreaterOrEqual(t, status, 400, "a code is good once: %s", raw)
	require.Equal(t, "Turnero", p.anybody().get("/sim/phones/" + business.number)["devices"].([]any)[0].(object)["name"])

	// The user removes the device on the phone.
	status, _, raw = p.anybody().do("POST", business.path("/unlink"), object{})
	require.Less(t, status, 300, "%s", raw)
	eventually(t, "the line knows", func() bool { return admin.get("/api/whatsapp/status")["status"] == "logged_out" })
	notLinked("after the phone unlinked it")
	link(t, admin, business)

	// The line is logged out from here.
	admin.must(http.StatusOK, "POST", "/api/whatsapp/logout", nil, nil)
	eventually(t, "the phone knows", func() bool {
		return len(p.anybody().get("/sim/phones/" + business.number)["devices"].([]any)) == 0
	})
	notLinked("after the log-out")
	link(t, admin, business)

	admin.must(http.StatusOK, "POST", "/api/whatsapp/restart", nil, nil)
	connected(t, admin)
	p.restart()
	connected(t, p.as(p.Demo.Tenant.Admin))
}

func TestWhatIsQueuedIsSentOnceWhateverTheLineDoes(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin := p.as(p.Demo.Tenant.Admin)
	link(t, admin, p.phone(p.Demo.Tenant.Phone))
	customer := p.phone(p.Demo.Customers[0].Number)
	to := "/api/chats/" + customer.number + "/messages"
	var first, again message
	admin.must(http.StatusOK, "POST", to, object{"text": "n 0"}, &first, "Idempotency-Key", "n-0", "Prefer", "wait=20")
	require.NotEqual(t, "queued", first.Status)
	admin.must(http.StatusAccepted, "POST", to, object{"text": "n 0"}, &again, "Idempotency-Key", "n-0")
	require.Equal(t, first.ID, again.ID)
	admin.must(http.StatusUnprocessableEntity, "POST", to, object{"text": "another"}, nil, "Idempotency-Key", "n-0")
	var refused message
	admin.must(http.StatusOK, "POST", "/api/chats/9995550100@c.us/messages", object{"text": "hola"}, &refused, "Prefer", "wait=20")
	require.Equal(t, []string{"failed", "not_on_whatsapp"}, []string{refused.Status, refused.Reason})

	// The network is gone.
	p.fault(object{"kind": "http_503", "duration": 600})
	p.fault(object{"kind": "cut", "number": p.Demo.Tenant.Phone})
	eventually(t, "the line is down", func() bool { return admin.get("/api/whatsapp/status")["status"] != "connected" })
	want := []string{"n 0"}
	ids := []string{first.WhatsAppID}
	for i := 1; i <= 3; i++ {
		var m message
		want = append(want, fmt.Sprintf("n %d", i))
		admin.must(http.StatusAccepted, "POST", to, object{"text": want[i]}, &m, "Prefer", "wait=1")
		require.Equal(t, "queued", m.Status)
		ids = append(ids, m.WhatsAppID)
	}
	status, header, _ := admin.do("POST", "/api/chats/"+customer.number+"/typing", object{})
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, header.Get("Retry-After"))
	// It comes back, but the acknowledgement of the first message is lost, and the process is killed.
	p.anybody().must(http.StatusNoContent, "DELETE", "/sim/faults", nil, nil)
	p.fault(object{"kind": "drop_ack", "number": p.Demo.Tenant.Phone, "count": 1})
	eventuallyWithin(t, 40*time.Second, "the first leaves", func() bool { return len(customer.texts("n ")) >= 2 })
	p.restart()
	admin = p.as(p.Demo.Tenant.Admin)
	eventuallyWithin(t, 40*time.Second, "all are delivered", func() bool {
		for _, m := range admin.history(customer.number) {
			if m.Status == "queued" || m.Status == "sent" {
				return false
			}
		}
		return true
	})
	require.Equal(t, want, customer.texts("n "), "each once, in order")
	var shown []string
	for _, m := range customer.inbox() {
		shown = append(shown, m.ID)
	}
	require.Equal(t, ids, shown, "under the IDs that were told when they were queued")
	decryptFree(t, p)
}

func TestTheBotHarmsNobody(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin := p.as(p.Demo.Tenant.Admin)
	business := p.phone(p.Demo.Tenant.Phone)
	link(t, admin, business)
	// An answer to somebody else, asked for later, tells that an answer would have come by now. That other is a bot itself.
	robot, replies := p.addPhone("5491155559105", "Robot", "pn"), 0
	silent := func(who *phone, n int, why string) {
		t.Helper()
		robot.ask(business.number, "hola")
		replies++
		require.Len(t, who.inbox(), n, why)
	}

	// Messages in a row get one answer, deliveries in duplicate none.
	p.fault(object{"kind": "duplicate", "number": business.number, "count": 3})
	quick := p.addPhone("5491155559101", "Rápida", "pn")
	for _, text := range []string{"hola", "quiero un turno", "corte"} {
		quick.write(business.number, text)
	}
	require.Regexp(t, clock, quick.answerAfter(0, "three messages"))
	silent(quick, 1, "one answer to three messages")
	require.Len(t, admin.history(quick.number), 4)

	// Groups, the status and channels are nobody's conversation with the business.
	var group struct {
		ID string `json:"id"`
	}
	p.anybody().must(http.StatusCreated, "POST", "/sim/groups", object{"subject": "Familia", "members": []string{business.number, quick.number}}, &group)
	for _, to := range []string{group.ID, "status@broadcast", "120001@newsletter"} {
		quick.write(to, "quiero un turno mañana a las 10")
	}
	eventually(t, "they are stored", func() bool {
		kinds := map[string]bool{}
		for _, c := range admin.chats() {
			kinds[c.Kind] = true
		}
		return len(kinds) == 4
	})
	silent(quick, 1, "no answer to what was not said to the business")

	// A person who writes from the phone has the chat for twelve hours.
	served := p.addPhone("5491155559102", "Atendida", "pn")
	served.ask(business.number, "hola")
	business.write(served.number, "Hola, soy la dueña")
	eventually(t, "the chat is the person's", func() bool { return admin.chatWith(served.number).Mode == "person" })
	until, err := time.Parse(time.RFC3339, admin.chatWith(served.number).Until)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(12*time.Hour), until, 2*time.Minute)
	served.write(business.number, "corte mañana a las 10")
	silent(served, 2, "the bot is silent after a person wrote")

	// Who asks for a person gets one, and the bot again once the chat is released.
	asking := p.addPhone("5491155559103", "Pregunta", "pn")
	require.NotEmpty(t, asking.ask(business.number, "quiero hablar con alguien"))
	eventually(t, "the chat is handed over", func() bool { return admin.chatWith(asking.number).Mode == "person" })
	asking.write(business.number, "hola?")
	silent(asking, 1, "the bot is silent after it handed over")
	admin.must(http.StatusOK, "POST", "/api/chats/"+asking.number+"/release", nil, nil)
	asking.ask(business.number, "hola")

	// The business may do without it.
	admin.must(http.StatusOK, "PATCH", "/api/settings", object{"botEnabled": false}, nil)
	off := p.addPhone("5491155559104", "Apagada", "pn")
	off.write(business.number, "hola")
	eventually(t, "the message is there", func() bool { return admin.chatWith(off.number).ID != "" })
	admin.must(http.StatusOK, "PATCH", "/api/settings", object{"botEnabled": true}, nil)
	silent(off, 0, "no answer while the bot is off")

	// Two bots do not talk for ever: twenty replies in an hour are enough.
	for ; replies < 20; replies++ {
		robot.ask(business.number, "hola")
	}
	robot.write(business.number, "hola")
	eventually(t, "the staff has the chat", func() bool { return admin.chatWith(robot.number).Mode == "person" })
	require.Len(t, robot.inbox(), 20)
}

func TestAPersonIsOneChatAndAnEmployeeSeesThoseGranted(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin, employee := p.as(p.Demo.Tenant.Admin), p.as(p.Demo.Tenant.Employee)
	link(t, admin, p.phone(p.Demo.Tenant.Phone))
	// The business writes to a number; the person answers by LID, then by number.
	person := p.addPhone("5491155559201", "Luz", "lid")
	admin.must(http.StatusOK, "POST", "/api/chats/"+person.number+"/messages", object{"text": "buen día"}, nil, "Prefer", "wait=20")
	person.write(p.Demo.Tenant.Phone, "uno")
	p.anybody().must(http.StatusOK, "PATCH", person.path(""), object{"addressing": "pn"}, nil)
	person.write(p.Demo.Tenant.Phone, "dos")
	eventually(t, "both arrive", func() bool { return len(admin.history(person.number)) == 3 })
	require.Len(t, admin.chats(), 1)
	is := admin.chats()[0]
	names := []string{is.ID, is.WhatsAppID, person.number, "+" + person.number, person.number + "@c.us", person.number + "@s.whatsapp.net"}
	for _, name := range names {
		require.Equal(t, is.ID, admin.get("/api/chats/" + url.PathEscape(name))["id"], name)
	}
	require.Contains(t, is.WhatsAppID, "@lid")

	message := admin.history(is.ID)[0].ID
	operations := []struct {
		method, path string
		body         any
	}{
		{"GET", "", nil}, {"GET", "/messages", nil}, {"GET", "/messages/" + message, nil}, {"POST", "/messages", object{"text": "hola"}},
		{"POST", "/read", nil}, {"POST", "/typing", object{}}, {"POST", "/handoff", nil}, {"POST", "/release", nil},
	}
	sees := func(want bool, when string) {
		t.Helper()
		for _, name := range names {
			for _, op := range operations {
				status, _, raw := employee.do(op.method, "/api/chats/"+url.PathEscape(name)+op.path, op.body)
				require.Equal(t, want, status < 300, "%s: %s %s of %s: %d %s", when, op.method, op.path, name, status, raw)
				if !want {
					require.Equal(t, http.StatusNotFound, status, "%s: %s %s of %s", when, op.method, op.path, name)
				}
			}
		}
		require.Equal(t, want, len(employee.chats()) == 1, when)
	}
	sees(false, "not granted")
	require.Len(t, admin.history(is.ID), 3, "nothing was written")
	status, _, _ := employee.do("POST", "/api/chats/5491155559299/messages", object{"text": "hola"})
	require.Equal(t, http.StatusNotFound, status, "nor does an employee begin a chat")
	var me struct {
		ID string `json:"id"`
	}
	employee.must(http.StatusOK, "GET", "/api/auth/me", nil, &me)
	grant := "/api/chats/" + is.ID + "/permissions/" + me.ID
	admin.must(http.StatusNoContent, "PUT", grant, nil, nil)
	sees(true, "granted")
	admin.must(http.StatusNoContent, "DELETE", grant, nil, nil)
	sees(false, "revoked")
}

func TestOfManyWhoWantOneSlotOneGetsItAndTheRestHearOfOthers(t *testing.T) {
	t.Parallel()
	p := startDemo(t)
	admin := p.as(p.Demo.Tenant.Admin)
	service, _ := admin.firstService()
	at := nextAfternoon(t, admin, service)
	staff := admin.get("/api/staff")["items"].([]any)[0].(object)["id"]
	const many = 64
	var wg sync.WaitGroup
	statuses, bodies := make([]int, many), make([]string, many)
	for i := range many {
		wg.Go(func() {
			status, _, raw := admin.do("POST", "/api/appointments", object{"service": service, "staff": staff, "start": at.Format(time.RFC3339),
				"customer": object{"name": "Cliente", "phone": fmt.Sprintf("+549115556%04d", i)}})
			statuses[i], bodies[i] = status, string(raw)
		})
	}
	wg.Wait()
	count := map[int]int{}
	for i, status := range statuses {
		count[status]++
		if status == http.StatusConflict {
			require.GreaterOrEqual(t, strings.Count(bodies[i], `"start":"`), 3, "three other times: %s", bodies[i])
		}
	}
	require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: many - 1}, count)
	require.Len(t, admin.active(), 1)
}
